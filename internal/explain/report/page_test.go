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
	"smith/internal/explain/report"
	"smith/internal/tree"
	"smith/record"
)

// image returns an image of a program that needs two libraries, of further
// files of a package, and of one file that nothing explains.
func image(t testing.TB, further int) *explain.Image {
	t.Helper()
	files, r := tree.New(), &record.Record{Version: record.Version, Inputs: []record.Input{
		{Kind: record.KindPackage, Package: pkg("libb 1.1"), Repository: "Ours stable main", Key: "AB12"},
	}}
	add := func(path, of string, size int, reasons ...record.Reason) {
		f := record.File{Path: path, Type: "file", Size: int64(size), Reasons: reasons}
		if of != "" {
			f.Origin = &record.Origin{Kind: record.KindPackage, Package: pkg(of)}
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

// pkg is a package by its name and version.
func pkg(text string) record.Package {
	name, version, _ := strings.Cut(text, " ")
	return record.Package{Name: name, Version: version}
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
		t.Error("a file's name is in the page as markup")
	}
}

// probe uses the page as a person does and leaves what it saw in an element.
const probe = `<script>
(() => {
  const seen = {errors: window.failed || []};
  const text = (s) => document.querySelector(s).textContent;
  const all = (s) => [...document.querySelectorAll(s)];
  const step = (name, f) => { try { seen[name] = f(); } catch (e) { seen.errors.push(name + ": " + e); } };
  const press = (e, key) => e.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true}));
  step("milliseconds", () => Math.round(performance.now()));
  step("nodes", () => all("*").length);
  step("opening", () => all("#chain li").map((e) => e.textContent));
  step("findings", () => all("#checks li").map((e) => e.className + " " + e.textContent));
  step("cells", () => all("#map button").length);
  step("stops", () => all("#map button").filter((b) => b.tabIndex >= 0).length);
  step("arrows", () => {
    const first = document.querySelector("#map button");
    first.focus({preventScroll: true}); press(first, "ArrowRight");
    const second = document.activeElement;
    press(second, "ArrowLeft");
    return second === all("#map button")[1] && document.activeElement === first && first.tabIndex === 0 && second.tabIndex === -1;
  });
  step("unnamed", () => all("button, input, select, [role]").filter((e) => !(e.ariaLabel || e.textContent.trim() || e.labels && e.labels.length)).length);
  step("contrast", () => {
    const light = (colour) => {
      const part = colour.match(/[\d.]+/g).slice(0, 3).map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
      return 0.2126 * part[0] + 0.7152 * part[1] + 0.0722 * part[2];
    };
    const ground = (e) => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (!c.endsWith(", 0)")) return c; } return "rgb(255, 255, 255)"; };
    const ratios = all("#map button span, td, th button, .quiet, a, li, dt, dd, h2, td button").filter((e) => e.checkVisibility()).map((e) => {
      const [a, b] = [light(getComputedStyle(e).color), light(ground(e))].sort((x, y) => y - x);
      return (a + 0.05) / (b + 0.05);
    });
    return Math.min(...ratios);
  });
  step("dark", () => matchMedia("(prefers-color-scheme: dark)").matches);
  step("zoom", () => { all("#map button.group").find((b) => b.title.startsWith("data")).click(); return text("#crumbs strong"); });
  step("escape", () => { press(document.querySelector("#map button"), "Escape"); return text("#crumbs strong"); });
  step("search", () => {
    const input = document.querySelector("#files input");
    input.value = "libb"; input.dispatchEvent(new Event("input"));
    return all("#files tbody tr").map((r) => r.textContent);
  });
  step("why", () => { document.querySelector("#files tbody button").click(); return all("#chain li").map((e) => e.textContent); });
  step("end", () => text("#chain .end"));
  step("graph", () => all("#drawing text.on").map((e) => e.firstChild.textContent));
  step("still", () => scrollY);
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
	Errors, Opening, Findings, Search, Why, Graph, Sort []string
	Cells, Stops, Unnamed, Wide, Still                  int
	Milliseconds, Nodes                                 int
	Arrows, Dark                                        bool
	Contrast                                            float64
	Zoom, Escape, End, Suspects, Spec                   string
}

// chromium opens a page and returns what the probe saw.
func chromium(t *testing.T, data []byte, width int, options ...string) seen {
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
	cmd := exec.CommandContext(t.Context(), program, append(options, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--user-data-dir="+t.TempDir(),
		fmt.Sprintf("--window-size=%d,900", width), "--dump-dom", "file://"+file)...)
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
			var options []string
			if dark := width == 1200; dark {
				options = []string{"--force-dark-mode"}
			}
			s := chromium(t, page(t, 20), width, options...)
			if len(s.Errors) > 0 {
				t.Errorf("errors in the page: %q", s.Errors)
			}
			if s.Wide > 0 {
				t.Errorf("the page is %d pixels wider than the window", s.Wide)
			}
			for what, ok := range map[string]bool{
				"opening":  strings.Join(s.Opening, "|") == "/bin/serverpath in smith.yaml:3",
				"findings": strings.Join(s.Findings, "|") == "bad no shell/bin/sh|ok one owner10:10",
				"cells":    s.Cells > 5,
				"stops":    s.Stops == 1, // of the tab key
				"arrows":   s.Arrows,
				"unnamed":  s.Unnamed == 0,    // things without a name for a screen reader
				"contrast": s.Contrast >= 4.5, // WCAG 2, 1.4.3
				"dark":     s.Dark == (width == 1200),
				"still":    s.Still == 0, // the page does not jump
				"zoom":     s.Zoom != "" && s.Zoom != s.Escape,
				"escape":   strings.HasPrefix(s.Escape, "all"),
				"search":   len(s.Search) == 1 && strings.Contains(s.Search[0], "/lib/libb.so"),
				"why":      len(s.Why) == 3 && strings.HasPrefix(s.Why[0], "/bin/server") && strings.Contains(s.Why[2], "needs libb.so"),
				"end":      s.End == "1.0 kB, file, from libb 1.1← Ours stable main, key AB12",
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

// mostNodes is how many elements a page may have, however many files the image.
const mostNodes = 6000

func TestManyFilesInABrowser(t *testing.T) {
	s := chromium(t, page(t, 20000), 1200)
	if len(s.Errors) > 0 || len(s.Search) != 1 || s.Nodes > mostNodes {
		t.Errorf("%+v", s)
	}
	t.Logf("20000 files: the page is ready after %d ms, with %d elements", s.Milliseconds, s.Nodes)
}
