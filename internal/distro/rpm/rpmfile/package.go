// Package rpmfile reads RPM package files, format 3, 4 and 6: once, into the
// cache, where the contents of the files lie one after the other, so that a
// file is a section of that entry and no package is ever unpacked. What a
// package says of its files is taken from its header, which signatures cover,
// never from the archive inside. It knows nothing of repositories, and does
// not decide which keys are trusted.
//
// Readers that exist were looked at and not taken: see docs/architecture.md.
package rpmfile

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"github.com/opencontainers/go-digest"

	"smith/internal/cache/store"
	"smith/internal/compress"
	"smith/internal/compress/ahead"
	"smith/internal/tree"
	"smith/record"
)

// bucket is the cache's, with a version: entries are kept under the SHA-256 of
// the package file.
const bucket = "rpm"

// The lead (docs/manual/format_lead.md) says nothing that the headers do not
// say better, but its first bytes tell an RPM package.
const (
	leadSize  = 96
	leadMagic = "\xed\xab\xee\xdb"
)

// Limits against bombs. The ratio is that of zstd and xz for zeros; below
// freeSize it tells nothing.
const (
	maxPayload = 64 << 30 // bytes, uncompressed
	maxPadding = 1 << 20  // bytes after the archive's trailer
)

// A Package is a package file in the cache, open for reading.
type Package struct {
	// Digest is the SHA-256 of the package file.
	Digest digest.Digest
	// Header is the main one.
	Header *Header
	// Files are what the package lists, in its order.
	Files []File

	signature     *Header
	signatures    []*Signature
	payloadSigned bool // the main header states a digest of the payload
	offsets       []int64
	size          int64 // of all contents
	entry         *store.Entry
}

// Read reads a package file to its end into the cache: checks the digests
// that it carries, and takes its payload apart. An error of r is returned as
// it is, and takes precedence: whoever supplies the bytes may check them. The
// caller closes the Package, and asks Verify whether it can be trusted.
func Read(ctx context.Context, st *store.Store, r io.Reader) (*Package, error) {
	w, err := st.Create(bucket)
	if err != nil {
		return nil, err
	}
	defer w.Discard()
	in := ahead.New(ctx, r)
	defer in.Close()
	file := sha256.New()
	source := &source{r: io.TeeReader(in, file)}
	p := &Package{}
	notPackage := p.read(ctx, source, w)
	if _, err := io.Copy(io.Discard, source); err != nil {
		return nil, err
	}
	if notPackage != nil {
		return nil, notPackage
	}
	p.Digest = digest.NewDigest(digest.SHA256, file)
	if _, err := w.Write(p.encode()); err != nil {
		return nil, err
	}
	p.entry, err = w.Commit(p.Digest.String())
	return p, err
}

// source tells errors of the package file from those of its form.
type source struct {
	r   io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	n, err := s.r.Read(p)
	s.err = err
	return n, err
}

func (p *Package) read(ctx context.Context, r io.Reader, w io.Writer) error {
	if err := p.readHeaders(r); err != nil {
		return err
	}
	checks, signed, err := payloadChecks(p.signature, p.Header)
	if err != nil {
		return err
	}
	p.payloadSigned = signed
	hashes := writers(checks)
	for _, s := range p.signatures {
		if s.fault == nil {
			s.hash.Write(p.Header.raw)
			if s.Payload {
				hashes = append(hashes, s.hash)
			}
		}
	}
	raw := io.TeeReader(r, io.MultiWriter(hashes...))
	notPayload := p.readPayload(ctx, raw, w)
	if _, err := io.Copy(io.Discard, raw); err != nil {
		return err
	}
	for _, c := range checks { // a wrong digest tells more than what it leads to
		if err := c.done(); err != nil {
			return err
		}
	}
	for _, s := range p.signatures {
		s.finish()
	}
	return notPayload
}

// readHeaders reads what comes before the payload.
func (p *Package) readHeaders(r io.Reader) error {
	var lead [leadSize]byte
	if _, err := io.ReadFull(r, lead[:]); err != nil || !bytes.HasPrefix(lead[:], []byte(leadMagic)) {
		return errors.New("it is not an RPM package")
	}
	var err error
	if p.signature, err = readHeader(r, tagSignatures); err != nil {
		return fmt.Errorf("signature header: %w", err)
	}
	// The next header begins at a multiple of eight.
	var pad [7]byte
	if _, err := io.ReadFull(r, pad[:-len(p.signature.raw)&7]); err != nil {
		return cut(err)
	}
	if p.Header, err = readHeader(r, tagImmutable); err != nil {
		return fmt.Errorf("header: %w", err)
	}
	if err := checkHeader(p.signature, p.Header); err != nil {
		return err
	}
	if p.signatures, err = signatures(p.signature); err != nil {
		return err
	}
	return p.listFiles()
}

// listFiles reads the list of files from the header.
func (p *Package) listFiles() error {
	for _, tag := range []Tag{TagName, TagVersion, TagRelease} {
		if p.Header.String(tag) == "" {
			return errors.New("header: it lacks a name, a version or a release")
		}
	}
	if p.Header.Has(tagSourcePackage) || !p.Header.Has(TagSourceRPM) && p.Header.Has(tagOldSources) {
		return errors.New("it is a source package: it holds no program to run")
	}
	if format := p.Header.String(tagPayloadFormat); format != "" && format != "cpio" {
		return fmt.Errorf("its payload is in the format %.20q, only cpio is known", format)
	}
	var err error
	if p.Files, err = listFiles(p.Header); err != nil {
		return fmt.Errorf("header: %w", err)
	}
	return nil
}

// readPayload writes the contents of the files to w.
func (p *Package) readPayload(ctx context.Context, raw io.Reader, w io.Writer) error {
	plain, err := compress.NewReader(ctx, raw, maxPayload)
	if err != nil {
		return fmt.Errorf("payload: %w", err)
	}
	defer plain.Close()
	a := &archive{r: plain}
	if p.offsets, err = unpack(a, p.Files, w); err != nil {
		return err
	}
	n, err := io.CopyN(io.Discard, plain, maxPadding)
	if err == nil {
		return fmt.Errorf("payload: more than %d bytes follow its end", n)
	}
	if !errors.Is(err, io.EOF) {
		return fmt.Errorf("payload: %w", err)
	}
	return nil
}

// SignatureHeader returns the header that signatures and digests stand in.
func (p *Package) SignatureHeader() *Header { return p.signature }

// Close lets go of the cache entry.
func (p *Package) Close() error { return p.entry.Close() }

// Entries returns the files that the package holds, ghosts left out, as
// entries of an archive. Owners are not resolved: what smith builds has one.
func (p *Package) Entries(origin *record.Origin) []tree.Entry {
	var entries []tree.Entry
	first := map[inode]string{}
	for i, f := range p.Files {
		if f.Flags&Ghost != 0 {
			continue
		}
		if f.inode != (inode{}) {
			if other, ok := first[f.inode]; ok {
				entries = append(entries, tree.Entry{Path: f.Path, Hardlink: other})
				continue
			}
			first[f.inode] = f.Path
		}
		n := &tree.Node{Kind: f.Kind, Mode: f.Mode, ModTime: f.ModTime, Size: f.Size, Link: f.Link, Origin: origin, Xattrs: f.attributes()}
		if f.Size > 0 {
			n.Content = tree.Section{Blob: p.entry, Offset: p.offsets[i], Size: f.Size, Of: p.Digest.String()}
		}
		entries = append(entries, tree.Entry{Path: f.Path, Node: n})
	}
	return entries
}
