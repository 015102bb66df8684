// Package nearest finds the words that somebody may have meant who wrote one
// that is not known.
package nearest

import (
	"iter"
	"slices"
	"strings"
)

// Words returns up to most of the known words that are near to a word, the
// nearest first, and of equally near ones the first: a third of its letters may be wrong, and a word that begins
// with all of them is one letter away.
func Words(word string, known iter.Seq[string], most int) []string {
	type near struct {
		word     string
		distance int
	}
	limit := max(1, len(word)/3)
	var found []near
	for k := range known {
		d := limit + 1
		if difference := len(k) - len(word); difference <= limit && -difference <= limit {
			d = distance(word, k)
		}
		if len(word) > 2 && strings.HasPrefix(k, word) {
			d = min(d, 1)
		}
		if d <= limit {
			found = append(found, near{k, d})
		}
	}
	slices.SortStableFunc(found, func(a, b near) int { return a.distance - b.distance })
	var words []string
	for _, n := range found[:min(most, len(found))] {
		words = append(words, n.word)
	}
	return words
}

// Hint is the end of a sentence that asks for up to three near words, "" where
// none is near.
func Hint(word string, known iter.Seq[string]) string {
	words := Words(word, known, 3)
	if len(words) == 0 {
		return ""
	}
	return "; did you mean " + strings.Join(words, ", ") + "?"
}

// distance is the number of bytes to add, drop, replace or swap with the next
// that makes b of a (optimal string alignment).
func distance(a, b string) int {
	before, row, next := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		next[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			next[j+1] = min(row[j]+cost, row[j+1]+1, next[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				next[j+1] = min(next[j+1], before[j-1]+1)
			}
		}
		before, row, next = row, next, before
	}
	return row[len(b)]
}
