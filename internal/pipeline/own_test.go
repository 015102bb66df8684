package pipeline

import "testing"

func TestNoProgram(t *testing.T) {
	for want, programs := range map[string][]string{
		"the image has no entry point: name the program with the key entrypoint":                                                            nil,
		"the image has no entry point: name the program with the key entrypoint, such as /usr/bin/a (the package has a, b)":                 {"/usr/bin/a", "/usr/bin/b"},
		"the image has no entry point: name the program with the key entrypoint, such as /bin/a (the package has a, b, c, d, e, f, 1 more)": {"/bin/a", "/bin/b", "/bin/c", "/bin/d", "/bin/e", "/bin/f", "/bin/g"},
	} {
		if got := noProgram(programs); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}
