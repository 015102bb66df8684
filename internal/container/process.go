package container

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"smith/internal/capability"
	"smith/internal/oci/image"
	"smith/internal/tree"
)

// A process is what runs in the container.
type process struct {
	args, env []string
	dir       string
	uid, gid  uint32
	// scratch are the directories that are writable.
	scratch  []scratch
	read     string
	network  bool
	terminal bool
	// capabilities are those that files of the image may have.
	capabilities capability.Set
	limits       Limits
	trace        *Trace
	// ignored are the parts of the image's config that are not used, with the
	// reason.
	ignored []string
}

func newProcess(o Options) (process, error) {
	p := process{dir: path.Clean("/" + o.Config.WorkingDir), network: o.Network, terminal: o.Terminal, limits: o.Limits, trace: o.Trace}
	arguments := o.Config.Cmd
	if o.Args != nil {
		arguments = o.Args
	}
	if repeats(o.Config.Entrypoint, o.Args) {
		arguments = o.Args[1:]
		p.ignored = append(p.ignored, fmt.Sprintf("%s after the image is its program already; what follows is taken for the arguments", o.Args[0]))
	}
	if p.args = slices.Concat(o.Config.Entrypoint, arguments); len(p.args) == 0 {
		return p, errors.New("the image names no program to run; give one after its name")
	}
	if err := p.check(o.Tree); err != nil {
		return p, err
	}
	var err error
	if p.uid, p.gid, err = ids(o.Config.User); err != nil {
		return p, err
	}
	if p.capabilities, err = capability.SetOf(o.Capabilities...); err != nil {
		return p, err
	}
	if p.capabilities != 0 && os.Geteuid() != 0 {
		return p, errors.New("only root can give capabilities to files: run smith as root, or load the image into a container engine")
	}
	if o.Read != "" {
		if p.read, err = filepath.Abs(o.Read); err != nil {
			return p, err
		}
	}
	p.setEnv(o.Config.Env)
	var refused []string
	p.scratch, refused = scratches(o.Tree, writable(o.Config.Volumes, o.Config.Labels))
	for _, volume := range refused {
		p.ignored = append(p.ignored, fmt.Sprintf("the image's volume %q is not mounted: it must be the absolute path of a directory outside /dev, /proc and /sys, without a colon, comma or control character", volume))
	}
	return p, nil
}

// repeats reports whether arguments begin with the name of the program that
// they are for.
func repeats(entrypoint, args []string) bool {
	return len(entrypoint) == 1 && len(args) > 0 && (args[0] == entrypoint[0] || args[0] == path.Base(entrypoint[0]))
}

// writable returns the volumes of an image, and the directories that its label
// lists.
func writable(volumes map[string]struct{}, labels map[string]string) map[string]struct{} {
	all := maps.Clone(volumes)
	for _, dir := range image.Writable(labels) {
		if all == nil {
			all = map[string]struct{}{}
		}
		all[dir] = struct{}{}
	}
	return all
}

// check refuses a program or a working directory in the kernel's directories:
// /proc/self/fd and /proc/self/exe lead out of the container, to what the
// runtime has open (CVE-2019-5736, CVE-2024-21626).
func (p *process) check(t *tree.Tree) error {
	for what, name := range map[string]string{"program": p.args[0], "working directory": p.dir} {
		if !strings.Contains(name, "/") {
			continue // looked for in PATH
		}
		if !path.IsAbs(name) {
			name = path.Join(p.dir, name)
		}
		if seen := kernelPath(t, path.Clean(name)); seen != "" {
			return fmt.Errorf("cannot run the image: its %s is %s, in a directory that belongs to the kernel", what, seen)
		}
	}
	return nil
}

// setEnv takes the variables of an image's config, which must be NAME=value:
// a name alone would make podman pass on the variable of this machine
// (podman-run(1), --env). HOME is where a program may write.
func (p *process) setEnv(env []string) {
	home := false
	for _, e := range env {
		name, value, ok := strings.Cut(e, "=")
		if !ok || name == "" || strings.Contains(e, "\x00") {
			p.ignored = append(p.ignored, fmt.Sprintf("the image's environment variable %q is not set: it is not NAME=value", e))
			continue
		}
		home = home || name == "HOME" && value != ""
		p.env = append(p.env, e)
	}
	if !home {
		p.env = slices.DeleteFunc(p.env, func(e string) bool { return strings.HasPrefix(e, "HOME=") })
		p.env = append(p.env, "HOME=/write")
	}
}

// ids reads the user of a config. smith writes numbers only; names would have
// to be looked up in the image.
func ids(user string) (uid, gid uint32, err error) {
	name, group, _ := strings.Cut(user, ":")
	for _, part := range []struct {
		text string
		id   *uint32
	}{{name, &uid}, {group, &gid}} {
		if part.text == "" {
			continue
		}
		n, err := strconv.ParseUint(part.text, 10, 32)
		if err != nil {
			return 0, 0, fmt.Errorf("the image's user is %q; smith run supports numbers only, such as 10:10", user)
		}
		*part.id = uint32(n)
	}
	return uid, gid, nil
}
