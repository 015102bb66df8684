package accounts

// baseUsers are those that Debian's systems have from the beginning, with fixed
// numbers (/usr/share/doc/base-passwd/users-and-groups.txt, Debian Policy
// 9.2.2). root, daemon, bin and sys are in every image of smith's.
var baseUsers = map[string]User{
	"sync": {"sync", 4, "nogroup", "sync", "/bin"}, "games": {"games", 5, "games", "games", "/usr/games"}, "man": {"man", 6, "man", "man", "/var/cache/man"},
	"lp": {"lp", 7, "lp", "lp", "/var/spool/lpd"}, "mail": {"mail", 8, "mail", "mail", "/var/mail"}, "news": {"news", 9, "news", "news", "/var/spool/news"},
	"uucp": {"uucp", 10, "uucp", "uucp", "/var/spool/uucp"}, "proxy": {"proxy", 13, "proxy", "proxy", "/bin"},
	"www-data": {"www-data", 33, "www-data", "www-data", "/var/www"}, "backup": {"backup", 34, "backup", "backup", "/var/backups"},
	"list": {"list", 38, "list", "Mailing List Manager", "/var/list"}, "irc": {"irc", 39, "irc", "ircd", "/run/ircd"},
	"_apt": {"_apt", 42, "nogroup", "", "/nonexistent"}, "nobody": {"nobody", 65534, "nogroup", "nobody", "/nonexistent"},
}

// baseGroups are the groups from the beginning, with fixed numbers.
var baseGroups = map[string]int{
	"disk": 6, "lp": 7, "mail": 8, "news": 9, "uucp": 10, "man": 12, "proxy": 13, "kmem": 15, "dialout": 20, "fax": 21, "voice": 22, "cdrom": 24,
	"floppy": 25, "tape": 26, "sudo": 27, "audio": 29, "dip": 30, "www-data": 33, "backup": 34, "operator": 37, "list": 38, "irc": 39, "src": 40,
	"shadow": 42, "utmp": 43, "video": 44, "sasl": 45, "plugdev": 46, "staff": 50, "games": 60, "users": 100, "nogroup": 65534,
}
