package pipeline

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"smith/internal/closure"
	"smith/internal/distro"
	"smith/internal/distro/accounts"
	"smith/internal/distro/service"
	"smith/internal/program"
	"smith/internal/smithfile"
	"smith/internal/source"
	"smith/internal/tree"
)

// configuring adds to the offer of packages, round by round, what the scripts of
// those would have made that files are selected of. Its zero value is for a spec
// that names the files: then nothing is added.
type configuring struct {
	wanted bool
	asked  map[string]bool // what was asked for, by path
	image  *tree.Tree      // what was selected last
}

func newConfiguring(l launch) *configuring {
	return &configuring{wanted: len(l.roots) > 0, asked: map[string]bool{}}
}

// round returns the offer with what scripts would have made, and the paths of
// that which the image needs and that were not asked for yet, as roots.
func (c *configuring) round(pkg *source.Offer, selection *closure.Selection) (*source.Offer, []closure.Root, error) {
	c.image = selection.Tree
	if !c.wanted || pkg.Packages == nil {
		return pkg, nil, nil
	}
	made, err := pkg.Packages.Configure(selection.Tree)
	if err != nil {
		return pkg, nil, err
	}
	var roots []closure.Root
	for _, name := range slices.Sorted(maps.Keys(made.Made)) {
		if !c.asked[name] {
			c.asked[name] = true
			roots = append(roots, closure.Root{Pattern: tree.Literal(name), Part: true, Detail: "made by " + made.Made[name].Label()})
		}
	}
	if len(roots) == 0 {
		return pkg, nil, nil
	}
	more := *pkg
	more.Tree = made.Tree
	return &more, roots, nil
}

// again returns another offer of the same packages with what was added before.
func (c *configuring) again(pkg *source.Offer) (*source.Offer, error) {
	if len(c.asked) == 0 {
		return pkg, nil
	}
	made, err := pkg.Packages.Configure(c.image)
	if err != nil {
		return nil, err
	}
	more := *pkg
	more.Tree = made.Tree
	return &more, nil
}

// serve makes the server of the packages asked for the program of the image,
// in the foreground and as the user that the distribution runs it as, unless
// the spec says otherwise. It reports whether there is one. Where the spec names
// the program, the rest of what is known of that server counts.
func (l *launch) serve(ctx context.Context, r Request, from *offered, named bool) (bool, error) {
	server, err := distro.Server(ctx, from.pkg.Packages, from.pkg.Tree)
	if err != nil || server == nil {
		return false, err
	}
	s := *server
	if l.user.UID != 0 {
		s = s.Unprivileged()
	}
	if strings.HasPrefix(path.Base(s.Program), "php-fpm") && s.User == "" && strings.HasPrefix(s.Program, "/usr/sbin/php-fpm") && path.Base(s.Program) != "php-fpm" {
		s.User = "www-data" // Debian's pool gives its socket to this user, which only that user may do
	}
	if named && program.Existing(from.pkg.Tree, l.config.Env, l.config.WorkingDir, l.program()[0]) != program.Existing(from.pkg.Tree, nil, "", s.Program) {
		return false, nil
	}
	l.server = &s
	if !named {
		l.config.Entrypoint = []string{s.Program}
		if len(r.Spec.Cmd) == 0 {
			l.config.Cmd = s.Args
		}
		l.notes = append(l.notes, explained(s))
	}
	if l.config.WorkingDir == "" {
		l.config.WorkingDir = s.Dir
	}
	if l.config.StopSignal == "" {
		l.config.StopSignal = s.StopSignal
	}
	l.config.Env = mergeEnv(environment(s), l.config.Env)
	if r.Spec.User == "" && !r.Spec.Root && (from.parent.Image == nil || from.parent.Image.Config.Config.User == "") && s.User != "" && s.User != "root" {
		l.user = smithfile.ParseUser(s.User)
		if s.Group != "" && s.Group != "root" {
			l.user = smithfile.ParseUser(s.User + ":" + s.Group)
		}
	}
	return true, nil
}

