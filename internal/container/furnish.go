package container

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// hostname is the container's.
const hostname = "smith"

// mostHostFile bounds what is read of /etc/hosts and /etc/resolv.conf of this
// machine.
const mostHostFile = 64 << 10

const localHosts = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n127.0.1.1\t" + hostname + "\n"

// furnish writes into the unpacked root what a container engine provides: who
// is who on the network, and the machine's resolvers where the program may use
// its network. They replace those of the image, which are of the machine that
// built it.
func furnish(root *os.Root, network bool) error {
	files := map[string]string{
		"hosts": localHosts, "hostname": hostname + "\n",
		"resolv.conf": "# smith run gives the program no network; --network does.\n",
	}
	if network {
		files["hosts"] = localHosts + hostFile("/etc/hosts")
		files["resolv.conf"] = hostFile("/etc/resolv.conf")
	}
	if err := makeMountPoint(root, "/etc"); err != nil {
		return err
	}
	for name, text := range files {
		name = "etc/" + name
		if info, err := root.Lstat(name); err == nil && info.IsDir() {
			return fmt.Errorf("cannot run the image: /%s is a directory, and must be a file", name)
		}
		err := root.Remove(name) // it may be a link
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		if err == nil {
			err = root.WriteFile(name, []byte(text), 0o644)
		}
		if err == nil {
			err = root.Chmod(name, 0o644) // whatever the umask
		}
		if err != nil {
			return fmt.Errorf("cannot write /%s for the container: %w", name, err)
		}
	}
	return nil
}

// hostFile reads a file of this machine, which may have none.
func hostFile(name string) string {
	f, err := os.Open(name)
	if err != nil {
		return ""
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, mostHostFile))
	if err != nil {
		return ""
	}
	return string(data)
}
