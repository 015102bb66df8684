package fetch

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"smith/internal/golden"
)

// An authority signs certificates in tests.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	file        string
}

func writePEM(t *testing.T, name, kind string, der []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// sign makes a certificate, of an authority where parent is nil.
func sign(t *testing.T, name string, parent *authority) (certFile, keyFile string, made authority) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Unix(0, 0), NotAfter: time.Now().Add(time.Hour),
		IsCA: parent == nil, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	by := authority{template, key, ""}
	if parent != nil {
		by = *parent
	}
	der, err := x509.CreateCertificate(rand.Reader, template, by.certificate, key.Public(), by.key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	certFile = writePEM(t, "cert.pem", "CERTIFICATE", der)
	return certFile, writePEM(t, "key.pem", "EC PRIVATE KEY", keyDER), authority{certificate, key, certFile}
}

// A server that demands a certificate gets it, for the addresses that it is
// configured for and no others.
func TestClientCertificates(t *testing.T) {
	_, _, clients := sign(t, "clients", nil)
	certFile, keyFile, _ := sign(t, "client", &clients)
	otherFile, otherKey, _ := sign(t, "other", nil)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("page"))
	}))
	pool := x509.NewCertPool()
	pool.AddCert(clients.certificate)
	server.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool}
	server.Config.ErrorLog = nil
	server.StartTLS()
	t.Cleanup(server.Close)
	ca := writePEM(t, "ca.pem", "CERTIFICATE", server.Certificate().Raw)
	for name, tt := range map[string]struct {
		connection Connection
		at         string
		ok         bool
	}{
		"certificate and authority":   {Connection{CAFile: ca, CertFile: certFile, KeyFile: keyFile}, "/repo/", true},
		"unchecked server":            {Connection{Insecure: true, CertFile: certFile, KeyFile: keyFile}, "/repo", true},
		"no client certificate":       {Connection{CAFile: ca}, "/repo/", false},
		"another authority's":         {Connection{CAFile: ca, CertFile: otherFile, KeyFile: otherKey}, "/repo/", false},
		"an unknown server":           {Connection{CertFile: certFile, KeyFile: keyFile}, "/repo/", false},
		"configured for another path": {Connection{CAFile: ca, CertFile: certFile, KeyFile: keyFile}, "/rep", false},
	} {
		t.Run(name, func(t *testing.T) {
			c := client(t, func(o *Options) { o.Attempts = 1 })
			if err := c.Connect(server.URL+tt.at, tt.connection); err != nil {
				t.Fatal(err)
			}
			page, err := c.Page(t.Context(), server.URL+"/repo/repodata/repomd.xml")
			if (err == nil) != tt.ok || err == nil && string(page.Data) != "page" {
				t.Errorf("%v", err)
			}
		})
	}
}

// The user and password of a repository go to it and to no host that it
// redirects to.
func TestConnectionPassword(t *testing.T) {
	got := map[string]string{}
	other := serve(t, func(_ http.ResponseWriter, r *http.Request) { got["other"] = r.Header.Get("Authorization") })
	home := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got["home"] = r.Header.Get("Authorization")
		http.Redirect(w, r, other, http.StatusFound)
	})
	c := client(t, nil)
	if err := c.Connect(home, Connection{User: "u", Password: "p"}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Page(t.Context(), home+"/x"); err != nil {
		t.Fatal(err)
	}
	if got["home"] != "Basic dTpw" || got["other"] != "" {
		t.Errorf("%q", got)
	}
}

// What is said of connections that cannot be made.
func TestConnectionMistakes(t *testing.T) {
	texts := golden.New(t)
	directory := t.TempDir()
	text := filepath.Join(directory, "text")
	if err := os.WriteFile(text, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := client(t, func(o *Options) { o.Attempts = 1 })
	say := func(name string, err error) {
		if err == nil {
			t.Errorf("%s: no error", name)
			return
		}
		texts.Add(name, strings.ReplaceAll(err.Error(), directory, "DIR"))
	}
	say("no such file", c.Connect("https://example.org/", Connection{CAFile: filepath.Join(directory, "none")}))
	say("not a certificate", c.Connect("https://example.org/", Connection{CAFile: text}))
	say("not a client certificate", c.Connect("https://example.org/", Connection{CertFile: text}))
	say("not a proxy", c.Connect("https://example.org/", Connection{Proxy: "secret"}))
	if err := c.Connect("http://example.org/", Connection{Proxy: "http://user:secret@127.0.0.1:1"}); err != nil {
		t.Fatal(err)
	}
	_, err := c.Page(t.Context(), "http://example.org/x")
	say("dead proxy", err)
}

// A server that is never silent and never done is given up.
func TestSlow(t *testing.T) {
	address := serve(t, func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := w.Write([]byte("x")); err != nil {
				return
			}
			if f, ok := w.(http.Flusher); ok {
				f.Flush()
			}
			time.Sleep(5 * time.Millisecond)
		}
	})
	c := client(t, func(o *Options) { o.Attempts, o.Stall, o.MinRate = 1, 200*time.Millisecond, 1<<20 })
	texts := golden.New(t)
	_, err := c.Page(t.Context(), address)
	if err == nil {
		t.Fatal("no error")
	}
	texts.Add("page", strings.ReplaceAll(err.Error(), address, "SERVER"))
}
