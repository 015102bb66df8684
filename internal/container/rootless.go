package container

import (
	"bufio"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// rootless lets an unprivileged user run the container: a user namespace in
// which root is that user, mapped as returned. Where the machine gives the user further ids
// (subuid(5), newuidmap(1)), those of the image are among them; else the
// program runs as the namespace's root, which is no more than the user
// outside of it.
func rootless(p *process) (uids, gids []specs.LinuxIDMapping) {
	self := os.Geteuid()
	uids = []specs.LinuxIDMapping{{ContainerID: 0, HostID: uint32(self), Size: 1}}
	gids = []specs.LinuxIDMapping{{ContainerID: 0, HostID: uint32(os.Getegid()), Size: 1}}
	moreUIDs, moreGIDs := furtherIDs("/etc/subuid", "newuidmap", self), furtherIDs("/etc/subgid", "newgidmap", self)
	if moreUIDs.Size > 0 && moreUIDs.Size >= p.uid && moreGIDs.Size >= p.gid {
		return append(uids, moreUIDs), append(gids, moreGIDs)
	}
	p.uid, p.gid = 0, 0
	return uids, gids
}

// furtherIDs returns the first range of ids that a file gives to a user, mapped
// from 1 on, and an empty one where there is none or nothing to map it with.
func furtherIDs(file, helper string, uid int) specs.LinuxIDMapping {
	none := specs.LinuxIDMapping{}
	f, err := os.Open(file)
	if err != nil {
		return none
	}
	defer f.Close()
	if _, err := exec.LookPath(helper); err != nil {
		return none
	}
	number := strconv.Itoa(uid)
	name := number
	if u, err := user.LookupId(number); err == nil {
		name = u.Username
	}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Split(strings.TrimSpace(lines.Text()), ":")
		if len(fields) != 3 || (fields[0] != name && fields[0] != number) {
			continue
		}
		first, err := strconv.ParseUint(fields[1], 10, 32)
		if err != nil {
			continue
		}
		if size, err := strconv.ParseUint(fields[2], 10, 32); err == nil {
			return specs.LinuxIDMapping{ContainerID: 1, HostID: uint32(first), Size: uint32(size)}
		}
	}
	return none
}
