package scriptlet

import (
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Why commands are irrelevant to an image.
const (
	whyServices = "an image starts no services"
	whyDebconf  = "nobody is asked anything"
	whyCaches   = "a cache that programs do without"
	whyState    = "it changes what only a running system has"
	whyModes    = "an image's files have one owner and no special modes"
	whyUpgrade  = "it concerns upgrades from older versions"
	whyDocs     = "it indexes documentation, menus or desktop files"
	whyBytecode = "no bytecode is written; the interpreter does without"
	whyKernel   = "it concerns the machine, not an image"
	whyFolder   = "it makes a folder that is empty"
	whyFresh    = "nothing is there to be removed in a new root"
	whyTrigger  = "what the trigger would do is worked out from the files"
	whyMessage  = "it tells the administrator something"
	whyTimes    = "an image's files have one date"
	whyDiverted = "nothing is diverted in a new root"
)

// readers only read, and print. Some of them change something with an option:
// see changes.
var readers = set(`awk basename cat chkconfig cksum cmp comm cut date debconf-show df diff dirname dpkg dpkg-query dpkg-realpath dpkg-vendor
	du echo egrep env expr fgrep file find fold free gawk getconf getent grep groups head hostname id ischroot join last ldd locale
	logger ls lsb_release lsmod lspci mawk md5sum mktemp mountpoint nproc od paste pidof pgrep pkg-config pr printenv printf ps
	pwd readlink realpath rpm sed seq sha1sum sha256sum sleep sort stat stty sum sync systemd-detect-virt tac tail tempfile tput tr
	tty aa-enabled ypwhich ypcat runlevel type uname uniq wc which whoami xargs yes selinuxenabled matchpathcon dpkg-architecture zcat gunzip bunzip2 tee let command perl`)

func set(words string) map[string]bool {
	all := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		all[w] = true
	}
	return all
}

// perlProgram is the option that takes a program (perlrun(1)).
var perlProgram = regexp.MustCompile(`^-[a-zA-Z0-9]*[eE]$`)

// changes says whether a reader changes something all the same.
func changes(name string, args []value) bool {
	has := func(options ...string) bool {
		return slices.ContainsFunc(args, func(a value) bool {
			return slices.ContainsFunc(options, func(o string) bool { return a.text == o || o[len(o)-1] != ' ' && strings.HasPrefix(a.text, o+"=") })
		})
	}
	switch name {
	case "sed":
		return slices.ContainsFunc(args, func(a value) bool {
			return a.text == "--in-place" || strings.HasPrefix(a.text, "-i") || strings.HasPrefix(a.text, "-ri") || strings.HasPrefix(a.text, "-ei") || strings.HasPrefix(a.text, "-Ei") || strings.HasPrefix(a.text, "-ni")
		})
	case "perl": // a program in its arguments that edits no files in place
		return !slices.ContainsFunc(args, func(a value) bool { return perlProgram.MatchString(a.text) }) ||
			slices.ContainsFunc(args, func(a value) bool { return strings.HasPrefix(a.text, "-pi") || strings.HasPrefix(a.text, "-i") })
	case "find":
		return has("-exec", "-execdir", "-delete", "-ok")
	case "xargs", "tee":
		return true
	case "dpkg", "rpm":
		return has("-i", "--install", "-r", "--remove", "-P", "--purge", "--configure", "-U", "-e", "--erase")
	case "hostname":
		return len(args) > 0 && !strings.HasPrefix(args[0].text, "-")
	case "gunzip", "bunzip2":
		return !has("-c", "--stdout")
	}
	return false
}

