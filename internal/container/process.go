package container

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"smith/internal/capability"
)

// A process is what runs in the container.
type process struct {
	args, env []string
	dir       string
	uid, gid  uint32
	// memory are folders that are empty and writable, in memory.
	memory   []string
	read     string
	network  bool
	terminal bool
	// capabilities are those that files of the image may have.
	capabilities capability.Set
}

func newProcess(o Options) (process, error) {
	p := process{env: o.Config.Env, dir: o.Config.WorkingDir, network: o.Network, terminal: o.Terminal}
	if p.dir == "" {
		p.dir = "/"
	}
	arguments := o.Config.Cmd
	if o.Args != nil {
		arguments = o.Args
	}
	if p.args = slices.Concat(o.Config.Entrypoint, arguments); len(p.args) == 0 {
		return p, errors.New("the image names no program to run; give one after --")
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
	p.memory = []string{"/run", "/write"}
	for _, dir := range slices.Sorted(maps.Keys(o.Config.Volumes)) {
		if !slices.Contains(p.memory, dir) && dir != "/read" {
			p.memory = append(p.memory, dir)
		}
	}
	return p, nil
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
			return 0, 0, fmt.Errorf("the image's user is %q; smith run wants numbers, such as 10:10", user)
		}
		*part.id = uint32(n)
	}
	return uid, gid, nil
}
