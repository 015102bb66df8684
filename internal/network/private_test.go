package network

import (
	"errors"
	"net/url"
	"testing"
)

func TestCheckHost(t *testing.T) {
	for _, tt := range []struct {
		from, to string
		refused  bool
	}{
		{"https://198.51.100.1/v2/", "https://198.51.100.2/", false},
		{"https://198.51.100.1/v2/", "https://store.example.org/", false},
		{"https://198.51.100.1/v2/", "https://10.0.0.5/", true},
		{"https://198.51.100.1/v2/", "https://127.0.0.1:2375/", true},
		{"https://198.51.100.1/v2/", "https://localhost/", true},
		{"https://198.51.100.1/v2/", "http://169.254.169.254/latest/", true},
		{"https://198.51.100.1/v2/", "http://[::ffff:169.254.169.254]/", true},
		{"https://198.51.100.1/v2/", "http://[fe80::1%25eth0]/", true},
		{"https://198.51.100.1/v2/", "http://[fd00::1]/", true},
		{"https://198.51.100.1/v2/", "http://0.0.0.0/", true},
		{"https://10.0.0.4/v2/", "https://10.0.0.5:9000/", false},
		{"https://10.0.0.4/v2/", "http://169.254.169.254/", true},
		{"http://127.0.0.1:5000/v2/", "http://127.0.0.1:5001/", false},
		{"http://localhost:5000/v2/", "http://127.0.0.1:5001/", false},
		{"http://169.254.0.9/v2/", "http://169.254.0.9/upload", false},
	} {
		from, err := url.Parse(tt.from)
		if err != nil {
			t.Fatal(err)
		}
		to, err := url.Parse(tt.to)
		if err != nil {
			t.Fatal(err)
		}
		if err := CheckHost(t.Context(), from, to); (err != nil) != tt.refused || err != nil && !errors.Is(err, ErrRedirect) {
			t.Errorf("from %s to %s: got %v, refused should be %t", tt.from, tt.to, err, tt.refused)
		}
	}
}
