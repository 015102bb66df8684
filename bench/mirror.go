//go:build unix

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"smith/test/fixture"
)

// A mirror is a repository of packages in a folder, served over loopback.
type mirror struct {
	dir, url string
	keys     string // the file of the keys that sign it, "" where nobody does
	server   *http.Server
}

// newMirror serves a package of this machine's Debian release and all that it
// needs, as the component main of the suite "bench". Nobody signs it.
func newMirror(ctx context.Context, dir, name string) (*mirror, error) {
	debs, err := fixture.Packages(ctx, os.Stderr, name)
	if err != nil {
		return nil, err
	}
	pool := filepath.Join(dir, "pool")
	if err := os.MkdirAll(pool, 0o755); err != nil {
		return nil, err
	}
	for _, deb := range debs {
		if err := os.Symlink(deb, filepath.Join(pool, filepath.Base(deb))); err != nil {
			return nil, err
		}
	}
	const index = `set -e; cd "$1"; arch=$(dpkg --print-architecture); mkdir -p "dists/bench/main/binary-$arch"
apt-ftparchive packages pool >"dists/bench/main/binary-$arch/Packages"; xz -k "dists/bench/main/binary-$arch/Packages"
of=APT::FTPArchive::Release
apt-ftparchive -o $of::Suite=bench -o $of::Codename=bench -o $of::Components=main -o $of::Architectures="$arch" release dists/bench >Release
mv Release dists/bench`
	if _, err := shell(ctx, index, dir); err != nil {
		return nil, err
	}
	return serve(ctx, dir)
}

// newRPMMirror serves the distribution of RPM packages.
func newRPMMirror(ctx context.Context) (*mirror, error) {
	dir, err := fixture.Distribution(ctx, os.Stderr)
	if err != nil {
		return nil, err
	}
	m, err := serve(ctx, filepath.Join(dir, "os"))
	if err != nil {
		return nil, err
	}
	m.keys = filepath.Join(dir, "keys.asc")
	return m, nil
}

// serve serves a folder over loopback.
func serve(ctx context.Context, dir string) (*mirror, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	m := &mirror{dir: dir, url: "http://" + listener.Addr().String()}
	m.server = &http.Server{Handler: http.FileServer(http.Dir(dir)), ReadHeaderTimeout: time.Minute}
	go func() { _ = m.server.Serve(listener) }()
	return m, nil
}

// used returns the packages of the mirror that an image has files of.
func (m *mirror) used(ctx context.Context, program, image, cache string) ([]string, error) {
	cmd := exec.CommandContext(ctx, program, "inspect", "--json", "--cache-dir", cache, image)
	out, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	var told struct {
		Inputs []struct{ Kind, URL string }
	}
	if err := json.NewDecoder(bytes.NewReader(out)).Decode(&told); err != nil {
		return nil, fmt.Errorf("cannot read what smith inspect says: %w", err)
	}
	var files []string
	for _, in := range told.Inputs {
		if name, ok := strings.CutPrefix(in.URL, m.url+"/"); ok {
			files = append(files, filepath.Join(m.dir, strings.ReplaceAll(name, "%25", "%")))
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s holds no files of packages", image)
	}
	return files, nil
}
