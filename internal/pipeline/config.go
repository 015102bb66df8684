package pipeline

import (
	"fmt"
	"path"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/oci/image"
	"smith/internal/program"
	"smith/internal/smithfile"
	"smith/internal/tree"
)

// containerConfig works out how a container of the image is run: what the
// spec says, then what the parent says, then what the package's image says.
func containerConfig(s *smithfile.Spec, pkg, parent *image.Image) image.ContainerConfig {
	var c image.ContainerConfig
	c.Entrypoint, c.Cmd = command(s, parent, pkg)
	c.WorkingDir, c.StopSignal, c.Healthcheck = s.Dir, s.StopSignal, healthcheck(s.Healthcheck)
	c.ExposedPorts, c.Labels = portSet(s.Ports), s.Labels
	c.Volumes = pathSet(s.Mounts)
	for _, base := range []*image.Image{parent, pkg} {
		if base != nil {
			inherit(&c, base.Config.Config)
		}
	}
	c.Env = mergeEnv(baseEnv(pkg), baseEnv(parent), s.Env)
	if !slices.ContainsFunc(c.Env, func(e string) bool { return strings.HasPrefix(e, "PATH=") }) {
		c.Env = append([]string{"PATH=" + program.DefaultPath}, c.Env...)
	}
	return c
}

// command works out the entry point and its arguments. They are inherited
// together, from the first base that has either: a cmd that was made for
// another entry point is wrong.
func command(s *smithfile.Spec, bases ...*image.Image) (entrypoint, cmd []string) {
	for _, base := range bases {
		if base == nil || len(base.Config.Config.Entrypoint)+len(base.Config.Config.Cmd) == 0 {
			continue
		}
		switch c := base.Config.Config; {
		case len(s.Entrypoint) > 0:
			return s.Entrypoint, s.Cmd
		case len(s.Cmd) > 0:
			return c.Entrypoint, s.Cmd
		default:
			return c.Entrypoint, c.Cmd
		}
	}
	return s.Entrypoint, s.Cmd
}

// inherit fills what c leaves out from a base's config.
func inherit(c *image.ContainerConfig, base image.ContainerConfig) {
	if c.WorkingDir == "" {
		c.WorkingDir = base.WorkingDir
	}
	if c.StopSignal == "" {
		c.StopSignal = base.StopSignal
	}
	if c.Healthcheck == nil {
		c.Healthcheck = base.Healthcheck
	}
	if len(c.ExposedPorts) == 0 {
		c.ExposedPorts = base.ExposedPorts
	}
	if len(c.Labels) == 0 {
		c.Labels = base.Labels
	}
	if len(c.Volumes) == 0 {
		c.Volumes = base.Volumes
	}
}

func healthcheck(h *smithfile.Healthcheck) *image.Healthcheck {
	if h == nil {
		return nil
	}
	return &image.Healthcheck{
		Test: h.Test, Interval: time.Duration(h.Interval), Timeout: time.Duration(h.Timeout),
		StartPeriod: time.Duration(h.StartPeriod), StartInterval: time.Duration(h.StartInterval), Retries: h.Retries,
	}
}

func portSet(ports []string) map[string]struct{} { return set(ports, strings.ToLower) }
func pathSet(paths []string) map[string]struct{} { return set(paths, path.Clean) }

func set(list []string, form func(string) string) map[string]struct{} {
	if len(list) == 0 {
		return nil
	}
	all := make(map[string]struct{}, len(list))
	for _, item := range list {
		all[form(item)] = struct{}{}
	}
	return all
}

func baseEnv(base *image.Image) []string {
	if base == nil {
		return nil
	}
	return base.Config.Config.Env
}

// mergeEnv lays lists of NAME=value over each other: a name keeps the place
// at which it first stood and takes the value that stands last.
func mergeEnv(lists ...[]string) []string {
	var merged []string
	at := map[string]int{}
	for _, list := range lists {
		for _, entry := range list {
			name, _, _ := strings.Cut(entry, "=")
			if i, known := at[name]; known {
				merged[i] = entry
				continue
			}
			at[name] = len(merged)
			merged = append(merged, entry)
		}
	}
	return merged
}

// user decides who runs the process: the spec's user, or that of the parent
// where the spec is silent. The parent's may be a name, which its own
// /etc/passwd and /etc/group turn into numbers.
func user(s *smithfile.Spec, parent *image.Image, files *tree.Tree) (smithfile.User, error) {
	if s.Root {
		return smithfile.ParseUser("0:0"), nil
	}
	if s.User == "" && parent != nil && parent.Config.Config.User != "" {
		numbers, err := numericUser(parent.Config.Config.User, files)
		if err != nil {
			return smithfile.User{}, fmt.Errorf("cannot inherit the parent's user: %w; name one with the key user", err)
		}
		return smithfile.ParseUser(numbers), nil
	}
	return smithfile.ParseUser(s.User), nil
}

// numericUser turns USER[:GROUP] of an image's config into uid:gid.
func numericUser(text string, files *tree.Tree) (string, error) {
	name, group, hasGroup := strings.Cut(text, ":")
	user, err := account(files, "/etc/passwd", name, 2)
	if err != nil {
		return "", err
	}
	if hasGroup {
		found, err := account(files, "/etc/group", group, 1)
		if err != nil {
			return "", err
		}
		user = []string{user[0], found[0]}
	}
	return strings.Join(user, ":"), nil
}

// account finds a name or number in a file of colon-separated fields
// (passwd(5), group(5)) and returns its ids: the third field, and what follows
// it. A line whose fields are no ids counts as absent. A number that does not
// stand there has the primary group 0, as the runtimes have it.
func account(files *tree.Tree, file, name string, ids int) ([]string, error) {
	at, err := files.Resolve(file)
	if err == nil {
		data, err := at.Node.ReadAll(1 << 20)
		if err != nil {
			return nil, err
		}
		for line := range strings.SplitSeq(string(data), "\n") {
			f := strings.Split(line, ":")
			if len(f) < 4 || slices.ContainsFunc(f[2:2+ids], notID) {
				continue
			}
			if f[0] == name || f[2] == name {
				return f[2 : 2+ids], nil
			}
		}
	}
	if notID(name) {
		return nil, fmt.Errorf("%q is not in its %s", name, file)
	}
	return []string{name, "0"}[:ids], nil
}

func notID(text string) bool {
	_, err := strconv.ParseUint(text, 10, 32)
	return err != nil
}

// ParsePlatform reads os/architecture[/variant].
func ParsePlatform(text string) (ocispec.Platform, error) {
	parts := strings.Split(text, "/")
	if len(parts) < 2 || len(parts) > 3 || slices.Contains(parts, "") {
		return ocispec.Platform{}, fmt.Errorf("%q is no platform; write it like linux/amd64 or linux/arm/v7", text)
	}
	p := ocispec.Platform{OS: parts[0], Architecture: parts[1]}
	if len(parts) == 3 {
		p.Variant = parts[2]
	}
	return p, nil
}

// thisMachine is the platform of images that nothing else decides.
func thisMachine() ocispec.Platform {
	return ocispec.Platform{OS: "linux", Architecture: runtime.GOARCH}
}
