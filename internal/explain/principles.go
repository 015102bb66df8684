package explain

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/capability"
	"smith/internal/oci/image"
	"smith/internal/tree"
	"smith/record"
)

// A Check is one thing that was looked at.
type Check struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	// Detail says why, for a reader.
	Detail string `json:"detail,omitempty"`
}

// shells are the programs that give an intruder a command line.
var shells = []string{"sh", "ash", "bash", "busybox", "dash", "fish", "ksh", "mksh", "tcsh", "csh", "toybox", "yash", "zsh"}

// Principles checks whether an image keeps what a microcontainer promises: one
// owner, no permission beyond reading and executing, no capability and
// no shell that the spec does not ask for, what a read-only root needs,
// nothing that depends on the time of its build.
func Principles(img *Image, config ocispec.ImageConfig) []Check {
	checks := []Check{
		oneOwner(img, config), noSpecialBits(img), noCapabilities(img), noWorldWritable(img), noDevices(img),
		notRoot(config), readOnlyRoot(img, config), noShell(img, config), oneTime(img),
	}
	if img.record != nil && slices.ContainsFunc(img.record.Inputs, isPackage) {
		checks = append(checks, signed(img.record.Inputs))
	}
	return checks
}

func isPackage(in record.Input) bool { return in.Kind == record.KindPackage }

// signed reports whether a key vouched for every package that came from a
// repository; a file of the user's is the user's own affair.
func signed(inputs []record.Input) Check {
	c := Check{Name: "a key vouched for every package of a repository"}
	var keys, without []string
	for _, in := range inputs {
		switch {
		case !isPackage(in):
		case in.Key != "" && !slices.Contains(keys, in.Key):
			keys = append(keys, in.Key)
		case in.Key == "" && in.URL != "":
			without = append(without, in.Package.String()+" ("+cmp.Or(in.Voucher(), "nothing is known of it")+")")
		}
	}
	if c.OK = len(without) == 0; c.OK {
		c.Detail = strings.Join(keys, ", ")
		return c
	}
	c.Detail = strings.Join(without[:min(len(without), mostNamed)], ", ")
	if more := len(without) - mostNamed; more > 0 {
		c.Detail += fmt.Sprintf(" and %d more", more)
	}
	return c
}

// mostNamed bounds how many files a check names.
const mostNamed = 5

// none is a check that no file is of a kind.
func none(name string, img *Image, is func(f *File) string) Check {
	var found []string
	more := 0
	for _, f := range img.Files {
		switch text := is(f); {
		case text == "":
		case len(found) < mostNamed:
			found = append(found, f.Path+text)
		default:
			more++
		}
	}
	detail := strings.Join(found, ", ")
	if more > 0 {
		detail += fmt.Sprintf(" and %d more", more)
	}
	return Check{Name: name, OK: len(found) == 0, Detail: detail}
}

func mode(f *File) string { return fmt.Sprintf(" (%04o)", f.Node.Mode) }

// isTemporary reports whether a directory is /tmp as every system has it (hier(7)):
// a runtime mounts it in memory.
func isTemporary(f *File) bool {
	return f.Node.Kind == tree.Dir && f.Node.Path() == "/tmp" && f.Node.Mode&0o7777 == 0o1777
}

func noSpecialBits(img *Image) Check {
	return none("no setuid, setgid or sticky bit", img, func(f *File) string {
		if isTemporary(f) {
			return ""
		}
		if f.Node.Kind != tree.Symlink && f.Node.Mode&0o7000 != 0 {
			return mode(f)
		}
		return ""
	})
}

// noCapabilities accepts, and lists, what the record says that smith.yaml asks
// for.
func noCapabilities(img *Image) Check {
	var granted []string
	c := none("no file capability unless asked for", img, func(f *File) string {
		attribute := f.Node.Xattrs[capability.Attribute]
		if attribute == "" {
			return ""
		}
		text := " (" + capability.Text(attribute) + ")"
		set, err := capability.SetOf(f.Capabilities...)
		if err != nil || len(f.Capabilities) == 0 || capability.Granted(set) != attribute {
			return text
		}
		granted = append(granted, f.Path+text)
		return ""
	})
	if c.OK {
		c.Detail = strings.Join(granted, ", ")
	}
	return c
}

