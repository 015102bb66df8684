package service

import (
	"path"
	"slices"
	"strings"

	"smith/internal/distro/scriptlet"
	"smith/internal/tree"
)

// A foreground is how a server that leaves the foreground by itself is kept
// there: a container ends with its first process.
type foreground struct {
	// drop are the words that send it into the background; one that ends in
	// a space takes the next word with it.
	drop []string
	// add are the words that keep it in the foreground.
	add []string
	// source says where that is documented.
	source string
}

// foregrounds are servers by the names of their programs.
var foregrounds = map[string]foreground{
	"nginx":               {[]string{"-g "}, []string{"-g", "daemon off;"}, "nginx documentation, ngx_core_module, daemon"},
	"apache2":             {[]string{"-k "}, []string{"-DFOREGROUND"}, "Apache HTTP Server documentation, httpd, -DFOREGROUND"},
	"httpd":               {[]string{"-k "}, []string{"-DFOREGROUND"}, "Apache HTTP Server documentation, httpd, -DFOREGROUND"},
	"lighttpd":            {nil, []string{"-D"}, "lighttpd(8), -D"},
	"chronyd":             {nil, []string{"-d"}, "chronyd(8), -d: stays in the foreground and writes to standard error"},
	"redis-server":        {nil, []string{"--daemonize", "no"}, "redis.conf, daemonize"},
	"valkey-server":       {nil, []string{"--daemonize", "no"}, "valkey.conf, daemonize"},
	"memcached":           {[]string{"-d", "--daemon"}, nil, "memcached(1), -d"},
	"haproxy":             {[]string{"-D", "-Ds"}, []string{"-db"}, "haproxy(1), -db"},
	"squid":               {nil, []string{"--foreground"}, "squid(8), --foreground"},
	"named":               {nil, []string{"-f"}, "named(8), -f"},
	"dovecot":             {nil, []string{"-F"}, "dovecot(1), -F"},
	"dnsmasq":             {nil, []string{"--keep-in-foreground"}, "dnsmasq(8), --keep-in-foreground"},
	"exim4":               {[]string{"-bd"}, []string{"-bdf"}, "exim(8), -bdf"},
	"exim":                {[]string{"-bd"}, []string{"-bdf"}, "exim(8), -bdf"},
	"postfix":             {[]string{"start"}, []string{"start-fg"}, "postfix(1), start-fg"},
	"smtpd":               {nil, []string{"-d"}, "smtpd(8), -d"},
	"proftpd":             {nil, []string{"--nodaemon"}, "proftpd(8), -n, --nodaemon"},
	"sshd":                {nil, []string{"-D"}, "sshd(8), -D"},
	"snmpd":               {nil, []string{"-f"}, "snmpd(8), -f"},
	"privoxy":             {nil, []string{"--no-daemon"}, "privoxy(8), --no-daemon"},
	"tinyproxy":           {nil, []string{"-d"}, "tinyproxy(8), -d"},
	"opendkim":            {nil, []string{"-f"}, "opendkim(8), -f"},
	"opendmarc":           {nil, []string{"-f"}, "opendmarc(8), -f"},
	"ntpd":                {nil, []string{"-n"}, "ntpd(8), -n, --nofork"},
	"smbd":                {[]string{"-D", "--daemon"}, []string{"--foreground", "--no-process-group"}, "smbd(8), -F, --no-process-group"},
	"nmbd":                {[]string{"-D", "--daemon"}, []string{"--foreground", "--no-process-group"}, "nmbd(8), -F, --no-process-group"},
	"winbindd":            {[]string{"-D", "--daemon"}, []string{"--foreground", "--no-process-group"}, "winbindd(8), -F, --no-process-group"},
	"varnishd":            {nil, []string{"-F"}, "varnishd(1), -F"},
	"slapd":               {nil, []string{"-d", "0"}, "slapd(8), -d: any level keeps it in the foreground"},
	"collectd":            {nil, []string{"-f"}, "collectd(1), -f"},
	"keepalived":          {nil, []string{"--dont-fork"}, "keepalived(8), -n, --dont-fork"},
	"ircd-hybrid":         {nil, []string{"-foreground"}, "ircd-hybrid(8), -foreground"},
	"ngircd":              {nil, []string{"--nodaemon"}, "ngircd(8), -n, --nodaemon"},
	"znc":                 {nil, []string{"--foreground"}, "znc(1), -f, --foreground"},
	"bitlbee":             {nil, []string{"-F", "-n"}, "bitlbee(8), -F and -n"},
	"freeradius":          {nil, []string{"-f"}, "freeradius(8), -f"},
	"radiusd":             {nil, []string{"-f"}, "radiusd(8), -f"},
	"icecast2":            {[]string{"-b"}, nil, "icecast2(1), -b"},
	"mpd":                 {nil, []string{"--no-daemon"}, "mpd(1), --no-daemon"},
	"monit":               {nil, []string{"-I"}, "monit(1), -I"},
	"in.tftpd":            {[]string{"--listen", "-l"}, []string{"--foreground"}, "in.tftpd(8), -L, --foreground"},
	"avahi-daemon":        {[]string{"-D", "--daemonize"}, nil, "avahi-daemon(8), -D"},
	"spamd":               {[]string{"-d", "--daemonize"}, nil, "spamd(1), -d"},
	"rpcbind":             {nil, []string{"-f"}, "rpcbind(8), -f"},
	"dhcpd":               {nil, []string{"-f"}, "dhcpd(8), -f"},
	"unbound":             {nil, []string{"-d"}, "unbound(8), -d"},
	"nsd":                 {nil, []string{"-d"}, "nsd(8), -d"},
	"knotd":               {[]string{"-d", "--daemonize"}, nil, "knotd(8), -d"},
	"pdns_server":         {nil, []string{"--daemon=no"}, "pdns_server(1), --daemon"},
	"pdns_recursor":       {nil, []string{"--daemon=no"}, "pdns_recursor(1), --daemon"},
	"rsync":               {nil, []string{"--no-detach"}, "rsync(1), --no-detach"},
	"inetd":               {nil, []string{"-i"}, "inetd(8), -i"},
	"xinetd":              {nil, []string{"-dontfork"}, "xinetd(8), -dontfork"},
	"cron":                {nil, []string{"-f"}, "cron(8), -f"},
	"crond":               {nil, []string{"-n"}, "crond(8), -n"},
	"atd":                 {nil, []string{"-f"}, "atd(8), -f"},
	"zabbix_agentd":       {nil, []string{"--foreground"}, "zabbix_agentd(8), -f, --foreground"},
	"zabbix_server":       {nil, []string{"--foreground"}, "zabbix_server(8), -f, --foreground"},
	"zabbix_proxy":        {nil, []string{"--foreground"}, "zabbix_proxy(8), -f, --foreground"},
	"turnserver":          {[]string{"-o", "--daemon"}, nil, "turnserver(1), -o, --daemon"},
	"nagios4":             {[]string{"-d"}, nil, "nagios4(8), -d"},
	"cupsd":               {nil, []string{"-f"}, "cupsd(8), -f"},
	"clamd":               {nil, []string{"--foreground=true"}, "clamd(8), --foreground"},
	"freshclam":           {[]string{"-d", "--daemon"}, []string{"--foreground=true", "--daemon"}, "freshclam(1), --foreground"},
	"minidlnad":           {nil, []string{"-S"}, "minidlnad(1), -S"},
	"syslog-ng":           {nil, []string{"-F"}, "syslog-ng(8), -F, --foreground"},
	"rsyslogd":            {nil, []string{"-n"}, "rsyslogd(8), -n"},
	"inspircd":            {nil, []string{"--nofork"}, "inspircd(1), --nofork"},
	"prosody":             {nil, []string{"-F"}, "prosody(8), -F"},
	"asterisk":            {nil, []string{"-f"}, "asterisk(8), -f"},
	"corosync":            {nil, []string{"-f"}, "corosync(8), -f"},
	"pgbouncer":           {[]string{"-d", "--daemon"}, nil, "pgbouncer(1), -d"},
	"mosquitto":           {[]string{"-d", "--daemon"}, nil, "mosquitto(8), -d"},
	"tor":                 {nil, []string{"--RunAsDaemon", "0"}, "tor(1), RunAsDaemon"},
	"radvd":               {nil, []string{"--nodaemon"}, "radvd(8), -n, --nodaemon"},
	"starter":             {nil, []string{"--nofork"}, "strongswan starter, --nofork"},
	"murmurd":             {nil, []string{"-fg"}, "murmurd(1), -fg"},
	"mumble-server":       {nil, []string{"-fg"}, "mumble-server(1), -fg"},
	"ganesha.nfsd":        {nil, []string{"-F"}, "ganesha.nfsd(8), -F"},
	"hitch":               {[]string{"--daemon"}, nil, "hitch(8), --daemon"},
	"dbus-daemon":         {[]string{"--fork"}, []string{"--nofork"}, "dbus-daemon(1), --nofork"},
	"vsftpd":              {nil, []string{"-obackground=NO"}, "vsftpd.conf(5), background"},
	"openvpn":             {[]string{"--daemon "}, nil, "openvpn(8), --daemon"},
	"uwsgi":               {[]string{"--daemonize ", "--daemonize2 "}, nil, "uwsgi(1), --daemonize"},
	"cyrmaster":           {[]string{"-d"}, nil, "cyrmaster(8), -d"},
	"beanstalkd":          {nil, nil, "beanstalkd(1): it has no daemon of its own"},
	"prometheus":          {nil, nil, "prometheus(1): it has no daemon of its own"},
	"etcd":                {nil, nil, "etcd(1): it has no daemon of its own"},
	"influxd":             {nil, nil, "influxd(1): it has no daemon of its own"},
	"kea-dhcp4":           {nil, nil, "kea-dhcp4(8): it has no daemon of its own"},
	"kea-dhcp6":           {nil, nil, "kea-dhcp6(8): it has no daemon of its own"},
	"php-fpm":             {nil, []string{"--nodaemonize"}, "php-fpm(8), -F, --nodaemonize"},
	"transmission-daemon": {nil, []string{"-f"}, "transmission-daemon(1), -f"},
}

