package test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"smith/test/fixture"
)

// A keyCase shows that a key of smith.yaml is heeded: with it, what smith says
// of the build and of the image matches want, and without it, it does not.
type keyCase struct {
	key  string // as the schema has it
	spec string // the key and its value
	rest string // the rest of the spec; "" is plain
	dir  string // where it stands; "" is a folder with nothing beside it
	want string // a regular expression; after "!" the other way round
}

const plain = "package: base.tar\npaths: [/usr/bin/cat]\n"

// users is /etc/group of an image whose user belongs to the group video.
const users = "root:x:0:\ndaemon:x:1:\nbin:x:2:\nsys:x:3:\nadm:x:4:\ntty:x:5:\nsmith:x:10:\nvideo:x:11:smith\n"

func keyCases() []keyCase {
	health := func(key, value, want string) keyCase {
		return keyCase{
			key: "healthcheck." + key, rest: plain, want: want,
			spec: fmt.Sprintf("healthcheck: {test: [CMD, /usr/bin/cat], %s: %s}\n", key, value),
		}
	}
	return []keyCase{
		{key: "type", spec: "type: host\n", rest: "paths: [/usr/bin/cat]\n", want: `"kind": "host"`},
		{key: "package", spec: "package: base.tar\n", rest: "paths: [/usr/bin/cat]\n", want: `"path":"/usr/bin/cat"`},
		{key: "packages", spec: "packages: [base.tar]\n", rest: "paths: [/usr/bin/cat]\n", want: `"path":"/usr/bin/cat"`},
		{key: "parent", spec: "parent: parent.tar\n", want: `"path":"/usr/bin/head"`},
		{key: "platform", spec: "platform: linux/s390x\n", want: "no image for linux/s390x"},
		{key: "platforms", spec: "platforms: [linux/s390x]\n", want: "no image for linux/s390x"},
		{key: "name", spec: "name: team/app:9\n", want: `"docker.io/team/app:9"`},
		{key: "paths", spec: "paths: [/usr/bin/head]\n", rest: "package: base.tar\nentrypoint: [/usr/bin/cat]\n", want: `"path":"/usr/bin/head"`},
		{key: "excludes", spec: "excludes: [/usr/lib/**/libc.so.6]\n", want: `!"path":"/usr/lib/[^"]*/libc.so.6"`},
		{key: "allow-missing", spec: "allow-missing: [/opt/nothing]\n", dir: "missing", want: `"path":"/opt/script"`},
		{key: "dlopen", spec: "dlopen: suggested\n", dir: "dlopen", want: `"path":"[^"]*/libz.so.1"`},
		{key: "interpreters", spec: "interpreters: none\n", rest: "package: base.tar\npaths: [/usr/bin/python3]\n", want: `!"path":"/usr/lib/python3[^"]*/os.py"`},
		{key: "bundles", spec: "bundles: [timezones]\n", want: `"path":"/usr/share/zoneinfo/`},
		{key: "hwcaps", spec: "hwcaps: all\n", rest: "package: levels.tar\npaths: [/opt/prog]\n", want: `"path":"[^"]*/glibc-hwcaps/[^"]*/libz.so.1"`},
		{key: "gconv", spec: "gconv: [ISO-8859-2]\n", want: `"path":"[^"]*/ISO8859-2.so"`},
		{key: "nss", spec: "nss: true\n", want: `"path":"/etc/nsswitch.conf"`},
		{key: "root", spec: "root: true\n", want: `"User": "0:0"`},
		{key: "user", spec: "user: '5:6'\n", want: `"User": "5:6"`},
		{key: "groups", spec: "groups: [video]\n", rest: plain + "nss: true\n", want: fmt.Sprintf(`"path":"/etc/group".*%x`, sha256.Sum256([]byte(users)))},
		{key: "owner", spec: "owner: root\n", want: `(?m) 0/0 .* usr/bin/cat$`},
		{key: "capabilities", spec: "capabilities: {/usr/bin/cat: [net_raw]}\n", want: "cap_net_raw"},
		{key: "debuginfo", spec: "debuginfo: true\n", want: "(?i)warning: .*debug information"},
		{key: "mounts", spec: "mounts: [/data]\n", want: `"/data": \{\}(?s:.*)"path":"/data"|"path":"/data"(?s:.*)"/data": \{\}`},
		{key: "entrypoint", spec: "entrypoint: [/usr/bin/cat]\n", want: `"Entrypoint": \[\s*"/usr/bin/cat"`},
		{key: "cmd", spec: "cmd: [cat, -n]\n", want: `"Cmd": \[\s*"cat",\s*"-n"`},
		{key: "dir", spec: "dir: /write\n", want: `"WorkingDir": "/write"`},
		{key: "env", spec: "env: [LANG=C.UTF-8]\n", want: `"LANG=C.UTF-8"`},
		{key: "labels", spec: "labels: {org.example.team: forge}\n", want: `"org.example.team": "forge"`},
		{key: "ports", spec: "ports: [80]\n", want: `"80/tcp": \{\}`},
		{key: "stop-signal", spec: "stop-signal: SIGINT\n", want: `"StopSignal": "SIGINT"`},
		{key: "healthcheck", spec: "healthcheck: {test: [NONE]}\n", want: `"NONE"`},
		{key: "healthcheck.test", spec: "healthcheck: {test: [CMD, /usr/bin/cat]}\n", want: `"Test": \[\s*"CMD",\s*"/usr/bin/cat"`},
		health("interval", "30s", `"Interval": 30000000000`),
		health("timeout", "1s", `"Timeout": 1000000000`),
		health("start-period", "5s", `"StartPeriod": 5000000000`),
		health("start-interval", "2s", `"StartInterval": 2000000000`),
		health("retries", "3", `"Retries": 3`),
		{key: "budget.files", spec: "budget: {files: 1}\n", want: "(?i)budget"},
		{key: "budget.size", spec: "budget: {size: 1kB}\n", want: "(?i)budget"},
	}
}

