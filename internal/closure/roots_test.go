package closure

import "testing"

const site = `
	link bin usr/bin
	file 0755 usr/bin/tool #!/bin/helper\n
	file 0755 usr/bin/helper x
	file 0755 usr/bin/other x
	dir 0755 srv/site/empty
	file 0644 srv/site/a/index.html x
	file 0644 srv/site/b.html x
	link srv/site/current a
`

func TestRoots(t *testing.T) {
	for name, test := range map[string]struct {
		in   Input
		want string
	}{
		"a file, through a link": {Input{Roots: roots("/bin/other")}, `
			symlink bin -> usr/bin  <- way bin/other
			file 0755 usr/bin/other  <- path`},
		"a glob": {Input{Roots: roots("/usr/bin/[ho]*r")}, `
			file 0755 usr/bin/helper  <- path
			file 0755 usr/bin/other  <- path`},
		"a folder, with all under it": {Input{Roots: roots("/srv/site")}, `
			dir 0755 srv/site  <- path
			dir 0755 srv/site/a  <- path
			file 0644 srv/site/a/index.html  <- path
			file 0644 srv/site/b.html  <- path
			symlink srv/site/current -> a  <- path
			dir 0755 srv/site/empty  <- path`},
		"the entry point, found in PATH": {Input{Env: []string{"PATH=/opt:/usr/bin"}, Entrypoint: []string{"tool", "-x"}}, `
			symlink bin -> usr/bin  <- way bin/helper
			file 0755 usr/bin/helper  <- script usr/bin/tool
			file 0755 usr/bin/tool  <- path`},
		"the overlay, over the source": {Input{Overlay: files(t, "file 0755 bin/tool #!/bin/other\\n\nfile 0644 etc/motd x\n")}, `
			symlink bin -> usr/bin  <- overlay
			dir 0755 etc  <- overlay
			file 0644 etc/motd  <- overlay
			dir 0755 usr/bin  <- symlink bin
			file 0755 usr/bin/other  <- script usr/bin/tool
			file 0755 usr/bin/tool  <- overlay`},
		"what the parent has is not repeated": {Input{Parent: files(t, "file 0755 usr/bin/other x\n"), Roots: roots("/usr/bin/{other,helper}")}, `
			file 0755 usr/bin/helper  <- path`},
	} {
		t.Run(name, func(t *testing.T) {
			test.in.Source = files(t, site)
			same(t, "kept", lines(test.want), show(t, selected(t, test.in)))
		})
	}
}

func TestRootsThatMatchNothing(t *testing.T) {
	in := Input{Source: files(t, site), Roots: roots("/usr/bin/toll", "/sbin/helper", "/opt/*")}
	same(t, "problems", []string{
		"path in smith.yaml:3: /opt/* matches no file",
		"path in smith.yaml:2: /sbin/helper matches no file; did you mean /usr/bin/helper?",
		"path in smith.yaml:1: /usr/bin/toll matches no file; did you mean /usr/bin/tool?",
	}, problems(t, in))
}