// stays are words that keep a server in the foreground already.
var stays = []string{
	"-F", "-D", "-DFOREGROUND", "--foreground", "--nodaemonize", "--nodaemon", "--no-daemon", "-foreground", "--nofork", "--fg",
}

// wrappers are programs that start a server, by their names and first word, and
// the server in their place.
var wrappers = map[string]string{"apachectl": "apache2", "apache2ctl": "apache2"}

// unprivileged are servers that have to be told that they are not started as
// root: words that have them change their user go, others come.
var unprivileged = map[string]foreground{
	"chronyd":   {[]string{"-u "}, []string{"-U", "-x"}, "chronyd(8), -U: no check for root; -x: the system's clock is left alone"},
	"named":     {[]string{"-u "}, nil, "named(8), -u"},
	"snmpd":     {[]string{"-u ", "-g "}, nil, "snmpcmd(1), -u, -g"},
	"privoxy":   {[]string{"--user "}, nil, "privoxy(8), --user"},
	"varnishd":  {[]string{"-j "}, []string{"-j", "none"}, "varnishd(1), -j"},
	"memcached": {[]string{"-u "}, nil, "memcached(1), -u"},
	"mariadbd":  {[]string{"-u ", "--user "}, nil, "mariadbd(8), --user"},
}

// Unprivileged returns the service as it is started by a user that is not root.
func (s Service) Unprivileged() Service {
	known, ok := unprivileged[path.Base(s.Program)]
	if !ok {
		return s
	}
	before := s.Args
	s.Args = without(s.Args, known.drop)
	for _, w := range known.add {
		if len(known.add) > 1 && contains(s.Args, known.add) || slices.Contains(before, w) {
			continue
		}
		s.Args = append(s.Args, w)
	}
	if !slices.Equal(before, s.Args) {
		if s.Why != "" {
			s.Why += "; "
		}
		s.Why += "is not started as root: " + known.source
	}
	return s
}

