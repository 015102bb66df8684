package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/closure"
	"smith/internal/oci/image"
	"smith/internal/recording"
	"smith/internal/rootfs"
	"smith/internal/smithfile"
	"smith/internal/source"
	"smith/internal/tree"
	"smith/record"
)

// A job is the build of one platform's image.
type job struct {
	*plan
	platform    ocispec.Platform
	pkg, parent *source.Offer // empty where the spec names none
	user        smithfile.User
	config      image.ContainerConfig
	own         []closure.Root // of the packages, where the spec names no files
}

// build makes the image of one platform. A zero platform is the package's own
// or this machine's. What was made by lists that turn out to be wrong is made
// again without them.
func (p *plan) build(ctx context.Context, platform ocispec.Platform) (*Built, error) {
	built, err := p.attempt(ctx, platform)
	if listed, ok := p.pkg.(source.Listed); ok {
		if doubt := listed.Doubt(); doubt != "" {
			p.Events.Note(doubt + ": all packages are opened instead")
			return p.attempt(ctx, platform)
		}
	}
	return built, err
}

// attempt makes the image of one platform from what the sources offer.
func (p *plan) attempt(ctx context.Context, platform ocispec.Platform) (*Built, error) {
	j, err := p.open(ctx, platform)
	if err != nil {
		return nil, err
	}
	step := p.Events.Step("close "+j.goal(), 0)
	selection, err := j.choose(ctx)
	step.Done()
	if err != nil {
		return nil, j.suggest(ctx, err)
	}
	debug, err := j.findDebug(ctx, selection)
	if err != nil {
		return nil, err
	}
	if err := j.addDebug(selection, debug); err != nil {
		return nil, err
	}
	if err := j.dateByPackages(selection.Tree); err != nil {
		return nil, err
	}
	j.dropForeignProgram(selection)
	j.warnEmpty(selection.Tree)
	files, reasons, err := j.furnish(ctx, selection)
	if err != nil {
		return nil, err
	}
	var below []image.Layer
	if j.parent.Image != nil {
		below = j.parent.Image.Layers
	}
	layers, err := j.pack(ctx, below, files)
	if err != nil {
		return nil, err
	}
	r, size, err := j.record(files, selection, reasons)
	if err != nil {
		return nil, err
	}
	img, err := j.image(layers, r)
	if err != nil {
		return nil, err
	}
	built := &Built{
		Platform: j.platform, Image: img, Record: r,
		Unpacked: size, Files: len(r.Files), unneeded: selection.Unneeded,
	}
	if words := j.program(); len(words) > 0 {
		built.Program = closure.Program(files, j.config.Env, j.config.WorkingDir, words[0])
	}
	if j.debugInfo() == debugSeparate {
		built.Debug, err = j.debugImage(ctx, built, debug)
	}
	return built, err
}

// open opens the sources and works out how the image is run.
func (p *plan) open(ctx context.Context, platform ocispec.Platform) (*job, error) {
	j := &job{plan: p, platform: platform}
	var err error
	if j.pkg, err = p.offer(ctx, p.pkg, &j.platform); err != nil {
		return nil, err
	}
	if j.parent, err = p.offer(ctx, p.parent, &j.platform); err != nil {
		return nil, err
	}
	if j.platform.Architecture == "" {
		j.platform = thisMachine()
	}
	if j.user, err = user(p.Spec, j.parent.Image, j.parent.Tree); err != nil {
		return nil, err
	}
	j.config = containerConfig(p.Spec, j.pkg.Image, j.parent.Image)
	if err := j.takeOwn(); err != nil {
		return nil, err
	}
	j.config.User = fmt.Sprintf("%d:%d", j.user.UID, j.user.GID)
	return j, nil
}

// offer opens a source, if there is one, and settles the platform.
func (p *plan) offer(ctx context.Context, s source.Source, platform *ocispec.Platform) (*source.Offer, error) {
	if s == nil {
		return &source.Offer{}, nil
	}
	step := p.Events.Step("resolve "+p.asked(s), 0)
	offer, err := p.lockedImage(s, *platform).Open(ctx, *platform)
	step.Done()
	if err != nil {
		return nil, err
	}
	if offer.Close != nil {
		p.opened = append(p.opened, offer.Close)
	}
	*platform = offer.Platform
	return offer, p.checkImage(offer, *platform)
}

// asked names what a source offers as the spec does.
func (p *plan) asked(s source.Source) string {
	switch {
	case s == p.parent:
		return p.Spec.Parent
	case len(p.Spec.Packages) == 0:
		return p.Spec.Type
	}
	return strings.Join(p.Spec.Packages, ", ")
}

