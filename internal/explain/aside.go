package explain

import (
	"slices"

	"smith/record"
)

// An Aside is a part of an image that its program does not lead to: what a
// script beside it needs, say.
type Aside struct {
	// Path is the file without which none of the part would be there.
	Path string
	// For are the files that need it, sorted.
	For []string
	// Bytes is the size of the part, the file itself counted.
	Bytes int64
}

// HeaviestAside returns the heaviest part of an image that a file brought
// which the program does not lead to and the spec does not ask for, nil where
// there is none or no program is known.
func HeaviestAside(r *record.Record, program string) *Aside {
	g := newDominance(r)
	main := g.reach(program)
	if main == nil {
		return nil
	}
	var heaviest *Aside
	for i, f := range r.Files {
		n := i + 1
		beside := !main[n] && f.Type != record.TypeDirectory && g.immediate[n] != unreached && !slices.Contains(g.from[n], 0)
		if !beside || heaviest != nil && g.bytes[n] <= heaviest.Bytes {
			continue
		}
		heaviest = &Aside{Path: f.Path, Bytes: g.bytes[n]}
		for _, p := range g.from[n] {
			heaviest.For = append(heaviest.For, r.Files[p-1].Path)
		}
		slices.Sort(heaviest.For)
		heaviest.For = slices.Compact(heaviest.For)
	}
	return heaviest
}

// A dominance says of each file of a record which other file it would not be
// there without (dominators of the graph of reasons, as Cooper, Harvey and
// Kennedy compute them in "A Simple, Fast Dominance Algorithm"). Node 0 is the
// spec, the others are the files, in order, from 1.
type dominance struct {
	number    map[string]int
	from, to  [][]int
	immediate []int
	bytes     []int64 // of the file and all that it dominates
}

const unreached = -1

func newDominance(r *record.Record) *dominance {
	n := len(r.Files) + 1
	g := &dominance{number: make(map[string]int, n), from: make([][]int, n), to: make([][]int, n), bytes: make([]int64, n)}
	for i, f := range r.Files {
		g.number[f.Path] = i + 1
	}
	for i, f := range r.Files {
		g.bytes[i+1] = f.Size
		for _, reason := range f.Reasons {
			from, known := g.number[reason.From]
			if reason.Rule == record.RuleWay || !known && reason.From != "" {
				continue
			}
			g.from[i+1] = append(g.from[i+1], from)
			g.to[from] = append(g.to[from], i+1)
		}
	}
	g.dominate()
	return g
}

// dominate finds the immediate dominators and sums up what each has below it.
func (g *dominance) dominate() {
	order, place := g.postorder()
	g.immediate = slices.Repeat([]int{unreached}, len(g.from))
	g.immediate[0] = 0
	for changed := true; changed; {
		changed = false
		for _, n := range slices.Backward(order[:len(order)-1]) {
			best := unreached
			for _, p := range g.from[n] {
				if g.immediate[p] != unreached {
					best = g.common(best, p, place)
				}
			}
			changed = changed || g.immediate[n] != best
			g.immediate[n] = best
		}
	}
	for _, n := range order[:len(order)-1] {
		g.bytes[g.immediate[n]] += g.bytes[n]
	}
}

// common returns the nearest node that dominates both.
func (g *dominance) common(a, b int, place []int) int {
	if a == unreached {
		return b
	}
	for a != b {
		for place[a] < place[b] {
			a = g.immediate[a]
		}
		for place[b] < place[a] {
			b = g.immediate[b]
		}
	}
	return a
}

// postorder returns the nodes that the spec leads to, each after those that it
// leads to, and the place of each in that order.
func (g *dominance) postorder() (order, place []int) {
	type visit struct{ node, next int }
	place = make([]int, len(g.to))
	seen := make([]bool, len(g.to))
	seen[0] = true
	for stack := []visit{{}}; len(stack) > 0; {
		top := &stack[len(stack)-1]
		if top.next == len(g.to[top.node]) {
			place[top.node] = len(order)
			order = append(order, top.node)
			stack = stack[:len(stack)-1]
			continue
		}
		n := g.to[top.node][top.next]
		top.next++
		if !seen[n] {
			seen[n] = true
			stack = append(stack, visit{node: n})
		}
	}
	return order, place
}

// reach returns what a file leads to, itself too; nil if it does not exist.
func (g *dominance) reach(name string) []bool {
	start, there := g.number[name]
	if !there {
		return nil
	}
	seen := make([]bool, len(g.to))
	seen[start] = true
	queue := []int{start}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		for _, n := range g.to[at] {
			if !seen[n] {
				seen[n] = true
				queue = append(queue, n)
			}
		}
	}
	return seen
}
