package smithfile

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// everyKey has each key, so that a test fails where one is lost.
const everyKey = `type: oci
package: base.tar.gz:12
parent: ./parent.tar
platform: linux/arm64
name: team/app:1.2
paths:
- /usr/bin/cat
- "usr/lib/**/*.{so,so.*}"
excludes: ["**/*.pyc"]
allow-missing: [libfoo.so.1, /usr/bin/perl]
dlopen: suggested
interpreters: minimal
bundles: [timezones, certificates]
hwcaps: all
gconv: [ISO-8859-1]
nss: true
root: false
user: app:1000
groups: [tty, video]
owner: root
mounts: [/data/, //var//lib]
capabilities: {//usr//bin/ping: [net_raw, CAP_NET_ADMIN, net_raw], /bin/time: cap_sys_time, /bin/none: []}
entrypoint: [/usr/bin/cat, -n]
cmd: [/read/data, 7, true, 1.10]
dir: /write
env: [LANG=C.UTF-8, EMPTY=]
labels: {a: b, version: 1.10, none: }
ports: {80/tcp: {}, 53/udp: , 8080: {}}
stop-signal: 15
healthcheck:
  test: [CMD, /usr/bin/cat, /read/data]
  interval: 90s
  timeout: 1.5s
  start-period: 500ms
  start-interval: 1s
  retries: 3
budget: {size: 30MB, packages: 12, files: 400}
repositories:
- host
- deb: http://mirror.example.org/debian
  suites: [bookworm, bookworm-updates]
  component: main
  architectures: [amd64]
  signed-by: debian-archive-keyring.gpg
  check-valid-until: false
  trusted: true
- host: true
- rpm: https://mirror.example.org/os/$basearch/
  gpgkey: KEY
  gpgcheck: false
  repo_gpgcheck: true
  priority: 10
  cost: 5
  exclude: kernel*
  includepkgs: [a, b]
  module_hotfixes: true
- mirrorlist: https://mirror.example.org/list
- metalink: https://mirror.example.org/metalink
recommends: true
module: nodejs:20
package-database: false
licenses: false
log-streams: false
archives: [./packages, "https://example.org/{sha256}"]
mock:
  config: /etc/mock/default.cfg
  pre-build: |
    make
  post-build: make clean
  deps: [bash]
  debuginfo: true
  debugdeps: [bash-debuginfo]
  debugpaths: [/usr/lib/debug/**]
`

