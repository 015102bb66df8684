package test

import (
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"smith/internal/oci/registry/registrytest"
)

// What a person sees of uploads and downloads: how far each blob and the whole
// is, and in the end what was sent, mounted and there.
func TestTerminalRegistry(t *testing.T) {
	host := registrytest.Break(t, registrytest.Start(t, "go-containerregistry"), func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/blobs/") {
			time.Sleep(500 * time.Millisecond)
		}
		if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/blobs/") {
			w = slowWriter{w, 30 * time.Millisecond}
		}
		next.ServeHTTP(w, r)
	})
	dir := t.TempDir()
	p := person{t: t, smith: buildSmith(t), dir: dir}
	person := p.at(t, 100)
	person.runs(0, "wrap", "/bin/cat", "-i", "cat.tar")
	name := host + "/team/app:1"
	reference := regexp.QuoteMeta(name) + `@sha256:[0-9a-f]{64}\n$`

	s := person.runs(0, "upload", "-r", name, "-i", "cat.tar")
	s.wantStages("uploading")
	s.wants(`^uploading  +(\d blobs?, .*)?━+─* +\d+%  [0-9a-f]{12} \d+%, [0-9a-f]{12} \d+%`, `^smith: 5 blobs \([0-9.]+ MB\) uploaded\n`+reference)
	s = person.runs(0, "upload", "-r", name, "-i", "cat.tar")
	s.wants(``, `^smith: 5 blobs \([0-9.]+ MB\) there already\n`+reference)
	s = person.runs(0, "download", "-r", name, "-i", "back.tar")
	s.wantStages("fetching", "writing")
	s.wants(`^fetching   +━+─* +\d+%  [0-9a-f]{12}`, `^`+reference)
	if found, err := filepath.Glob(filepath.Join(dir, "back.tar")); err != nil || len(found) != 1 {
		t.Error("nothing was downloaded")
	}
}

// wants wants a frame and the screen in the end to match.
func (s *seen) wants(frame, end string) {
	s.t.Helper()
	if !slices.ContainsFunc(s.frames, regexp.MustCompile(frame).MatchString) {
		s.t.Errorf("nothing that was drawn matches %q:\n%s", frame, strings.Join(s.frames, "---\n"))
	}
	if !regexp.MustCompile(end).MatchString(s.screen()) {
		s.t.Errorf("in the end there stands\n%s\nwant %q", s.screen(), end)
	}
}
