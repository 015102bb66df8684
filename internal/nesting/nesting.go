// Package nesting bounds how deeply a foreign text can make a recursive parser
// call itself, before the parser reads it: a stack that overflows ends a Go
// program, and nothing recovers it. The bound is the number of places at which
// the text could nest, whether or not they are inside of quotes or comments:
// coarse, but no text gets around it, and it needs no parser of its own.
package nesting

import "strings"

// A Grammar says what makes a parser go one level deeper.
type Grammar struct {
	// Characters each open a level: brackets, operators that bind to the right.
	Characters string
	// Words each open a level where they stand between characters that cannot
	// be part of a word.
	Words []string
	// Limit is how many places a text may have.
	Limit int
}

// Exceeds reports whether a text has more places than the grammar allows.
func (g Grammar) Exceeds(text string) bool {
	left := g.Limit
	word := -1 // where a word begins
	for i := 0; i <= len(text); i++ {
		if i < len(text) && isWord(text[i]) {
			if word < 0 {
				word = i
			}
			continue
		}
		if word >= 0 && g.opens(text[word:i]) {
			left--
		}
		word = -1
		if i < len(text) && strings.IndexByte(g.Characters, text[i]) >= 0 {
			left--
		}
		if left < 0 {
			return true
		}
	}
	return false
}

func (g Grammar) opens(word string) bool {
	for _, w := range g.Words {
		if w == word {
			return true
		}
	}
	return false
}

func isWord(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}
