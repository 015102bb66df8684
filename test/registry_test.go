package test

import (
	"context"
	"net/http/httptest"
	"os"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"smith/internal/oci/registry/registrytest"
)

// runRegistry runs a registry until the script ends and sets $NAME to its host:
// `registry NAME [-make MAKE] [-tls [-client-certs]] [-login USER:PASSWORD] [-token USER:PASSWORD]`.
func runRegistry(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: registry NAME [-make MAKE] [-tls [-client-certs]] [-login USER:PASSWORD] [-token USER:PASSWORD]")
	}
	name, args := args[0], args[1:]
	dir, err := os.MkdirTemp("", "smith-registry-")
	ts.Check(err)
	ts.Defer(func() { _ = os.RemoveAll(dir) })
	var s registrytest.Settings
	for len(args) > 0 {
		flag := args[0]
		args = args[1:]
		switch flag {
		case "-tls":
			s.TLS = true
			continue
		case "-client-certs":
			s.ClientCerts = true
			continue
		}
		if len(args) == 0 {
			ts.Fatalf("registry: %s needs a value", flag)
		}
		value := args[0]
		args = args[1:]
		user, password, _ := strings.Cut(value, ":")
		switch flag {
		case "-make":
			h := registrytest.Handler(value)
			if h == nil {
				ts.Fatalf("registry: there is no make %s", value)
			}
			server := httptest.NewServer(h)
			ts.Defer(server.Close)
			ts.Setenv(name, strings.TrimPrefix(server.URL, "http://"))
			return
		case "-login":
			s.User, s.Password = user, password
		case "-token":
			s.Token, err = registrytest.StartTokens(dir, user, password)
			ts.Check(err)
			ts.Defer(s.Token.Stop)
		default:
			ts.Fatalf("registry: unknown flag %s", flag)
		}
	}
	needTools(ts, "docker-registry")
	r, err := registrytest.StartDocker(context.Background(), dir, s)
	ts.Check(err)
	ts.Defer(r.Stop)
	ts.Setenv(name, r.Host)
	ts.Setenv(name+"_CA", r.CA)
	ts.Setenv(name+"_CERT", r.Cert)
	ts.Setenv(name+"_KEY", r.Key)
}