func noWorldWritable(img *Image) Check {
	return none("no file that everybody may write", img, func(f *File) string {
		if isTemporary(f) {
			return ""
		}
		if f.Node.Kind != tree.Symlink && f.Node.Mode&0o002 != 0 {
			return mode(f)
		}
		return ""
	})
}

func noDevices(img *Image) Check {
	return none("no device, FIFO or socket", img, func(f *File) string {
		switch f.Node.Kind {
		case tree.Device, tree.FIFO, tree.Socket:
			return " (" + string(f.Type) + ")"
		}
		return ""
	})
}

// oneOwner accepts that the directories that a container fills belong to the
// image's user while everything else is root's (key owner).
func oneOwner(img *Image, config ocispec.ImageConfig) Check {
	const name = "one owner"
	owners := map[string]*File{}
	for _, f := range img.Files {
		if filled(f.Path, config) {
			continue
		}
		owner := fmt.Sprintf("%d:%d", f.Node.UID, f.Node.GID)
		if owners[owner] == nil {
			owners[owner] = f
		}
	}
	var list []string
	for owner, f := range owners {
		list = append(list, owner+" "+f.Path)
	}
	slices.Sort(list)
	if len(list) <= 1 {
		owner, _, _ := strings.Cut(strings.Join(list, ""), " ")
		return Check{name, true, owner}
	}
	return Check{name, false, strings.Join(list[:min(len(list), mostNamed)], ", ")}
}

// filled reports whether a path is a directory that is mounted when a container
// runs, or lies in one.
func filled(name string, config ocispec.ImageConfig) bool {
	for dir := range config.Volumes {
		if within(name, path.Clean("/"+dir)) {
			return true
		}
	}
	return within(name, "/write") || within(name, "/run")
}

func within(name, dir string) bool { return name == dir || strings.HasPrefix(name, dir+"/") }

func notRoot(config ocispec.ImageConfig) Check {
	user, _, _ := strings.Cut(config.User, ":")
	const name = "does not run as root"
	switch {
	case user == "" || user == "0" || user == "root":
		return Check{name, false, "its user is " + cmp.Or(config.User, "not set")}
	case strings.Trim(config.User, "0123456789:") != "":
		return Check{name, false, config.User + " is a name, and Kubernetes' runAsNonRoot wants numbers"}
	}
	return Check{name, true, config.User}
}

// readOnlyRoot asks for the directories that a microcontainer writes to and reads
// from when its root is read-only.
func readOnlyRoot(img *Image, _ ocispec.ImageConfig) Check {
	var missing []string
	for _, dir := range []string{"/dev", "/proc", "/read", "/run", "/sys", "/write"} {
		if f := img.File(dir); f == nil || f.Node.Kind != tree.Dir {
			missing = append(missing, dir)
		}
	}
	c := Check{Name: "has the directories that a read-only root needs", OK: len(missing) == 0}
	if !c.OK {
		c.Detail = "missing: " + strings.Join(missing, ", ")
	}
	return c
}

// noShell accepts a shell that the image's program is, or that a script or
// somebody by name asks for.
func noShell(img *Image, config ocispec.ImageConfig) Check {
	program := image.Program(config)
	return none("no shell unless asked for", img, func(f *File) string {
		if f.Type == record.TypeDirectory || !slices.Contains(shells, path.Base(f.Path)) || !strings.HasSuffix(path.Dir(f.Path), "bin") {
			return ""
		}
		if len(program) > 0 && path.Base(program[0]) == path.Base(f.Path) {
			return ""
		}
		for _, r := range f.Reasons {
			if r.Rule != record.RuleWay {
				return ""
			}
		}
		return " (nothing asks for it)"
	})
}

// oneTime reports whether files show when they were built.
func oneTime(img *Image) Check {
	const name, form = "files carry one time", "2006-01-02T15:04:05Z"
	var first *File
	for _, f := range img.Files {
		switch {
		case f.Node.ModTime.IsZero(): // a directory that no entry of a layer lists
		case first == nil:
			first = f
		case !f.Node.ModTime.Equal(first.Node.ModTime):
			return Check{name, false, fmt.Sprintf("%s has %s, %s has %s",
				first.Path, first.Node.ModTime.UTC().Format(form), f.Path, f.Node.ModTime.UTC().Format(form))}
		}
	}
	if first == nil {
		return Check{name, true, ""}
	}
	return Check{name, true, first.Node.ModTime.UTC().Format(form)}
}
