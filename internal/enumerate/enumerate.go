// Package enumerate names a few things of many in a message.
package enumerate

import (
	"fmt"
	"strings"
)

// Brief lists the first of some names and counts the rest: "a, b, 3 more".
func Brief(names []string, limit int) string {
	text := strings.Join(names[:min(limit, len(names))], ", ")
	if more := len(names) - limit; more > 0 {
		text += fmt.Sprintf(", %d more", more)
	}
	return text
}

// Sentence lists names as a sentence does: "a, b and c", or
// "a, b and 3 more" where there are more than the limit.
func Sentence(names []string, limit int) string {
	if len(names) == 0 {
		return ""
	}
	shown, last := names[:len(names)-1], names[len(names)-1]
	if more := len(names) - limit; more > 0 {
		shown, last = names[:limit], fmt.Sprintf("%d more", more)
	}
	if len(shown) == 0 {
		return last
	}
	return strings.Join(shown, ", ") + " and " + last
}
