// Package nearest finds the known words and paths that a user may mean by an
// unknown one.
package nearest

import (
	"iter"
	"slices"
	"strings"
)

// Words returns at most n of the known words that are similar to a word, the
// nearest first, and of equally near ones the first. A third of its letters may
// be wrong, and a word that it is a prefix of counts as one letter away.
func Words(word string, known iter.Seq[string], n int) []string {
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
	for _, f := range found[:min(n, len(found))] {
		words = append(words, f.word)
	}
	return words
}

// Hint returns the end of a sentence that suggests at most three similar words,
// "" if there are none.
func Hint(word string, known iter.Seq[string]) string {
	words := Words(word, known, 3)
	if len(words) == 0 {
		return ""
	}
	return "; did you mean " + strings.Join(words, ", ") + "?"
}

// distance returns how many insertions, deletions, substitutions and swaps of
// neighbouring bytes turn a into b (optimal string alignment).
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
