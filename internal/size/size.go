// Package size reads and writes numbers of bytes as people do: 30MB, 10GiB.
package size

import (
	"fmt"
	"strconv"
	"strings"
)

// units are those that sizes are given and shown in, the largest first.
func units() []unit {
	return []unit{
		{"TiB", 1 << 40},
		{"GiB", 1 << 30},
		{"MiB", 1 << 20},
		{"KiB", 1 << 10},
		{"TB", 1e12},
		{"GB", 1e9},
		{"MB", 1e6},
		{"kB", 1e3},
		{"B", 1},
	}
}

type unit struct {
	name  string
	bytes int64
}

// Format shows a number of bytes in decimal units: "1.5 MB".
func Format(n int64) string {
	for _, u := range units()[4:8] {
		if n >= u.bytes {
			return fmt.Sprintf("%.1f %s", float64(n)/float64(u.bytes), u.name)
		}
	}
	return fmt.Sprintf("%d B", n)
}

// Parse reads "10GiB", "500MB" or a plain number of bytes. Units may be in any
// case, and a space may stand before them.
func Parse(text string) (int64, error) {
	number, factor := text, int64(1)
	for _, u := range units() {
		if rest, ok := strings.CutSuffix(strings.ToLower(text), strings.ToLower(u.name)); ok {
			number, factor = strings.TrimSpace(rest), u.bytes
			break
		}
	}
	n, err := strconv.ParseFloat(number, 64)
	if err != nil || !(n >= 0 && n*float64(factor) <= 1<<60) {
		return 0, fmt.Errorf("invalid size %q: write it like 10GiB or 500MB", text)
	}
	return int64(n * float64(factor)), nil
}