// elsewhere are the keys of sources of packages, and where they are tested.
func elsewhere(key string) bool {
	list := []string{
		"repositories", "recommends", "module", "modules", "package-database", "licenses", "archives", "budget", "budget.packages", // need packages
		"dependencies", "programs", "log-streams", // need packages: debian_keys.txtar
		"mock", // read, for a source of RPM packages
		"test", // test.txtar
	}
	outer, _, _ := strings.Cut(key, ".")
	return slices.Contains(list, key) || outer == "repositories" || outer == "mock" || outer == "test"
}

func TestEveryKeyIsHeeded(t *testing.T) {
	k := newKeyTest(t)
	cases := keyCases()
	for _, key := range k.schema() {
		if !elsewhere(key) && !slices.ContainsFunc(cases, func(c keyCase) bool { return c.key == key }) {
			t.Errorf("no test fails if the key %s is ignored", key)
		}
	}
	for i, c := range cases {
		t.Run(c.key, func(t *testing.T) {
			if c.key == "hwcaps" && runtime.GOARCH != "amd64" {
				t.Skip("the variants in the fixture are those of x86-64")
			}
			if c.rest == "" {
				c.rest = plain
			}
			want, inverse := strings.CutPrefix(c.want, "!")
			pattern := regexp.MustCompile(want)
			without, with := k.build(t, c, i, c.rest), k.build(t, c, i, c.rest+c.spec)
			if pattern.MatchString(without) != inverse {
				t.Errorf("without it:\n%s", without)
			}
			if pattern.MatchString(with) == inverse {
				t.Errorf("with it:\n%s", with)
			}
		})
	}
}

// A keyTest is the files that the cases are built from.
type keyTest struct {
	t          *testing.T
	smith, dir string
}

