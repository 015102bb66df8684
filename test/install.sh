#!/bin/sh
# Installs, with apt, the programs that the tests need and this machine lacks,
# and says which and how much it is before it starts. Packages whose
# installation would start a service are not installed: their files are
# unpacked into DIRECTORY, which the Makefile puts in the tests' PATH. Without
# apt it prints what is missing and goes on: the tests that need those programs
# are skipped (with CI=true they fail).
# usage: install.sh DIRECTORY
set -eu

unpacked=${1:?usage: install.sh DIRECTORY}

# PROGRAM:PACKAGE; where releases of Debian differ, PACKAGE/PACKAGE, and the
# first that apt knows is taken.
programs="
gcc:gcc
runc:runc
crun:crun
podman:podman
skopeo:skopeo
umoci:umoci
mmdebstrap:mmdebstrap
pigz:pigz
patchelf:patchelf
setcap:libcap2-bin
chromium:chromium
gdb:gdb
eu-strip:elfutils
rpm:rpm
rpm2cpio:rpm2cpio
cpio:cpio
gpg:gnupg
createrepo_c:createrepo-c
dnf:dnf
sqlite3:sqlite3
trust:p11-kit
apt-ftparchive:apt-utils
dpkg-scanpackages:dpkg-dev
zstd:zstd
bzip2:bzip2
xz:xz-utils
ar:binutils
find-debuginfo:debugedit
dwz:dwz
update-ca-certificates:ca-certificates
jq:jq
ssh-keygen:openssh-client
openssl:openssl
git:git
dot:graphviz
cmp:diffutils
file:file
unshare:util-linux
qemu-aarch64-static:qemu-user-static
ldconfig:libc-bin
"

# The same for packages that bring a service.
services="
dockerd:docker.io
containerd:containerd
docker:docker-cli/docker.io
docker-registry:docker-registry
"

# FILE:PACKAGE, for what is not a program: libsolv's bindings, which judge the
# choice of packages; the linkers of other architectures, and musl's, which judge
# the model of them.
files="
/usr/lib/python3/dist-packages/solv.py:python3-solv
/usr/i686-linux-gnu/lib/ld-linux.so.2:libc6-i386-cross
/usr/aarch64-linux-gnu/lib/ld-linux-aarch64.so.1:libc6-arm64-cross
/usr/arm-linux-gnueabihf/lib/ld-linux-armhf.so.3:libc6-armhf-cross
/usr/arm-linux-gnueabi/lib/ld-linux.so.3:libc6-armel-cross
/usr/riscv64-linux-gnu/lib/ld-linux-riscv64-lp64d.so.1:libc6-riscv64-cross
/usr/powerpc64le-linux-gnu/lib/ld64.so.2:libc6-ppc64el-cross
/usr/s390x-linux-gnu/lib/ld64.so.1:libc6-s390x-cross
/lib/ld-musl-x86_64.so.1:musl
"

PATH=$PATH:/usr/sbin:/sbin:$unpacked/usr/bin:$unpacked/usr/sbin

missing=""
for entry in $programs; do
	if ! command -v "${entry%%:*}" >/dev/null; then
		missing="$missing ${entry#*:}"
	fi
done
for entry in $files; do
	if [ ! -e "${entry%%:*}" ]; then
		missing="$missing ${entry#*:}"
	fi
done
# The race detector links with libc; gcc only recommends its headers.
if [ ! -e /usr/include/stdlib.h ]; then
	missing="$missing libc6-dev"
fi
absent=""
for entry in $services; do
	if ! command -v "${entry%%:*}" >/dev/null; then
		absent="$absent ${entry#*:}"
	fi
done
# What dockerd needs, and its package would bring.
if [ -n "$absent" ]; then
	command -v iptables >/dev/null || missing="$missing iptables"
	ldconfig -p 2>/dev/null | grep -q libdevmapper || missing="$missing libdevmapper1.02.1/libdevmapper1.02.1t64"
fi

if [ -z "$missing$absent" ]; then
	echo "tests: all tools are installed"
	exit 0
fi
if ! command -v apt-get >/dev/null; then
	echo "tests: apt-get was not found, so these are not installed, and the tests that need them are skipped:$missing$absent"
	exit 0
fi

root=""
if [ "$(id -u)" -ne 0 ]; then
	if ! command -v sudo >/dev/null; then
		echo "tests: neither root nor sudo, so these are not installed, and the tests that need them are skipped:$missing$absent"
		exit 0
	fi
	root="sudo"
fi

# known CHOICE…: of each choice the first package that apt knows.
known() {
	for choice; do
		for package in $(echo "$choice" | tr / ' '); do
			if apt-cache show "$package" >/dev/null 2>&1; then
				echo "$package"
				break
			fi
		done
	done
}

echo "tests: reading apt's package lists"
$root apt-get update -qq
# shellcheck disable=SC2086 # names, split on purpose
packages=$(known $missing) services=$(known $absent | sort -u)
if [ -n "$packages" ]; then
	# shellcheck disable=SC2086
	echo "tests: installing" $packages
	# shellcheck disable=SC2086
	$root apt-get install --no-install-recommends --assume-no $packages 2>/dev/null </dev/null | grep -E '^(Need to get|After this)' | sed 's/^/tests: /' || true
	# shellcheck disable=SC2086
	$root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages </dev/null
fi
if [ -n "$services" ]; then
	# shellcheck disable=SC2086
	echo "tests: unpacking into $unpacked, without installing:" $services
	mkdir -p "$unpacked"
	for package in $services; do
		(cd "$unpacked" && apt-get -o APT::Sandbox::User=root download -qq "$package" && dpkg-deb -x "$package"_*.deb . && rm "$package"_*.deb)
	done
fi
