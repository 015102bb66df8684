package cli

import (
	"testing"
	"time"
)

func TestInWords(t *testing.T) {
	for d, want := range map[time.Duration]string{
		412 * time.Microsecond: "0 ms", 521 * time.Millisecond: "521 ms", 33181 * time.Millisecond: "33.2 s", 65*time.Second + 1: "1m5s",
	} {
		if got := inWords(d); got != want {
			t.Errorf("%v: got %q, want %q", d, got, want)
		}
	}
}
