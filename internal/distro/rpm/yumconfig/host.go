package yumconfig

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"smith/internal/distro/osrelease"
)

// ReadHost returns the enabled repositories of a machine whose root is given,
// and those with Debug, for an architecture as RPM names it: dnf.conf or yum.conf, and *.repo in the
// directories of its reposdir, with the variables of both. $releasever is what
// os-release has as VERSION_ID, for the relatives of RHEL without the minor
// number.
func ReadHost(root, machine string) ([]Repository, error) {
	version, err := release(root)
	if err != nil {
		return nil, err
	}
	variables := For(machine, version)
	for _, dir := range []string{"etc/yum/vars", "etc/dnf/vars"} {
		variables.readVariables(filepath.Join(root, dir))
	}
	main, sections, where, err := readMain(root)
	if err != nil {
		return nil, err
	}
	found, err := read(sections, main, variables, where)
	if err != nil {
		return nil, err
	}
	dirs := []string{"/etc/yum.repos.d", "/etc/yum/repos.d", "/etc/distro.repos.d"}
	if main != nil && main.Options["reposdir"] != "" {
		dirs = List(main.Options["reposdir"])
	}
	for _, dir := range dirs {
		more, err := readFolder(filepath.Join(root, dir), main, variables)
		if err != nil {
			return nil, err
		}
		found = append(found, more...)
	}
	all := offered(found)
	for i := range all {
		all[i].Keys = rooted(root, all[i].Keys)
		c := &all[i].Connection
		for _, file := range []*string{&c.CAFile, &c.CertFile, &c.KeyFile} {
			if *file != "" {
				*file = filepath.Join(root, *file)
			}
		}
	}
	return all, nil
}

// rooted returns keys whose files lie in a root.
func rooted(root string, keys []string) []string {
	for i, key := range keys {
		if path, ok := strings.CutPrefix(key, "file://"); ok {
			keys[i] = filepath.Join(root, path)
		}
	}
	return keys
}

// readMain reads the main configuration, of which there may be none.
func readMain(root string) (main *Section, sections []*Section, where string, err error) {
	for _, name := range []string{"/etc/dnf/dnf.conf", "/etc/yum.conf"} {
		sections, err := readFile(filepath.Join(root, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, nil, "", fmt.Errorf("%s: %w", name, err)
		}
		i := slices.IndexFunc(sections, func(s *Section) bool { return s.Name == "main" })
		if i >= 0 {
			main = sections[i]
		}
		return main, sections, name, nil
	}
	return nil, nil, "", nil
}

func readFile(path string) ([]*Section, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxConfig {
		return nil, fmt.Errorf("it is larger than %d bytes", maxConfig)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return ParseINI(string(data))
}

func readFolder(dir string, main *Section, variables Variables) ([]configured, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.repo"))
	if err != nil {
		return nil, err
	}
	var all []configured
	for _, file := range files { // sorted
		sections, err := readFile(file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		more, err := read(sections, main, variables, filepath.Base(file))
		if err != nil {
			return nil, err
		}
		all = append(all, more...)
	}
	return all, nil
}

// release is $releasever of a machine, or "".
func release(root string) (string, error) {
	values, err := osrelease.Machine(root)
	version := values["VERSION_ID"]
	if strings.Contains(values["ID_LIKE"], "rhel") || values["ID"] == "rhel" || values["ID"] == "centos" {
		version, _, _ = strings.Cut(version, ".")
	}
	return version, err
}
