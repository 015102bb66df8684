package rootfs

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"smith/internal/distro/accounts"
	"smith/internal/smithfile"
	"smith/internal/tree"
	"smith/record"
)

// skeleton are the directories of every microcontainer: those that the runtime
// fills, and those that a program with a read-only root writes to or reads its
// configuration from.
func skeleton() []string {
	return []string{"/dev", "/proc", "/read", "/run", "/sys", temporary, "/write"}
}

// temporary is where any user may write (hier(7)).
const temporary = "/tmp"

// Furniture is what an image holds beside the selected files.
type Furniture struct {
	// Parent holds what the layers below have, or nil: it is not repeated.
	Parent *tree.Tree
	// Mounts are folders for volumes.
	Mounts []string
	// Accounts says that /etc/passwd, /etc/group and /etc/nsswitch.conf are
	// wanted, which know User and Groups, of which the user is a member.
	Accounts bool
	User     smithfile.User
	Groups   []string
	// Hosts adds an /etc/hosts that knows localhost, for runtimes that mount none.
	Hosts bool
	// Others are the accounts of packages.
	Others *accounts.Set
	// Directories are those that a service of the image writes to, and Links the
	// symlinks that it writes its logs through, each with what it leads to.
	Directories []string
	Links       map[string]string
}

// Furnish adds the furniture to a tree and returns why, by path. Files of the
// overlay stay as they are, and so does an nsswitch.conf.
func Furnish(t *tree.Tree, f Furniture) (map[string]record.Reason, error) {
	a := adder{t: t, parent: f.Parent, reasons: map[string]record.Reason{}}
	for _, dir := range skeleton() {
		if err := a.mustBeReal(dir); err != nil {
			return nil, err
		}
		if err := a.folder(dir, record.Reason{Rule: record.RuleSkeleton, Detail: "a folder of every microcontainer"}); err != nil {
			return nil, err
		}
	}
	for _, dir := range f.Mounts {
		if err := a.folder(path.Clean(dir), record.Reason{Rule: record.RuleMount, Detail: "a volume of the image"}); err != nil {
			return nil, err
		}
	}
	if err := a.service(f); err != nil {
		return nil, err
	}
	if f.Hosts {
		reason := record.Reason{Rule: record.RuleNSS, Detail: "knows localhost; a runtime mounts its own file over it"}
		if err := a.file("/etc/hosts", hosts, reason, true); err != nil {
			return nil, err
		}
	}
	if !f.Accounts {
		return a.reasons, nil
	}
	reason := record.Reason{Rule: record.RuleNSS, Detail: "knows the image's user"}
	accounts, err := accountFiles(f)
	if err != nil {
		return nil, err
	}
	for name, text := range accounts {
		if err := a.file(name, text, reason, false); err != nil {
			return nil, err
		}
	}
	reason.Detail = "says where names are looked up"
	return a.reasons, a.file("/etc/nsswitch.conf", nsswitch, reason, true)
}

// mustBeReal returns an error where a directory that container runtimes mount
// over is a symlink to another: some follow it, also out of the image
// (CVE-2026-41579). A dangling symlink is replaced by a directory.
func (a *adder) mustBeReal(dir string) error {
	for _, t := range []*tree.Tree{a.t, a.parent} {
		if t == nil {
			continue
		}
		if at, err := t.Lookup(dir); err == nil && at.Node.Kind == tree.Symlink && t.Exists(dir) {
			return fmt.Errorf("%s is a symlink to %s, and container runtimes mount over it: make it a directory, or leave it out (excludes: [%[1]s])", dir, at.Node.Link)
		}
	}
	return nil
}

// service adds what a service of the image expects of the system around it.
func (a *adder) service(f Furniture) error {
	for _, dir := range f.Directories {
		if err := a.folder(path.Clean(dir), record.Reason{Rule: record.RuleService, Detail: "a service of the image writes here"}); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(f.Links)) {
		if a.t.Exists(name) || a.parent != nil && a.parent.Exists(name) {
			continue
		}
		reason := record.Reason{Rule: record.RuleService, Detail: "where every system has this link"}
		if strings.HasPrefix(f.Links[name], "/dev/") {
			reason.Detail = "a log that goes to a standard stream; log-streams: false leaves it a file"
		}
		if err := a.folder(path.Dir(name), reason); err != nil {
			return err
		}
		a.reasons[name] = reason
		if err := a.t.Insert(name, &tree.Node{Kind: tree.Symlink, Mode: 0o777, Link: f.Links[name], Origin: origin()}); err != nil {
			return err
		}
	}
	return nil
}

// An adder puts into a tree what it and the parent lack.
type adder struct {
	t, parent *tree.Tree
	reasons   map[string]record.Reason
}

func origin() *record.Origin { return &record.Origin{Kind: record.KindSmith} }

// folder adds a folder, and those on the way to it.
func (a *adder) folder(name string, reason record.Reason) error {
	if name == "/" {
		return nil
	}
	if err := a.folder(path.Dir(name), reason); err != nil {
		return err
	}
	for _, t := range []*tree.Tree{a.t, a.parent} {
		if t == nil {
			continue
		}
		if at, err := t.Resolve(name); err == nil {
			if at.Node.Kind != tree.Dir {
				return fmt.Errorf("%s must be a folder in the image, but a %s stands there", name, at.Node.Kind)
			}
			return nil
		}
	}
	a.reasons[name] = reason
	return a.t.Insert(name, &tree.Node{Kind: tree.Dir, Mode: 0o755, Origin: origin()})
}

// file adds a file that smith makes, unless the overlay has it, or the parent
// has the same. With keep, one that is there already stays.
func (a *adder) file(name, text string, reason record.Reason, keep bool) error {
	if at, err := a.t.Lookup(name); err == nil && (keep || (at.Node.Origin != nil && at.Node.Origin.Kind == record.KindOverlay)) {
		return nil
	}
	if keep && a.parent != nil && a.parent.Exists(name) {
		return nil
	}
	n := tree.NewFile([]byte(text), 0o644)
	n.Origin = origin()
	if a.parent != nil {
		if at, err := a.parent.Resolve(name); err == nil && at.Node.Kind == tree.File {
			same, err := equal(at.Node, n)
			if same || err != nil {
				return err
			}
			reason.Detail += "; replaces the parent's"
		}
	}
	if err := a.folder(path.Dir(name), reason); err != nil {
		return err
	}
	a.reasons[name] = reason
	return a.t.Insert(name, n)
}

func equal(a, b *tree.Node) (bool, error) {
	if a.Size != b.Size {
		return false, nil
	}
	first, err := a.Digest()
	if err != nil {
		return false, err
	}
	second, err := b.Digest()
	return first == second, err
}
