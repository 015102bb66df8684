package python

import (
	"path"
	"strings"

	"smith/internal/closure/imports"
	"smith/internal/closure/imports/token"
)

// calls looks for calls that import, run or load something, up to a token.
func (r *reader) calls(end int) {
	for i := r.at; i < end; i++ {
		t := r.tokens[i]
		if t.Kind != token.Name {
			continue
		}
		if t.Text == "__requires__" && i+2 < end && r.tokens[i+1].Is("=") {
			r.requires(i+2, end)
		}
		if i+1 < end && r.tokens[i+1].Is("(") {
			r.call(t, i, end)
		}
	}
}

// requires reads the requirements that pkg_resources fulfils before it loads
// anything: a text or a list of them.
func (r *reader) requires(at, end int) {
	for _, t := range r.tokens[at:end] {
		if t.Kind == token.Text {
			r.add(imports.Reference{Kind: imports.Metadata, Name: requirement(t.Text), Line: t.Line})
		}
	}
}

// requirement returns the name of a distribution in a requirement (PEP 508).
func requirement(text string) string {
	text = strings.TrimSpace(text)
	if i := strings.IndexAny(text, "=<>!~;[( @"); i >= 0 {
		text = text[:i]
	}
	return text
}

// call reads one call: tokens[at] is the last part of the function's name.
func (r *reader) call(name token.Token, at, end int) {
	args := r.arguments(at+2, end)
	ref := imports.Reference{Line: name.Line}
	first, known := literal(args, 0)
	switch name.Text {
	case "__import__", "import_module":
		ref.Kind, ref.Name = imports.Module, first
		if !known {
			ref.Kind, ref.Name = imports.Computed, name.Text+"(…)"
		}
	case "load_entry_point", "importlib_load_entry_point":
		group, _ := literal(args, 1)
		entry, _ := literal(args, 2)
		ref.Kind, ref.Name, ref.Names = imports.Metadata, requirement(first), []string{group, entry}
	case "distribution", "get_distribution", "require", "metadata", "get_metadata":
		if r.before(at) == "re" || !known {
			return
		}
		ref.Kind, ref.Name, ref.Late = imports.Metadata, requirement(first), true
	case "version":
		if owner := r.before(at); !known || owner != "metadata" && owner != "importlib_metadata" && owner != "" {
			return
		}
		ref.Kind, ref.Name, ref.Late = imports.Metadata, requirement(first), true
	case "CDLL", "LoadLibrary", "dlopen", "PyDLL":
		ref.Kind, ref.Name, ref.Optional = imports.Library, first, true
	case "insert", "append":
		r.searchPath(name, at, args)
		return
	default:
		r.program(name, at, args)
		return
	}
	r.add(ref)
}

// before returns the name before the dot before a name, or "".
func (r *reader) before(at int) string {
	if at >= 2 && r.tokens[at-1].Is(".") {
		return r.tokens[at-2].Text
	}
	return ""
}

// searchPath reads sys.path.insert(0, "/dir") and sys.path.append("/dir").
func (r *reader) searchPath(name token.Token, at int, args [][]token.Token) {
	if r.before(at) != "path" || at < 4 || r.before(at-2) != "sys" || len(args) == 0 {
		return
	}
	last := args[len(args)-1]
	if dir, known := literal(args, len(args)-1); known {
		r.add(imports.Reference{Kind: imports.Directory, Name: dir, Line: name.Line})
		return
	}
	// Such as os.path.join(os.path.dirname(__file__), "..", "lib").
	dir, own := "", false
	for _, t := range last {
		if t.Is("__file__") {
			own, dir = true, "."
		} else if own && t.Kind == token.Text {
			dir = path.Join(dir, t.Text)
		}
	}
	if own {
		r.add(imports.Reference{Kind: imports.Directory, Name: dir, Line: name.Line})
	}
}

// program reads subprocess.run(["x", …]), os.system("x …") and their kin.
func (r *reader) program(name token.Token, at int, args [][]token.Token) {
	owner := r.before(at)
	ref := imports.Reference{Kind: imports.Command, Line: name.Line}
	switch {
	case owner == "subprocess" && isRunner(name.Text), owner == "" && (name.Text == "Popen" || name.Text == "check_output" || name.Text == "check_call"):
		ref.Name = firstWord(args)
	case owner == "os" && (name.Text == "system" || name.Text == "popen" || strings.HasPrefix(name.Text, "exec") || strings.HasPrefix(name.Text, "spawn")):
		ref.Name = firstWord(args)
		if strings.HasPrefix(name.Text, "spawn") {
			ref.Name, _ = literal(args, 1)
		}
	case owner == "shutil" && name.Text == "which":
		ref.Name, _ = literal(args, 0)
		ref.Optional = true
	default:
		return
	}
	if strings.ContainsAny(ref.Name, "{}%$*?~<>|&;()`'\"=") || strings.HasPrefix(ref.Name, "-") {
		return
	}
	r.add(ref)
}

func isRunner(name string) bool {
	switch name {
	case "run", "call", "check_call", "check_output", "Popen", "getoutput", "getstatusoutput":
		return true
	}
	return false
}

// firstWord returns the program of a command line: the first word of a text, or
// the first element of a list.
func firstWord(args [][]token.Token) string {
	if len(args) == 0 {
		return ""
	}
	a := args[0]
	for len(a) > 0 && (a[0].Is("[") || a[0].Is("(")) {
		a = a[1:]
	}
	if len(a) == 0 || a[0].Kind != token.Text || strings.Contains(a[0].Prefix, "f") || len(a) > 1 && (a[1].Is("+") || a[1].Is("%") && len(a[0].Text) < 2) {
		return ""
	}
	if words := strings.Fields(a[0].Text); len(words) > 0 {
		return words[0]
	}
	return ""
}

// literal returns an argument that is one literal text.
func literal(args [][]token.Token, n int) (string, bool) {
	if n >= len(args) {
		return "", false
	}
	a := args[n]
	for len(a) > 2 && a[0].Kind == token.Name && a[1].Is("=") { // a keyword
		a = a[2:]
	}
	if len(a) != 1 || a[0].Kind != token.Text || strings.Contains(a[0].Prefix, "f") {
		return "", false
	}
	return a[0].Text, true
}

// maxArguments bounds how many arguments of a call are looked at.
const maxArguments = 4

// arguments returns the first arguments of a call whose list begins at a token.
func (r *reader) arguments(at, end int) [][]token.Token {
	var args [][]token.Token
	begin, depth := at, 0
	for i := at; i < min(len(r.tokens), max(end, at)) && len(args) < maxArguments; i++ {
		t := r.tokens[i]
		if t.Kind != token.Mark {
			continue
		}
		switch t.Text {
		case "(", "[", "{":
			depth++
		case ")", "]", "}":
			if depth--; depth < 0 {
				if i > begin {
					args = append(args, r.tokens[begin:i])
				}
				return args
			}
		case ",":
			if depth == 0 {
				args, begin = append(args, r.tokens[begin:i]), i+1
			}
		}
	}
	return args
}
