package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/container"
	"smith/internal/oci/image"
	"smith/internal/pipeline"
	"smith/internal/smithfile"
	"smith/internal/tree"
	"smith/internal/watch"
)

// A watcher runs an image's program and reports what it missed.
type watcher struct {
	*specCommand
	img *openedImage
	// conf reports whether the user named the file of the spec: else it is the
	// one that the image carries.
	named bool

	listener *watch.Listener
	printed  watch.Tail
}

// begin has the program of some options watched. Where the machine cannot, the
// report comes from what the program prints.
func (w *watcher) begin(o *container.Options) {
	listener, err := watch.Listen()
	if err != nil {
		o.Events.Note(err.Error())
	} else {
		w.listener = listener
		o.Trace = &container.Trace{Socket: listener.Socket(), Syscalls: watch.Syscalls()}
	}
	if !o.Terminal && o.Stderr != nil {
		o.Stderr = io.MultiWriter(o.Stderr, &w.printed)
	}
}

func (w *watcher) close() {
	if w.listener != nil {
		_ = w.listener.Close() // the report does not depend on it
	}
}

// misses returns what the program looked for and did not find, and the request
// that the image was built from.
func (w *watcher) misses(ctx context.Context) ([]watch.Miss, *pipeline.Request, error) {
	var calls []watch.Call
	if w.listener != nil {
		calls, _ = w.listener.Calls()
	}
	setting := w.setting()
	misses, err := watch.Report(ctx, calls, w.printed.String(), setting, nil)
	if err != nil {
		return nil, nil, err
	}
	if !slices.ContainsFunc(misses, func(m watch.Miss) bool { return !m.Optional }) {
		return misses, nil, nil
	}
	request, err := w.source(ctx)
	if request == nil || err != nil {
		return misses, request, err
	}
	builder, display, err := w.builder()
	if err != nil {
		return misses, request, err
	}
	defer display.close()
	misses, err = watch.Report(ctx, calls, w.printed.String(), setting, holders{builder, *request, w.img.Image.Config.Platform})
	return misses, request, err
}

// source returns the request that the image was built from: that of the user's
// file, or of the spec in the image; nil where neither exists.
func (w *watcher) source(ctx context.Context) (*pipeline.Request, error) {
	if w.named {
		r, _, err := w.request()
		return &r, err
	}
	data, err := w.img.Image.Attachment(ctx, image.MediaTypeSpec)
	if err != nil || data == nil {
		return nil, err
	}
	s, err := smithfile.Decode("the image's spec", data)
	if err != nil {
		return nil, err
	}
	r := &pipeline.Request{Spec: s, SpecName: "smith.yaml"}
	if w.img.Record != nil && w.img.Record.Spec != "" {
		r.SpecName = w.img.Record.Spec
	}
	return r, nil
}

// setting is where the program's lookups mean something.
func (w *watcher) setting() watch.Setting {
	s := watch.Setting{Home: "/write"}
	for _, e := range w.img.Image.Config.Config.Env {
		switch name, value, _ := strings.Cut(e, "="); name {
		case "PATH":
			s.Path = filepath.SplitList(value)
		case "HOME":
			s.Home = value
		}
	}
	for _, lib := range []string{"/usr/lib", "/usr/lib64", "/usr/local/lib"} {
		at, err := w.img.Tree.Resolve(lib)
		if err != nil || at.Node.Kind != tree.Dir {
			continue
		}
		children, err := at.Node.Children()
		if err != nil {
			continue
		}
		for _, c := range children {
			if !strings.HasPrefix(c.Name(), "python3") {
				continue
			}
			if len(s.Modules) == 0 { // Debian's, for all versions
				s.Modules = append(s.Modules, "/usr/lib/python3/dist-packages")
			}
			if c.Name() == "python3" {
				continue
			}
			s.Modules = append(s.Modules, path.Join(c.Path(), "site-packages"), c.Path())
		}
	}
	return s
}

// holders asks a builder, as package watch asks.
type holders struct {
	builder  *pipeline.Builder
	request  pipeline.Request
	platform ocispec.Platform
}

var _ watch.Packages = holders{}

// Holders returns who holds paths.
func (h holders) Holders(ctx context.Context, paths []string) (map[string][]watch.Holder, error) {
	all, err := h.builder.Holders(ctx, h.request, h.platform, paths)
	out := map[string][]watch.Holder{}
	for name, list := range all {
		for _, one := range list {
			out[name] = append(out[name], watch.Holder(one))
		}
	}
	return out, err
}

// mostLikely bounds the lines of a report that nobody asked for, mostMisses
// those of one with --watch.
const (
	mostLikely = 5
	mostMisses = 20
)

// shownMisses are those of a report: the likely causes, or with all every one
// that is not optional.
func shownMisses(misses []watch.Miss, all bool) (shown []watch.Miss, more int) {
	for _, m := range misses {
		if m.Likely() || all && !m.Optional {
			shown = append(shown, m)
		}
	}
	most := mostLikely
	if all {
		most = mostMisses
	}
	most = min(most, len(shown))
	return shown[:most], len(shown) - most
}

