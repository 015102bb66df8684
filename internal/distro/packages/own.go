package packages

import (
	"maps"
	"path"
	"slices"
	"strings"
)

// Held returns the paths at which the tree has what a package of the set
// holds, sorted; folders are left out.
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

// forPeople are folders of what people read, what other programs look at, and
// what an init system or cron does with a package on a machine: no process
// needs them to run.
var forPeople = []string{
	"/usr/share/doc", "/usr/share/man", "/usr/share/info", "/usr/share/locale", "/usr/share/lintian", "/usr/share/bug", "/usr/share/doc-base",
	"/usr/share/bash-completion", "/usr/share/zsh", "/usr/share/fish", "/usr/share/apport", "/usr/share/metainfo", "/usr/share/appdata",
	"/usr/share/vim", "/usr/share/emacs", "/usr/share/applications", "/usr/share/menu", "/usr/share/pixmaps", "/usr/share/licenses",
	"/usr/lib/systemd", "/usr/lib/sysusers.d", "/usr/lib/tmpfiles.d", "/usr/lib/.build-id", "/usr/lib/debug", "/usr/include", "/usr/src",
	"/etc/init.d", "/etc/rc.d", "/etc/init", "/etc/cron.d", "/etc/cron.hourly", "/etc/cron.daily", "/etc/cron.weekly", "/etc/cron.monthly",
	"/etc/default", "/etc/sysconfig", "/etc/logrotate.d", "/etc/ufw", "/etc/apparmor.d", "/etc/bash_completion.d", "/etc/insserv.conf.d",
	"/etc/sv", "/etc/runit", "/etc/xinetd.d", "/etc/network", "/etc/NetworkManager", "/etc/dhcp", "/etc/ppp", "/etc/resolvconf", "/etc/udev",
	"/etc/initramfs-tools", "/etc/apt", "/etc/dpkg", "/etc/rsyslog.d", "/etc/firewalld", "/etc/modprobe.d", "/etc/sysctl.d",
	"/usr/lib/udev", "/usr/lib/firewalld", "/usr/lib/NetworkManager", "/usr/lib/modules-load.d", "/usr/lib/sysctl.d",
	"/usr/share/initramfs-tools", "/usr/share/reportbug", "/usr/share/gtk-doc", "/usr/share/help", "/usr/share/icons", "/usr/share/polkit-1",
	"/usr/share/binfmts", "/usr/share/ufw", "/usr/share/runit",
}

// NeededToRun says whether a file of a package may serve the process that runs
// it: no documentation, translation or header, and nothing for an init system.
func NeededToRun(name string) bool {
	for _, dir := range forPeople {
		if strings.HasPrefix(name, dir+"/") {
			return false
		}
	}
	switch path.Ext(name) {
	case ".a", ".la", ".pc":
		return false
	}
	return true
}
