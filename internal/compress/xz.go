package compress

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"runtime"
	"sync"

	"github.com/mikelolasagasti/xz"

	"smith/internal/compress/lzma"
)

// Bounds of what the blocks of one stream may take while they are decoded side
// by side. `xz -T0` makes blocks of three dictionaries: 24 MiB by default.
const (
	maxWorkers  = 4
	maxBlock    = 48 << 20 // bytes of a block, plain; larger ones are decoded one by one, without a buffer
	blockWindow = 64 << 20 // bytes of the dictionary of such a block with other filters: that of `xz -9`
)

// An xzReader reads xz streams, one after another. An encoder that works on
// several cores writes both sizes of a block before it, so that blocks can be
// told apart without decoding them; then they are decoded side by side. Blocks
// with other filters than LZMA2 are left to the library; where such a one does
// not tell its sizes, so is all that follows.
type xzReader struct {
	stop   context.CancelFunc
	over   <-chan struct{} // closed when nobody wants more
	ended  chan struct{}
	blocks chan *xzBlock // in their order
	now    *xzBlock      // being read
	rest   []byte        // of now's plain bytes
	err    error
}

// An xzBlock is a part of the plain bytes: decoded by a worker, or read from
// plain by whoever reads the stream.
type xzBlock struct {
	header blockHeader
	packed []byte // what follows the header
	plain  io.Reader
	data   []byte
	err    error
	done   chan struct{} // closed when the block is decoded, or plain is read
}

// newXz reads r; blocks of up to aside bytes are decoded side by side.
func newXz(ctx context.Context, r *bufio.Reader, aside int64) *xzReader {
	ctx, stop := context.WithCancel(ctx)
	x := &xzReader{stop: stop, over: ctx.Done(), ended: make(chan struct{}), blocks: make(chan *xzBlock, maxWorkers)}
	go x.run(r, aside)
	return x
}

// run takes the input apart and ends with a block that holds the error.
func (x *xzReader) run(r *bufio.Reader, aside int64) {
	defer close(x.ended)
	defer close(x.blocks)
	jobs := make(chan *xzBlock)
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), maxWorkers) {
		workers.Go(func() { decodeBlocks(jobs) })
	}
	s := &splitter{over: x.over, r: r, aside: aside, blocks: x.blocks, jobs: jobs}
	err := s.split()
	close(jobs)
	if err != nil {
		end := &xzBlock{err: err, done: make(chan struct{})}
		close(end.done)
		select {
		case x.blocks <- end:
		case <-x.over:
		}
	}
	workers.Wait()
}

// decodeBlocks is a worker.
func decodeBlocks(jobs <-chan *xzBlock) {
	var decoder lzma.Decoder
	for b := range jobs {
		b.data, b.err = b.decode(&decoder)
		b.packed = nil
		close(b.done)
	}
}

// decode returns the plain bytes of a block that tells its sizes.
func (b *xzBlock) decode(decoder *lzma.Decoder) ([]byte, error) {
	data := make([]byte, b.header.size)
	if b.header.others {
		z, err := b.header.library(bytes.NewReader(b.packed), blockWindow)
		if err == nil {
			_, err = io.ReadFull(z, data)
		}
		if err == nil {
			err = atEnd(z)
		}
		return data, err
	}
	in := bytes.NewReader(b.packed[:b.header.packed])
	if err := decoder.Decode(data, in, b.header.dictionary); err != nil {
		return nil, err
	}
	if in.Len() > 0 {
		return nil, errSizes
	}
	c, err := b.header.newCheck()
	if err != nil {
		return nil, err
	}
	c.add(data)
	return data, b.header.verify(b.packed[b.header.packed:], c)
}

