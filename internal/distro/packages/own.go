package packages

import (
	"maps"
	"path"
	"slices"
	"strings"
)

// Held returns the paths at which the tree has what a package of the set
// holds, sorted; directories are left out.
func (s *Set) Held(p Package) ([]string, error) {
	for _, m := range s.members {
		if m.Package != p {
			continue
		}
		if m.nodes != nil {
			return slices.Sorted(maps.Keys(m.nodes)), nil
		}
		var placed []string
		for _, name := range m.paths {
			at, err := s.links.place(name)
			if err != nil {
				return nil, err
			}
			placed = append(placed, at)
		}
		slices.Sort(placed)
		return placed, nil
	}
	return nil, nil
}

// documentation are directories of what people read: no process needs it.
// Translations of messages are among it.
var documentation = []string{
	"/usr/share/doc", "/usr/share/man", "/usr/share/info", "/usr/share/locale", "/usr/share/lintian", "/usr/share/bug", "/usr/share/doc-base",
	"/usr/share/apport", "/usr/share/metainfo", "/usr/share/appdata", "/usr/share/licenses", "/usr/share/reportbug", "/usr/share/gtk-doc",
	"/usr/share/help",
}

// services are directories of what an init system, cron or the machine's own
// configuration does with a package: no process in a container needs it.
var services = []string{
	"/usr/lib/systemd", "/usr/lib/sysusers.d", "/usr/lib/tmpfiles.d", "/usr/lib/.build-id", "/usr/lib/debug",
	"/etc/init.d", "/etc/rc.d", "/etc/init", "/etc/cron.d", "/etc/cron.hourly", "/etc/cron.daily", "/etc/cron.weekly", "/etc/cron.monthly",
	"/etc/default", "/etc/sysconfig", "/etc/logrotate.d", "/etc/ufw", "/etc/apparmor.d", "/etc/insserv.conf.d",
	"/etc/sv", "/etc/runit", "/etc/xinetd.d", "/etc/network", "/etc/NetworkManager", "/etc/dhcp", "/etc/ppp", "/etc/resolvconf", "/etc/udev",
	"/etc/initramfs-tools", "/etc/apt", "/etc/dpkg", "/etc/rsyslog.d", "/etc/firewalld", "/etc/modprobe.d", "/etc/sysctl.d",
	"/usr/lib/udev", "/usr/lib/firewalld", "/usr/lib/NetworkManager", "/usr/lib/modules-load.d", "/usr/lib/sysctl.d",
	"/usr/share/initramfs-tools", "/usr/share/polkit-1", "/usr/share/binfmts", "/usr/share/ufw", "/usr/share/runit",
}

// forOthers are directories of what other programs than the package's own look
// at: shells, editors, desktops, compilers.
var forOthers = []string{
	"/usr/share/bash-completion", "/usr/share/zsh", "/usr/share/fish", "/usr/share/vim", "/usr/share/emacs", "/usr/share/applications",
	"/usr/share/menu", "/usr/share/pixmaps", "/usr/share/icons", "/usr/include", "/usr/src", "/etc/bash_completion.d",
}

// NeededToRun reports whether a file of a package may serve the process that
// runs it: no documentation, translation or header, and nothing for an init
// system.
func NeededToRun(name string) bool {
	if !Readable(name) || under(name, forOthers) {
		return false
	}
	switch path.Ext(name) {
	case ".a", ".la", ".pc":
		return false
	}
	return true
}

// Readable reports whether a file of a package that was asked for by name may be
// of use to some process: no documentation or translation, and nothing for an
// init system. A header or static library is, for a compiler.
func Readable(name string) bool { return !under(name, documentation) && !under(name, services) }

func under(name string, dirs []string) bool {
	return slices.ContainsFunc(dirs, func(dir string) bool { return strings.HasPrefix(name, dir+"/") })
}
