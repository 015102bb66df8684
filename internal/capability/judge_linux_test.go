package capability

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// setcap writes what Granted returns, and getcap reads it as Text does, for
// every capability that they know.
func TestJudge(t *testing.T) {
	for _, tool := range []string{"setcap", "getcap"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(tool + " is not installed")
		}
	}
	if os.Getuid() != 0 {
		t.Skip("only root may write capabilities")
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	for i, name := range Names() {
		if out, err := exec.Command("setcap", "cap_"+name+"=ep", file).CombinedOutput(); err != nil {
			t.Skipf("setcap cap_%s: %v: %s", name, err, out)
		}
		data := make([]byte, 100)
		n, err := unix.Getxattr(file, Attribute, data)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := string(data[:n]), Granted(1<<i); got != want {
			t.Errorf("%s: %x, want %x", name, want, got)
		}
		out, err := exec.Command("getcap", file).Output()
		if want := file + " " + Text(string(data[:n])) + "\n"; err != nil || string(out) != want {
			t.Errorf("getcap says %q, want %q; %v", out, want, err)
		}
	}
}

// setcap writes what is parsed.
func TestParseAsSetcap(t *testing.T) {
	if _, err := exec.LookPath("setcap"); err != nil {
		t.Skip("setcap is not installed")
	}
	if os.Getuid() != 0 {
		t.Skip("only root may write capabilities")
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"cap_net_raw+ep", "= cap_setgid,cap_setuid+ep", "cap_kill=p cap_chown+i", "cap_net_raw=eip cap_net_raw-i", "cap_chown,cap_kill=eip cap_kill-eip"} {
		if out, err := exec.Command("setcap", text, file).CombinedOutput(); err != nil {
			t.Fatalf("setcap %s: %v: %s", text, err, out)
		}
		data := make([]byte, 100)
		n, err := unix.Getxattr(file, Attribute, data)
		if err != nil {
			t.Fatal(err)
		}
		f, err := Parse(text)
		if got := f.Attribute(); err != nil || got != string(data[:n]) {
			t.Errorf("%s: %x, setcap writes %x; %v", text, got, data[:n], err)
		}
	}
}
