package loader

import (
	"path"
	"slices"
	"strings"
)

// lookup returns the path that a linker takes from the cache for a name, or "".
// It searches as glibc does, by halves, so that the answer is the same for a
// table that is not in order.
func (c *Cache) lookup(ld *linker, name string) string {
	if c.ByteOrder != ld.file.ByteOrder {
		return ""
	}
	left, right := 0, len(c.Entries)-1
	for left <= right {
		middle := (left + right) / 2
		switch order := compareNames(name, c.Entries[middle].Soname); {
		case order < 0:
			left = middle + 1
		case order > 0:
			right = middle - 1
		default:
			for middle > 0 && compareNames(name, c.Entries[middle-1].Soname) == 0 {
				middle--
			}
			return c.best(ld, name, middle, right)
		}
	}
	return ""
}

// best returns the path of the entry that fits the linker best, of those for
// one name.
func (c *Cache) best(ld *linker, name string, from, to int) string {
	arch := abiOf(ld.file)
	best, rank := "", -1
	for _, e := range c.Entries[from : to+1] {
		if compareNames(name, e.Soname) != 0 {
			break
		}
		if e.Flags != arch.flags && (!arch.unmarked || (e.Flags != typeLibc6 && e.Flags != 1)) {
			continue
		}
		if e.extended() && ld.minor >= 33 {
			now := slices.Index(ld.hwcaps, "glibc-hwcaps/"+e.Subfolder+"/")
			if e.Subfolder != "" && now >= 0 && (rank < 0 || now < rank) && isaLevelOf(ld.level) >= e.isaLevel() {
				best, rank = e.Path, now
			}
			continue
		}
		if best != "" && rank >= 0 {
			break // entries for certain CPUs come first: none of the rest is better
		}
		if e.Hwcap != 0 && !ld.takesLegacy(e) {
			continue
		}
		best = e.Path
		if e.Flags == arch.flags {
			break
		}
	}
	return best
}

// takesLegacy says whether a linker takes an entry of the form that glibc 2.37
// dropped. Its bits are numbered anew on each architecture; the folder that
// the library lies in says the same.
func (ld *linker) takesLegacy(e CacheEntry) bool {
	dir := path.Dir(e.Path) + "/"
	return ld.minor < 37 && !e.extended() && slices.ContainsFunc(ld.hwcaps, func(sub string) bool {
		return sub != "" && strings.HasSuffix(dir, "/"+sub)
	})
}

// isaLevelOf returns the number of a CPU level in the x86 psABI.
func isaLevelOf(level string) uint32 {
	switch level {
	case "x86-64-v2":
		return 1
	case "x86-64-v3":
		return 2
	case "x86-64-v4":
		return 3
	}
	return 0
}

// compareNames orders names as the cache does: runs of digits by their value,
// and before other characters' comparison.
func compareNames(a, b string) int {
	digit := func(s string) bool { return s != "" && s[0] >= '0' && s[0] <= '9' }
	for a != "" {
		switch {
		case digit(a) && digit(b):
			var x, y int32 // C's int; glibc lets it overflow
			for ; digit(a); a = a[1:] {
				x = x*10 + int32(a[0]-'0')
			}
			for ; digit(b); b = b[1:] {
				y = y*10 + int32(b[0]-'0')
			}
			if x != y {
				return int(x) - int(y)
			}
		case digit(a):
			return 1
		case digit(b):
			return -1
		case b == "":
			return int(int8(a[0]))
		case a[0] != b[0]:
			return int(int8(a[0])) - int(int8(b[0]))
		default:
			a, b = a[1:], b[1:]
		}
	}
	if b != "" {
		return -int(int8(b[0]))
	}
	return 0
}