func decodedEveryKey() *Spec {
	return &Spec{
		Type: "oci", Packages: []string{"base.tar.gz:12"}, Parent: "./parent.tar",
		Platforms: []string{"linux/arm64"}, Name: "team/app:1.2",
		Paths:    []string{"/usr/bin/cat", "usr/lib/**/*.{so,so.*}"},
		Excludes: []string{"**/*.pyc"}, AllowMissing: []string{"libfoo.so.1", "/usr/bin/perl"},
		Dlopen: "suggested", Interpreters: "minimal", Bundles: []string{"certificates", "timezones"},
		Hwcaps: "all", Gconv: []string{"ISO-8859-1"},
		NSS: true, User: "app:1000", Groups: []string{"tty", "video"}, Owner: "root",
		Mounts:       []string{"/data", "/var/lib"},
		Capabilities: map[string][]string{"/usr/bin/ping": {"net_admin", "net_raw"}, "/bin/time": {"sys_time"}},
		Entrypoint:   []string{"/usr/bin/cat", "-n"}, Cmd: []string{"/read/data", "7", "true", "1.10"},
		Dir: "/write", Env: []string{"LANG=C.UTF-8", "EMPTY="},
		Labels: map[string]string{"a": "b", "version": "1.10", "none": ""},
		Ports:  []string{"53/udp", "80/tcp", "8080/tcp"}, StopSignal: "15",
		Healthcheck: &Healthcheck{
			Test:     []string{"CMD", "/usr/bin/cat", "/read/data"},
			Interval: Duration(90 * time.Second), Timeout: Duration(1500 * time.Millisecond),
			StartPeriod: Duration(500 * time.Millisecond), StartInterval: Duration(time.Second), Retries: 3,
		},
		Budget: &Budget{Size: "30MB", Packages: 12, Files: 400},
		Repositories: []Repository{
			{Host: true, GPGCheck: true, CheckValidUntil: true},
			{
				GPGCheck: true, Deb: []string{"http://mirror.example.org/debian"}, Suites: []string{"bookworm", "bookworm-updates"},
				Components: []string{"main"}, Architectures: []string{"amd64"},
				SignedBy: []string{"debian-archive-keyring.gpg"}, Trusted: true,
			},
			{Host: true, GPGCheck: true, CheckValidUntil: true},
			{
				RPM: []string{"https://mirror.example.org/os/$basearch/"}, GPGKey: []string{"KEY"}, RepoGPGCheck: true,
				Priority: 10, Cost: 5, Exclude: []string{"kernel*"}, IncludePkgs: []string{"a", "b"}, ModuleHotfixes: true, CheckValidUntil: true,
			},
			{Mirrorlist: "https://mirror.example.org/list", GPGCheck: true, CheckValidUntil: true},
			{Metalink: "https://mirror.example.org/metalink", GPGCheck: true, CheckValidUntil: true},
		},
		Recommends: true, Modules: []string{"nodejs:20"}, Archives: []string{"./packages", "https://example.org/{sha256}"},
		Mock: &Mock{
			Config: "/etc/mock/default.cfg", PreBuild: "make\n", PostBuild: "make clean",
			Deps: []string{"bash"}, DebugInfo: true, DebugDeps: []string{"bash-debuginfo"},
			DebugPaths: []string{"/usr/lib/debug/**"},
		},
	}
}

func decode(t *testing.T, text string) *Spec {
	t.Helper()
	s, err := Decode("smith.yaml", []byte(text))
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return s
}

func diff(want, got *Spec) string { return cmp.Diff(want, got, cmpopts.IgnoreUnexported(Spec{})) }

func TestDecodeEveryKey(t *testing.T) {
	if d := diff(decodedEveryKey(), decode(t, everyKey)); d != "" {
		t.Error(d)
	}
	for _, f := range fieldsOf(typeOfSpec()) {
		if !strings.Contains(everyKey, f.key+":") && !strings.Contains(everyKey, f.alias+":") {
			t.Errorf("the test lacks the key %s", f.key)
		}
	}
}

func TestDecodeForms(t *testing.T) {
	for text, want := range map[string]Spec{
		"{}":              {},
		"package: a":      {Packages: []string{"a"}},
		"package: [a, b]": {Packages: []string{"a", "b"}},
		"packages: a":     {Packages: []string{"a"}},
		"packages: [a]":   {Packages: []string{"a"}},
		"platforms: [linux/s390x, linux/386, linux/386]": {Platforms: []string{"linux/386", "linux/s390x"}},
		"ports: [8080, 53/udp, 8080/tcp]":                {Ports: []string{"53/udp", "8080/tcp"}},
		"nss: yes\nroot: Off":                            {NSS: true},
		"user: 1000":                                     {User: "1000"},
		"user: 1000:1000":                                {User: "1000:1000"},
		"cmd: []":                                        {Cmd: []string{}},
		"cmd:\npaths:\nparent: ''\nlabels:":              {},
		"labels: {date: 2001-01-01, 1: 010}":             {Labels: map[string]string{"date": "2001-01-01", "1": "010"}},
		"paths: &a [/a]\ncmd: *a":                        {Paths: []string{"/a"}, Cmd: []string{"/a"}},
		"healthcheck: {test: [NONE]}":                    {Healthcheck: &Healthcheck{Test: []string{"NONE"}}},
		"{\n\t\"package\": \"a\\u00e9\",\n\t\"ports\": {\"80/tcp\": {}}\n}": {Packages: []string{"aé"}, Ports: []string{"80/tcp"}},
		"\ufeff# a comment\n---\ntype: host\n...\n":                         {Type: "host"},
	} {
		if want.Dlopen == "" {
			want.Dlopen, want.Interpreters, want.PackageDatabase, want.Licenses, want.LogStreams = "recommended", "full", true, true, true
		}
		if d := diff(&want, decode(t, text)); d != "" {
			t.Errorf("%q: %s", text, d)
		}
	}
}

