// Package scriptlet reads the scripts that packages run when they are
// installed, and works out what each would have done. Nothing is executed: the
// script is parsed, the way that a first installation takes through it is
// followed, and every command on it is classed as emulated, irrelevant to an
// image, or unhandled.
//
// What is not known (the output of most commands, whether a file is there) is
// taken both ways, so that the effects are all that may happen. It knows the
// commands of Debian's maintainer scripts (deb-postinst(5)) and of RPM's
// scriptlets.
package scriptlet

import (
	"fmt"
	"path"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"smith/internal/distro/accounts"
)

// A Class says what becomes of an effect.
type Class string

// The classes. What is not known is unhandled.
const (
	Emulated   Class = "emulated"
	Irrelevant Class = "irrelevant"
	Unhandled  Class = "unhandled"
)

// An Effect is something that a script would have done.
type Effect struct {
	Class Class
	// Command is what would have been run, as far as it is known: unknown
	// parts stand as they do in the script.
	Command string
	// Line is where it stands in the script, from 1.
	Line int
	// Why tells the reader why it has its class.
	Why string

	// Of an emulated effect, one of these says what to do; none where smith
	// does it in any case.
	Alternative  *Alternative
	Certificates bool
	Link         *Link
	Copies       []Copy
	File         *File
	Directory    *Directory
	Divert       *Divert
	Enable       *Enable
	// Account is what becomes of users and groups, nil for other effects.
	Account *accounts.Change
	// Names are the users and groups that files are given to, which must exist.
	Names []string
	// Path is what an unhandled effect changes, where that is known.
	Path string
}

// An Alternative is what `update-alternatives --install` is told
// (update-alternatives(1)).
type Alternative struct {
	Link, Name, Path string
	Priority         int
	Slaves           []Link // Path is the public link, Target what it leads to in the end
	SlaveNames       []string
}

// A Link is a symbolic link.
type Link struct{ Path, Target string }

// A Copy is a file that is copied to a path, or into the directory there.
type Copy struct{ From, To string }

// A File is one that a script writes.
type File struct{ Path, Text string }

// A Directory is one that a script makes.
type Directory struct{ Path, User, Group string }

// A Divert is a file of other packages that gives way (dpkg-divert(1)): it lies
// at To from then on.
type Divert struct{ Path, To string }

// An Enable is a part of a server's configuration that is switched on by a link.
type Enable struct {
	// Kind is "mod", "conf" or "site" of apache2 (a2enmod(8)), "mpm" where its
	// module for processes is another one, or "php" (phpenmod(8)).
	Kind string
	// Name is the part; "" is all that there are.
	Name string
	// Version and SAPI are of PHP; a SAPI "ALL" is all that there are.
	Version, SAPI string
}

// A Script is one script of a package.
type Script struct {
	// Name is what it is called in its package: "postinst".
	Name string
	Text string
	// Args are what the package manager calls it with.
	Args []string
	// Env are variables that the package manager sets.
	Env map[string]string
	// Trigger says what else must be installed for it to run; nil is nothing.
	Trigger *Trigger
	// Before says that it runs before the package's files are there.
	Before bool
	// Answers are debconf's default answers by question.
	Answers map[string]string
	// Has reports whether the package holds a path; nil is never.
	Has func(path string) bool
	// Source returns the text of a file that the script reads as a part of
	// itself, and whether there is one; nil is none.
	Source func(path string) (string, bool)
}

// A Trigger is what sets off a script that a package has for others.
type Trigger struct {
	// Package says whether a package does; nil where files do.
	Package func(name, version string) bool
	// Prefixes begin the paths of files that do.
	Prefixes []string
}

// maxScript bounds a script, in bytes: one that is longer is not followed.
const maxScript = 1 << 20

// Read works out the effects of a script, in its order, each command once.
// Whatever the text, it ends: what is not understood is an unhandled effect.
func Read(s Script) []Effect {
	if strings.HasPrefix(s.Text, luaName) && len(s.Text) <= maxScript {
		return readLua(s)
	}
	file, err := parsed(s)
	if err != nil {
		return []Effect{{Class: Unhandled, Command: firstLine(s.Text), Line: 1, Why: err.Error()}}
	}
	e := newEvaluator(s)
	e.run(file.Stmts)
	return e.effects
}

// languageOf tells by the first line which shell reads a script, or why none
// does. Bash's language holds what dash has beside POSIX, such as local.
func languageOf(text string) (syntax.LangVariant, string) {
	if len(text) > maxScript {
		return 0, fmt.Sprintf("it is longer than %d bytes", maxScript)
	}
	line := firstLine(text)
	if !strings.HasPrefix(line, "#!") {
		if strings.HasPrefix(text, "\x7fELF") {
			return 0, "it is a program, not a script"
		}
		return syntax.LangBash, ""
	}
	words := strings.Fields(line[2:])
	if len(words) > 1 && path.Base(words[0]) == "env" {
		words = words[1:]
	}
	if len(words) == 0 {
		return syntax.LangBash, ""
	}
	switch name := path.Base(words[0]); name {
	case "sh", "dash", "ash", "bash", "rbash":
		return syntax.LangBash, ""
	case "ksh", "mksh":
		return syntax.LangMirBSDKorn, ""
	default:
		return 0, "it is not a shell's script but one of " + name
	}
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return strings.ToValidUTF8(line[:min(len(line), 200)], "?")
}
