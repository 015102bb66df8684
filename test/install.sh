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
umoci:umoci
mmdebstrap:mmdebstrap
pigz:pigz
patchelf:patchelf
chromium:chromium
jq:jq
cmp:diffutils
file:file
unshare:util-linux
"

PATH=$PATH:/usr/sbin:/sbin
apt=$(command -v apt-get || true)

missing=""
for entry in $programs; do
	if ! command -v "${entry%%:*}" >/dev/null; then
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
