//go:build unix

// Command bench builds real images with smith and prints how long that takes,
// how much processor time and memory it needs, and how the first compares with
// the floor: `gzip -dc` of the input's layers (`xz -dc` of its packages) to
// nothing and `pigz` of the output's tar, measured in the same run and in turns
// with smith, so that a busy machine slows all alike.
//
//	make bench
//	make bench PEERS='copy=cp {image} {out}; umoci=umoci …'
//
// Uploads and downloads stand beside crane and skopeo, where those are installed,
// with a docker-registry of their own.
//
// A peer is NAME=COMMAND, several are parted by semicolons. The command is run
// by sh; {image} stands for the input archive, {out} for a file or folder that
// does not exist yet, {spec} for the folder of the case's smith.yaml, and
// {mirror} for the address of the case's repository:
//
//	make bench PEERS='mmdebstrap=mmdebstrap --variant=extract --include=nginx bench - "deb [trusted=yes] {mirror} bench main" | pigz >{out}'
//
// Where dnf is installed it is a peer of the cases with RPM packages: it
// installs into a folder of its own, which tar and pigz pack.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := bench(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func bench(ctx context.Context) error {
	smith := flag.String("smith", "build/smith", "the program to measure")
	peerList := flag.String("peers", "", "commands to run beside it, 'name=command; …'")
	runs := flag.Int("runs", 5, "how often each case is run; the median counts")
	only := flag.String("case", "", "run the cases that match this regular expression")
	flag.Parse()
	wanted, err := regexp.Compile(*only)
	if err != nil {
		return err
	}
	peers, err := parsePeers(*peerList)
	if err != nil {
		return err
	}
	program, err := filepath.Abs(*smith)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "smith-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	fmt.Printf("%d cores, %s/%s, median of %d runs\n", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, *runs)
	printHead()
	for _, c := range cases() {
		if !wanted.MatchString(c.name) {
			continue
		}
		if err := runCase(ctx, c, dir, program, peers, *runs); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	return benchTransfers(ctx, dir, program, wanted, *runs)
}

// runCase measures one case and prints its rows.
func runCase(ctx context.Context, c benchCase, dir, smith string, peers []peer, runs int) (err error) {
	work, err := os.MkdirTemp(dir, "case-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	b, err := prepare(ctx, c, work, smith)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	peers = append(b.rivals(), peers...)
	var floor, own []sample
	others := make([][]sample, len(peers))
	for i := range min(runs, c.most) {
		s, err := b.floor(ctx)
		if err != nil {
			return err
		}
		floor = append(floor, s)
		if s, err = b.smith(ctx, i); err != nil {
			return err
		}
		own = append(own, s)
		for j, p := range peers {
			if s, err = b.peer(ctx, p); err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
			others[j] = append(others[j], s)
		}
	}
	printRow(c.name, "smith", median(own), median(floor))
	for j, p := range peers {
		printRow("", p.name, median(others[j]), median(floor))
	}
	return nil
}

func printHead() {
	fmt.Printf("\n%-34s %-12s %9s %9s %9s %9s %7s\n", "case", "", "seconds", "CPU s", "peak MiB", "floor s", "ratio")
}

func printRow(name, who string, s, floor sample) {
	ratio := "-"
	if floor.wall > 0 {
		ratio = fmt.Sprintf("%.2f", s.wall.Seconds()/floor.wall.Seconds())
	}
	fmt.Printf("%-34s %-12s %9.3f %9.3f %9.1f %9.3f %7s\n",
		name, who, s.wall.Seconds(), s.cpu.Seconds(), float64(s.peak)/(1<<20), floor.wall.Seconds(), ratio)
}
