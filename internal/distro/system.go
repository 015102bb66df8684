package distro

import (
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"smith/internal/distro/accounts"
	"smith/internal/distro/service"
	"smith/internal/source"
	"smith/internal/tree"
)

// A System is what packages promise of the system around a program.
type System struct {
	// Accounts are its users and groups.
	Accounts accounts.Set
	// State are the directories whose files must outlive a container, Scratch
	// those of caches and logs, and Runtime those below /run. None lies in
	// another.
	State, Scratch, Runtime []string
	// Links are symlinks, each with what it leads to: log files that are a
	// standard stream, and /var/run and /var/lock.
	Links map[string]string
}

// SystemOf works out the system around the packages of which an image has
// files, of what their scripts would have made, and around their server, which
// may be nil.
func SystemOf(t *tree.Tree, c *source.Configuration, server *service.Service, streams bool) *System {
	s := &System{Links: map[string]string{}}
	for _, change := range c.Accounts {
		s.Accounts.Apply(change)
	}
	var directories []service.Directory
	for _, name := range c.Files {
		switch dir := path.Dir(name); {
		case strings.HasSuffix(dir, "/sysusers.d"):
			for _, change := range accounts.Sysusers(text(t, name)) {
				s.Accounts.Apply(change)
			}
		case strings.HasSuffix(dir, "/tmpfiles.d"):
			directories = append(directories, service.Tmpfiles(text(t, name))...)
		case strings.HasPrefix(name, "/etc/"):
			s.Accounts.Need(accountsIn(text(t, name))...)
		}
	}
	s.Accounts.Need(c.Names...)
	if server != nil {
		directories = append(directories, server.Directories...)
		s.Accounts.Need(append([]string{server.User, server.Group}, server.Groups...)...)
		for _, variable := range server.Env { // APACHE_RUN_USER=www-data
			_, value, _ := strings.Cut(variable, "=")
			s.Accounts.Need(value)
		}
	}
	for _, d := range directories {
		s.Accounts.Need(d.User, d.Group)
	}
	if streams {
		s.stream(c, server)
	}
	if server != nil {
		s.Links["/var/run"], s.Links["/var/lock"] = "/run", "/run/lock"
		directories = append(directories, service.Directory{Path: "/run/lock", Class: service.Runtime})
	}
	s.writable(directories, c.Directories)
	return s
}

// maxText bounds a file of settings that is read.
const maxText = 256 << 10

func text(t *tree.Tree, name string) string {
	at, err := t.Resolve(name)
	if err != nil || at.Node.Kind != tree.File || at.Node.Size > maxText {
		return ""
	}
	data, err := at.Node.ReadAll(maxText)
	if err != nil {
		return ""
	}
	return string(data)
}

// ownerLine are lines of configurations that name a user or group.
var ownerLine = regexp.MustCompile(`(?im)^[^#;\n]*\b(?:user|group|owner|uid|gid|chown|runas|setuid|setgid|username|groupname)\w*["'\s=:]+["']?([a-z_][a-z0-9_-]*)(?:[:\s]+([a-z_][a-z0-9_-]*))?`)

// accountsIn returns the accounts that a configuration gives to a server, of
// those that every system has.
func accountsIn(text string) []string {
	var all []string
	for _, m := range ownerLine.FindAllStringSubmatch(text, -1) {
		for _, name := range m[1:] {
			if accounts.IsBase(name) {
				all = append(all, name)
			}
		}
	}
	return all
}

// streams are the log files that the configurations of distributions name for
// common servers, and the standard stream for each, as the images of these
// servers' own makers have it.
var streams = map[string]string{
	"/var/log/nginx/access.log": "/dev/stdout", "/var/log/nginx/error.log": "/dev/stderr",
	"/var/log/apache2/access.log": "/dev/stdout", "/var/log/apache2/other_vhosts_access.log": "/dev/stdout", "/var/log/apache2/error.log": "/dev/stderr",
	"/var/log/httpd/access_log": "/dev/stdout", "/var/log/httpd/error_log": "/dev/stderr",
	"/var/log/lighttpd/error.log": "/dev/stderr", "/var/log/lighttpd/access.log": "/dev/stdout",
	"/var/log/redis/redis-server.log": "/dev/stdout", "/var/log/redis/redis.log": "/dev/stdout",
	"/var/log/squid/access.log": "/dev/stdout", "/var/log/squid/cache.log": "/dev/stderr",
	"/var/log/mosquitto/mosquitto.log": "/dev/stdout", "/var/log/privoxy/logfile": "/dev/stdout", "/var/log/tinyproxy/tinyproxy.log": "/dev/stdout",
}

// stream makes links of the log files of common servers whose configuration
// the image has.
func (s *System) stream(c *source.Configuration, server *service.Service) {
	if server != nil && strings.HasPrefix(path.Base(server.Program), "php-fpm") {
		version := strings.TrimPrefix(path.Base(server.Program), "php-fpm")
		s.Links["/var/log/php"+version+"-fpm.log"] = "/dev/stderr"
	}
	for _, name := range slices.Sorted(maps.Keys(streams)) {
		if slices.ContainsFunc(c.Directories, func(dir string) bool { return dir == path.Dir(name) }) {
			s.Links[name] = streams[name]
		}
	}
}

// unwritten are directories that packages hold empty and that no program of an
// image writes to: those of the package manager, of logins, of what an
// administrator puts there.
var unwritten = []string{
	"/var/lib/dpkg", "/var/lib/rpm", "/var/lib/dnf", "/var/lib/yum", "/var/lib/apt", "/var/lib/ucf", "/var/lib/pam", "/var/lib/systemd", "/var/lib/python",
	"/var/lib/misc", "/var/lib/games", "/var/lib/rpm-state", "/var/lib/alternatives", "/var/lib/selinux", "/var/lib/ca-certificates", "/var/lib/shells.state",
	"/var/cache/apt", "/var/cache/debconf", "/var/cache/man", "/var/cache/ldconfig", "/var/cache/fontconfig", "/var/cache/dnf", "/var/spool/cron",
	"/var/spool/rsyslog", "/var/log/apt", "/var/lib/apache2", "/var/lib/xml-core", "/var/lib/sgml-base", "/var/lib/os-prober", "/var/lib/php/modules",
}

// writable sorts directories by what they are for.
func (s *System) writable(directories []service.Directory, empty []string) {
	class := map[string]service.Class{}
	for _, dir := range empty {
		if c, ok := service.ClassOf(dir); ok && (strings.Count(dir, "/") > 2 || c == service.Runtime) {
			class[dir] = c
		}
	}
	for _, d := range directories {
		class[d.Path] = d.Class
	}
	linked := map[string]bool{}
	for name := range s.Links {
		linked[path.Dir(name)] = true
	}
	var above []string
	for _, dir := range slices.Sorted(maps.Keys(class)) {
		inside := func(other string) bool { return dir == other || strings.HasPrefix(dir, other+"/") }
		if slices.ContainsFunc(unwritten, inside) || slices.ContainsFunc(above, inside) || linked[dir] {
			continue
		}
		switch class[dir] {
		case service.State:
			s.State = append(s.State, dir)
		case service.Runtime:
			s.Runtime = append(s.Runtime, dir)
		case service.Cache, service.Logs:
			s.Scratch = append(s.Scratch, dir)
		default:
			continue
		}
		above = append(above, dir)
	}
}
