package rpmfile

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"
)

// A recipe is a package to be made for a test.
type recipe struct {
	files   []recipeFile
	members []recipeMember // nil: what the files say, in order
	tags    map[Tag]any    // added to the header, or in place of what stands there; nil takes away
	form    string         // the members' magic; "" is newc
	after   string         // bytes after the trailer
	// sign returns the tags of the signature header; nil is a digest alone.
	sign func(header []byte) map[Tag]any
	rpm3 bool // the signature header has no region
}

type recipeFile struct {
	path  string
	mode  int // with kind
	data  string
	link  string
	inode int
	flags Flags
}

type recipeMember struct {
	name string
	data string
}

// build returns the package file.
func (r recipe) build() []byte {
	payload := r.payload()
	tags := map[Tag]any{
		TagName: "p", TagVersion: "1", TagRelease: "2", TagArch: "noarch", TagSourceRPM: "p-1-2.src.rpm",
		tagPayloadSHA256: []string{fmt.Sprintf("%x", sha256.Sum256(payload))},
	}
	if len(r.files) > 0 {
		r.list(tags)
	}
	for tag, value := range r.tags {
		tags[tag] = value
	}
	header := makeHeader(tagImmutable, tags)
	signed := map[Tag]any{tagSHA256Header: fmt.Sprintf("%x", sha256.Sum256(header))}
	if r.sign != nil {
		signed = r.sign(header)
	}
	signature := makeHeader(r.region(), signed)
	file := append([]byte(leadMagic), make([]byte, leadSize-4)...)
	file = append(file, signature...)
	file = append(file, make([]byte, -len(signature)&7)...)
	return append(append(file, header...), payload...)
}

// region is the region of the signature header: none in packages of rpm 3.
func (r recipe) region() Tag {
	if r.rpm3 {
		return 0
	}
	return tagSignatures
}

func (r recipe) list(tags map[Tag]any) {
	var paths, links, digests []string
	var sizes, modes, inodes, flags []uint32
	for _, f := range r.files {
		paths, links = append(paths, f.path), append(links, f.link)
		digests = append(digests, fmt.Sprintf("%x", sha256.Sum256([]byte(f.data))))
		sizes, modes = append(sizes, uint32(len(f.data))), append(modes, uint32(f.mode))
		inodes, flags = append(inodes, uint32(f.inode)), append(flags, uint32(f.flags))
	}
	tags[tagOldFileNames], tags[tagFileLinks], tags[tagFileDigests] = paths, links, digests
	tags[tagFileSizes], tags[tagFileModes], tags[tagFileInodes], tags[tagFileFlags] = sizes, modes, inodes, flags
}

// payload returns the archive, uncompressed.
func (r recipe) payload() []byte {
	members := r.members
	if members == nil {
		last := map[int]int{}
		for i, f := range r.files {
			last[f.inode] = i
		}
		for i, f := range r.files {
			m := recipeMember{"." + f.path, f.data + f.link}
			if f.inode > 0 && last[f.inode] != i {
				m.data = ""
			}
			if f.flags&Ghost == 0 {
				members = append(members, m)
			}
		}
	}
	var b bytes.Buffer
	pad := func() { b.Write(make([]byte, -b.Len()&3)) }
	for i, m := range append(members, recipeMember{name: trailerName}) {
		pad()
		switch {
		case r.form != magicStripped || m.name == trailerName:
			fields := make([]int, newcFields)
			fields[6], fields[11] = len(m.data), len(m.name)+1
			b.WriteString(magicNewc)
			for _, f := range fields {
				fmt.Fprintf(&b, "%08x", f)
			}
			b.WriteString(m.name + "\x00")
		default:
			fmt.Fprintf(&b, "%s%08x", magicStripped, i)
		}
		pad()
		b.WriteString(m.data)
	}
	b.WriteString(r.after)
	return b.Bytes()
}

// makeHeader returns a header with a region around all, or with none if the
// region is 0.
func makeHeader(region Tag, tags map[Tag]any) []byte {
	var index, data []byte
	entry := func(to []byte, tag Tag, k kind, offset, count int) []byte {
		for _, v := range []uint32{uint32(tag), uint32(k), uint32(offset), uint32(count)} {
			to = binary.BigEndian.AppendUint32(to, v)
		}
		return to
	}
	count := 1
	if region == 0 {
		count = 0
	}
	for tag := Tag(0); tag < 6000; tag++ {
		switch v := tags[tag].(type) {
		case string:
			index, data, count = entry(index, tag, kindString, len(data), 1), append(data, v+"\x00"...), count+1
		case []string:
			index, data, count = entry(index, tag, kindStrings, len(data), len(v)), append(data, strings.Join(v, "\x00")+"\x00"...), count+1
		case []byte:
			index, data, count = entry(index, tag, kindBinary, len(data), len(v)), append(data, v...), count+1
		case []uint32:
			data = append(data, make([]byte, -len(data)&3)...)
			index, count = entry(index, tag, kindInt32, len(data), len(v)), count+1
			for _, n := range v {
				data = binary.BigEndian.AppendUint32(data, n)
			}
		}
	}
	if region != 0 {
		index = append(entry(nil, region, kindBinary, len(data), fieldSize), index...)
		data = entry(data, region, kindBinary, -count*fieldSize, fieldSize)
	}
	head := binary.BigEndian.AppendUint32(bytes.Clone(headerMagic), uint32(count))
	head = binary.BigEndian.AppendUint32(head, uint32(len(data)))
	return append(append(head, index...), data...)
}
