#!/bin/sh
# Installs, with apt, the programs that the tests need and this machine lacks,
# and says which. Where there is no apt it says what is missing and goes on:
# the tests that need those programs are then skipped (with CI=true they fail).
set -eu

# PROGRAM:PACKAGE; where releases of Debian differ, PACKAGE/PACKAGE, and the
# first that apt knows is taken.
programs="
gcc:gcc
runc:runc
crun:crun
podman:podman
dockerd:docker.io
docker:docker-cli/docker.io
skopeo:skopeo
docker-registry:docker-registry
umoci:umoci
mmdebstrap:mmdebstrap
pigz:pigz
patchelf:patchelf
setcap:libcap2-bin
chromium:chromium
dwz:dwz
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

# FILE:PACKAGE, for what is no program: the linkers of other architectures, and
# musl's, which judge the model of them.
files="
/usr/i686-linux-gnu/lib/ld-linux.so.2:libc6-i386-cross
/usr/aarch64-linux-gnu/lib/ld-linux-aarch64.so.1:libc6-arm64-cross
/usr/arm-linux-gnueabihf/lib/ld-linux-armhf.so.3:libc6-armhf-cross
/usr/arm-linux-gnueabi/lib/ld-linux.so.3:libc6-armel-cross
/usr/riscv64-linux-gnu/lib/ld-linux-riscv64-lp64d.so.1:libc6-riscv64-cross
/usr/powerpc64le-linux-gnu/lib/ld64.so.2:libc6-ppc64el-cross
/usr/s390x-linux-gnu/lib/ld64.so.1:libc6-s390x-cross
/lib/ld-musl-x86_64.so.1:musl
"

PATH=$PATH:/usr/sbin:/sbin
apt=$(command -v apt-get || true)

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

if [ -z "$missing" ]; then
	echo "tests: every tool is there"
	exit 0
fi
if [ -z "$apt" ]; then
	echo "tests: no apt here, so these are not installed, and the tests that need them are skipped:$missing"
	exit 0
fi

root=""
if [ "$(id -u)" -ne 0 ]; then
	if ! command -v sudo >/dev/null; then
		echo "tests: neither root nor sudo, so these are not installed, and the tests that need them are skipped:$missing"
		exit 0
	fi
	root="sudo"
fi

$root apt-get update -qq
packages=""
for choice in $missing; do
	for package in $(echo "$choice" | tr / ' '); do
		if apt-cache show "$package" >/dev/null 2>&1; then
			packages="$packages $package"
			break
		fi
	done
done
if [ -z "$packages" ]; then
	echo "tests: apt knows none of these, and the tests that need them are skipped:$missing"
	exit 0
fi
echo "tests: installing$packages"
# shellcheck disable=SC2086 # names, split on purpose
$root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages </dev/null
