package loader

import (
	"debug/elf"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	own "smith/internal/elf"
)

// An abi is what the linkers of one architecture have in common. The paths of
// the linkers are those of the platforms' ABI supplements.
type abi struct {
	linker   string   // glibc's
	musl     string   // the name in ld-musl-NAME.so.1
	folders  []string // glibc's, as Debian or an RPM distribution builds it
	platform string   // AT_PLATFORM on the architecture's baseline
	caps     []string // hwcaps with a folder of their own before glibc 2.37, on the baseline
	levels   []string // glibc-hwcaps folders, best first
	flags    uint32   // of the architecture's entries in ld.so.cache
	unmarked bool     // entries of no ABI are taken too
}

// typeLibc6 is what every entry of ld.so.cache is marked with: a library for
// glibc 2. The ABI stands in the byte above.
const typeLibc6 = 3

var (
	levelsX86   = []string{"x86-64-v4", "x86-64-v3", "x86-64-v2"}
	levelsPower = []string{"power10", "power9"}
	levelsZ     = []string{"z17", "z16", "z15", "z14", "z13"}
)

// abiOf returns the ABI of a file. For one that is not known, the zero value's
// empty fields keep a search from finding anything but by RPATH and the like.
func abiOf(f *own.File) abi {
	arch, variant := f.Platform()
	switch arch + variant {
	case "amd64":
		return abi{"/lib64/ld-linux-x86-64.so.2", "x86_64", folders("x86_64-linux-gnu", "lib64"), "x86_64", []string{"x86_64"}, levelsX86, 0x300 | typeLibc6, false}
	case "386":
		return abi{"/lib/ld-linux.so.2", "i386", folders("i386-linux-gnu", "lib"), "i686", []string{"sse2"}, nil, typeLibc6, true}
	case "arm64":
		return abi{"/lib/ld-linux-aarch64.so.1", "aarch64", folders("aarch64-linux-gnu", "lib64"), "aarch64", nil, nil, 0xa00 | typeLibc6, false}
	case "armv7":
		return abi{"/lib/ld-linux-armhf.so.3", "armhf", folders("arm-linux-gnueabihf", "lib"), "v7l", []string{"vfp"}, nil, 0x900 | typeLibc6, true}
	case "armv5":
		return abi{"/lib/ld-linux.so.3", "arm", folders("arm-linux-gnueabi", "lib"), "v5l", nil, nil, 0xb00 | typeLibc6, true}
	case "riscv64":
		return abi{"/lib/ld-linux-riscv64-lp64d.so.1", "riscv64", folders("riscv64-linux-gnu", "lib64/lp64d"), "", nil, nil, 0x1000 | typeLibc6, false}
	case "ppc64le":
		return abi{"/lib64/ld64.so.2", "powerpc64le", folders("powerpc64le-linux-gnu", "lib64"), "power8", []string{"altivec", "dfp"}, levelsPower, 0x500 | typeLibc6, false}
	case "ppc64":
		return abi{"/lib64/ld64.so.1", "powerpc64", folders("powerpc64-linux-gnu", "lib64"), "power4", nil, nil, 0x500 | typeLibc6, false}
	case "s390x":
		return abi{"/lib/ld64.so.1", "s390x", folders("s390x-linux-gnu", "lib64"), "z900", []string{"zarch"}, levelsZ, 0x400 | typeLibc6, false}
	case "loong64":
		return abi{"/lib64/ld-linux-loongarch-lp64d.so.1", "loongarch64", folders("loongarch64-linux-gnu", "lib64"), "loongarch", nil, nil, 0x1200 | typeLibc6, false}
	}
	return abi{}
}

// folders returns the built-in folders of Debian's glibc, and after them those
// of a distribution with one library folder per word size. They serve where
// the linker itself cannot be read.
func folders(triplet, lib string) []string {
	all := []string{"/lib/" + triplet + "/", "/usr/lib/" + triplet + "/"}
	if lib != "lib" {
		all = append(all, "/"+lib+"/", "/usr/"+lib+"/")
	}
	return append(all, "/lib/", "/usr/lib/")
}

