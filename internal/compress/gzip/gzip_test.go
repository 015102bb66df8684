package gzip

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os/exec"
	"runtime"
	"testing"
)

// text returns bytes that compress about as programs do: words from a small
// set, some noise, some zeros.
func text(n int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	words := make([][]byte, 4096)
	for i := range words {
		words[i] = make([]byte, 2+r.IntN(14))
		for k := range words[i] {
			words[i][k] = byte(r.Uint32())
		}
	}
	var b bytes.Buffer
	for b.Len() < n {
		if r.IntN(1000) == 0 {
			b.Write(make([]byte, r.IntN(9000)))
		}
		b.Write(words[min(r.IntN(4096), r.IntN(4096))])
	}
	return b.Bytes()[:n]
}

// A step is a stretch of bytes written in one mode.
type step struct {
	stored bool
	data   []byte
}

func compress(t testing.TB, piece int, steps ...step) []byte {
	t.Helper()
	var out bytes.Buffer
	z := NewWriter(&out)
	for _, s := range steps {
		if err := z.Store(s.stored); err != nil {
			t.Fatal(err)
		}
		for rest := s.data; len(rest) > 0; {
			n := min(piece, len(rest))
			if _, err := z.Write(rest[:n]); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestRoundTrip(t *testing.T) {
	data := text(3*blockSize + 12345)
	for name, steps := range map[string][]step{
		"empty":        nil,
		"one byte":     {{false, data[:1]}},
		"a block":      {{false, data[:blockSize]}},
		"blocks":       {{false, data}},
		"stored":       {{true, data}},
		"stored short": {{true, data[:maxStored]}, {true, data[:1]}},
		"mixed":        {{false, data[:100]}, {true, data[100:90000]}, {false, data[90000:]}, {true, nil}, {false, nil}},
	} {
		t.Run(name, func(t *testing.T) {
			var want []byte
			for _, s := range steps {
				want = append(want, s.data...)
			}
			packed := compress(t, 1<<20, steps...)
			r, err := gzip.NewReader(bytes.NewReader(packed))
			if err != nil {
				t.Fatal(err)
			}
			r.Multistream(false)
			got, err := io.ReadAll(r)
			if err != nil || !bytes.Equal(got, want) {
				t.Fatalf("%d bytes came back of %d: %v", len(got), len(want), err)
			}
			if _, err := exec.LookPath("gzip"); err != nil {
				t.Skip("no gzip here")
			}
			cmd := exec.Command("gzip", "-dc")
			cmd.Stdin = bytes.NewReader(packed)
			if got, err := cmd.Output(); err != nil || !bytes.Equal(got, want) {
				t.Fatalf("gzip -dc: %d bytes came back of %d: %v", len(got), len(want), err)
			}
		})
	}
}

// The same bytes must come out whatever the cores, the writes, and what the
// encoders did before.
func TestSameBytes(t *testing.T) {
	data := text(9*blockSize + 777)
	steps := []step{{false, data[:3<<20]}, {true, data[3<<20 : 4<<20]}, {false, data[4<<20:]}}
	want := sha256.Sum256(compress(t, 1<<20, steps...))
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, procs := range []int{1, 2, 8} {
		for _, piece := range []int{511, 1 << 20, 5 << 20} {
			t.Run(fmt.Sprintf("%d cores, writes of %d", procs, piece), func(t *testing.T) {
				runtime.GOMAXPROCS(procs)
				compress(t, 1<<20, step{false, data[12345 : blockSize+12345]}) // leaves used encoders behind
				if got := sha256.Sum256(compress(t, piece, steps...)); got != want {
					t.Fatalf("got %x, want %x", got, want)
				}
			})
		}
	}
}

// The form is part of every digest: a change of the compressor must be meant.
func TestFormIsPinned(t *testing.T) {
	const want = "13ec5226bde2582f2234d4aa25641edd55ff756d19204d6e48df8bff2fed54bb"
	if got := fmt.Sprintf("%x", sha256.Sum256(compress(t, 1<<20, step{false, text(2<<20 + 1)}))); got != want {
		t.Errorf("got %s, want %s: the compressor's output changed, and with it every image's digest", got, want)
	}
}

type full struct{ left int }

var errFull = errors.New("disk full")

func (f *full) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestWriteError(t *testing.T) {
	data := text(8 * blockSize)
	for _, left := range []int{0, 5, 10, blockSize, 2 * blockSize} {
		z := NewWriter(&full{left})
		_, err := z.Write(data)
		if closing := z.Close(); !errors.Is(closing, errFull) {
			t.Errorf("after %d bytes: Write gave %v, Close gave %v", left, err, closing)
		}
	}
}