// environment returns the variables of a service that say the same on every
// machine, and that are not systemd's own. Those that begin with the program's
// name stand for its options: etcd refuses one beside the option itself (etcd,
// pkg/flags), so that nobody could give another value.
func environment(s service.Service) []string {
	options := strings.ToUpper(path.Base(s.Program)) + "_"
	return slices.DeleteFunc(slices.Clone(s.Env), func(e string) bool {
		return strings.HasPrefix(e, options) || strings.Contains(e, "%") || strings.Contains(e, "SYSTEMD") || strings.HasPrefix(e, "PATH=")
	})
}

// explained says what a service's file told.
func explained(s service.Service) string {
	text := fmt.Sprintf("the program is the server of %s: %s", s.From[0], strings.Join(append([]string{s.Program}, s.Args...), " "))
	if s.User != "" {
		text += ", run as " + s.User
	}
	if s.Why != "" {
		text += " (" + s.Why + ")"
	}
	return text
}

// withLocale sets LANG where the environment says nothing of it and the image
// has the locale C.UTF-8.
func withLocale(env []string, t *tree.Tree) []string {
	said := func(e string) bool {
		name, _, _ := strings.Cut(e, "=")
		return name == "LANG" || name == "LC_ALL" || name == "LC_CTYPE"
	}
	if slices.ContainsFunc(env, said) || !t.Exists(closure.UTF8Locale+"/LC_CTYPE") {
		return env
	}
	return append(slices.Clone(env), "LANG=C.UTF-8")
}

// temporary is where libraries and programs expect to write what they forget.
const temporary = "/tmp"

// withSystem adds what the packages promise of the system around the program:
// accounts, directories that it writes to, and where its logs go.
func (l launch) withSystem(r Request, pkg *source.Offer, selection *closure.Selection) (launch, error) {
	if pkg.Packages == nil {
		return l, nil
	}
	made, err := pkg.Packages.Configure(selection.Tree)
	if err != nil {
		return l, err
	}
	s := distro.SystemOf(made.Tree, made, l.server, r.Spec.LogStreams)
	l.others = &s.Accounts
	if l.user.Named {
		l.user = numbered(l.user, &s.Accounts)
		l.config.User = fmt.Sprintf("%d:%d", l.user.UID, l.user.GID)
	}
	if len(l.roots) == 0 {
		return l, nil // the spec names the files
	}
	if !s.Accounts.Empty() {
		s.Accounts.Need("nobody")
	}
	l.config.Env = withLocale(l.config.Env, selection.Tree)
	l.links, l.directories = s.Links, slices.Concat(s.Runtime, s.Scratch)
	l.config.SetWritable(s.Scratch)
	volumes := maps.Clone(l.config.Volumes)
	if volumes == nil {
		volumes = map[string]struct{}{}
	}
	// With a read-only root, engines make only volumes writable.
	volumes[temporary] = struct{}{}
	for _, dir := range s.State {
		volumes[dir] = struct{}{}
	}
	l.config.Volumes = volumes
	return l, nil
}

// numbered gives a user that is named as an account with fixed numbers these.
func numbered(u smithfile.User, known *accounts.Set) smithfile.User {
	known.Need(u.Name, u.Group)
	users, groups := known.Resolve(nil, nil)
	account, ok := known.User(u.Name)
	if !ok || account.ID == accounts.Dynamic || u.UID != smithfile.DefaultID {
		return u
	}
	own := u.Group == u.Name || u.Group == smithfile.DefaultName
	for _, e := range users {
		if e.Name == u.Name {
			u.UID = e.ID
			if own && u.GID == smithfile.DefaultID {
				u.GID = e.GroupID
			}
		}
	}
	for _, g := range groups {
		if g.ID == u.GID && own {
			u.Group = g.Name
		}
	}
	return u
}
