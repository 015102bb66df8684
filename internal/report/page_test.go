package report_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"smith/internal/explain"
	"smith/internal/record"
	"smith/internal/report"
	"smith/internal/tree"
)

// image returns an image of a program that needs two libraries, of further
// files of a package, and of one file that nothing explains.
func image(t testing.TB, further int) *explain.Image {
	t.Helper()
	files, r := tree.New(), &record.Record{Version: record.Version}
	add := func(path, pkg string, size int, reasons ...record.Reason) {
		f := record.File{Path: path, Type: "file", Size: int64(size), Reasons: reasons}
		if pkg != "" {
			f.Origin = &record.Origin{Kind: "package", Name: pkg}
		}
		r.Files = append(r.Files, f)
		if err := files.Insert(path, tree.NewFile(make([]byte, size), 0o755)); err != nil {
			t.Fatal(err)
		}
	}
	add("/bin/server", "server 1.0", 3000, record.Reason{Rule: "path", Detail: "path in smith.yaml:3"})
	add("/lib/liba.so", "liba 2.0", 2000, record.Reason{Rule: "needed", From: "/bin/server", Detail: "liba.so"})
	add("/lib/libb.so", "libb 1.1", 1000, record.Reason{Rule: "needed", From: "/lib/liba.so", Detail: "libb.so"})
	add("/etc/</script><b>odd", "", 10)
	for i := range further {
		add(fmt.Sprintf("/share/%d/%d", i/100, i), "data 1", 1+i%97, record.Reason{Rule: "path", Detail: "path in smith.yaml:4"})
	}
	img, err := explain.Explain(t.Context(), explain.Subject{Name: "image.tar.gz", Tree: files, Record: r})
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func page(t testing.TB, further int) []byte {
	t.Helper()
	var out bytes.Buffer
	err := report.Write(&out, report.Report{
		Name: "image.tar.gz", Digest: "sha256:0123", Platform: "linux/amd64", Compressed: 4000,
		Facts: []report.Fact{{Name: "user", Value: "10:10"}}, Image: image(t, further),
		Checks:   []explain.Check{{Name: "one owner", OK: true, Detail: "10:10"}, {Name: "no shell", Detail: "/bin/sh"}},
		Suspects: []record.Finding{{Name: "/lib/libdlopened.so", From: "/bin/server", Detail: "looks like a name"}},
		Spec:     []byte(`{"paths":["/bin/server"]}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestPageIsTheSameEachTimeAndAsksNoNetwork(t *testing.T) {
	first := page(t, 3)
	if !bytes.Equal(first, page(t, 3)) {
		t.Error("the same report gave other bytes")
	}
	if found := regexp.MustCompile(`(?:src|href)="[^#][^"]*"|url\(|@import|fetch\(`).Find(first); found != nil {
		t.Errorf("the page refers to %s", found)
	}
	if bytes.Contains(first, []byte("<b>odd")) {
		t.Error("a file's name stands in the page as markup")
	}
}

// probe uses the page as a person does and leaves what it saw in an element.
const probe = `<script>
(() => {
  const seen = {errors: window.failed || []};
  const text = (s) => document.querySelector(s).textContent;
  const all = (s) => [...document.querySelectorAll(s)];
  const step = (name, f) => { try { seen[name] = f(); } catch (e) { seen.errors.push(name + ": " + e); } };
  step("findings", () => all("#checks li").map((e) => e.className + " " + e.textContent));
  step("cells", () => all("#map button").length);
  step("zoom", () => { all("#map button.group").find((b) => b.title.startsWith("data")).click(); return text("#crumbs strong"); });
  step("escape", () => { document.querySelector("#map button").dispatchEvent(new KeyboardEvent("keydown", {key: "Escape", bubbles: true})); return text("#crumbs strong"); });
  step("search", () => {
    const input = document.querySelector("#files input");
    input.value = "libb"; input.dispatchEvent(new Event("input"));
    return all("#files tbody tr").map((r) => r.textContent);
  });
  step("why", () => { document.querySelector("#files tbody button").click(); return all("#chain li").map((e) => e.textContent); });
  step("graph", () => all("#drawing text.on").map((e) => e.firstChild.textContent));
  step("sort", () => {
    all("#packages th button").find((b) => b.textContent.startsWith("Package")).click();
    return all("#packages tbody tr").map((r) => r.children[2].textContent);
  });
  step("suspects", () => text("#suspects tbody"));
  step("spec", () => text("#spec-text"));
  step("wide", () => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  const out = document.createElement("pre");
  out.id = "seen"; out.textContent = JSON.stringify(seen); document.body.append(out);
})();
</script>`

// catch notes what goes wrong in the page's own script.
const catch = `<script>window.failed = []; addEventListener("error", (e) => window.failed.push(e.message));</script>`

type seen struct {
	Errors, Findings, Search, Why, Graph, Sort []string
	Cells, Wide                                int
	Zoom, Escape, Suspects, Spec               string
}

// chromium opens a page and returns what the probe saw.
func chromium(t *testing.T, data []byte, width int) seen {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("chromium is not installed: test/install.sh does that")
		}
		t.Skip("chromium is not installed")
	}
	text := strings.Replace(string(data), "<head>", "<head>"+catch, 1)
	text = strings.Replace(text, "</body>", probe+"</body>", 1)
	file := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--user-data-dir="+t.TempDir(),
		fmt.Sprintf("--window-size=%d,900", width), "--virtual-time-budget=5000", "--dump-dom", "file://"+file)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("chromium: %v", err)
	}
	found := regexp.MustCompile(`(?s)<pre id="seen">(.*?)</pre>`).FindSubmatch(out)
	if found == nil {
		t.Fatalf("the page did not come to its end: %.2000s", out)
	}
	var s seen
	if err := json.Unmarshal([]byte(html.UnescapeString(string(found[1]))), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestPageInABrowser(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("chromium is started as on Linux")
	}
	for _, width := range []int{400, 1200, 2000} {
		t.Run(fmt.Sprint(width), func(t *testing.T) {
			s := chromium(t, page(t, 20), width)
			if len(s.Errors) > 0 {
				t.Errorf("errors in the page: %q", s.Errors)
			}
			if s.Wide > 0 {
				t.Errorf("the page is %d pixels wider than the window", s.Wide)
			}
			for what, ok := range map[string]bool{
				"findings": strings.Join(s.Findings, "|") == "ok one owner: 10:10|bad no shell: /bin/sh",
				"cells":    s.Cells > 5,
				"zoom":     s.Zoom != "" && s.Zoom != s.Escape,
				"escape":   strings.HasPrefix(s.Escape, "all"),
				"search":   len(s.Search) == 1 && strings.Contains(s.Search[0], "/lib/libb.so"),
				"why":      len(s.Why) == 3 && strings.HasPrefix(s.Why[0], "/bin/server") && strings.Contains(s.Why[2], "needs libb.so"),
				"graph":    strings.Join(s.Graph, " ") == "server liba.so libb.so",
				"sort":     strings.Join(s.Sort, " ") == "data liba libb server",
				"suspects": strings.Contains(s.Suspects, "/lib/libdlopened.so"),
				"spec":     strings.Contains(s.Spec, "/bin/server"),
			} {
				if !ok {
					t.Errorf("%s: the page shows %+v", what, s)
				}
			}
		})
	}
}

func TestManyFilesInABrowser(t *testing.T) {
	if s := chromium(t, page(t, 20000), 1200); len(s.Errors) > 0 || len(s.Search) != 1 {
		t.Errorf("%+v", s)
	}
}