func newKeyTest(t *testing.T) *keyTest {
	base, err := fixture.Make(context.Background(), io.Discard, "debian")
	if errors.Is(err, fixture.ErrNoTool) && os.Getenv("CI") != "true" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := exec.LookPath("gcc"); err != nil && os.Getenv("CI") != "true" {
		t.Skip("gcc is not installed")
	}
	k := &keyTest{t: t, smith: buildSmith(t), dir: t.TempDir()}
	for _, dir := range []string{"missing", "dlopen", "levels", "parent", ""} {
		k.write(filepath.Join(dir, "note"), "")
		if err := os.Symlink(filepath.Join(base, "debian.tar"), filepath.Join(k.dir, dir, "base.tar")); err != nil {
			t.Fatal(err)
		}
	}
	k.write("missing/rootfs/opt/script", "#!/opt/nothing\n")
	k.compile("dlopen/rootfs/opt/prog", program)
	k.image("parent", "package: base.tar\npaths: [/usr/bin/head]\n")
	k.compile("levels/rootfs/opt/prog", program, "-Wl,--no-as-needed", "-lz")
	k.compile("levels/rootfs/usr/lib/x86_64-linux-gnu/glibc-hwcaps/x86-64-v3/libz.so.1", program, "-shared", "-fPIC")
	k.image("levels", "package: base.tar\npaths: ['/usr/lib/*/libz.so.1']\n")
	return k
}

// image builds an image that cases take as package or parent: NAME.tar of the
// folder NAME.
func (k *keyTest) image(name, spec string) {
	k.t.Helper()
	k.write(name+"/smith.yaml", spec)
	if out, err := k.run("build", "-d", filepath.Join(k.dir, name), "-i", filepath.Join(k.dir, name+".tar")); err != nil {
		k.t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

// program is a program that says that it may load libz.
const program = `
__asm__(".pushsection .note.dlopen, \"a\", %note\n"
	".balign 4\n.long 4, 2f-1f, 0x407c0c0a\n.asciz \"FDO\"\n"
	"1: .asciz \"[{\\\"soname\\\":[\\\"libz.so.1\\\"],\\\"feature\\\":\\\"z\\\",\\\"priority\\\":\\\"suggested\\\"}]\"\n"
	"2: .balign 4\n.popsection\n");
int main(void) { return 0; }
`

func (k *keyTest) write(name, text string) {
	k.t.Helper()
	path := filepath.Join(k.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		k.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		k.t.Fatal(err)
	}
}

func (k *keyTest) compile(name, text string, flags ...string) {
	k.t.Helper()
	k.write(name, "")
	source := filepath.Join(k.t.TempDir(), "main.c")
	if err := os.WriteFile(source, []byte(text), 0o644); err != nil {
		k.t.Fatal(err)
	}
	if out, err := exec.Command("gcc", append([]string{"-o", filepath.Join(k.dir, name), source}, flags...)...).CombinedOutput(); err != nil {
		k.t.Fatalf("gcc: %v\n%s", err, out)
	}
}

func (k *keyTest) run(args ...string) (string, error) {
	cmd := exec.Command(k.smith, append([]string{"--cache-dir", filepath.Join(k.dir, "cache")}, args...)...)
	cmd.Dir = k.dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// build returns all that smith tells of a build and its image.
func (k *keyTest) build(t *testing.T, c keyCase, i int, spec string) string {
	t.Helper()
	dir := filepath.Join(k.dir, c.dir)
	if err := os.WriteFile(filepath.Join(dir, "smith.yaml"), []byte(spec), 0o644); err != nil {
		t.Fatal(err)
	}
	image := filepath.Join(k.dir, fmt.Sprintf("image-%d.tar", i))
	out, err := k.run("build", "-d", dir, "-i", image)
	if err != nil {
		return out
	}
	for _, args := range [][]string{{"inspect", "--json"}, {"ls"}, {"ls", "--json"}} {
		told, err := k.run(append(args, image)...)
		if err != nil {
			t.Fatalf("%v: %v\n%s", args, err, told)
		}
		out += told
	}
	return out
}

// schema returns all keys, those of inner maps after a dot.
func (k *keyTest) schema() []string {
	k.t.Helper()
	out, err := k.run("schema")
	if err != nil {
		k.t.Fatal(err)
	}
	type object struct {
		Properties map[string]json.RawMessage
	}
	var root object
	if err := json.Unmarshal([]byte(out), &root); err != nil {
		k.t.Fatal(err)
	}
	var keys []string
	for key, value := range root.Properties {
		var inner object
		if err := json.Unmarshal(value, &inner); err != nil {
			k.t.Fatal(err)
		}
		keys = append(keys, key)
		for name := range inner.Properties {
			keys = append(keys, key+"."+name)
		}
	}
	slices.Sort(keys)
	return keys
}