// mistakes are specs, and the errors of which each is told.
var mistakes = []struct{ text, want string }{
	{"", `smith.yaml is empty: write where to take what from, such as "package: base.tar.gz" and "paths: [/usr/bin/cat]"`},
	{"# nothing\n---\n", `smith.yaml is empty: write where to take what from, such as "package: base.tar.gz" and "paths: [/usr/bin/cat]"`},
	{"- a", `smith.yaml:1:1: expected a map of keys and values, found a list`},
	{"cat", `smith.yaml:1:1: expected a map of keys and values, found the string "cat"`},
	{"package: a\n\n\n  \ncmd: [a]\nentrypiont: [/a]", `smith.yaml:6:1: unknown key "entrypiont"; did you mean "entrypoint"?`},
	{"Package: a", `smith.yaml:1:1: unknown key "Package"; did you mean "package"?`},
	{"stop_signal: a", `smith.yaml:1:1: unknown key "stop_signal"; did you mean "stop-signal"?`},
	{"environment: [A=b]", `smith.yaml:1:1: unknown key "environment"; did you mean "env"?`},
	{"repository: [host]", "smith.yaml:1:1: unknown key \"repository\"; did you mean \"repositories\"?"},
	{"repositories: host", `smith.yaml:1:15: repositories: expected a list, found the string "host"`},
	{"repositories: [hots]", `smith.yaml:1:16: repositories[0]: expected a map, or the word host, found the string "hots"`},
	{"repositories: [{deb: http://a, suits: a}]", `smith.yaml:1:32: unknown key "suits"; did you mean "suites"?`},
	{"repositories: [{deb: 'http://me:secret@a/'}]", `smith.yaml:1:22: repositories[0].deb: this is not an address such as http://mirror.example.org/debian ` +
		`(http, https or file; a user and password stand in ~/.netrc or apt's auth.conf, never here)`},
	{"package-database: 1", `smith.yaml:1:19: package-database: expected true or false, found the number 1`},
	{"a-key-of-nobody: 1", "smith.yaml:1:1: unknown key \"a-key-of-nobody\"; `smith schema` lists the keys"},
	{"? [a]\n: b", `smith.yaml:1:3: expected a key, found a list`},
	{"<<: {cmd: [a]}", `smith.yaml:1:1: expected a key, found <<, which merges maps: write their keys out`},
	{"mock: {confg: a}", `smith.yaml:1:8: unknown key "confg"; did you mean "config"?`},
	{"healthcheck: {start_period: 1s}", `smith.yaml:1:15: unknown key "start_period"; did you mean "start-period"?`},
	{"package: a\npackage: b", `smith.yaml:2:1: key "package" is here a second time: the first is in line 1`},
	{"labels: {a: b, a: c}", `smith.yaml:1:16: key "a" is here a second time: the first is in line 1`},
	{"package: a\npackages: [b]", `smith.yaml:2:1: key "packages" says the same as "package" in line 1: keep one of them`},
	{"package: {a: b}", `smith.yaml:1:10: package: expected a list, found a map`},
	{"package: 7", `smith.yaml:1:10: package: expected a string, found the number 7`},
	{"package: [a, [b]]", `smith.yaml:1:14: package[1]: expected a string, found a list`},
	{"package: 'a '", `smith.yaml:1:10: package: "a " is not a name: one line, no spaces around it`},
	{"parent: [a]", `smith.yaml:1:9: parent: expected a string, found a list`},
	{"paths: [a, null]", `smith.yaml:1:12: paths[1]: expected a string, found nothing`},
	{"paths: [!foo a]", `smith.yaml:1:9: paths[0]: expected a string, found a value with the tag "!foo"`},
	{"paths: &x [*x]", `smith.yaml:1:8: paths[0]: expected a string, found a list`},
	{"entrypoint: /bin/cat -n", `smith.yaml:1:13: entrypoint: expected a list, found the string "/bin/cat -n": write entrypoint: ["/bin/cat", "-n"]`},
	{"entrypoint: ['', a]", `smith.yaml:1:13: entrypoint is not a program and its arguments: the first is empty`},
	{"cmd: [\"a\\0\"]", `smith.yaml:1:7: cmd[0]: "a\x00" is not an argument: it holds a NUL`},
	{"nss: maybe", `smith.yaml:1:6: nss: expected true or false, found the string "maybe"`},
	{"nss: 'true'", `smith.yaml:1:6: nss: expected true or false, found the string "true"`},
	{"root: true\nuser: app", `smith.yaml:1:1: root: true and user: app contradict each other: keep one of them`},
	{"package:", `smith.yaml:1:1: package is empty: write a name, or leave the key out`},
	{"package: ''", `smith.yaml:1:1: package is empty: write a name, or leave the key out`},
	{"packages: []", `smith.yaml:1:1: packages is empty: write a name, or leave the key out`},
	{"paths: ['/usr/bin/[']", `smith.yaml:1:9: paths[0]: "/usr/bin/[" is not a glob: each [ and { is closed, a \ is followed by something, and no element is ".."; a file of that name is written '/usr/bin/\['`},
	{"root: 1", `smith.yaml:1:7: root: expected true or false, found the number 1`},
	{"paths: ['/a[']", `smith.yaml:1:9: paths[0]: "/a[" is not a glob: each [ and { is closed, a \ is followed by something, and no element is ".."; a file of that name is written '/a\['`},
	{"excludes: [/a/../b]", `smith.yaml:1:12: excludes[0]: "/a/../b" is not a glob: each [ and { is closed, a \ is followed by something, and no element is ".."`},
	{"ports: [70000]", `smith.yaml:1:9: ports[0]: "70000" is not a port such as 80/tcp or 53/udp (1 to 65535; tcp, udp or sctp; a range is written port by port)`},
	{"ports: {80/icmp: {}}", `smith.yaml:1:9: ports: "80/icmp" is not a port such as 80/tcp or 53/udp (1 to 65535; tcp, udp or sctp; a range is written port by port)`},
	{"ports: {80/tcp: {a: b}}", `smith.yaml:1:17: ports.80/tcp: expected nothing or {}, found a map`},
	{"ports: [8000-8010]", `smith.yaml:1:9: ports[0]: "8000-8010" is not a port such as 80/tcp or 53/udp (1 to 65535; tcp, udp or sctp; a range is written port by port)`},
	{"ports: [0x50]", `smith.yaml:1:9: ports[0]: 0x50 may be read as several numbers: write it in quotes, or as a plain decimal number`},
	{"env: [PATH]", `smith.yaml:1:7: env[0]: "PATH" is not NAME=value, such as LANG=C.UTF-8`},
	{"env: ['=a']", `smith.yaml:1:7: env[0]: "=a" is not NAME=value, such as LANG=C.UTF-8`},
	{"env: {A: 1}", `smith.yaml:1:6: env: expected a list, found a map: write env: ["A=1"]`},
	{"env: {A: b c, B: }", `smith.yaml:1:6: env: expected a list, found a map: write env: ["A=b c", "B="]`},
	{"env: {}", `smith.yaml:1:6: env: expected a list, found a map: write env: []`},
	{"mounts: [data]", `smith.yaml:1:10: mounts[0]: "data" is not an absolute folder below / without "." and "..", such as /data`},
	{"mounts: [/a/../..]", `smith.yaml:1:10: mounts[0]: "/a/../.." is not an absolute folder below / without "." and "..", such as /data`},
	{"mounts: [/]", `smith.yaml:1:10: mounts[0]: "/" is not an absolute folder below / without "." and "..", such as /data`},
	{"dir: a", `smith.yaml:1:6: dir: "a" is not an absolute folder without "." and "..", such as /data`},
	{"type: ocl", `smith.yaml:1:7: type: "ocl" is not a type of source (oci, host, mock, rpm, deb, apk); did you mean "oci"?`},
	{"bundles: [certs]", `smith.yaml:1:11: bundles[0]: "certs" is not a bundle (certificates, timezones, locales, terminfo, protocols)`},
	{"user: a:b:c", `smith.yaml:1:7: user: "a:b:c" is not a user or user:group, such as app, 1000 or 1000:1000, with ids up to 4294967294`},
	{"user: 4294967295", `smith.yaml:1:7: user: "4294967295" is not a user or user:group, such as app, 1000 or 1000:1000, with ids up to 4294967294`},
	{"user: 010", `smith.yaml:1:7: user: 010 may be read as several numbers: write it in quotes, or as a plain decimal number`},
	{"groups: ['a:b']", `smith.yaml:1:10: groups[0]: "a:b" is not a group's name: letters, digits and _ . @ + -, and not a number`},
	{"stop-signal: TERM", `smith.yaml:1:14: stop-signal: "TERM" is not a signal such as SIGTERM, SIGRTMIN+3 or 15`},
	{"name: Team/App", `smith.yaml:1:7: name: "Team/App" is not a name for an image, such as team/app:1.2 (lower case, letters and digits, with . _ - between)`},
	{"platforms: [linux/x86_64]", `smith.yaml:1:13: platforms[0]: "linux/x86_64" is not a platform such as linux/amd64, linux/arm64 or linux/arm/v7`},
	{"healthcheck: {test: [curl]}", `smith.yaml:1:21: healthcheck.test is not a check: write [CMD, program, argument, …], [CMD-SHELL, command] or [NONE]`},
	{"healthcheck: {interval: 30}", `smith.yaml:1:25: healthcheck.interval: expected a string, found the number 30`},
	{"healthcheck: {interval: 1us}", `smith.yaml:1:25: healthcheck.interval: "1us" is not a duration such as 30s or 1m30s (units ms, s, m, h; at least 1ms, or 0s)`},
	{"healthcheck: {retries: -1}", `smith.yaml:1:24: healthcheck.retries: expected a whole number, 0 or more, found the number -1`},
	{"capabilities: [net_raw]", `smith.yaml:1:15: capabilities: expected a map of names and lists, found a list`},
	{"capabilities: {ping: [net_raw]}", `smith.yaml:1:16: capabilities["ping"]: "ping" is not an absolute path without "." and "..", such as /usr/bin/ping`},
	{"capabilities: {/ping: [net_rew]}", `smith.yaml:1:24: capabilities["/ping"][0]: "net_rew" is not a capability of the kernel (capabilities(7)), such as net_raw; did you mean "net_raw"?`},
	{"capabilities: {/ping: net_raw, //ping: chown}", `smith.yaml:1:32: capabilities: "/ping" is here a second time`},
	{"labels: [a]", `smith.yaml:1:9: labels: expected a map of names and values, found a list`},
	{"labels: {'': a}", `smith.yaml:1:10: labels[""]: "" is not a label's name: 1 to 255 characters on one line`},
	{"paths: [/a]\n---\npaths: [/b]", `smith.yaml:2:1: a second document begins here: a smith.yaml is one document`},
	{"mock:\n\tconfig: a", `smith.yaml:2:1: not YAML: a tab indents this line, which YAML does not allow: use spaces`},
	{"paths: [/a\ncmd: [b]", `smith.yaml:2:4: not YAML: did not find expected ',' or ']' while parsing a flow sequence`},
	{"paths: *a", `smith.yaml:1:8: not YAML: unknown anchor 'a' referenced`},
	{"cmd: x\nnss: 1", "smith.yaml:1:6: cmd: expected a list, found the string \"x\": write cmd: [\"x\"]\nsmith.yaml:2:6: nss: expected true or false, found the number 1"},
}

