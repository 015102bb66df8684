package rpmfile

// A Tag names a value of a header (rpm's docs/manual/tags.md).
type Tag uint32

// The tags of the main header that smith reads.
const (
	TagName                       Tag = 1000
	TagVersion                    Tag = 1001
	TagRelease                    Tag = 1002
	TagEpoch                      Tag = 1003
	tagOldSources                 Tag = 1018
	TagBuildTime                  Tag = 1006
	TagSize                       Tag = 1009
	TagVendor                     Tag = 1011
	TagArch                       Tag = 1022
	tagPreIn                      Tag = 1023
	tagPostIn                     Tag = 1024
	tagOldFileNames               Tag = 1027
	tagFileSizes                  Tag = 1028
	tagFileModes                  Tag = 1030
	tagFileTimes                  Tag = 1034
	tagFileDigests                Tag = 1035
	tagFileLinks                  Tag = 1036
	tagFileFlags                  Tag = 1037
	tagFileUsers                  Tag = 1039
	tagFileGroups                 Tag = 1040
	TagSourceRPM                  Tag = 1044
	TagProvideName                Tag = 1047
	TagRequireFlags               Tag = 1048
	TagRequireName                Tag = 1049
	TagRequireVersion             Tag = 1050
	TagConflictFlags              Tag = 1053
	TagConflictName               Tag = 1054
	TagConflictVersion            Tag = 1055
	tagTriggerScripts             Tag = 1065
	tagTriggerName                Tag = 1066
	tagTriggerVersion             Tag = 1067
	tagTriggerFlags               Tag = 1068
	tagTriggerIndex               Tag = 1069
	tagPreInProg                  Tag = 1085
	tagPostInProg                 Tag = 1086
	TagObsoleteName               Tag = 1090
	tagTriggerScriptProg          Tag = 1092
	tagFileDevices                Tag = 1095
	tagFileInodes                 Tag = 1096
	tagSourcePackage              Tag = 1106
	TagProvideFlags               Tag = 1112
	TagProvideVersion             Tag = 1113
	TagObsoleteFlags              Tag = 1114
	TagObsoleteVersion            Tag = 1115
	tagDirIndexes                 Tag = 1116
	TagBaseNames                  Tag = 1117
	tagDirNames                   Tag = 1118
	tagPayloadFormat              Tag = 1124
	tagFileColors                 Tag = 1140
	tagPreTrans                   Tag = 1151
	tagPostTrans                  Tag = 1152
	tagPreTransProg               Tag = 1153
	tagPostTransProg              Tag = 1154
	tagLongFileSizes              Tag = 5008
	TagLongSize                   Tag = 5009
	tagFileCapabilities           Tag = 5010
	tagFileDigestAlgo             Tag = 5011
	TagRecommendName              Tag = 5046
	TagRecommendVersion           Tag = 5047
	TagRecommendFlags             Tag = 5048
	TagSuggestName                Tag = 5049
	TagSuggestVersion             Tag = 5050
	TagSuggestFlags               Tag = 5051
	TagSupplementName             Tag = 5052
	TagSupplementVersion          Tag = 5053
	TagSupplementFlags            Tag = 5054
	tagFileTriggerScripts         Tag = 5066
	tagFileTriggerScriptProg      Tag = 5067
	tagFileTriggerName            Tag = 5069
	tagFileTriggerIndex           Tag = 5070
	tagFileTriggerVersion         Tag = 5071
	tagFileTriggerFlags           Tag = 5072
	tagTransFileTriggerScripts    Tag = 5076
	tagTransFileTriggerScriptProg Tag = 5077
	tagTransFileTriggerName       Tag = 5079
	tagTransFileTriggerIndex      Tag = 5080
	tagTransFileTriggerVersion    Tag = 5081
	tagTransFileTriggerFlags      Tag = 5082
	tagPayloadSHA256              Tag = 5092
	TagModularityLabel            Tag = 5096
	tagPayloadSHA512              Tag = 5121
	tagPayloadSHA3                Tag = 5123
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
	TagMD5          Tag = 1004
	tagGPG          Tag = 1005
	tagImmutable    Tag = 63
	tagSignatures   Tag = 62
)
