package rpmfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/opencontainers/go-digest"

	"smith/internal/cache/store"
)

// An entry of the cache is the contents of the package's files, then what is
// needed to find them again: both headers, the sums that signatures sign, and
// where each file's content begins; then the length of the contents (8 bytes,
// little endian). Strings have their length before them, as a varint.

// footerSize is that of the length at the end of an entry.
const footerSize = 8

// errCached says that a cache entry was not written by this package.
var errCached = errors.New("the package's cache entry is damaged")

// encode returns what follows the contents in the cache.
func (p *Package) encode() []byte {
	var data []byte
	text := func(b []byte) {
		data = binary.AppendUvarint(data, uint64(len(b)))
		data = append(data, b...)
	}
	text(p.signature.raw)
	text(p.Header.raw)
	for _, s := range p.signatures {
		text(s.sum)
	}
	for i, offset := range p.offsets {
		data = binary.AppendUvarint(data, uint64(offset+1))
		if offset >= 0 {
			p.size = max(p.size, offset+p.Files[i].Size)
		}
	}
	return binary.LittleEndian.AppendUint64(data, uint64(p.size))
}

// Open returns the package whose file has a digest from the cache. The error
// is fs.ErrNotExist where it is not there. The caller closes the Package.
func Open(st *store.Store, file digest.Digest) (*Package, error) {
	entry, err := st.Open(bucket, file.String())
	if err != nil {
		return nil, err
	}
	p := &Package{Digest: file, entry: entry}
	if err := p.decode(); err != nil {
		entry.Close()
		return nil, fmt.Errorf("cannot read package %s from the cache: %w", file, err)
	}
	return p, nil
}

func (p *Package) decode() error {
	end := p.entry.Size() - footerSize
	var footer [footerSize]byte
	if end < 0 {
		return errCached
	}
	if _, err := p.entry.ReadAt(footer[:], end); err != nil {
		return err
	}
	p.size = int64(binary.LittleEndian.Uint64(footer[:]))
	if p.size < 0 || p.size > end || end-p.size > 4*maxData {
		return errCached
	}
	data := make([]byte, end-p.size)
	if _, err := p.entry.ReadAt(data, p.size); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return p.decodeParts(&parts{data: data})
}

func (p *Package) decodeParts(r *parts) (err error) {
	if p.signature, err = parseHeader(r.text(), tagSignatures); err != nil {
		return err
	}
	if p.Header, err = parseHeader(r.text(), tagImmutable); err != nil {
		return err
	}
	if p.signatures, err = signatures(p.signature); err != nil {
		return err
	}
	if err := p.listFiles(); err != nil {
		return err
	}
	for _, s := range p.signatures {
		s.sum = r.text()
	}
	p.offsets = make([]int64, len(p.Files))
	for i, f := range p.Files {
		p.offsets[i] = int64(r.number()) - 1
		if p.offsets[i] < -1 || p.offsets[i] >= 0 && p.offsets[i] > p.size-f.Size {
			return errCached
		}
	}
	_, p.payloadSigned, err = payloadChecks(p.signature, p.Header)
	if r.bad {
		return errCached
	}
	return err
}

// parts takes apart what encode wrote.
type parts struct {
	data []byte
	bad  bool
}

func (r *parts) number() uint64 {
	v, n := binary.Uvarint(r.data)
	if n <= 0 {
		r.bad, r.data = true, nil
		return 0
	}
	r.data = r.data[n:]
	return v
}

func (r *parts) text() []byte {
	n := r.number()
	if n > uint64(len(r.data)) {
		r.bad, r.data = true, nil
		return nil
	}
	text := r.data[:n:n]
	r.data = r.data[n:]
	return text
}