// choose has the closure work out the files of the new layer.
func (j *job) choose(ctx context.Context) (*closure.Selection, error) {
	s := j.Spec
	in := closure.Input{
		Source: j.pkg.Tree, Parent: j.parent.Tree, Overlay: j.overlay,
		Excludes: s.Excludes, AllowMissing: s.AllowMissing,
		Env: j.config.Env, Dir: j.config.WorkingDir, Entrypoint: j.program(), Mounts: slices.Sorted(maps.Keys(j.config.Volumes)),
		Platform: j.platform, NSS: j.namesUsers(), Dlopen: s.Dlopen, Interpreters: s.Interpreters,
		Bundles: s.Bundles, Gconv: s.Gconv, AllHwcaps: s.Hwcaps == "all", Ahead: j.pkg.Ahead, Events: j.Events,
	}
	if j.inheritsProgram() {
		in.Entrypoint = nil // wanted only if the paths bring it
	}
	for i, pattern := range s.Paths {
		in.Roots = append(in.Roots, closure.Root{Pattern: pattern, Detail: "path in " + j.place("paths", i)})
	}
	in.Roots = append(in.Roots, j.own...)
	return j.selectFrom(ctx, in)
}

// warnEmpty tells of an image to which the spec adds no file.
func (j *job) warnEmpty(selected *tree.Tree) {
	found := errors.New("found")
	err := selected.Walk(func(n *tree.Node) error {
		if n.Kind != tree.Dir {
			return found
		}
		return nil
	})
	if err == nil && j.parent.Image == nil {
		j.Events.Warn(j.SpecName + " asks for no file: name files with paths, or a program with entrypoint")
	}
}

// goal says in words what the closure is of.
func (j *job) goal() string {
	switch program, paths := j.program(), j.Spec.Paths; {
	case len(program) > 0:
		return strings.Join(program, " ")
	case len(paths) > 1:
		return paths[0] + " and more"
	case len(paths) == 1:
		return paths[0]
	}
	return "what the packages hold"
}

// program is what a container runs by default, and its arguments.
func (j *job) program() []string { return image.Program(j.config.ImageConfig) }

// inheritsProgram says whether the program is a base's and the spec asks for
// other files: those of a whole distribution, say, whose default is a shell.
func (j *job) inheritsProgram() bool {
	return len(j.Spec.Entrypoint)+len(j.Spec.Cmd) == 0 && len(j.Spec.Paths) > 0
}

// dropForeignProgram does without a base's default program where the image
// does not hold it.
func (j *job) dropForeignProgram(selection *closure.Selection) {
	if !j.inheritsProgram() || len(j.program()) == 0 {
		return
	}
	name := j.program()[0]
	for _, t := range []*tree.Tree{selection.Tree, j.parent.Tree} {
		if t != nil && closure.Program(t, j.config.Env, j.config.WorkingDir, name) != "" {
			return
		}
	}
	j.Events.Warn(fmt.Sprintf("%s, which the base image runs, is not in the image: it has no entry point; name one with the key entrypoint", name))
	j.config.Entrypoint, j.config.Cmd = nil, nil
}

// namesUsers says whether the image gets an /etc/passwd.
func (j *job) namesUsers() bool { return j.Spec.NSS || j.user.Named || len(j.Spec.Groups) > 0 }

// pack makes an image's layers: those below, and a new one unless it is empty
// or one of these.
func (j *job) pack(ctx context.Context, below []image.Layer, files *tree.Tree) ([]image.Layer, error) {
	layers := slices.Clone(below)
	children, err := files.Root().Children()
	if err != nil {
		return nil, err
	}
	if len(children) == 0 && len(layers) > 0 {
		return layers, nil
	}
	layer, err := image.Pack(ctx, j.Store, files, j.Events)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(layers, func(l image.Layer) bool { return l.DiffID == layer.DiffID }) {
		return layers, nil
	}
	return append(layers, layer), nil
}

// image puts the image together.
func (j *job) image(layers []image.Layer, r *record.Record) (*image.Image, error) {
	config := image.Config{Config: j.config}
	config.Platform = j.platform
	if j.parent.Image != nil {
		config.History, config.Author = j.parent.Image.Config.History, j.parent.Image.Config.Author
	}
	if created := j.created(); !created.IsZero() {
		config.Created = &created
	}
	form, err := j.Spec.JSON()
	if err != nil {
		return nil, err
	}
	record, err := r.JSON()
	if err != nil {
		return nil, err
	}
	attachments := []image.Blob{image.NewBlob(image.MediaTypeSpec, form), image.NewBlob(image.MediaTypeRecord, record)}
	if list := packageList(r); list != "" {
		attachments = append(attachments, image.NewBlob(image.MediaTypePackages, []byte(list)))
	}
	return image.New(config, layers, attachments...)
}