// missLine describes a miss and what adds it to an image.
func missLine(m watch.Miss, request *pipeline.Request) string {
	what := map[watch.Kind]string{
		watch.File: "%s", watch.Command: "the command %s", watch.Library: "the library %s", watch.Module: "the Python module %s", watch.Unwritable: "%s (to write to it)",
	}[m.Kind]
	line := fmt.Sprintf(what, shownName(m.Name))
	if m.By != "" {
		line += ", for " + shownName(m.By)
	}
	switch {
	case len(m.Holders) > 0:
		line += ": " + holderText(m.Holders)
	case m.Kind == watch.Unwritable:
		line += ": the root is read-only"
	default:
		line += ": no package on offer is known to have it"
	}
	var keys, options []string
	for _, a := range additions(m, request) {
		keys = append(keys, a.Key+": ["+a.Value+"]")
		if a.Key == "paths" {
			options = append(options, "--path "+a.Value)
		}
	}
	switch wraps := specName(request) == wrapped; {
	case wraps && len(options) > 0:
		line += "; add " + strings.Join(options, " and ")
	case wraps || len(keys) == 0:
	default:
		line += "; add to " + specName(request) + ": " + strings.Join(keys, " and ")
	}
	return line
}

// shownName quotes a name from a program where it is not plain.
func shownName(name string) string {
	if strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '"' }) {
		return fmt.Sprintf("%q", name)
	}
	return name
}

func holderText(list []watch.Holder) string {
	h := list[0]
	if h.Package == "" {
		return h.Path + " exists where the image's files come from"
	}
	names := []string{}
	for _, other := range list {
		if other.Path == h.Path && len(names) < 3 && !slices.Contains(names, other.Package) {
			names = append(names, other.Package)
		}
	}
	if len(names) == 1 {
		return "package " + h.Package + " has " + h.Path
	}
	return "the packages " + strings.Join(names, ", ") + " have " + h.Path
}

func specName(r *pipeline.Request) string {
	if r == nil {
		return "smith.yaml"
	}
	return r.SpecName
}

// additions are what a spec needs for what was missed.
func additions(m watch.Miss, r *pipeline.Request) []smithfile.Addition {
	comment := "smith run: " + m.Name + " is missing"
	if m.By != "" {
		comment = "smith run: " + m.By + " looked for " + m.Name
	}
	add := func(key, value string) smithfile.Addition {
		return smithfile.Addition{Key: key, Value: value, Comment: comment}
	}
	if m.Kind == watch.Unwritable {
		dir := volumeFor(m.Name)
		if dir == "" {
			return nil
		}
		return []smithfile.Addition{add("mounts", dir)}
	}
	if r == nil || len(m.Holders) == 0 {
		return nil
	}
	h := m.Holders[0]
	var list []smithfile.Addition
	if h.Package != "" && !h.Offered {
		list = append(list, add("packages", h.Package))
	}
	// What a spec keeps that names files, or how to start, is what it names.
	if s := r.Spec; h.Package == "" || len(s.Paths)+len(s.Entrypoint)+len(s.Cmd) > 0 {
		return append(list, add("paths", escapeGlob(keptWith(h.Path))))
	}
	if h.Offered {
		list = append(list, add("packages", h.Package))
	}
	return list
}

// keptWith is what is kept for the sake of a file: of a Python package, all of
// it.
func keptWith(name string) string {
	if path.Base(name) == "__init__.py" {
		return path.Dir(name)
	}
	return name
}

// volumeFor is the directory that must be writable for a path to be written:
// the one it is in, unless many programs share that.
func volumeFor(name string) string {
	dir := path.Dir(name)
	switch dir {
	case "/var/lib", "/var/log", "/var/cache", "/var/spool", "/var/opt", "/var", "/opt", "/srv", "/home":
		if path.Ext(name) != "" {
			return ""
		}
		return name
	}
	for _, root := range []string{"/usr", "/etc", "/bin", "/sbin", "/lib", "/lib64"} {
		if dir == root || strings.HasPrefix(dir, root+"/") {
			return ""
		}
	}
	if dir == "/" {
		return ""
	}
	return dir
}

// escapeGlob writes a path as a glob that matches it alone.
func escapeGlob(name string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`, "{", `\{`).Replace(name)
}

// learn adds to the user's smith.yaml what was missed. It returns what was
// added.
func (w *watcher) learn(misses []watch.Miss, r *pipeline.Request) ([]smithfile.Addition, error) {
	var all []smithfile.Addition
	for _, m := range misses {
		if !m.Likely() {
			continue
		}
		for _, a := range additions(m, r) {
			if !slices.ContainsFunc(all, func(b smithfile.Addition) bool { return a.Key == b.Key && a.Value == b.Value }) {
				all = append(all, a)
			}
		}
	}
	if len(all) == 0 {
		return nil, nil
	}
	file := w.conf
	if !filepath.IsAbs(file) {
		file = filepath.Join(w.dir, file)
	}
	before, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", file, errors.Unwrap(err))
	}
	after, err := smithfile.Add(file, before, all)
	if err != nil {
		return nil, err
	}
	return all, replaceFile(file, after)
}

// replaceFile writes a file as a whole or not at all, with the mode it had.
func replaceFile(file string, data []byte) error {
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	file, err = filepath.EvalSymlinks(file)
	if err != nil {
		return err
	}
	temporary, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".")
	if err != nil {
		return err
	}
	_, err = temporary.Write(data)
	err = errors.Join(err, temporary.Chmod(info.Mode().Perm()), temporary.Sync(), temporary.Close())
	if err == nil {
		err = os.Rename(temporary.Name(), file)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("cannot write %s: %w", file, err), os.Remove(temporary.Name()))
	}
	return nil
}
