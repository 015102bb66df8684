package elf

import (
	"debug/elf"
	"encoding/binary"
)

// The float ABI in e_flags of an ARM file (ELF for the Arm Architecture,
// "Arm-specific e_flags").
const armHardFloat = 0x400

// Platform returns the architecture by the names of Go and of the OCI image
// specification, with its variant where it has one, and "" for one that Linux
// containers do not know. An ARM file does not tell its generation in the
// header: the variants are those of Debian's armhf ("v7") and armel ("v5").
func (f *File) Platform() (architecture, variant string) {
	little, wide := f.ByteOrder == binary.LittleEndian, f.Class == elf.ELFCLASS64
	switch {
	case f.Machine == elf.EM_X86_64 && wide:
		return "amd64", ""
	case f.Machine == elf.EM_386:
		return "386", ""
	case f.Machine == elf.EM_AARCH64 && little && wide:
		return "arm64", ""
	case f.Machine == elf.EM_ARM && little && f.Flags&armHardFloat != 0:
		return "arm", "v7"
	case f.Machine == elf.EM_ARM && little:
		return "arm", "v5"
	case f.Machine == elf.EM_RISCV && wide:
		return "riscv64", ""
	case f.Machine == elf.EM_PPC64 && little:
		return "ppc64le", ""
	case f.Machine == elf.EM_PPC64:
		return "ppc64", ""
	case f.Machine == elf.EM_S390 && wide:
		return "s390x", ""
	case f.Machine == elf.EM_LOONGARCH && wide:
		return "loong64", ""
	case f.Machine == elf.EM_MIPS:
		return mips(little, wide), ""
	}
	return "", ""
}

func mips(little, wide bool) string {
	name := "mips"
	if wide {
		name = "mips64"
	}
	if little {
		name += "le"
	}
	return name
}
