package apt

type releaseFile struct{}
