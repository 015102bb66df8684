package closure

import "testing"

const small = `
file 0755 usr/bin/dash dash
link usr/bin/sh dash
link bin usr/bin
file 0755 opt/run #!/bin/sh\n
file 0755 opt/lost #!/bin/zsh\n
link opt/start run
fifo opt/pipe
hard opt/again opt/run
`

func TestScriptsAndLinks(t *testing.T) {
	s := selected(t, Input{Source: files(t, small), Roots: roots("/opt/start")})
	same(t, "files", lines(`
		symlink bin -> usr/bin  <- way bin/sh
		file 0755 opt/run  <- symlink opt/start
		symlink opt/start -> run  <- path
		file 0755 usr/bin/dash  <- symlink usr/bin/sh
		symlink usr/bin/sh -> dash  <- script opt/run`), show(t, s))
}

func TestInterpreterIsMissing(t *testing.T) {
	same(t, "problems", lines(`
		/opt/lost (path in smith.yaml:1) → /bin/zsh: not found, named after #! as "/bin/zsh"`),
		problems(t, Input{Source: files(t, small), Roots: roots("/opt/lost")}))
}
