package compress

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
)

// text returns bytes that compress like a file system does.
func text(size int) []byte {
	random := rand.New(rand.NewPCG(1, 2))
	var b bytes.Buffer
	for b.Len() < size {
		fmt.Fprintf(&b, "line %d of %x\n", b.Len(), random.Uint32N(1<<16))
	}
	return b.Bytes()[:size]
}

// packed compresses with a program.
func packed(t testing.TB, data []byte, name string, args ...string) []byte {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Skipf("%s is not installed", name)
	}
	cmd := exec.Command(name, args...)
	cmd.Stdin = bytes.NewReader(data)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return out
}

func plain(t testing.TB, r io.Reader, limit int64) ([]byte, Form, error) {
	t.Helper()
	z, err := NewReader(t.Context(), r, limit)
	if err != nil {
		return nil, Plain, err
	}
	defer z.Close()
	data, err := io.ReadAll(z)
	return data, z.Form, err
}

// forms are the ways in which the tests compress.
func forms() map[string]struct {
	form Form
	cmd  []string
} {
	return map[string]struct {
		form Form
		cmd  []string
	}{
		"plain":             {Plain, []string{"cat"}},
		"gzip":              {Gzip, []string{"gzip", "-c"}},
		"bzip2":             {Bzip2, []string{"bzip2", "-c"}},
		"zstd":              {Zstd, []string{"zstd", "-c"}},
		"zstd long":         {Zstd, []string{"zstd", "-c", "--long=27"}},
		"xz one block":      {Xz, []string{"xz", "-T1", "-c"}},
		"xz one sized":      {Xz, []string{"xz", "-0", "-T2", "-c"}},
		"xz sized blocks":   {Xz, []string{"xz", "-0", "-T2", "--block-size=30000", "-c"}},
		"xz unsized blocks": {Xz, []string{"xz", "-0", "-T1", "--block-size=30000", "-c"}},
		"xz no check":       {Xz, []string{"xz", "-0", "-T2", "--block-size=30000", "-Cnone", "-c"}},
		"xz crc32":          {Xz, []string{"xz", "-0", "-T2", "--block-size=30000", "-Ccrc32", "-c"}},
		"xz sha256":         {Xz, []string{"xz", "-0", "-T2", "--block-size=30000", "-Csha256", "-c"}},
		"xz x86":            {Xz, []string{"xz", "-0", "-T2", "--block-size=30000", "--x86", "--lzma2=preset=0", "-c"}},
		"xz x86 unsized":    {Xz, []string{"xz", "-0", "-T1", "--block-size=30000", "--x86", "--lzma2=preset=0", "-c"}},
		"lzma":              {LZMA, []string{"xz", "--format=lzma", "-0", "-c"}},
		"lzma 9":            {LZMA, []string{"xz", "--format=lzma", "-9", "-c"}},
	}
}

func TestForms(t *testing.T) {
	for _, size := range []int{0, 1, 110_001} {
		want := text(size)
		for name, f := range forms() {
			t.Run(fmt.Sprintf("%s %d", name, size), func(t *testing.T) {
				got, form, err := plain(t, bytes.NewReader(packed(t, want, f.cmd[0], f.cmd[1:]...)), 0)
				if err != nil {
					t.Fatal(err)
				}
				if form != f.form || !bytes.Equal(got, want) {
					t.Errorf("%s: got %d bytes, want %d of %s", form, len(got), len(want), f.form)
				}
			})
		}
	}
}

// Streams may follow each other, with padding between those of xz.
func TestSeveralStreams(t *testing.T) {
	want := text(110_000)
	for name, f := range forms() {
		if f.form == LZMA || f.form == Plain {
			continue
		}
		t.Run(name, func(t *testing.T) {
			one := packed(t, want, f.cmd[0], f.cmd[1:]...)
			two := bytes.Clone(one)
			if f.form == Xz {
				two = append(two, make([]byte, 8)...)
			}
			two = append(two, packed(t, want, f.cmd[0], f.cmd[1:]...)...)
			got, _, err := plain(t, iotest.HalfReader(bytes.NewReader(two)), 0)
			if err != nil || !bytes.Equal(got, append(bytes.Clone(want), want...)) {
				t.Errorf("got %d bytes, %v", len(got), err)
			}
		})
	}
}

