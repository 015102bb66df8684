package size_test

import (
	"testing"

	"smith/internal/size"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "12": 12, "30MB": 30e6, "30 mb": 30e6, "1.5kB": 1500, "10GiB": 10 << 30, "1TiB": 1 << 40, "7 B": 7,
	} {
		if got, err := size.Parse(text); got != want || err != nil {
			t.Errorf("%s: %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "MB", "-1", "1e30", "30 potatoes", "NaN", "Inf", "0x10"} {
		if got, err := size.Parse(text); err == nil {
			t.Errorf("%q is %d", text, got)
		}
	}
}

func TestFormat(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1.0 kB", 1_550_000: "1.6 MB", 2_000_000_000: "2.0 GB", 3e12: "3.0 TB"} {
		if got := size.Format(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}
