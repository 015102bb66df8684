package rpmfile

// A Tag names a value of a header (rpm's docs/manual/tags.md).
type Tag uint32

// The tags of the main header that smith reads.
const (
	TagName             Tag = 1000
	TagVersion          Tag = 1001
	TagRelease          Tag = 1002
	TagEpoch            Tag = 1003
	TagBuildTime        Tag = 1006
	TagSize             Tag = 1009
	TagVendor           Tag = 1011
	TagLicense          Tag = 1014
	TagArch             Tag = 1022
	TagPreIn            Tag = 1023
	TagPostIn           Tag = 1024
	tagOldFileNames     Tag = 1027
	tagOldSources       Tag = 1018
	tagFileSizes        Tag = 1028
	tagFileModes        Tag = 1030
	tagFileDevices      Tag = 1095
	tagFileInodes       Tag = 1096
	tagFileTimes        Tag = 1034
	tagFileDigests      Tag = 1035
	tagFileLinks        Tag = 1036
	tagFileFlags        Tag = 1037
	tagFileUsers        Tag = 1039
	tagFileGroups       Tag = 1040
	TagSourceRPM        Tag = 1044
	TagPreInProg        Tag = 1085
	TagPostInProg       Tag = 1086
	tagSourcePackage    Tag = 1106
	tagDirIndexes       Tag = 1116
	tagBaseNames        Tag = 1117
	tagDirNames         Tag = 1118
	tagPayloadFormat    Tag = 1124
	tagFileColors       Tag = 1140
	TagPreTrans         Tag = 1151
	TagPostTrans        Tag = 1152
	TagPreTransProg     Tag = 1153
	TagPostTransProg    Tag = 1154
	tagLongFileSizes    Tag = 5008
	TagLongSize         Tag = 5009
	tagFileCapabilities Tag = 5010
	tagFileDigestAlgo   Tag = 5011
	tagPayloadSHA256    Tag = 5092
	tagPayloadSHA512    Tag = 5121
	tagPayloadSHA3      Tag = 5123
)

// The tags of the signature header.
const (
	tagDSAHeader    Tag = 267
	tagRSAHeader    Tag = 268
	tagSHA1Header   Tag = 269
	tagSHA256Header Tag = 273
	tagOpenPGP      Tag = 278
	tagSHA3Header   Tag = 279
	tagPGP          Tag = 1002
	tagMD5          Tag = 1004
	tagGPG          Tag = 1005
	tagImmutable    Tag = 63
	tagSignatures   Tag = 62
)
