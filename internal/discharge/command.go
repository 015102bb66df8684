package discharge

import (
	"bytes"
	"io"
	"slices"

	"smith/internal/elf"
)

// runsCommands are functions of the C library that run a program by its name.
var runsCommands = []string{
	"execvp", "execvpe", "execlp", "execv", "execve", "execl", "execle", "posix_spawn", "posix_spawnp", "system", "popen", "wordexp",
}

// maxText bounds a script that is searched for commands.
const maxText = 4 << 20

// A Content is a file's bytes.
type Content interface {
	io.Reader
	io.ReaderAt
}

// CallsOne returns the first of some names of programs that a file contains as
// a command: in an object that runs programs as a string of its read-only data,
// or as its first word; in a script in quotes, or as the end of a path of a
// program. "" is none.
func CallsOne(r Content, size int64, names []string) (string, error) {
	f, err := elf.Read(r, size)
	if err == nil {
		return objectCalls(f, r, size, names)
	}
	if size > maxText {
		return "", nil
	}
	text, err := io.ReadAll(io.NewSectionReader(r, 0, size))
	if err != nil {
		return "", err
	}
	if bytes.IndexByte(text[:min(len(text), 512)], 0) >= 0 {
		return "", nil
	}
	for _, name := range names {
		if textCalls(text, name) {
			return name, nil
		}
	}
	return "", nil
}

func objectCalls(f *elf.File, r Content, size int64, names []string) (string, error) {
	imports, err := f.Imports(r, size)
	if err != nil {
		return "", err
	}
	if !slices.ContainsFunc(imports, func(name string) bool { return slices.Contains(runsCommands, name) }) && len(f.Needed) > 0 {
		return "", nil
	}
	var words []string
	for _, name := range names {
		words = append(words, "\x00"+name+"\x00", "\x00"+name+" ", "bin/"+name+"\x00", "bin/"+name+" ")
	}
	found, err := f.Names(r, size, words...)
	if err != nil {
		return "", err
	}
	for i, word := range words {
		if slices.Contains(found, word) {
			return names[i/4], nil
		}
	}
	return "", nil
}

// textCalls reports whether a script contains a name in quotes, perhaps with
// arguments behind it, or at the end of the path of a program.
func textCalls(text []byte, name string) bool {
	for at := 0; ; {
		i := bytes.Index(text[at:], []byte(name))
		if i < 0 {
			return false
		}
		begin := at + i
		end := begin + len(name)
		at = begin + 1
		if begin == 0 || end < len(text) && !bytes.ContainsRune([]byte("\"'` \t\n;|)"), rune(text[end])) {
			continue
		}
		if bytes.HasSuffix(text[:begin], []byte("bin/")) {
			return true
		}
		quote := text[begin-1]
		if (quote == '"' || quote == '\'' || quote == '`') && end < len(text) && (text[end] == quote || quote == '`') {
			return true
		}
	}
}
