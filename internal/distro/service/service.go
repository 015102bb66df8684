// Package service reads how a distribution starts a server: systemd's units,
// init scripts, OpenRC's files and the directories of tmpfiles.d. An image has
// no init system, but these files say which program of a package is the server,
// with which arguments it stays in the foreground, as which user it runs and
// where it writes. Nothing is executed.
package service

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"smith/internal/tree"
)

// A Class says what a directory is for (systemd.exec(5), "RuntimeDirectory=";
// hier(7)).
type Class string

// The classes.
const (
	Runtime       Class = "runtime"
	State         Class = "state"
	Cache         Class = "cache"
	Logs          Class = "logs"
	Configuration Class = "configuration"
)

// A Directory is one that a server writes to, or reads its configuration from.
type Directory struct {
	Path  string
	Class Class
	// User and Group own it on a machine; "" is root, or whoever the server
	// runs as.
	User, Group string
}

// A Service is how a server is started.
type Service struct {
	// Name is that of the unit or script without its suffix: "nginx". A
	// template's ends in "@".
	Name string
	// From are the files that say so, the first one foremost.
	From []string
	// Program is the server's absolute path, and Args are its arguments, which
	// keep it in the foreground as far as that is known.
	Program string
	Args    []string
	// Forks reports whether the server leaves the foreground in spite of Args,
	// as far as is known.
	Forks bool
	// Once reports whether the program is a job that ends by itself.
	Once bool
	// User, Group and Groups are who it runs as; "" is root.
	User, Group string
	Groups      []string
	// Env are the variables that it is started with, as NAME=value.
	Env []string
	// Dir is its working directory, or "".
	Dir string
	// StopSignal is the signal that asks it to stop, "" for SIGTERM.
	StopSignal string
	// Directories are those that it writes to.
	Directories []Directory
	// Instance reports whether the arguments depend on the name of an instance
	// that only an administrator chooses.
	Instance bool
	// Why explains what was changed in the arguments, or "".
	Why string
}

// maxFile bounds a unit or script, in bytes.
const maxFile = 1 << 20

// read returns the text of a file of the tree, and whether there is one.
func read(t *tree.Tree, name string) (string, bool) {
	at, err := t.Resolve(name)
	if err != nil || at.Node.Kind != tree.File || at.Node.Size > maxFile {
		return "", false
	}
	data, err := at.Node.ReadAll(maxFile)
	return string(data), err == nil
}

// Find returns the services that some files describe, those of units before
// those of scripts, each name once. Links to units are other names of them and
// are left out, as are units that a system starts rather than a package.
func Find(t *tree.Tree, files []string) []Service {
	var all []Service
	known := map[string]bool{}
	add := func(s Service, ok bool) {
		if ok && !known[s.Name] {
			known[s.Name] = true
			all = append(all, s)
		}
	}
	for _, kind := range []func(*tree.Tree, string) (Service, bool){unitAt, openRCAt, scriptAt} {
		for _, name := range slices.Sorted(slices.Values(files)) {
			add(kind(t, name))
		}
	}
	for i := range all {
		all[i].stay(t)
	}
	return all
}

// regular reports whether a file, and no link to one, is at a path.
func regular(t *tree.Tree, name string) bool {
	at, err := t.Lookup(name)
	return err == nil && at.Node.Kind == tree.File
}

// ClassOf tells what a directory is for by where it lies.
func ClassOf(dir string) (Class, bool) {
	for _, c := range []struct {
		prefix string
		class  Class
	}{
		{"/run/", Runtime},
		{"/var/run/", Runtime},
		{"/var/lib/", State},
		{"/var/spool/", State},
		{"/var/mail", State},
		{"/srv/", State},
		{"/var/opt/", State},
		{"/var/cache/", Cache},
		{"/var/tmp/", Cache},
		{"/var/log/", Logs},
		{"/etc/", Configuration},
	} {
		if strings.HasPrefix(dir, c.prefix) {
			return c.class, true
		}
	}
	return "", false
}

// placed is the place of a path in an image: /var/run is a link to /run on all
// systems of today, and /var/lock to /run/lock (file-hierarchy(7)).
func placed(dir string) string {
	if path.IsAbs(dir) {
		dir = path.Clean(dir)
	}
	if rest, ok := strings.CutPrefix(dir, "/var/run/"); ok {
		return "/run/" + rest
	}
	if rest, ok := strings.CutPrefix(dir, "/var/lock/"); ok {
		return "/run/lock/" + rest
	}
	return dir
}

// directory adds a directory, unless it is known.
func (s *Service) directory(d Directory) {
	d.Path = placed(d.Path)
	if !path.IsAbs(d.Path) || slices.ContainsFunc(s.Directories, func(o Directory) bool { return o.Path == d.Path }) {
		return
	}
	s.Directories = append(s.Directories, d)
}

// sorted brings the directories into a fixed order.
func (s *Service) sorted() {
	slices.SortFunc(s.Directories, func(a, b Directory) int {
		return cmp.Or(cmp.Compare(a.Class, b.Class), cmp.Compare(a.Path, b.Path))
	})
}
