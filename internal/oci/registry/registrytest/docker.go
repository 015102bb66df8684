package registrytest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/bcrypt"
)

// dockerRegistry is Debian's program of that name (package docker-registry).
const dockerRegistry = "docker-registry"

// Settings say how a docker-registry is run.
type Settings struct {
	// TLS makes it speak TLS, ClientCerts too ask for a client's certificate.
	TLS, ClientCerts bool
	// User and Password are the login that it wants, if any.
	User, Password string
	// Token makes it send clients to a token server, which knows the login.
	Token *TokenServer
}

// A Docker is a docker-registry that runs.
type Docker struct {
	Host string
	// CA is the file of the certificate that vouches for it; Cert and Key are
	// those of a client.
	CA, Cert, Key string
	cmd           *exec.Cmd
	said          bytes.Buffer
}

// StartDocker runs a docker-registry that keeps everything in a folder.
func StartDocker(ctx context.Context, dir string, s Settings) (*Docker, error) {
	d := &Docker{}
	var err error
	if d.Host, err = freePort(ctx); err != nil {
		return nil, err
	}
	config := fmt.Sprintf("version: 0.1\nlog: {level: error}\nstorage:\n  filesystem: {rootdirectory: %s}\n  delete: {enabled: true}\nhttp:\n  addr: %s\n",
		filepath.Join(dir, "data"), d.Host)
	if s.TLS {
		files, err := writeCertificates(dir)
		if err != nil {
			return nil, err
		}
		d.CA, d.Cert, d.Key = files.ca, files.clientCert, files.clientKey
		config += fmt.Sprintf("  tls: {certificate: %s, key: %s", files.cert, files.key)
		if s.ClientCerts {
			config += fmt.Sprintf(", clientcas: [%s]", files.ca)
		}
		config += "}\n"
	}
	switch {
	case s.Token != nil:
		config += fmt.Sprintf("auth:\n  token: {realm: %q, service: %s, issuer: %s, rootcertbundle: %s}\n",
			s.Token.Realm, tokenService, tokenIssuer, s.Token.Cert)
	case s.User != "":
		hash, err := bcrypt.GenerateFromPassword([]byte(s.Password), bcrypt.MinCost)
		if err != nil {
			return nil, err
		}
		file := filepath.Join(dir, "htpasswd")
		if err := os.WriteFile(file, fmt.Appendf(nil, "%s:%s\n", s.User, hash), 0o600); err != nil {
			return nil, err
		}
		config += fmt.Sprintf("auth:\n  htpasswd: {realm: test, path: %s}\n", file)
	}
	file := filepath.Join(dir, "config.yml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return nil, err
	}
	d.cmd = exec.CommandContext(context.WithoutCancel(ctx), dockerRegistry, "serve", file)
	d.cmd.Env = append(environment(), "OTEL_TRACES_EXPORTER=none")
	d.cmd.Stdout, d.cmd.Stderr = &d.said, &d.said
	if err := d.cmd.Start(); err != nil {
		return nil, err
	}
	return d, d.await(ctx)
}

// environment is this process' without what docker-registry would take for its
// own settings, such as REGISTRY_AUTH_FILE.
func environment() []string {
	return slices.DeleteFunc(os.Environ(), func(text string) bool { return strings.HasPrefix(text, "REGISTRY_") })
}

// await waits until the registry listens.
func (d *Docker) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		c, err := (&net.Dialer{}).DialContext(ctx, "tcp", d.Host)
		if err == nil {
			return c.Close()
		}
		select {
		case <-ctx.Done():
			d.Stop()
			return errors.Join(fmt.Errorf("docker-registry does not listen: %s", d.said.Bytes()), err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Stop ends the registry.
func (d *Docker) Stop() {
	_ = d.cmd.Process.Kill() // it may have ended
	_ = d.cmd.Wait()
}

// freePort returns an address on loopback that nothing listens at.
func freePort(ctx context.Context) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}
