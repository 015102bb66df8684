package scriptlet

import (
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// test evaluates the words of test(1).
func (e *evaluator) test(words []value) truth {
	for i, w := range words { // -o binds weaker than -a
		if w.known && w.text == "-o" && i > 0 {
			return or(e.test(words[:i]), e.test(words[i+1:]))
		}
	}
	for i, w := range words {
		if w.known && w.text == "-a" && i > 0 {
			return and(e.test(words[:i]), e.test(words[i+1:]))
		}
	}
	if len(words) > 1 && words[0].known && words[0].text == "!" {
		return not(e.test(words[1:]))
	}
	switch len(words) {
	case 0:
		return no
	case 1:
		return known(words[0], func(s string) bool { return s != "" })
	case 2:
		return e.unary(words[0].text, words[1])
	case 3:
		return binary(words[0], words[1].text, words[2])
	}
	return maybe
}

func or(a, b truth) truth {
	switch {
	case a == yes || b == yes:
		return yes
	case a == no && b == no:
		return no
	}
	return maybe
}

func and(a, b truth) truth { return not(or(not(a), not(b))) }

func known(v value, f func(string) bool) truth {
	if !v.known {
		return maybe
	}
	return truthOf(f(v.text))
}

func (e *evaluator) unary(op string, v value) truth {
	switch op {
	case "-n":
		if !v.known && strings.Trim(v.text, "$(…)") != "" && !strings.HasPrefix(v.text, "$") {
			return yes // a part of it is known
		}
		return known(v, func(s string) bool { return s != "" })
	case "-z":
		return known(v, func(s string) bool { return s == "" })
	case "-e", "-f", "-d", "-x", "-r", "-w", "-s", "-L", "-h":
		return e.exists(v)
	}
	return maybe
}

// exists says whether a path is there when the script runs: what the package
// itself holds is, a running system's sockets and folders are not.
func (e *evaluator) exists(v value) truth {
	switch {
	case !v.known:
		return maybe
	case v.text == "":
		return no
	case strings.HasPrefix(v.text, "/run/systemd"), e.script.Name == "pretrans": // which runs before any package is there
		return no
	case e.has(v.text):
		return yes
	}
	return maybe
}

func binary(a value, op string, b value) truth {
	if !a.known || !b.known {
		return maybe
	}
	switch op {
	case "=", "==":
		return truthOf(a.text == b.text)
	case "!=":
		return truthOf(a.text != b.text)
	}
	x, first := strconv.Atoi(strings.TrimSpace(a.text))
	y, second := strconv.Atoi(strings.TrimSpace(b.text))
	if first != nil || second != nil {
		return maybe
	}
	switch op {
	case "-eq":
		return truthOf(x == y)
	case "-ne":
		return truthOf(x != y)
	case "-lt":
		return truthOf(x < y)
	case "-le":
		return truthOf(x <= y)
	case "-gt":
		return truthOf(x > y)
	case "-ge":
		return truthOf(x >= y)
	}
	return maybe
}

// testExpr evaluates what stands in [[ ]].
func (e *evaluator) testExpr(x syntax.TestExpr) truth {
	switch x := x.(type) {
	case *syntax.Word:
		return known(e.single(x), func(s string) bool { return s != "" })
	case *syntax.ParenTest:
		return e.testExpr(x.X)
	case *syntax.UnaryTest:
		if x.Op == syntax.TsNot {
			return not(e.testExpr(x.X))
		}
		if w, ok := x.X.(*syntax.Word); ok {
			return e.unary(x.Op.String(), e.single(w))
		}
	case *syntax.BinaryTest:
		switch x.Op {
		case syntax.AndTest:
			return and(e.testExpr(x.X), e.testExpr(x.Y))
		case syntax.OrTest:
			return or(e.testExpr(x.X), e.testExpr(x.Y))
		}
		a, first := x.X.(*syntax.Word)
		b, second := x.Y.(*syntax.Word)
		if !first || !second {
			return maybe
		}
		switch x.Op {
		case syntax.TsMatch, syntax.TsMatchShort:
			return e.match(e.single(a), b)
		case syntax.TsNoMatch:
			return not(e.match(e.single(a), b))
		}
		return binary(e.single(a), x.Op.String(), e.single(b))
	}
	return maybe
}

// compareVersions answers `dpkg --compare-versions` where the first version is
// the one that was installed before: none (dpkg(1): an empty version is earlier
// than any, or later with the operators in -nl).
func compareVersions(args []value) truth {
	if len(args) != 3 || !args[0].known || args[0].text != "" || !args[1].known {
		return maybe
	}
	switch args[1].text {
	case "lt", "le", "ne", "<", "<<", "<=", "ge-nl", "gt-nl":
		return yes
	}
	return no
}
