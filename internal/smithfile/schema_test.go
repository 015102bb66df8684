package smithfile

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"
)

var update = flag.Bool("update", false, "write docs/smith.schema.json and docs/smith.yaml.md")

func typeOfSpec() reflect.Type { return reflect.TypeFor[Spec]() }

func TestSchemaIsCurrent(t *testing.T) {
	file := filepath.Join("..", "..", "docs", "smith.schema.json")
	want, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(file, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("%s is not current; run `go generate ./internal/smithfile`: %s", file, d)
	}
}

func TestSchemaDescribesEveryKey(t *testing.T) {
	text, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	var root map[string]any
	if err := yaml.Unmarshal(text, &root); err != nil {
		t.Fatal(err)
	}
	var check func(at string, s map[string]any)
	check = func(at string, s map[string]any) {
		if text, _ := s["description"].(string); len(text) < 15 || !strings.HasSuffix(text, ".") {
			t.Errorf("%s: description %q is no sentence", at, text)
		}
		properties, _ := s["properties"].(map[string]any)
		for key, p := range properties {
			check(at+"."+key, p.(map[string]any))
		}
		if properties != nil && s["additionalProperties"] != false {
			t.Errorf("%s takes unknown keys", at)
		}
	}
	check("smith.yaml", root)
	if n := len(root["properties"].(map[string]any)); n != typeOfSpec().NumField()-1+3 {
		t.Errorf("the schema has %d keys", n) // all fields but lines, and three aliases
	}
}

// agreements are documents that Decode and a validator both take or both
// refuse, but for those that say who alone takes them.
var agreements = []struct {
	text  string
	takes string // "both", "none", "schema" (it cannot say it), "decode" (it is kinder)
}{
	{everyKey, "both"},
	{"{}", "both"},
	{"package: a", "both"},
	{"package: [a, b]", "both"},
	{"packages: [a, b]", "both"},
	{"packages: a", "both"},
	{"package: ''", "none"},
	{"package: []", "none"},
	{"packages:", "none"},
	{"root: true\nuser: app", "none"},
	{"root: true\nuser: ''", "both"},
	{"root: false\nuser: app", "both"},
	{"package: a\npackages: b", "none"},
	{"platform: linux/amd64\nplatforms: [linux/arm64]", "none"},
	{"package: 7", "none"},
	{"package: [7]", "none"},
	{"package: {a: b}", "none"},
	{"package: [a, '']", "none"},
	{"pakage: a", "none"},
	{"repositories: []", "both"},
	{"repositories: [host, {host: true}, {deb: http://a, suite: b, components: [c]}]", "both"},
	{"repositories: [hots]", "none"},
	{"repositories: [{deb: 7}]", "none"},
	{"repositories: host", "none"},
	{"licenses: false\npackage-database:", "both"},
	{"mock: {x: 1}", "none"},
	{"mock: []", "none"},
	{"mock:", "both"},
	{"mock: {}", "both"},
	{"type: host", "both"},
	{"type: ''", "both"},
	{"type: HOST", "none"},
	{"paths:", "both"},
	{"paths: []", "both"},
	{"paths: /a", "none"},
	{"paths: ['']", "none"},
	{"paths: [1]", "none"},
	{"paths: ['a[']", "schema"},
	{"paths: [../a]", "schema"},
	{"paths: [\"a\\nb\"]", "none"},
	{"debuginfo: true", "both"},
	{"debuginfo: 'false'", "both"},
	{"debuginfo: separate", "both"},
	{"debuginfo:", "both"},
	{"debuginfo: 1", "none"},
	{"debuginfo: apart", "none"},
	{"nss: true", "both"},
	{"nss: 'yes'", "none"},
	{"nss: yes", "decode"}, // a word of YAML 1.1
	{"nss: 1", "none"},
	{"user: 1000", "both"},
	{"user: 0:0", "both"},
	{"user: ':'", "none"},
	{"user: -1", "none"},
	{"user: 4294967294", "both"},
	{"user: 4294967295", "none"},
	{"user: '4294967295'", "schema"},
	{"user: 1.5", "none"},
	{"user: true", "none"},
	{"user: a b", "none"},
	{"user: 0x10", "schema"}, // to a validator it is 16
	{"groups: [a]", "both"},
	{"groups: ['1']", "none"},
	{"groups: [a/b]", "none"},
	{"owner: root", "both"},
	{"owner: app", "none"},
	{"mounts: [/a/b.c, /..d, /.e/]", "both"},
	{"mounts: [a]", "none"},
	{"mounts: [/]", "none"},
	{"mounts: [/a/./b]", "none"},
	{"mounts: [/a/..]", "none"},
	{"dir: /", "both"},
	{"dir: .", "none"},
	{"dir: /../a", "none"},
	{"entrypoint: [a, 1, 1.5, true, '']", "both"},
	{"entrypoint: []", "both"},
	{"entrypoint: ['']", "none"},
	{"entrypoint: a", "none"},
	{"cmd: [a, null]", "none"},
	{"cmd: [[a]]", "none"},
	{"cmd: [\"\\0\"]", "none"},
	{"env: [A=, B=c=d, \"C=\\n\"]", "both"},
	{"env: [A]", "none"},
	{"env: [=A]", "none"},
	{"env: ['A B=c']", "none"},
	{"env: {A: b}", "none"},
	{"labels: {a: 1, b: true, c: , d: x, e: 2001-01-01}", "both"},
	{"labels: {a: [b]}", "none"},
	{"labels: {'': b}", "none"},
	{"labels: {" + strings.Repeat("é", 255) + ": b}", "both"},
	{"labels: {" + strings.Repeat("é", 256) + ": b}", "none"},
	{"labels: [a=b]", "none"},
	{"capabilities: {/usr/bin/ping: [net_raw, CAP_BPF], /bin/a: chown, /bin/b: , /bin/c: [cap_kill]}", "both"},
	{"capabilities: {/usr/bin/ping: [Net_raw]}", "none"},
	{"capabilities: {/usr/bin/ping: [7]}", "none"},
	{"capabilities: {/usr/bin/ping/: [net_raw]}", "none"},
	{"capabilities: {/usr/../bin/ping: [net_raw]}", "none"},
	{"capabilities: [net_raw]", "none"},
	{"ports: [80, 80/tcp, '53/udp', 9/sctp]", "both"},
	{"ports: {80/tcp: {}, 53/udp: null}", "both"},
	{"ports: {80/tcp: 1}", "none"},
	{"ports: {80/tcp: {a: b}}", "none"},
	{"ports: {tcp: {}}", "none"},
	{"ports: [0]", "none"},
	{"ports: [65536]", "none"},
	{"ports: ['65536']", "schema"},
	{"ports: [80/icmp]", "none"},
	{"ports: [1-2]", "none"},
	{"ports: 80", "none"},
	{"stop-signal: 15", "both"},
	{"stop-signal: SIGRTMIN+30", "both"},
	{"stop-signal: SIGRTMAX-1", "both"},
	{"stop-signal: 65", "none"},
	{"stop-signal: SIGFOO", "none"},
	{"name: localhost:5000/a/b__c:V1", "both"},
	{"name: a--b.c_d", "both"},
	{"name: A", "none"},
	{"name: a/", "none"},
	{"name: 'a:'", "none"},
	{"platforms: [linux/amd64/v3, linux/arm/v7]", "both"},
	{"platform: windows/amd64", "none"},
	{"platform: amd64", "none"},
	{"dlopen: required", "both"},
	{"dlopen: all", "none"},
	{"interpreters: none", "both"},
	{"interpreters: some", "none"},
	{"bundles: [locales, terminfo, protocols]", "both"},
	{"bundles: locales", "none"},
	{"bundles: [tz]", "none"},
	{"hwcaps: all", "both"},
	{"hwcaps: true", "none"},
	{"gconv: [UTF-16, 'EUC-JP']", "both"},
	{"gconv: ['a b']", "none"},
	{"allow-missing: [/a]", "both"},
	{"allow-missing: a", "none"},
	{"budget: {size: 30MB, packages: 12, files: 400}", "both"},
	{"budget: {size: 1.5 GiB}", "both"},
	{"budget: {size: 30}", "none"},
	{"budget: {size: large}", "none"},
	{"budget: {files: -1}", "none"},
	{"budget: {bytes: 1}", "none"},
	{"healthcheck: {}", "both"},
	{"healthcheck: {test: [NONE]}", "both"},
	{"healthcheck: {test: [CMD, a, 1]}", "both"},
	{"healthcheck: {test: [CMD-SHELL, a b]}", "both"},
	{"healthcheck: {test: [CMD-SHELL, a, b]}", "none"},
	{"healthcheck: {test: [CMD]}", "none"},
	{"healthcheck: {test: [NONE, a]}", "none"},
	{"healthcheck: {test: []}", "none"},
	{"healthcheck: {test: a}", "none"},
	{"healthcheck: {interval: 1m30.5s, timeout: 0}", "none"},
	{"healthcheck: {interval: 1m30.5s, timeout: '0', start-period: 0s}", "both"},
	{"healthcheck: {interval: -1s}", "none"},
	{"healthcheck: {interval: 0.1ms}", "schema"},
	{"healthcheck: {retries: 3}", "both"},
	{"healthcheck: {retries: 3.5}", "none"},
	{"healthcheck: {retries: 2147483648}", "none"},
	{"a", "none"},
	{"[]", "none"},
}

