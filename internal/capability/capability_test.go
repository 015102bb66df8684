package capability

import (
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestSetOf(t *testing.T) {
	for _, name := range []string{"net_raw", "cap_net_raw", "NET_RAW", "CAP_NET_RAW"} {
		if s, err := SetOf(name); err != nil || s != 1<<13 {
			t.Errorf("%s: %x, %v", name, s, err)
		}
	}
	s, err := SetOf("checkpoint_restore", "chown")
	if got := s.Names(); err != nil || !slices.Equal(got, []string{"chown", "checkpoint_restore"}) {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := SetOf("chown", "CAP_NET_RWA"); err == nil || err.Error() != `"CAP_NET_RWA" is no capability; did you mean net_raw?` {
		t.Errorf("an unknown name: %v", err)
	}
	if got := Set(1 << 50).Names(); !slices.Equal(got, []string{"50"}) {
		t.Errorf("a capability of the future: %v", got)
	}
}

// The bytes are those of vfs_cap_data, whatever machine makes them.
func TestGranted(t *testing.T) {
	s, _ := SetOf("net_raw", "bpf")
	const want = "0100000200200000000000008000000000000000"
	if got := hex.EncodeToString([]byte(Granted(s))); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	f, err := Read(Granted(s))
	if err != nil || f.Permitted != s || f.Inheritable != 0 || !f.Effective || f.Root != 0 {
		t.Errorf("read again: %+v, %v", f, err)
	}
}

func TestText(t *testing.T) {
	for attribute, want := range map[string]string{
		"0100000200200000000000000000000000000000":         "cap_net_raw=ep",
		"0100000200240000000000000000000000000000":         "cap_net_bind_service,cap_net_raw=ep",
		"0000000201000000020000000000000000000000":         "cap_chown=p cap_dac_override=i",
		"010000010020000000000000":                         "cap_net_raw=ep",
		"010000030020000000000000000000000000000010270000": "cap_net_raw=ep [rootid=10000]",
		"0000000200000000000000000000000000000000":         "=",
		"":                         "capabilities not in a form that the kernel knows",
		"010000020020000000000000": "capabilities not in a form that the kernel knows",
		"0100000400200000000000000000000000000000": "capabilities not in a form that the kernel knows",
	} {
		data, err := hex.DecodeString(attribute)
		if err != nil {
			t.Fatal(err)
		}
		if got := Text(string(data)); got != want {
			t.Errorf("%s: %q, want %q", attribute, got, want)
		}
	}
	if _, err := Read(strings.Repeat("x", 28)); !errors.Is(err, ErrForm) {
		t.Errorf("too long: %v", err)
	}
}

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"cap_net_raw+ep":             "cap_net_raw=ep",
		"= cap_setgid,cap_setuid+ep": "cap_setgid,cap_setuid=ep",
		"=":                          "=",
		"":                           "=",
		"cap_net_raw=eip cap_net_raw-i cap_chown+p": "cap_chown,cap_net_raw=ep", // one flag e for all
		"all=p cap_kill-p":                          Text(File{Permitted: 1<<41 - 1 - 1<<5}.Attribute()),
		"net_raw":                                   `"net_raw": it does not say what becomes of the capabilities`,
		"cap_net_raw+x":                             `"cap_net_raw+x": 'x' is no flag of a capability`,
		"cap_net_row=p":                             `"cap_net_row" is no capability; did you mean net_raw?`,
	} {
		f, err := Parse(text)
		got := Text(f.Attribute())
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("= cap_net_raw+ep all-i")
	f.Fuzz(func(t *testing.T, text string) {
		file, err := Parse(text)
		if err != nil {
			return
		}
		if again, err := Read(file.Attribute()); err != nil || again != file {
			t.Errorf("%q: %+v is read as %+v, %v", text, file, again, err)
		}
	})
}

func FuzzRead(f *testing.F) {
	f.Add(Granted(1 << 13))
	f.Add("\x01\x00\x00\x03aaaabbbbccccddddeeee")
	f.Fuzz(func(t *testing.T, attribute string) {
		if file, err := Read(attribute); err == nil && (len(attribute) > 24 || Text(attribute) == "") {
			t.Errorf("%q: %+v", attribute, file)
		}
	})
}