// irrelevant are commands that do nothing to an image, by the reason.
var irrelevant = table(map[string]string{
	whyServices: `systemctl deb-systemd-helper deb-systemd-invoke invoke-rc.d service update-rc.d start-stop-daemon rc-update
		initctl telinit init kill killall pkill systemd-run update-inetd update-service runit-helper chkconfig systemd-notify
		systemd-update-helper needrestart nscd inittab upstart-udev-bridge policy-rc.d insserv dbus-send busctl`,
	whyDebconf: `db_input db_go db_get db_set db_stop db_purge db_fset db_fget db_beginblock db_endblock db_version db_title
		db_register db_unregister db_subst db_reset db_settitle db_capb db_info db_metaget db_progress db_clear db_x_loadtemplatefile
		debconf debconf-communicate debconf-set-selections dpkg-reconfigure db_text`,
	whyCaches: `fc-cache gtk-update-icon-cache update-icon-caches gtk-update-icon-cache-3.0 gio-querymodules gtk-query-immodules-2.0
		gtk-query-immodules-3.0 build-locale-archive
		update-fonts-dir update-fonts-scale update-fonts-alias mkfontscale mkfontdir appstreamcli update-apt-xapian-index
		apt-cache apt-file journalctl updatedb iconvconfig iconvconfig.i686 iconvconfig.x86_64 update-command-not-found`,
	whyState: `systemd-tmpfiles systemd-sysctl rpmdb_stat systemd-machine-id-setup dbus-uuidgen update-locale timedatectl localectl hostnamectl
		newaliases postalias postmap update-pciids update-usbids logrotate su runuser tmpreaper pg_updatedicts sysctl`,
	whyModes: `chmod setfacl chcon restorecon semodule semanage fixfiles selabel_lookup chattr
		setfattr install-permissions`,
	whyDocs: `install-info mandb update-menus update-desktop-database update-info-dir install-docs scrollkeeper-update
		update-catalog rarian-sk-update catalog-update doc-base-update install-fonts makewhatis update-dlocatedb`,
	whyBytecode: `py3compile pycompile py3clean pyclean python3-compile update-python-modules dh_python3 py_compilefiles pypycompile pypy3compile pypy3clean
		emacs-package-install emacs-package-remove byte-compile debian-py3compile`,
	whyKernel: `udevadm modprobe rmmod insmod depmod update-initramfs update-grub update-grub2 grub-install mkinitcpio dracut
		mount umount swapon swapoff losetup dmsetup vgscan iptables ip6tables nft apparmor_parser aa-status update-secureboot-policy
		shim-install bootctl kernel-install new-kernel-pkg ldconfig.d dkms reboot shutdown hwclock setupcon loadkeys udev mknod
		update-binfmts ufw aa-remove-unknown linux-update-symlinks linux-version systemd-hwdb lvm blkid restorecond plymouth-set-default-theme fipscheck`,
	whyMessage: "warning wall mail sendmail notify-send write dialog whiptail",
})

func table(byReason map[string]string) map[string]string {
	all := map[string]string{}
	for reason, words := range byReason {
		for w := range strings.FieldsSeq(words) {
			all[w] = reason
		}
	}
	return all
}

// classify says what a command that changes something does.
func (e *evaluator) classify(name string, args []value) Effect {
	// RPM distributions call programs of 64 and 32 bits by these endings.
	name = strings.TrimSuffix(strings.TrimSuffix(name, "-64"), "-32")
	if reason, ok := irrelevant[name]; ok {
		return Effect{Class: Irrelevant, Why: reason}
	}
	if slices.ContainsFunc(args, func(v value) bool { return bytecodeScripts[path.Base(v.text)] }) {
		return Effect{Class: Irrelevant, Why: whyBytecode}
	}
	if f := special[name]; f != nil {
		return f(e, args)
	}
	if strings.HasPrefix(name, "glibc_post_upgrade") { // a program of glibc's packages: ldconfig, iconvconfig, telinit u
		return Effect{Class: Emulated, Why: "smith writes ld.so.cache"}
	}
	if strings.HasPrefix(name, "db_") {
		return Effect{Class: Irrelevant, Why: whyDebconf}
	}
	return Effect{Class: Unhandled, Why: "smith does not know what it does"}
}

// bytecodeScripts are modules of Python that compile others.
var bytecodeScripts = map[string]bool{"py_compile.py": true, "compileall.py": true, "py_compile": true, "compileall": true}

