package apt

import (
	"os/exec"
	"testing"
	"time"
)

// heavy are requests to the whole archive.
var heavy = []struct {
	name       string
	recommends bool
}{{"nginx", false}, {"postgresql", false}, {"python3-numpy", true}, {"hamradio-nonamateur", true}}

// The whole archive that this machine's apt knows, with its index in the
// cache: what a warm build spends on choosing.
func BenchmarkResolve(b *testing.B) {
	offers := hostOffers(b)
	for _, request := range heavy {
		b.Run(request.name, func(b *testing.B) {
			for b.Loop() {
				c := NewCatalogue(offers, &Preferences{}, "amd64", request.recommends)
				if _, err := c.Resolve(b.Context(), []Request{{Name: request.name}}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// Nobody waits for a request to be resolved, whatever the archive's size.
func TestResolvesWarm(t *testing.T) {
	const most = 200 * time.Millisecond
	if _, err := exec.LookPath("apt-get"); err != nil {
		t.Skip("there is no apt on this machine")
	}
	offers := hostOffers(t)
	total := 0
	for _, o := range offers {
		total += o.Len()
	}
	for _, request := range heavy[:3] { // the last takes as long on a slow machine
		best := time.Hour
		for range 5 { // the machine may have other things to do
			begun := time.Now()
			c := NewCatalogue(offers, &Preferences{}, "amd64", request.recommends)
			if _, err := c.Resolve(t.Context(), []Request{{Name: request.name}}); err != nil {
				t.Fatal(err)
			}
			best = min(best, time.Since(begun))
		}
		t.Logf("%s out of %d packages: %v", request.name, total, best)
		if best > most {
			t.Errorf("%s takes %v, more than %v", request.name, best, most)
		}
	}
}