func TestDecodeMistakes(t *testing.T) {
	for _, m := range mistakes {
		_, err := Decode("smith.yaml", []byte(m.text))
		if err == nil {
			t.Errorf("%q: no error", m.text)
			continue
		}
		if d := cmp.Diff(m.want, err.Error()); d != "" {
			t.Errorf("%q: %s", m.text, d)
		}
	}
}

func TestDecodeIsBounded(t *testing.T) {
	long := strings.Repeat("x", maxFile/2)
	for name, text := range map[string]string{
		"larger than":           "# " + strings.Repeat("x", maxFile),
		"aliases repeat":        "cmd: [&a " + long + ", *a, *a, *a]",
		"21 more errors":        "groups:\n" + strings.Repeat("- ':'\n", maxProblems+21),
		`unknown key "xxx`:      long + ": 1",
		"exceeded max depth of": "cmd: " + strings.Repeat("[", 20000),
	} {
		_, err := Decode("smith.yaml", []byte(text))
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%.200v, want %q", err, name)
		} else if len(err.Error()) > 10000 {
			t.Errorf("%q: the error has %d bytes", name, len(err.Error()))
		}
	}
}

func TestLine(t *testing.T) {
	s := decode(t, everyKey)
	for _, c := range []struct {
		key         string
		index, line int
	}{
		{"type", -1, 1},
		{"package", 0, 2},
		{"packages", 0, 2},
		{"paths", -1, 6},
		{"paths", 0, 7},
		{"paths", 1, 8},
		{"paths", 2, 6},
		{"mock.deps", 0, 70},
		{"owner", 0, 20},
		{"nothing", 0, 0},
	} {
		if got := s.Line(c.key, c.index); got != c.line {
			t.Errorf("Line(%s, %d) = %d, want %d", c.key, c.index, got, c.line)
		}
	}
	if got := (&Spec{}).Line("paths", 0); got != 0 {
		t.Errorf("a spec that no file gave has line %d", got)
	}
	two := decode(t, "package:\n- a\n- b\n")
	if got := fmt.Sprint(two.Line("packages", 1), two.Line("package", 1)); got != "3 3" {
		t.Errorf("elements of package stand in lines %s", got)
	}
}

