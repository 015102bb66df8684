#!/bin/sh
# Builds the image of this folder, shows what it holds and why, and runs it
# with the first container tool that is there.
# usage: demo.sh SMITH FOLDER    (FOLDER takes the image)
set -eu

smith=$(realpath "$1")
mkdir -p "$2"
image=$(realpath "$2")/hello.tar.gz
example=$(cd "$(dirname "$0")" && pwd)
greeting=$(cat "$example/rootfs/read/data")
PATH=$PATH:/usr/sbin:/sbin

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' INT TERM

show() {
	printf '\n$ smith %s\n' "$*"
	"$smith" "$@"
}

show build -d "$example" -i "$image"
show ls "$image"
# A library that the program needs and nobody asked for.
libc=$("$smith" ls "$image" | sed -n 's|.* \(usr/lib/.*/libc\.[^ ]*\)$|/\1|p' | head -n 1)
[ -z "$libc" ] || show why "$image" "$libc"
show inspect "$image"
printf '\nThe size of the archive: %s bytes\n' "$(wc -c <"$image")"

# try NAME PROGRAM ARGS: whether the program prints the greeting.
try() {
	name=$1
	shift
	if said=$("$@" 2>"$scratch/error") && [ "$said" = "$greeting" ]; then
		printf '\n%s runs it, read-only and without a network:\n\n    %s\n\n' "$name" "$said"
		exit 0
	fi
	printf '\n%s is here but does not run containers on this machine: %s\n' "$name" "$(tail -n 1 "$scratch/error")"
}

# Storage of its own, so that the demo leaves nothing behind; limits that a
# small machine can set.
try_podman() {
	try "podman with $1" podman --root "$scratch/root" --runroot "$scratch/run" --tmpdir "$scratch/tmp" \
		--storage-driver=vfs --cgroup-manager=cgroupfs --events-backend=file --runtime="$1" \
		run --rm --network=none --read-only --ulimit=nofile=1024:1024 --ulimit=nproc=1024:1024 \
		"oci-archive:$image"
}

try_docker() {
	docker load --quiet --input "$image" >/dev/null
	try docker docker run --rm --network=none --read-only hello
}

# A runtime alone wants the files unpacked and a config.json.
try_runtime() {
	bundle=$scratch/$1
	mkdir -p "$bundle/rootfs" "$bundle/archive"
	tar -xzf "$image" -C "$bundle/archive"
	for layer in $(grep -o '"Layers":\[[^]]*' "$bundle/archive/manifest.json" | grep -o 'blobs/[a-z0-9/]*'); do
		tar -xzf "$bundle/archive/$layer" -C "$bundle/rootfs" --no-same-owner
	done
	rootless=""
	[ "$(id -u)" -eq 0 ] || rootless=--rootless
	# shellcheck disable=SC2086 # an option or none
	(cd "$bundle" && "$1" spec $rootless)
	sed -e 's/"terminal": true/"terminal": false/' -e 's|^\([[:space:]]*\)"sh"$|\1"/bin/cat", "/read/data"|' \
		"$bundle/config.json" >"$bundle/config.new"
	mv "$bundle/config.new" "$bundle/config.json"
	try "$1" "$1" --root "$bundle/state" run --bundle "$bundle" "smith-demo-$$"
}

has() { command -v "$1" >/dev/null; }

found=""
if has podman && has crun; then found=podman; try_podman crun; fi
if has podman && has runc; then found=podman; try_podman runc; fi
if has docker && docker info >/dev/null 2>&1; then found=docker; try_docker; fi
for runtime in crun runc; do
	if has "$runtime"; then
		found=$runtime
		try_runtime "$runtime"
	fi
done
if [ -z "$found" ]; then
	printf '\nNeither podman, docker, crun nor runc is here to run it. Where one is:\n\n'
	printf '    podman run --rm --read-only oci-archive:%s\n\n' "$image"
fi
