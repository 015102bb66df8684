package certificates

import (
	"bytes"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"smith/internal/tree"
)

// keytool reads what Keystore writes, with its digest, and gives back the same
// certificates.
func TestKeystoreAsKeytool(t *testing.T) {
	keytool := need(t, "keytool")
	want := map[string][]byte{}
	for i, alias := range []string{"debian:one.pem", "two", "főtanúsítvány"} {
		want[alias] = single(certificate(t, name(strings.Repeat("x", i+1))))
	}
	file := filepath.Join(t.TempDir(), "cacerts")
	if err := os.WriteFile(file, Keystore(want), 0o644); err != nil {
		t.Fatal(err)
	}
	list, err := exec.Command(keytool, "-J-Dfile.encoding=UTF-8", "-J-Dstdout.encoding=UTF-8", "-J-Duser.language=en",
		"-list", "-rfc", "-storetype", "JKS", "-keystore", file, "-storepass", keystorePassword).Output()
	if err != nil {
		t.Fatalf("keytool: %v: %s", err, list)
	}
	got := map[string][]byte{}
	for _, part := range strings.Split(string(list), "Alias name: ")[1:] {
		alias, rest, _ := strings.Cut(part, "\n")
		if block, _ := pem.Decode([]byte(rest)); block != nil {
			got[strings.TrimSpace(alias)] = block.Bytes
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-made +keytool):\n%s\n%s", d, list)
	}
}

// The keystore is made where Debian's hook asks for it, of those files that
// hold one certificate.
func TestKeystoreOfDebian(t *testing.T) {
	one := certificate(t, name("one"))
	source := tree.New()
	insert := func(path string, data []byte) {
		if err := source.Insert(path, tree.NewFile(data, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	insert(authorities+"/mozilla/One.crt", one)
	insert(authorities+"/mozilla/odd.crt", []byte("no certificate\n"))
	if _, there := files(t, source)["java/cacerts"]; there {
		t.Error("a keystore that nothing asks for")
	}
	insert(keystoreHook, []byte("#!/bin/sh\n"))
	want := string(Keystore(map[string][]byte{"debian:one.pem": single(one)}))
	if got := files(t, source)["java/cacerts"]; got != want {
		t.Errorf("the keystore is %q, not %q", got, want)
	}
}

func TestAppendUTF(t *testing.T) {
	for text, want := range map[string]string{
		"a\x00é€": "\x00\x08a\xc0\x80\xc3\xa9\xe2\x82\xac",
		"😀":       "\x00\x06\xed\xa0\xbd\xed\xb8\x80",
		"":        "\x00\x00",
	} {
		if got := appendUTF(nil, text); !bytes.Equal(got, []byte(want)) {
			t.Errorf("%q is written as %q, not %q", text, got, want)
		}
	}
	if got := appendUTF(nil, strings.Repeat("€", 1<<16)); len(got) > 2+1<<16 {
		t.Errorf("a text too long takes %d bytes", len(got))
	}
}