// special are commands whose arguments matter.
var special = map[string]func(*evaluator, []value) Effect{
	"update-alternatives": alternative,
	"alternatives":        alternative,
	"ldconfig": func(*evaluator, []value) Effect {
		return Effect{Class: Emulated, Why: "smith writes ld.so.cache"}
	},
	"update-ca-certificates": certificates,
	"update-ca-trust":        certificates,
	"ca-legacy":              certificates,
	"adduser":                account("adduser"), "addgroup": account("addgroup"), "useradd": account("useradd"), "groupadd": account("groupadd"),
	"systemd-sysusers": func(*evaluator, []value) Effect {
		return Effect{Class: Emulated, Why: "the accounts of sysusers.d are made"}
	},
	"usermod": account("usermod"), "groupmod": member, "gpasswd": account("gpasswd"), "passwd": member, "chage": member, "chsh": member, "chfn": member,
	"deluser": removed, "delgroup": removed, "userdel": removed, "groupdel": removed, "pwconv": member, "grpconv": member,
	"shadowconfig": member, "add-shell": member, "remove-shell": removed, "update-shells": member,
	"setcap": func(*evaluator, []value) Effect {
		return Effect{Class: Irrelevant, Why: "a file of an image has the capabilities that the key capabilities gives it"}
	},
	"glib-compile-schemas":     compiles("gschemas.compiled", "programs that have settings stop without it"),
	"update-mime-database":     compiles("mime.cache", "the types of files are not told without it"),
	"gdk-pixbuf-query-loaders": compiles("", "no loader of images is found without its list"),
	"dpkg-maintscript-helper":  func(*evaluator, []value) Effect { return Effect{Class: Irrelevant, Why: whyUpgrade} },
	"dpkg-trigger":             func(*evaluator, []value) Effect { return Effect{Class: Irrelevant, Why: whyTrigger} },
	"dpkg-divert":              divert,
	"chown":                    owned, "chgrp": owned, "dpkg-statoverride": overridden,
	"a2enmod": enable("mod"), "a2enconf": enable("conf"), "a2ensite": enable("site"), "apache2_invoke": apacheInvoke, "apache2_switch_mpm": switchMPM,
	"phpenmod": phpEnable, "php_invoke": phpInvoke,
	"a2dismod": fresh, "a2disconf": fresh, "a2dissite": fresh, "phpdismod": fresh, "a2query": fresh, "phpquery": fresh,
	"apache2_msg": message, "php_msg": message, "apache2_reload": message, "apache2_has_module": fresh,
	"pam-auth-update": lacks("services of PAM have the common-* files of the package libpam-runtime only where they are in the packages: logins through PAM may fail"),
	"update-mime":     lacks("there is no /etc/mailcap: run-mailcap and mail programs start no viewers"),
	"fmtutil":         tex, "fmtutil-sys": tex, "mktexlsr": tex, "updmap": tex, "updmap-sys": tex, "texhash": tex, "texlive-triggers": tex,
	"ln": link,
	"rm": remove, "rmdir": remove, "unlink": remove, "ucfr": state, "ucf": configuration,
	"mkdir": directory, "install": install,
	"touch": touch, "cp": copied, "mv": move, "tee": lastWritten, "dd": written,
	"sed": lastWritten, "find": written, "xargs": written,
}

// operands returns the arguments that are no options; values says which short
// options take the word after them.
func operands(args []value, valued string) []value {
	var all []value
	for i := 0; i < len(args); i++ {
		a := args[i].text
		if !args[i].known || len(a) < 2 || a[0] != '-' {
			all = append(all, args[i])
			continue
		}
		if a == "--" {
			return append(all, args[i+1:]...)
		}
		if len(a) == 2 && strings.Contains(valued, a[1:]) {
			i++
		}
	}
	return all
}

func alternative(_ *evaluator, args []value) Effect {
	a := Alternative{}
	var links [][3]string
	install := false
	for i := 0; i < len(args); i++ {
		var take int
		switch args[i].text {
		case "--install":
			take, install = 4, true
		case "--slave", "--follower":
			take = 3
		case "--set", "--add-slave", "--add-follower":
			return chosen(args[i+1:])
		default:
			continue
		}
		if i+take >= len(args) {
			return Effect{Class: Unhandled, Why: "its arguments are not understood"}
		}
		words := args[i+1 : i+1+take]
		if slices.ContainsFunc(words, func(v value) bool { return !v.known }) {
			return Effect{Class: Unhandled, Why: "what the link leads to is not known"}
		}
		if take == 4 {
			a.Link, a.Name, a.Path = words[0].text, words[1].text, words[2].text
			a.Priority, _ = strconv.Atoi(words[3].text) // 0 where it is no number
		} else {
			links = append(links, [3]string{words[0].text, words[1].text, words[2].text})
		}
		i += take
	}
	if !install {
		return Effect{Class: Irrelevant, Why: whyUpgrade}
	}
	for _, l := range links {
		a.Slaves, a.SlaveNames = append(a.Slaves, Link{l[0], l[2]}), append(a.SlaveNames, l[1])
	}
	if strings.Contains(a.Name, "/") || a.Name == "" || a.Name[0] == '.' || !path.IsAbs(a.Link) || !path.IsAbs(a.Path) {
		return Effect{Class: Unhandled, Why: "its arguments are not understood"}
	}
	return Effect{Class: Emulated, Why: "the links are on offer", Alternative: &a}
}

