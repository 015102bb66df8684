package lzma

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
)

// program returns bytes that compress as programs do: texts and numbers that
// come again, near and far, with some noise.
func program(size int) []byte {
	random := rand.New(rand.NewPCG(1, 2))
	var b bytes.Buffer
	for b.Len() < size {
		switch random.IntN(4) {
		case 0:
			fmt.Fprintf(&b, "line %d of %x\n", b.Len(), random.Uint32N(1<<16))
		case 1:
			b.Write(bytes.Repeat([]byte{byte(random.IntN(4))}, random.IntN(300)))
		case 2:
			for range random.IntN(60) {
				b.WriteByte(byte(random.Uint32()))
			}
		case 3:
			if b.Len() > 0 {
				at := random.IntN(b.Len())
				b.Write(bytes.Clone(b.Bytes()[at:min(b.Len(), at+random.IntN(1000))]))
			}
		}
	}
	return b.Bytes()[:size]
}

// compressed compresses to bare LZMA2, with settings of xz(1).
func compressed(t testing.TB, data []byte, settings string) []byte {
	t.Helper()
	if _, err := exec.LookPath("xz"); err != nil {
		t.Skip("xz is not installed")
	}
	cmd := exec.Command("xz", "--format=raw", "--lzma2="+settings, "-c")
	cmd.Stdin = bytes.NewReader(data)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// decode decodes in both ways, which must agree.
func decode(t testing.TB, data []byte, size int, dictionary int64) ([]byte, error) {
	t.Helper()
	whole := make([]byte, size)
	from := bytes.NewReader(data)
	wholeErr := new(Decoder).Decode(whole, from, dictionary)
	streamed := bytes.NewReader(data)
	got, err := io.ReadAll(iotest.HalfReader(NewReader(streamed, dictionary)))
	if wholeErr == nil && (err != nil || !bytes.Equal(got, whole) || from.Len() != streamed.Len()) {
		t.Errorf("as a whole it is %d bytes; as a stream %d bytes, %v", size, len(got), err)
	}
	if err == nil && len(got) == size && wholeErr != nil {
		t.Errorf("as a stream it is %d bytes; as a whole %v", size, wholeErr)
	}
	return got, err
}

func TestDecode(t *testing.T) {
	random := make([]byte, 200_000)
	rand.NewChaCha8([32]byte{}).Read(random)
	for name, data := range map[string][]byte{
		"nothing": nil, "a byte": {7}, "program": program(100_000), "large": program(3 << 20),
		"does not compress": random, "some of it": append(program(100_000), random...),
		"one byte": bytes.Repeat([]byte{1}, 1<<19),
	} {
		for settings, dictionary := range map[string]int64{
			"preset=0": 256 << 10, "preset=6": 8 << 20, "preset=1,dict=4096": 4096, "preset=1,dict=100000": 100_000,
			"preset=1,lc=0,lp=4,pb=4,dict=1MiB": 1 << 20, "preset=1,lc=4,lp=0,pb=0,dict=1MiB": 1 << 20, "preset=1,lc=1,lp=2,pb=1,dict=1MiB": 1 << 20,
		} {
			if len(data) > 1<<20 && strings.Contains(settings, "lc=") {
				continue // the numbers of bits have nothing to do with the size
			}
			t.Run(name+" "+settings, func(t *testing.T) {
				in := append(compressed(t, data, settings), "rest"...)
				got, err := decode(t, in, len(data), dictionary)
				if err != nil || !bytes.Equal(got, data) {
					t.Errorf("got %d bytes of %d, %v", len(got), len(data), err)
				}
				from := bytes.NewReader(in)
				if _, err := io.Copy(io.Discard, NewReader(from, dictionary)); err != nil || from.Len() != 4 {
					t.Errorf("%d bytes are left after the end mark, %v", from.Len(), err)
				}
			})
		}
	}
}

// A decoder can be used again, and does not remember.
func TestDecodeAgain(t *testing.T) {
	data := program(100_000)
	in := compressed(t, data, "preset=1")
	var d Decoder
	got := make([]byte, len(data))
	for _, cut := range []int{len(in), len(in) / 2, len(in)} {
		err := d.Decode(got, bytes.NewReader(in[:cut]), 1<<20)
		if want := cut < len(in); errors.Is(err, io.ErrUnexpectedEOF) != want {
			t.Errorf("%d of %d bytes: %v", cut, len(in), err)
		}
	}
	if !bytes.Equal(got, data) {
		t.Error("other bytes")
	}
	for _, size := range []int{len(data) - 1, len(data) + 1} {
		if err := d.Decode(make([]byte, size), bytes.NewReader(in), 1<<20); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%d bytes into %d: %v", len(data), size, err)
		}
	}
}

