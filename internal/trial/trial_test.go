package trial

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"smith/internal/container"
	"smith/internal/golden"
	"smith/internal/smithfile"
	"smith/internal/tree"
)

func TestCheck(t *testing.T) {
	texts := golden.New(t)
	for _, c := range []struct {
		name string
		test smithfile.Test
	}{
		{"run and args", smithfile.Test{Run: []string{"/x"}, Args: []string{"y"}}},
		{"an address that is a path", smithfile.Test{HTTP: &smithfile.HTTP{URL: "/health"}}},
		{"an address with TLS", smithfile.Test{HTTP: &smithfile.HTTP{URL: "https://localhost/"}}},
		{"a wrong expression", smithfile.Test{Stdout: &smithfile.Output{Matches: []string{"("}}}},
		{"empty and not", smithfile.Test{Stderr: &smithfile.Output{Empty: true, Contains: []string{"x"}}}},
		{"a file without a path", smithfile.Test{Files: []smithfile.FileTest{{}}}},
	} {
		texts.Error(c.name, Check(c.test))
	}
	if err := Check(smithfile.Test{Args: []string{"x"}, HTTP: &smithfile.HTTP{URL: "http://localhost:8080/"}}); err != nil {
		t.Error(err)
	}
}

func TestCompare(t *testing.T) {
	texts := golden.New(t)
	for _, c := range []struct {
		name, text string
		want       smithfile.Output
	}{
		{"all holds", "one\ntwo\n", smithfile.Output{Equals: "one\ntwo", Contains: []string{"e\nt"}, Matches: []string{"^two$"}, Excludes: []string{"three"}}},
		{"nothing holds", "one\n", smithfile.Output{Equals: "two", Contains: []string{"x"}, Matches: []string{"^n"}, Excludes: []string{"o"}}},
		{"not empty", "\x1b[31m", smithfile.Output{Empty: true}},
		{"empty", "", smithfile.Output{Empty: true}},
		{"long", strings.Repeat("x", 300), smithfile.Output{Equals: "y"}},
	} {
		texts.Add(c.name, strings.Join(compare("stdout", &c.want, c.text), "\n"))
	}
	if compare("stdout", nil, "x") != nil {
		t.Error("nothing was expected")
	}
}

func TestTest(t *testing.T) {
	files := tree.New()
	for name, mode := range map[string]uint32{"/bin/x": 0o755, "/etc/conf": 0o644} {
		if err := files.Insert(name, tree.NewFile([]byte("text of "+name), mode)); err != nil {
			t.Fatal(err)
		}
	}
	run := func(_ context.Context, o container.Options) (int, func() []string, error) {
		if o.Args != nil && o.Args[0] == "fail" {
			return 0, nil, errors.New("no runtime")
		}
		given, err := io.ReadAll(o.Stdin)
		fmt.Fprintf(o.Stdout, "%s %v %v %v", given, o.Config.Entrypoint, o.Args, o.Config.Env)
		return len(given), func() []string { return []string{"a file"} }, err
	}
	base := container.Options{}
	base.Config.Entrypoint, base.Config.Env = []string{"/bin/x"}, []string{"A=b"}
	texts := golden.New(t)
	for _, test := range []smithfile.Test{
		{Name: "as it is", Stdout: &smithfile.Output{Equals: " [/bin/x] [] [A=b]"}},
		{Name: "a run", Run: []string{"/bin/y", "z"}, Env: []string{"C=d"}, Stdout: &smithfile.Output{Equals: " [] [/bin/y z] [A=b C=d]"}},
		{Name: "a wrong exit code", Args: []string{"v"}, Stdin: "four"},
		{Name: "an error", Args: []string{"fail"}},
		{Name: "files that are there", Files: []smithfile.FileTest{{Path: "/bin/x", Executable: true}, {Path: "/none", Absent: true}, {Path: "/etc/conf", Content: &smithfile.Output{Contains: []string{"text"}}}}},
		{Name: "files that are not", Files: []smithfile.FileTest{{Path: "/bin/x", Absent: true}, {Path: "/none"}, {Path: "/etc/conf", Executable: true}, {Path: "/bin/x", Content: &smithfile.Output{Equals: "y"}}}},
	} {
		r, err := Test(t.Context(), test, files, base, run)
		texts.Add(test.Name, fmt.Sprintf("%v\n%s\nmissing %v", err, strings.Join(r.Failures, "\n"), r.Missing))
	}
}

func TestWriteJUnit(t *testing.T) {
	var out bytes.Buffer
	err := WriteJUnit(&out, `a "b"`, []Result{{Name: "good", Seconds: 1.5}, {Name: "<bad>", Failures: []string{"exit code 1", "and\x1bmore"}, Missing: []string{"a file"}}})
	if err != nil {
		t.Fatal(err)
	}
	texts := golden.New(t)
	texts.Add("two tests", out.String())
}
