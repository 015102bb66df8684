package apt

import "testing"

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