// stay keeps a server in the foreground where it is known how.
func (s *Service) stay(t *tree.Tree) {
	s.unshell()
	s.unhelp(t)
	if server := wrappers[path.Base(s.Program)]; server != "" {
		s.unwrap(t, server)
	}
	name := path.Base(s.Program)
	if !s.Forks {
		return
	}
	if strings.HasPrefix(name, "php-fpm") {
		name = "php-fpm"
	}
	known, ok := foregrounds[name]
	if !ok {
		return
	}
	before := slices.Clone(s.Args)
	s.Args = without(s.Args, known.drop)
	missing := slices.DeleteFunc(slices.Clone(known.add), func(string) bool { return contains(s.Args, known.add) })
	if slices.ContainsFunc(missing, func(w string) bool { return slices.Contains(stays, w) && slices.Contains(s.Args, w) }) {
		missing = nil
	}
	s.Args = append(s.Args, missing...)
	s.Forks = false
	if !slices.Equal(before, s.Args) {
		s.Why = "stays in the foreground: " + known.source
	}
}

// unshell takes the server out of a command that a shell executes.
func (s *Service) unshell() {
	if !s.shell() {
		return
	}
	env := map[string]string{}
	for _, line := range s.Env {
		name, value, _ := strings.Cut(line, "=")
		env[name] = value
	}
	trace, err := scriptlet.Follow(scriptlet.Script{Name: s.Name, Text: s.Args[1], Env: env})
	if err != nil {
		return
	}
	for _, c := range slices.Backward(trace.Commands) {
		if w := c.Words[0]; w.Known && path.IsAbs(w.Text) {
			s.Program, s.Args = w.Text, known(c.Words[1:])
			return
		}
	}
}