// created is SOURCE_DATE_EPOCH, else the newest date that the inputs carry,
// else zero: never the time of the build.
func (j *job) created() time.Time {
	if j.Epoch != nil {
		return *j.Epoch
	}
	newest := j.pkg.Created
	if j.parent.Created.After(newest) {
		newest = j.parent.Created
	}
	return newest.UTC()
}

// furnish adds to the selection what every image holds, and gives all of it
// its normal form.
func (j *job) furnish(ctx context.Context, selection *closure.Selection) (*tree.Tree, map[string][]record.Reason, error) {
	mounts := slices.Sorted(maps.Keys(j.config.Volumes))
	reasons := maps.Clone(selection.Files)
	added, err := rootfs.Furnish(selection.Tree, rootfs.Furniture{
		Parent: j.parent.Tree, Mounts: mounts, Accounts: j.namesUsers(), User: j.user, Groups: j.Spec.Groups,
	})
	if err != nil {
		return nil, nil, err
	}
	for path, reason := range added {
		reasons[path] = append(reasons[path], reason)
	}
	if err := j.describe(ctx, selection.Tree, reasons); err != nil {
		return nil, nil, err
	}
	capabilities, err := j.capabilities(selection.Tree)
	if err != nil {
		return nil, nil, err
	}
	files, err := j.normalise(selection.Tree, capabilities)
	return files, reasons, err
}

// normalise gives files the form in which a layer holds them.
func (j *job) normalise(files *tree.Tree, capabilities rootfs.Capabilities) (*tree.Tree, error) {
	return rootfs.Normalise(files, rootfs.Form{
		UID: j.user.UID, GID: j.user.GID, RootOwned: j.Spec.Owner == "root", Mounts: slices.Sorted(maps.Keys(j.config.Volumes)), Time: j.epoch(),
		Capabilities: capabilities,
	}, j.Events)
}

// capabilities finds the programs that the spec gives capabilities to.
func (j *job) capabilities(files *tree.Tree) (rootfs.Capabilities, error) {
	var c rootfs.Capabilities
	var all []error
	for _, name := range slices.Sorted(maps.Keys(j.Spec.Capabilities)) {
		err := c.Add(files, j.placed(files, name), j.Spec.Capabilities[name])
		if err == nil {
			continue
		}
		if j.parent.Tree != nil && j.parent.Tree.Exists(name) && !files.Exists(name) {
			err = fmt.Errorf("%s is the parent's: give it capabilities where the parent is built", name)
		}
		all = append(all, fmt.Errorf("%s: %w", j.place("capabilities."+name, -1), err))
	}
	return c, errors.Join(all...)
}

func (j *job) epoch() time.Time {
	if j.Epoch != nil {
		return *j.Epoch
	}
	return time.Unix(0, 0).UTC()
}

// placed is where the image has a path: a link of the source's that nothing
// needs, such as /bin, is not in the image.
func (j *job) placed(files *tree.Tree, name string) string {
	if _, err := files.Resolve(name); err == nil || j.pkg.Tree == nil {
		return name
	}
	at, err := j.pkg.Tree.Resolve(name)
	if err != nil || !files.Exists(at.Path()) {
		return name
	}
	return at.Path()
}

// record writes down what the image was made from, and why each file is there.
func (j *job) record(files *tree.Tree, selection *closure.Selection, reasons map[string][]record.Reason) (*record.Record, int64, error) {
	r := &record.Record{
		Version: record.Version, Spec: j.SpecName, Platform: image.PlatformName(j.platform),
		Inputs:   append(slices.Clone(j.pkg.Inputs), j.parent.Inputs...),
		Excluded: selection.Excluded, Allowed: selection.Allowed, Suspects: selection.Suspects, Warnings: selection.Warnings,
	}
	if j.overlay != nil {
		r.Inputs = append(r.Inputs, record.Input{Kind: "overlay", Name: "rootfs"})
	}
	var err error
	r.Files, err = recording.Files(files, reasons)
	var size int64
	for _, f := range r.Files {
		size += f.Size
	}
	slices.SortFunc(r.Files, func(a, b record.File) int { return cmp.Compare(a.Path, b.Path) })
	r.Inputs = contributing(r.Inputs, r.Files)
	r.Scripts = j.scripts(files)
	j.complete(r.Inputs)
	return r, size, err
}

// complete adds to inputs what is known only when their files were read.
func (j *job) complete(inputs []record.Input) {
	if j.pkg.Complete == nil {
		return
	}
	for i := range inputs {
		j.pkg.Complete(&inputs[i])
	}
}