// compiles is the effect of a program that makes a file of all those in the
// folder that it is given.
func compiles(file, why string) func(*evaluator, []value) Effect {
	return func(_ *evaluator, args []value) Effect {
		f := Effect{Class: Unhandled, Why: why}
		words := operands(args, "")
		if len(words) > 0 && file != "" && words[len(words)-1].known && path.IsAbs(words[len(words)-1].text) {
			f.Path = path.Join(words[len(words)-1].text, file)
		}
		return f
	}
}

// chosen is an alternative that is not left to its priority.
func chosen(args []value) Effect {
	f := Effect{Class: Unhandled, Why: "alternatives are taken by their priorities only, with the links that they were offered with"}
	if len(args) > 0 && args[0].known && args[0].text != "" {
		f.Path = path.Join("/etc/alternatives", args[0].text)
	}
	return f
}

func certificates(*evaluator, []value) Effect {
	return Effect{Class: Emulated, Why: "the bundle and the hashed links are on offer", Certificates: true}
}

func removed(*evaluator, []value) Effect { return Effect{Class: Irrelevant, Why: whyFresh} }

func state(*evaluator, []value) Effect { return Effect{Class: Irrelevant, Why: whyState} }

// link makes a symbolic link where both ends are known.
func link(_ *evaluator, args []value) Effect {
	symbolic := slices.ContainsFunc(args, func(a value) bool {
		return a.text == "--symbolic" || strings.HasPrefix(a.text, "-") && !strings.HasPrefix(a.text, "--") && strings.Contains(a.text, "s")
	})
	words := operands(args, "tS")
	if !symbolic && len(words) == 2 {
		return copies(words, "it makes a link")
	}
	if len(words) != 2 || !words[0].known || !words[1].known || !path.IsAbs(words[1].text) || strings.HasSuffix(words[1].text, "/") {
		return last(words, "it makes a link")
	}
	if isState(words[1].text) {
		return Effect{Class: Irrelevant, Why: whyState}
	}
	return Effect{Class: Emulated, Why: "the link is on offer", Link: &Link{Path: path.Clean(words[1].text), Target: words[0].text}}
}

// last is an unhandled effect on the last of some paths.
func last(words []value, why string) Effect {
	f := Effect{Class: Unhandled, Why: why}
	if len(words) > 0 && words[len(words)-1].known && path.IsAbs(words[len(words)-1].text) {
		if f.Path = path.Clean(words[len(words)-1].text); isState(f.Path) {
			return Effect{Class: Irrelevant, Why: whyState}
		}
	}
	return f
}

// remove matters where it takes away what the package itself brought.
func remove(e *evaluator, args []value) Effect {
	for _, a := range operands(args, "") {
		if a.known && e.has(a.text) && strings.Count(path.Clean(a.text), "/") > 1 { // not the links of a merged /usr
			return Effect{Class: Unhandled, Why: "a file of the package would be removed", Path: path.Clean(a.text)}
		}
	}
	return Effect{Class: Irrelevant, Why: whyFresh}
}

// lastWritten is for commands that write the last path they name. dpkg-divert(1)
// names what it keeps aside .distrib.
func lastWritten(_ *evaluator, args []value) Effect {
	f := last(operands(args, "tSdre"), "it writes a file")
	if strings.Contains(path.Base(f.Path), ".distrib") {
		return Effect{Class: Irrelevant, Why: whyDiverted}
	}
	return f
}

// move matters where it moves what is there in a new root.
func move(e *evaluator, args []value) Effect {
	words := operands(args, "tS")
	if len(words) == 2 && words[0].known && path.IsAbs(words[0].text) && words[0].text != temporary && !e.has(words[0].text) {
		return Effect{Class: Irrelevant, Why: whyFresh}
	}
	return lastWritten(e, args)
}

// has says whether the package itself holds a path.
func (e *evaluator) has(name string) bool {
	return e.script.Has != nil && !e.script.Before && e.script.Has(path.Clean(name))
}

func written(*evaluator, []value) Effect {
	return Effect{Class: Unhandled, Why: "smith does not follow what it changes"}
}
