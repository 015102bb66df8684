package repodata

import (
	"strings"
	"testing"
)

func TestEnable(t *testing.T) {
	builds := []ModuleBuild{
		{Name: "a", Stream: "1"},
		{Name: "a", Stream: "2", Requires: []map[string][]string{{"b": {"5"}}}},
		{Name: "a", Stream: "3", Requires: []map[string][]string{{"b": {"5", "6"}}}},
		{Name: "a", Stream: "4", Requires: []map[string][]string{{"b": {}}}},
		{Name: "b", Stream: "5"},
		{Name: "b", Stream: "6"},
	}
	defaults := map[string]string{"a": "1"}
	for requests, want := range map[string]string{
		"":        "a=1",
		"a":       "a=1",
		"a:2":     "a=2 b=5",
		"a:3 b:6": "a=3 b=6",
		"a:4 b:6": "a=4 b=6",
		"a:2 b:6": "!the modules a:2, b:6 do not go together, or need modules that are not available: request other streams",
		"a:3":     "a=3 b=5",
		"a:4":     "a=4 b=5",
		"a:9":     "!module a:9 does not exist; streams of a are 1, 2, 3, 4",
		"b":       "!module b has no default stream: write b:STREAM, with one of 5, 6",
		"c:1":     "!module c:1 does not exist; streams of c are none",
	} {
		on, err := enable(builds, defaults, strings.Fields(requests))
		if message, ok := strings.CutPrefix(want, "!"); ok {
			if err == nil || err.Error() != message {
				t.Errorf("%s: got %v, want %s", requests, err, message)
			}
			continue
		}
		var got []string
		for _, name := range []string{"a", "b"} {
			if stream, ok := on[name]; ok {
				got = append(got, name+"="+stream)
			}
		}
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%s: %v, %v, want %s", requests, got, err, want)
		}
	}
}

func FuzzParseModules(f *testing.F) {
	f.Add(moduleText("a", "1", 1, "c", "b: [1]", "a-0:1-1.noarch"))
	f.Add("---\ndocument: modulemd-defaults\nversion: 1\ndata: {module: a, stream: \"1\"}\n")
	f.Fuzz(func(_ *testing.T, text string) {
		m, err := ParseModules(strings.NewReader(text))
		if err == nil {
			_, _ = enable(m.Builds, m.Defaults, []string{"a:1"})
		}
	})
}
