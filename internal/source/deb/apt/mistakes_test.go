package apt

import "testing"

// What is said of apt's configuration that cannot be used.
func TestMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"deb\n": "sources.list:1: \"deb\" is no TYPE [OPTIONS] URI SUITE COMPONENT…",
		"deb [arch] http://example.org stable main\n": "sources.list:1: option \"arch\" has no value",
		"deb http://example.org\n":                    "sources.list:1: \"deb http://example.org\" is no TYPE [OPTIONS] URI SUITE COMPONENT…",
		"deb http://example.org stable\n":             "sources.list:1: suite \"stable\": a suite has components, and a folder, with / at its end, has none",
	} {
		entries, err := parseLines("sources.list", text)
		for _, e := range entries {
			if err == nil {
				_, err = e.sources(Conf{}, "amd64")
			}
		}
		if err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
	for text, want := range map[string]string{"nginx=": "\"nginx=\" asks for no package: want NAME, NAME:ARCHITECTURE, NAME=VERSION or NAME/SUITE", "nginx/": "\"nginx/\" asks for no package: want NAME, NAME:ARCHITECTURE, NAME=VERSION or NAME/SUITE", ":amd64": "\":amd64\" asks for no package: want NAME, NAME:ARCHITECTURE, NAME=VERSION or NAME/SUITE", "a b": "\"a b\" asks for no package: want NAME, NAME:ARCHITECTURE, NAME=VERSION or NAME/SUITE", "nginx:": "\"nginx:\" asks for no package: want NAME, NAME:ARCHITECTURE, NAME=VERSION or NAME/SUITE"} {
		if _, err := ParseRequest(text); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
	for text, want := range map[string]string{
		"": "the release is empty", "Date: yesterday\n": "the release's Date: \"yesterday\" is no date", "Date: Mon, 02 Jan 2006 15:04:05 UTC\n": "the release names no file with a digest of SHA-256 or SHA-512",
		"Date: Mon, 02 Jan 2006 15:04:05 UTC\nSHA256:\n x y\n":     "the release's SHA256: \"x y\" is no DIGEST SIZE NAME",
		"Date: Mon, 02 Jan 2006 15:04:05 UTC\nValid-Until: soon\n": "the release's Valid-Until: \"soon\" is no date",
	} {
		if _, err := readRelease([]byte(text)); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}
