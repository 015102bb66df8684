package network

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
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

// What is said of servers that send us where we do not go.
func TestCheckRedirect(t *testing.T) {
	request := func(address string) *http.Request {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		return &http.Request{URL: u}
	}
	for _, tt := range []struct {
		from, to string
		times    int
		want     string
	}{
		{"http://a.example.org", "https://b.example.org", 9, ""},
		{"http://a.example.org", "http://b.example.org", 10, "the server redirects more than ten times"},
		{"https://a.example.org", "http://a.example.org", 1, "the server redirects from https to http"},
		{"https://a.example.org", "file:///etc/passwd", 1, `the server redirects to a "file" address`},
	} {
		err := CheckRedirect(request(tt.to), slices.Repeat([]*http.Request{request(tt.from)}, tt.times))
		if (err == nil) != (tt.want == "") || err != nil && (err.Error() != tt.want || !errors.Is(err, ErrRedirect)) {
			t.Errorf("from %s to %s: got %v, want %s", tt.from, tt.to, err, tt.want)
		}
	}
}
