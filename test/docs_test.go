package test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDocs runs what the docs show. In each document, in order and in one
// folder of its own:
//
//	```yaml smith.yaml      the block is written to that file
//	```console              each line after "$ " is run by sh; what follows it
//	                        must come out, in which … stands for anything
//	```console needs=podman the block is passed over where podman is not there;
//	                        several programs have commas between them
//
// Other blocks are only shown.
func TestDocs(t *testing.T) {
	smith := buildSmith(t)
	docs, err := filepath.Glob("../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(docs, "../README.md") {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".md"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			d := &document{t: t, dir: t.TempDir(), path: filepath.Dir(smith)}
			for _, block := range fenced.FindAllSubmatch(text, -1) {
				d.block(string(block[1]), string(block[2]))
			}
		})
	}
}

var fenced = regexp.MustCompile("(?ms)^```([a-z]+(?: [^\n`]+)?)\n(.*?)^```$")

// A document is one that is being run.
type document struct {
	t         *testing.T
	dir, path string
}

func (d *document) block(info, text string) {
	kind, rest, _ := strings.Cut(info, " ")
	switch {
	case kind == "console":
		tools, _ := strings.CutPrefix(rest, "needs=")
		for tool := range strings.SplitSeq(tools, ",") {
			if _, err := exec.LookPath(tool); tool != "" && err != nil {
				if os.Getenv("CI") == "true" {
					d.t.Fatalf("%s is not installed", tool)
				}
				d.t.Logf("passed over: %s is not installed", tool)
				return
			}
		}
		d.session(text)
	case rest != "":
		name := filepath.Join(d.dir, filepath.FromSlash(rest))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			d.t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			d.t.Fatal(err)
		}
	}
}

// session runs the commands of a block.
func (d *document) session(text string) {
	var command string
	var want []string
	run := func() {
		if command != "" {
			d.run(command, strings.Join(want, ""))
		}
		command, want = "", nil
	}
	for line := range strings.Lines(text) {
		if next, ok := strings.CutPrefix(line, "$ "); ok {
			run()
			command = next
			continue
		}
		want = append(want, line)
	}
	run()
}

func (d *document) run(command, want string) {
	cmd := exec.CommandContext(d.t.Context(), "sh", "-ec", command)
	cmd.Dir = d.dir
	cmd.Env = append(os.Environ(), "PATH="+d.path+":"+os.Getenv("PATH")+":/usr/sbin:/sbin", "HOME="+d.dir, "XDG_CACHE_HOME="+filepath.Join(d.dir, ".cache"))
	var out, failure bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &failure
	// A command that is shown to fail says so: what it prints begins "smith: ".
	fails := strings.HasPrefix(want, "smith: ")
	if err := cmd.Run(); err != nil && !fails {
		d.t.Fatalf("$ %s%v: %s%s", command, err, out.String(), failure.String())
	}
	got := out.String()
	if fails {
		got = failure.String()
	}
	if !shownBy(got, want) {
		d.t.Errorf("$ %sprints\n%swant\n%s", command, got, want)
	}
}

// shownBy says whether the docs show an output as it is.
func shownBy(got, want string) bool {
	if strings.TrimSpace(want) == "" {
		return true
	}
	pattern := regexp.QuoteMeta(strings.TrimSpace(want))
	pattern = strings.ReplaceAll(pattern, "…", `(?s:.*?)`)
	return regexp.MustCompile(`\A` + pattern + `\z`).MatchString(strings.TrimSpace(got))
}
