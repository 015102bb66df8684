package network

import (
	"net/http"
	"testing"
	"time"
)

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"7": 7 * time.Second, "0": 0, now.Add(time.Minute).Format(http.TimeFormat): time.Minute,
		"Thu, 01 Jan 1970 00:00:00 GMT": 0, "": -1, "soon": -1, "-1": -1,
	} {
		got, known := RetryAfter(http.Header{"Retry-After": {text}}, now)
		if known && got != want || !known && want != -1 {
			t.Errorf("%q: %s (%v), want %s", text, got, known, want)
		}
	}
}
