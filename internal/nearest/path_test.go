package nearest

import "testing"

// Who holds a path that is like one that somebody wrote.
func TestPathFinder(t *testing.T) {
	distribution := map[string][]string{
		"/usr/sbin/nginx":                       {"nginx-light", "nginx"},
		"/usr/sbin/nginxd":                      {"other"},
		"/usr/share/nginx/nginx.conf":           {"nginx-common"},
		"/bin/true":                             {"coreutils"},
		"/usr/lib/x86_64-linux-gnu/libz.so.1":   {"zlib1g"},
		"/usr/lib32/libz.so.1":                  {"lib32z1"},
		"/usr/bin/python3.11":                   {"a", "b", "c", "d"},
		"/usr/share/doc/python3.11/python3.11x": {"doc"},
	}
	for wanted, want := range map[string]string{
		"/usr/sbin/nginx":     "nginx and nginx-light hold /usr/sbin/nginx",
		"/sbin/nginx":         "nginx and nginx-light hold /usr/sbin/nginx",
		"/usr/bin/nginx":      "nginx and nginx-light hold /usr/sbin/nginx",
		"/usr/sbin/ngnix":     "nginx and nginx-light hold /usr/sbin/nginx",
		"/usr/bin/true":       "coreutils holds /bin/true",
		"libz.so.1":           "zlib1g holds /usr/lib/x86_64-linux-gnu/libz.so.1, lib32z1 holds /usr/lib32/libz.so.1",
		"/usr/bin/python3.11": "a, b and c hold /usr/bin/python3.11",
		"/usr/bin/apache":     "",
		"/opt/nginx.conf":     "nginx-common holds /usr/share/nginx/nginx.conf",
	} {
		f := NewPathFinder(wanted)
		for path, holders := range distribution {
			for _, h := range holders {
				f.See(path, func() string { return h })
			}
		}
		if got := f.String(); got != want {
			t.Errorf("%s: got %q, want %q", wanted, got, want)
		}
	}
}