// Damage anywhere is an error; that an input ends early is io.ErrUnexpectedEOF
// or another one, never a short success.
func TestDamage(t *testing.T) {
	want := text(110_000)
	for name, f := range forms() {
		if f.form == Plain || f.form == LZMA { // neither has a check
			continue
		}
		good := packed(t, want, f.cmd[0], f.cmd[1:]...)
		t.Run(name, func(t *testing.T) {
			for i := 1; i < 10; i++ {
				at := len(good) * i / 10
				if got, _, err := plain(t, bytes.NewReader(good[:at]), 0); err == nil {
					t.Errorf("cut at %d of %d: %d bytes and no error", at, len(good), len(got))
				}
				if name == "xz no check" {
					continue
				}
				bad := bytes.Clone(good)
				bad[at] ^= 0x10
				if got, _, err := plain(t, bytes.NewReader(bad), 0); err == nil && !bytes.Equal(got, want) {
					t.Errorf("changed at %d of %d: other bytes and no error", at, len(good))
				}
			}
		})
	}
}

func TestLimit(t *testing.T) {
	data := packed(t, text(1000), "xz", "-c")
	if _, _, err := plain(t, bytes.NewReader(data), 1000); err != nil {
		t.Error(err)
	}
	got, _, err := plain(t, bytes.NewReader(data), 999)
	if !errors.Is(err, ErrTooLarge) || len(got) != 999 {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

// Blocks larger than what is decoded aside are read one by one.
func TestLargeBlocks(t *testing.T) {
	want := text(300_000)
	data := packed(t, want, "xz", "-0", "-T2", "--block-size=100000", "-c")
	z := newXz(t.Context(), bufio.NewReader(bytes.NewReader(data)), 99_999)
	defer z.Close()
	got, err := io.ReadAll(z)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("got %d bytes, %v", len(got), err)
	}
}

// Whoever stops early, or is cancelled, leaves nothing behind.
func TestCloseEarly(t *testing.T) {
	data := packed(t, text(4_000_000), "xz", "-T2", "-0", "--block-size=100000", "-c")
	for _, size := range []int{0, 1, 3_000_000} {
		ctx, cancel := context.WithCancel(t.Context())
		z, err := NewReader(ctx, bytes.NewReader(data), 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(z, make([]byte, size)); err != nil {
			t.Fatal(err)
		}
		if size == 1 {
			cancel()
		}
		if err := z.Close(); err != nil {
			t.Error(err)
		}
		cancel()
	}
}

func FuzzReader(f *testing.F) {
	data := text(2000)
	for name, form := range forms() {
		if name != "zstd long" && name != "lzma 9" { // their dictionaries take long to make
			f.Add(packed(f, data, form.cmd[0], form.cmd[1:]...))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		const limit = 1 << 20
		got, _, err := plain(t, bytes.NewReader(data), limit)
		if len(got) > limit {
			t.Errorf("%d bytes, %v", len(got), err)
		}
	})
}

// What is decoded is what xz was given.
func FuzzXz(f *testing.F) {
	f.Add(text(2000), uint16(100), []byte{})
	f.Add(text(70000), uint16(4096), []byte{1, 2})
	f.Fuzz(func(t *testing.T, data []byte, block uint16, damage []byte) {
		threads := []string{"-T1", "-T2"}[block%2] // only with -T2 blocks tell their sizes
		good := packed(t, data, "xz", threads, "-0", fmt.Sprintf("--block-size=%d", max(block, 4096)), "-c")
		const magic = 6 // what begins otherwise is not told to be xz
		for i := 0; i+1 < len(damage) && i < 4; i += 2 {
			good[magic+int(damage[i])*(len(good)-magic)/256] ^= damage[i+1]
		}
		got, _, err := plain(t, bytes.NewReader(good), 0)
		if err == nil && !bytes.Equal(got, data) {
			t.Error("other bytes and no error")
		}
		if len(damage) == 0 && err != nil {
			t.Error(err)
		}
	})
}

// A bomb is stopped by its ratio.
func TestCheckRatio(t *testing.T) {
	const packed = freeSize / maxRatio
	if err := CheckRatio(packed, freeSize+freeSize/2); !errors.Is(err, ErrTooLarge) {
		t.Errorf("got %v", err)
	}
	for _, plain := range []int64{0, freeSize} {
		if err := CheckRatio(packed, plain); err != nil {
			t.Errorf("%d bytes: %v", plain, err)
		}
	}
	g := &guarded{r: strings.NewReader("x"), packed: &atomic.Int64{}, plain: freeSize + maxRatio}
	if _, err := io.ReadAll(g); !errors.Is(err, ErrTooLarge) {
		t.Errorf("while reading: %v", err)
	}
}
