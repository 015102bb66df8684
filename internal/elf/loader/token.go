package loader

import "strings"

// expand replaces the dynamic string tokens $ORIGIN, $LIB and $PLATFORM, also
// written ${ORIGIN}, in a path or a name (gABI, "Substitution sequences";
// ld.so(8)). It is false where a token has no value: the linker then drops the
// whole string.
func (ld *linker) expand(text, origin string) (string, bool) {
	var out strings.Builder
	for {
		before, after, found := strings.Cut(text, "$")
		out.WriteString(before)
		if !found {
			return out.String(), true
		}
		name, rest := token(after)
		var value string
		switch name {
		case "ORIGIN":
			value = origin
		case "LIB":
			value = ld.lib
		case "PLATFORM":
			value = ld.platform
		default:
			out.WriteByte('$')
			text = after
			continue
		}
		if value == "" {
			return "", false
		}
		out.WriteString(value)
		text = rest
	}
}

// token returns the name that follows a dollar sign, the longest possible, and
// what comes after it; "" where there is none.
func token(text string) (name, rest string) {
	if inner, braced := strings.CutPrefix(text, "{"); braced {
		n := identifier(inner)
		if n == 0 || !strings.HasPrefix(inner[n:], "}") {
			return "", text
		}
		return inner[:n], inner[n+1:]
	}
	n := identifier(text)
	return text[:n], text[n:]
}

// identifier returns the length of the identifier at the beginning of a text.
func identifier(text string) int {
	for i := range len(text) {
		c := text[i]
		if c != '_' && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && (i == 0 || c < '0' || c > '9') {
			return i
		}
	}
	return len(text)
}