// hwcapFolders returns the subfolders that glibc 2.minor tries in each folder
// before the folder itself, which is the last of them, on a CPU of the levels.
func hwcapFolders(levels []string, minor int, platform string, caps []string) []string {
	var subfolders []string
	if minor >= 33 {
		for _, name := range levels {
			subfolders = append(subfolders, "glibc-hwcaps/"+name+"/")
		}
	}
	if minor < 37 {
		subfolders = append(subfolders, legacyFolders(platform, caps)...)
	}
	return append(subfolders, "")
}

// Levels returns the names of all CPU levels that Options know, those of one
// architecture together, the lowest first.
func Levels() []string {
	var all []string
	for _, levels := range [][]string{levelsX86, levelsPower, levelsZ} {
		for _, name := range slices.Backward(levels) {
			all = append(all, name)
		}
	}
	return all
}

// levelsUpTo returns the levels that a CPU of the given level has, best first.
func levelsUpTo(levels []string, level string) []string {
	for i, name := range levels {
		if name == level {
			return levels[i:]
		}
	}
	return nil
}

// cpu returns what a CPU of a level has: its platform, which $PLATFORM stands
// for, and the capabilities that had folders of their own before glibc 2.37.
// Levels of x86 are taken to be Intel's, whose CPUs alone have a platform name;
// glibc before 2.26 knows neither these nor capabilities of amd64.
func (a abi) cpu(level string, minor int) (platform string, caps []string) {
	if a.platform == "x86_64" && minor > 0 && minor < 26 {
		return a.platform, nil
	}
	if !slices.Contains(a.levels, level) {
		return a.platform, a.caps
	}
	switch level {
	case "x86-64-v4":
		return "haswell", []string{"avx512_1", "x86_64"}
	case "x86-64-v3":
		return "haswell", []string{"x86_64"}
	case "power9", "power10":
		return level, a.caps
	case "z13":
		return level, capsZ[2:]
	case "z14":
		return level, capsZ[1:]
	case "z15", "z16", "z17":
		return level, capsZ
	}
	return a.platform, a.caps
}

// capsZ are those of a z15; the vector facilities came with z13, z14 and z15.
var capsZ = []string{"vxe2", "vxe", "vx", "dfp", "eimm", "ldisp", "zarch"}

// legacyFolders returns the subfolders of glibc before 2.37: every combination
// of "tls", the platform and the CPU's important capabilities, in this order,
// more of them and earlier ones first.
func legacyFolders(platform string, caps []string) []string {
	names := []string{"tls"}
	if platform != "" {
		names = append(names, platform)
	}
	names = append(names, caps...)
	var all []string
	seen := map[string]bool{}
	for set := 1<<len(names) - 1; set > 0; set-- {
		var path strings.Builder
		for i, name := range names {
			if set&(1<<(len(names)-1-i)) != 0 {
				path.WriteString(name + "/")
			}
		}
		if !seen[path.String()] {
			seen[path.String()] = true
			all = append(all, path.String())
		}
	}
	return all
}

// Known says whether there is a model of an architecture's linker.
func Known(architecture, variant string) bool {
	_, err := fileOf(architecture, variant)
	return err == nil
}

// fileOf returns what any shared object of an architecture is like.
func fileOf(architecture, variant string) (*own.File, error) {
	f := &own.File{Class: elf.ELFCLASS64, ByteOrder: binary.LittleEndian, Type: elf.ET_DYN, Dynamic: true}
	narrow := func() { f.Class = elf.ELFCLASS32 }
	switch architecture {
	case "amd64":
		f.Machine = elf.EM_X86_64
	case "386":
		f.Machine = elf.EM_386
		narrow()
	case "arm64":
		f.Machine = elf.EM_AARCH64
	case "arm":
		f.Machine, f.Flags = elf.EM_ARM, armABI5|armHardFloat
		if variant == "v5" {
			f.Flags = armABI5 | armSoftFloat
		}
		narrow()
	case "riscv64":
		f.Machine, f.Flags = elf.EM_RISCV, 4 // double-float ABI
	case "ppc64le":
		f.Machine, f.Flags = elf.EM_PPC64, 2
	case "ppc64":
		f.Machine, f.ByteOrder = elf.EM_PPC64, binary.BigEndian
	case "s390x":
		f.Machine, f.ByteOrder = elf.EM_S390, binary.BigEndian
	case "loong64":
		f.Machine = elf.EM_LOONGARCH
	default:
		return nil, fmt.Errorf("no dynamic linker is known for architecture %q", architecture)
	}
	return f, nil
}