// shell reports whether a shell executes the command that starts the service.
func (s *Service) shell() bool {
	name := path.Base(s.Program)
	return (name == "sh" || name == "bash") && len(s.Args) == 2 && s.Args[0] == "-c"
}

// unhelp replaces a script that only a unit calls, outside of the directories of
// programs, by the program of the service's name.
func (s *Service) unhelp(t *tree.Tree) {
	dir := path.Base(path.Dir(s.Program))
	if dir == "bin" || dir == "sbin" || !strings.HasPrefix(s.Program, "/usr/share/") && !strings.HasPrefix(s.Program, "/usr/libexec/") {
		return
	}
	for _, dir := range []string{"/usr/sbin", "/usr/bin"} {
		if _, err := t.Resolve(path.Join(dir, s.Name)); err == nil {
			s.Program, s.Args, s.Forks = path.Join(dir, s.Name), nil, true
			return
		}
	}
}

// unwrap replaces a script that starts a server by the server.
func (s *Service) unwrap(t *tree.Tree, server string) {
	program := path.Join(path.Dir(s.Program), server)
	if _, err := t.Resolve(program); err != nil {
		return
	}
	s.Program, s.Args, s.Forks = program, nil, true
	if server == "apache2" {
		for _, line := range exported(t, "/etc/apache2/envvars", map[string]string{}) {
			name, value, _ := strings.Cut(line, "=")
			if name == "LANG" || strings.HasPrefix(name, "LC_") {
				continue // the image's own
			}
			value = placed(value)
			s.Env = append(s.Env, name+"="+value)
			if strings.HasPrefix(value, "/run/") && path.Ext(value) == "" {
				s.directory(Directory{Path: value, Class: Runtime})
			}
		}
		s.sorted()
	}
}

// without returns words without some of them.
func without(words, drop []string) []string {
	var rest []string
	for i := 0; i < len(words); i++ {
		switch {
		case slices.Contains(drop, words[i]):
		case slices.Contains(drop, words[i]+" "):
			i++
		default:
			rest = append(rest, words[i])
		}
	}
	return rest
}

// contains reports whether some words stand one after another among others.
func contains(words, part []string) bool {
	for i := 0; i+len(part) <= len(words); i++ {
		if slices.Equal(words[i:i+len(part)], part) {
			return true
		}
	}
	return false
}