// A match that reaches further back than the dictionary is refused, whatever
// of that is still in memory.
func TestDictionaryBounds(t *testing.T) {
	block := make([]byte, 10_000)
	rand.NewChaCha8([32]byte{}).Read(block)
	in := compressed(t, append(bytes.Clone(block), block...), "preset=1")
	if _, err := decode(t, in, 2*len(block), 9_999); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a match of 10000 in a dictionary of 9999: %v", err)
	}
	if _, err := decode(t, in, 2*len(block), 10_000); err != nil {
		t.Error(err)
	}
}

func TestCorrupt(t *testing.T) {
	for name, in := range map[string]string{
		"no reset of the dictionary": "\x02\x00\x00a\x00",
		"no properties":              "\x01\x00\x00a\xa0\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00",
		"unknown control byte":       "\x01\x00\x00a\x03\x00\x00a\x00",
		"properties out of range":    "\xe0\x00\x00\x00\x04\xff\x00\x00\x00\x00\x00\x00",
		"too many literal bits":      "\xe0\x00\x00\x00\x04\x0d\x00\x00\x00\x00\x00\x00",
		"coder that begins with 1":   "\xe0\x00\x00\x00\x04\x5d\x01\x00\x00\x00\x00\x00",
		"coder that is too short":    "\xe0\x00\x00\x00\x03\x5d\x00\x00\x00\x00\x00",
		"a match with nothing":       "\xe0\x00\x01\x00\x07\x5d\x00\xff\xff\xff\xfe\xff\xff\xff\x00",
	} {
		if got, err := decode(t, []byte(in), 1, 1<<20); !errors.Is(err, ErrCorrupt) || err.Error() != "the data are corrupt" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if got, err := decode(t, []byte("\x01\x00\x00a\x00"), 1, 1<<20); err != nil || string(got) != "a" {
		t.Errorf("one plain byte: %q, %v", got, err)
	}
}

// Damage never does more than give other bytes; that a stream ends early is
// told.
func TestDamage(t *testing.T) {
	data := program(50_000)
	good := compressed(t, data, "preset=1,dict=4096")
	for i := range 300 {
		bad := bytes.Clone(good)
		bad[i*len(bad)/300] ^= byte(1 << (i % 8))
		if got, err := decode(t, bad, len(data), 4096); len(got) > 1<<22 {
			t.Errorf("%d bytes, %v", len(got), err)
		}
		if _, err := decode(t, good[:i*len(good)/300], len(data), 4096); !errors.Is(err, io.ErrUnexpectedEOF) || err.Error() != "cannot read on: unexpected EOF" {
			t.Errorf("cut: %v", err)
		}
	}
}

func TestDictionarySize(t *testing.T) {
	for property, want := range map[byte]int64{0: 4 << 10, 1: 6 << 10, 2: 8 << 10, 22: 8 << 20, 39: 3 << 30, 40: 1<<32 - 1} {
		if got, err := DictionarySize(property); got != want || err != nil {
			t.Errorf("%d: %d, %v; want %d", property, got, err, want)
		}
	}
	if _, err := DictionarySize(41); !errors.Is(err, ErrCorrupt) {
		t.Errorf("41: %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	for i, settings := range []string{"preset=0", "preset=1,dict=4096,lc=0,lp=4,pb=4", "preset=6"} {
		data := program(20_000 * (i + 1))
		f.Add(compressed(f, data, settings), uint32(len(data)))
	}
	f.Add([]byte("\x01\x00\x00a\x02\x00\x01bc\x00"), uint32(3))
	f.Fuzz(func(t *testing.T, data []byte, size uint32) {
		if _, err := decode(t, data, int(size%(1<<20)), 4096); err != nil {
			return
		}
	})
}

// What is decoded is what xz was given.
func FuzzRoundTrip(f *testing.F) {
	f.Add(program(3000), uint8(12), uint8(93))
	f.Add(program(30000), uint8(13), uint8(0))
	f.Fuzz(func(t *testing.T, data []byte, dictionary, bits uint8) {
		lc, lp, pb := int(bits)%5, int(bits)/5%5, int(bits)/25%5
		dict := 1 << (12 + dictionary%8)
		settings := "preset=1,dict=" + strconv.Itoa(dict) + fmt.Sprintf(",lc=%d,lp=%d,pb=%d", lc, min(lp, 4-lc), pb)
		got, err := decode(t, compressed(t, data, settings), len(data), int64(dict))
		if err != nil || !bytes.Equal(got, data) {
			t.Errorf("%s: got %d bytes of %d, %v", settings, len(got), len(data), err)
		}
	})
}