// atEnd reads past the last byte, so that the block's check is compared.
func atEnd(r io.Reader) error {
	n, err := io.ReadFull(r, make([]byte, 1))
	if n > 0 {
		return errSizes
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// Read reads as io.Reader says.
func (x *xzReader) Read(p []byte) (int, error) {
	for x.err == nil {
		if x.now == nil {
			if !x.next() {
				break
			}
		}
		if x.now.plain != nil {
			n, err := x.now.plain.Read(p)
			if errors.Is(err, io.EOF) {
				close(x.now.done)
				x.now, err = nil, nil
			}
			if x.err = err; n > 0 || err != nil {
				return n, err
			}
			continue
		}
		if len(x.rest) > 0 {
			n := copy(p, x.rest)
			x.rest = x.rest[n:]
			return n, nil
		}
		x.now = nil
	}
	return 0, x.err
}

// next takes up the next block, and says whether there is one.
func (x *xzReader) next() bool {
	b, more := <-x.blocks
	if !more {
		x.err = io.EOF
		return false
	}
	if b.plain == nil {
		select {
		case <-b.done:
			x.err = b.err
		case <-x.over:
			x.err = context.Canceled
		}
		if x.err != nil {
			return false
		}
	}
	x.now, x.rest = b, b.data
	return true
}

// Close ends the decoding.
func (x *xzReader) Close() {
	x.stop()
	<-x.ended
}

// A splitter hands out the blocks of its input: to be read, in their order,
// and to the workers.
type splitter struct {
	over   <-chan struct{} // closed when nobody wants more
	r      *bufio.Reader
	aside  int64 // the largest block that a worker gets
	blocks chan<- *xzBlock
	jobs   chan<- *xzBlock
}

// split goes through all streams.
func (s *splitter) split() error {
	for {
		alien, err := s.alien()
		if err != nil {
			return err
		}
		if alien {
			return s.rest()
		}
		if err := s.stream(); err != nil {
			return err
		}
		more, err := s.padding()
		if err != nil || !more {
			return err
		}
	}
}

// alien looks whether the stream that begins here is one for the library: its
// first block has other filters and does not tell its sizes.
func (s *splitter) alien() (bool, error) {
	head, err := s.r.Peek(streamHeaderSize + maxBlockHeader)
	if err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	if len(head) <= streamHeaderSize || head[streamHeaderSize] == 0 {
		return false, nil
	}
	h, err := parseHeader(head[streamHeaderSize:], [2]byte(head[6:8]))
	return err == nil && h.others && !h.sized(), nil
}

// rest leaves the rest of the input to the library.
func (s *splitter) rest() error {
	z, err := xz.NewReader(s.r, maxWindow)
	if err != nil {
		return err
	}
	return s.whole(z)
}

// whole hands out bytes that whoever reads the stream decodes, and waits until
// that is done.
func (s *splitter) whole(plain io.Reader) error {
	b := &xzBlock{plain: plain, done: make(chan struct{})}
	if err := s.put(s.blocks, b); err != nil {
		return err
	}
	select {
	case <-b.done:
		return nil
	case <-s.over:
		return context.Canceled
	}
}

func (s *splitter) put(to chan<- *xzBlock, b *xzBlock) error {
	select {
	case to <- b:
		return nil
	case <-s.over:
		return context.Canceled
	}
}

// block hands out the block whose header was read, and completes the header
// with its sizes.
func (s *splitter) block(h *blockHeader) error {
	switch {
	case h.sized() && h.size <= s.aside && h.packed <= s.aside:
		return s.handOut(*h)
	case !h.others:
		z, err := newBlockReader(s.r, h)
		if err != nil {
			return err
		}
		return s.whole(z)
	case h.sized():
		z, err := h.library(&whole{io.LimitedReader{R: s.r, N: h.body()}}, maxWindow)
		if err != nil {
			return err
		}
		return s.whole(z)
	}
	return errUnsized
}

// handOut gives a block to a worker.
func (s *splitter) handOut(h blockHeader) error {
	b := &xzBlock{header: h, packed: make([]byte, h.body()), done: make(chan struct{})}
	if _, err := io.ReadFull(s.r, b.packed); err != nil {
		return unexpected(err)
	}
	if err := s.put(s.blocks, b); err != nil {
		return err
	}
	return s.put(s.jobs, b)
}

// A whole reader fails where fewer bytes come than were announced.
type whole struct{ io.LimitedReader }

func (w *whole) Read(p []byte) (int, error) {
	n, err := w.LimitedReader.Read(p)
	if errors.Is(err, io.EOF) && w.N > 0 {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