func TestJSON(t *testing.T) {
	s := decode(t, "cmd: [\"<\\x7f\\u2028é\"]\npackage: a\nports: [80]\ndir: //a/\nhealthcheck: {interval: 90s}\n")
	got, err := s.JSON()
	if err != nil {
		t.Fatal(err)
	}
	want := `{"cmd":["\u003c\u007f\u2028é"],"dir":"/a","dlopen":"recommended",` +
		`"healthcheck":{"interval":"1m30s"},"interpreters":"full","licenses":true,"log-streams":true,` +
		`"package-database":true,"packages":["a"],"ports":["80/tcp"]}`
	if d := cmp.Diff(want, string(got)); d != "" {
		t.Error(d)
	}
	data, err := decodedEveryKey().JSON()
	if err != nil {
		t.Fatal(err)
	}
	if d := diff(decodedEveryKey(), decode(t, string(data))); d != "" {
		t.Error(d)
	}
}

func TestReadFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "smith.yaml")
	_, err := ReadFile(path)
	if want := "cannot read " + path + ": no such file or directory; write one, or name another with -c"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	if err := os.WriteFile(path, []byte("nss: 1"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = ReadFile(path)
	if want := path + ":1:6: nss: expected true or false, found the number 1"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(everyKey))
	for _, m := range mistakes {
		f.Add([]byte(m.text))
	}
	for _, a := range agreements {
		f.Add([]byte(a.text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := Decode("smith.yaml", data)
		if err != nil {
			return
		}
		form, err := s.JSON()
		if err != nil {
			t.Fatal(err)
		}
		again, err := Decode("spec.json", form)
		if err != nil {
			t.Fatalf("%s: %v", form, err)
		}
		if d := diff(s, again); d != "" {
			t.Fatalf("%s: %s", form, d)
		}
	})
}
