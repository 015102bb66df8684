package loader

// SearchFolders returns the subfolders that glibc 2.minor of an architecture
// tries in each folder on a CPU of a level; platform says whether the kernel
// tells the CPU's platform.
func SearchFolders(architecture, variant string, minor int, level string, platform bool) ([]string, error) {
	f, err := fileOf(architecture, variant)
	if err != nil {
		return nil, err
	}
	a := abiOf(f)
	name, caps := a.cpu(level, minor)
	if !platform {
		name = ""
	}
	return hwcapFolders(levelsUpTo(a.levels, level), minor, name, caps), nil
}
