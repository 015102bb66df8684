package loader

import (
	"context"
	"fmt"
	"strings"

	"smith/internal/tree"
)

// preloadFile names objects that glibc's linker adds to every process.
const preloadFile = "/etc/ld.so.preload"

// maxPreloadFile bounds it.
const maxPreloadFile = 1 << 16

// preload maps what LD_PRELOAD and /etc/ld.so.preload name, in this order. One
// that cannot be loaded is left out with a message of the linker's.
func (g *glibc) preload() error {
	split := func(text, separators string) []string {
		return strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(separators, r) })
	}
	for _, name := range split(g.getenv("LD_PRELOAD"), " :") {
		if err := g.preloadOne(name, "LD_PRELOAD"); err != nil {
			return err
		}
	}
	n, err := g.open(preloadFile)
	if n == nil || err != nil || n.Kind != tree.File {
		return err
	}
	data, err := n.ReadAll(maxPreloadFile)
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(data)) {
		line, _, _ = strings.Cut(line, "#")
		for _, name := range split(line, ": \t\n") {
			if err := g.preloadOne(name, preloadFile); err != nil {
				return err
			}
		}
	}
	return nil
}

func (g *glibc) preloadOne(name, from string) error {
	before, misses := len(g.maps), len(g.missing)
	o, err := g.mapObject(g.main, name, Preload)
	if err != nil {
		return err
	}
	if len(g.missing) > misses {
		g.missing[misses].NeededBy = from
	}
	if len(g.maps) > before {
		o.NeededBy = from
		g.enqueue(o)
	}
	return nil
}

// auditors returns what the environment and the program name as auditors.
func (g *glibc) auditors() []string {
	var names []string
	lists := [][]string{strings.Split(g.getenv("LD_AUDIT"), ":"), g.main.file.Audit, g.main.file.DepAudit}
	for _, list := range lists {
		for _, name := range list {
			if name != "" {
				names = append(names, name)
			}
		}
	}
	return names
}

// loadAuditors maps the auditors with what they need, each in a world of its
// own (rtld-audit(7)): objects that the process has are loaded a second time,
// from the same file, so that only further files are reported.
func (g *glibc) loadAuditors(ctx context.Context, p *Process) error {
	have := map[*tree.Node]bool{}
	for _, l := range p.Libraries {
		have[l.Node] = true
	}
	for _, name := range g.auditors() {
		world := newGlibc(g.Loader, g.ld, g.main)
		world.auditing = true
		auditor, err := world.mapObject(g.main, name, Audit)
		if err != nil {
			return err
		}
		if !auditor.faked && auditor != g.main {
			world.queue, auditor.loader = nil, nil
			world.enqueue(auditor)
			if err := world.load(ctx); err != nil {
				return fmt.Errorf("auditor %s: %w", name, err)
			}
		}
		for _, m := range world.missing {
			m.Kind = Audit
			p.Missing = append(p.Missing, m)
		}
		for _, o := range world.maps {
			if o != g.main && o.Kind != Linker && !have[o.Node] {
				have[o.Node] = true
				o.Kind = Audit
				p.Libraries = append(p.Libraries, o.Library)
			}
		}
	}
	return nil
}
