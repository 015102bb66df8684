//go:build unix

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// A sample is one run of a program.
type sample struct {
	wall time.Duration
	cpu  time.Duration // of all its processes
	peak int64         // resident memory of its largest process, bytes
}

// measure runs a program to its end. The peak it tells is at least this
// program's own memory, which Linux hands down to a child, so nothing here may
// hold much.
func measure(ctx context.Context, name string, args ...string) (sample, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	var said bytes.Buffer
	cmd.Stderr = &said
	begin := time.Now()
	err := cmd.Run()
	wall := time.Since(begin)
	if err != nil {
		return sample{}, fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, said.Bytes())
	}
	s := sample{wall: wall, cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		s.peak = usage.Maxrss
		if runtime.GOOS != "darwin" { // getrusage(2): kilobytes elsewhere
			s.peak *= 1 << 10
		}
	}
	return s, nil
}

// shell runs a line of sh.
func shell(ctx context.Context, line string, args ...string) (sample, error) {
	return measure(ctx, "sh", append([]string{"-c", line, "sh"}, args...)...)
}

// median returns the middle time and the highest peak of the samples.
func median(samples []sample) sample {
	sorted := slices.SortedFunc(slices.Values(samples), func(a, b sample) int { return int(a.wall - b.wall) })
	out := sorted[len(sorted)/2]
	for _, s := range samples {
		out.peak = max(out.peak, s.peak)
	}
	return out
}

// A peer is another program that does what smith does.
type peer struct{ name, command string }

func parsePeers(list string) ([]peer, error) {
	var peers []peer
	for item := range strings.SplitSeq(list, ";") {
		if strings.TrimSpace(item) == "" {
			continue
		}
		name, command, ok := strings.Cut(strings.TrimSpace(item), "=")
		p := peer{strings.TrimSpace(name), strings.TrimSpace(command)}
		if !ok || p.name == "" || p.command == "" {
			return nil, fmt.Errorf("peer %q: want name=command", strings.TrimSpace(item))
		}
		peers = append(peers, p)
	}
	return peers, nil
}

// dnfLine installs a package with dnf, which keeps its database where the
// packages that it installs have theirs, and packs what it installed.
const dnfLine = `set -e
rm -rf "$root" && mkdir -p "$root" "$HOME"
echo '%_dbpath %{_var}/lib/rpm' >"$HOME/.rpmmacros"
dnf -q -y --installroot="$root" --repofrompath=r,{mirror} --repo r --setopt=r.gpgcheck=1 --setopt=r.gpgkey="file://$keys" --releasever=9 \
	--setopt=install_weak_deps=0 --setopt=reposdir=/none --setopt=cachedir="$cache" --setopt=keepcache=1 install "$package" >/dev/null
tar -C "$root" -c . | pigz >{out}`

// rivals are the programs that users would build the case with today.
func (b *workbench) rivals() []peer {
	if _, err := exec.LookPath("dnf"); err != nil || b.rpm == "" {
		return nil
	}
	line := fmt.Sprintf("export HOME=%s root=%s cache=%s keys=%s package=%s\n", quote(b.path("home")), quote(b.path("root")), quote(b.path("dnf")), quote(b.mirror.keys), b.rpm)
	if b.cache == cold {
		line += "rm -rf \"$cache\"\n"
	}
	return []peer{{"dnf", line + dnfLine}}
}

// peer runs one with its placeholders filled in.
func (b *workbench) peer(ctx context.Context, p peer) (sample, error) {
	if err := os.RemoveAll(b.path("peer-out")); err != nil {
		return sample{}, err
	}
	address := ""
	if b.mirror != nil {
		address = b.mirror.url
	}
	line := strings.NewReplacer("{mirror}", address, "{image}", quote(b.image), "{out}", quote(b.path("peer-out")), "{spec}", quote(b.path("spec"))).Replace(p.command)
	return shell(ctx, line)
}

// quote writes a word as sh reads it.
func quote(word string) string { return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'" }