func TestSchemaAndDecodeAgree(t *testing.T) {
	validator := compile(t)
	for _, a := range agreements {
		_, decoding := Decode("smith.yaml", []byte(a.text))
		validation := validator.Validate(instance(t, a.text))
		if want := a.takes == "both" || a.takes == "decode"; (decoding == nil) != want {
			t.Errorf("%q: Decode: %v", a.text, decoding)
		}
		if want := a.takes == "both" || a.takes == "schema"; (validation == nil) != want {
			t.Errorf("%q: the schema: %v", a.text, validation)
		}
	}
	for _, text := range []string{everyKey, "{}", "cmd: []", "healthcheck: {interval: 1h0.001s}"} {
		form, err := decode(t, text).JSON()
		if err != nil {
			t.Fatal(err)
		}
		if err := validator.Validate(instance(t, string(form))); err != nil {
			t.Errorf("the normal form %s: %v", form, err)
		}
	}
}

func compile(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("smith.json", document); err != nil {
		t.Fatal(err)
	}
	// Compiling checks the schema against the one of draft 2020-12.
	validator, err := compiler.Compile("smith.json")
	if err != nil {
		t.Fatal(err)
	}
	return validator
}

// instance reads a document as editors do: as YAML that is made JSON.
func instance(t *testing.T, text string) any {
	t.Helper()
	var value any
	if err := yaml.Unmarshal([]byte(text), &value); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return asJSON(value)
}

func asJSON(value any) any {
	switch value := value.(type) {
	case map[any]any:
		m := map[string]any{}
		for k, v := range value {
			m[fmt.Sprint(k)] = asJSON(v)
		}
		return m
	case map[string]any:
		for k, v := range value {
			value[k] = asJSON(v)
		}
	case []any:
		for i, v := range value {
			value[i] = asJSON(v)
		}
	case nil, bool, string, int, int64, uint64, float64:
	default:
		return fmt.Sprint(value)
	}
	return value
}
