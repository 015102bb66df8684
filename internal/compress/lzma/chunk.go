package lzma

import (
	"encoding/binary"
	"io"
)

// What a chunk begins with: its control byte.
const (
	endMark      = 0x00
	plainReset   = 0x01 // plain bytes, after a reset of the dictionary
	plainGoOn    = 0x02
	packed       = 0x80 // LZMA; each of the following resets more
	packedState  = 0xa0
	packedModel  = 0xc0 // and has properties
	packedReset  = 0xe0 // and resets the dictionary
	packedLength = 0x1f // bits of the control byte that belong to the size
)

// maxBits bounds lc and lp together in LZMA2.
const maxBits = 4

// A decoder is what chunks hand on.
type decoder struct {
	window
	model
	input          input
	begun          bool // the dictionary was reset once
	modelled       bool // properties were told since
	state          int
	reps           [4]int // the last distances, less one
	lc             int
	posMask        int
	literalPosMask int
}

// begin makes ready for another stream.
func (d *decoder) begin(w window) {
	d.window, d.begun, d.modelled = w, false, false
}

// chunk decodes the next chunk. more is false at the end mark.
func (d *decoder) chunk(r Source) (more bool, err error) {
	d.fresh = d.at
	control, err := r.ReadByte()
	if err != nil {
		return false, unexpected(err)
	}
	if control == plainReset || control >= packedReset {
		d.begun, d.modelled = true, false
		d.start = d.at
	}
	switch {
	case control == endMark:
		return false, nil
	case !d.begun:
		return false, ErrCorrupt
	case control >= packed:
		return true, d.unpack(r, control)
	case control <= plainGoOn:
		return true, d.take(r)
	}
	return false, ErrCorrupt
}

// take takes a chunk of plain bytes.
func (d *decoder) take(r Source) error {
	var head [2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return unexpected(err)
	}
	size := int(binary.BigEndian.Uint16(head[:])) + 1
	if !d.room(size) {
		return ErrCorrupt
	}
	if _, err := io.ReadFull(r, d.buf[d.at:d.at+size]); err != nil {
		return unexpected(err)
	}
	d.at += size
	return nil
}

// unpack decodes a chunk of LZMA.
func (d *decoder) unpack(r Source, control byte) error {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return unexpected(err)
	}
	size := int(control&packedLength)<<16 + int(binary.BigEndian.Uint16(head[:])) + 1
	in := int(binary.BigEndian.Uint16(head[2:])) + 1
	if control >= packedModel {
		properties, err := r.ReadByte()
		if err != nil {
			return unexpected(err)
		}
		if !d.properties(properties) {
			return ErrCorrupt
		}
	}
	if !d.modelled || in < coderStart || !d.room(size) {
		return ErrCorrupt
	}
	if control >= packedState {
		d.reset()
	}
	if _, err := io.ReadFull(r, d.input[:in]); err != nil {
		return unexpected(err)
	}
	if !d.symbols(in, d.at+size) {
		return ErrCorrupt
	}
	return nil
}

// properties takes the numbers of bits that choose probabilities, and says
// whether they are allowed.
func (d *decoder) properties(p byte) bool {
	lc, lp, pb := int(p)%9, int(p)/9%5, int(p)/45
	if pb > 4 || lc+lp > maxBits {
		return false
	}
	d.lc, d.literalPosMask, d.posMask = lc, 1<<lp-1, 1<<pb-1
	d.modelled = true
	return true
}

// reset makes the model that of the beginning.
func (d *decoder) reset() {
	d.model.reset()
	d.state, d.reps = 0, [4]int{}
}

// symbols decodes what the first size bytes of the input hold until the window
// has got to an end, and says whether both end together.
func (d *decoder) symbols(size, end int) bool {
	c, ok := newCoder(&d.input)
	if !ok {
		return false
	}
	var bit uint32
	for d.at < end && c.at <= size {
		pos := d.at - d.start
		posState := pos & d.posMask
		if c, bit = c.bit(&d.isMatch[d.state][posState]); bit == 0 {
			c = d.literal(c, pos)
			continue
		}
		var length int
		if c, bit = c.bit(&d.isRep[d.state]); bit == 0 {
			c, length = d.match(c, posState)
		} else {
			c, length = d.rep(c, posState)
		}
		if length > end-d.at || !d.repeat(d.reps[0]+1, length) {
			return false
		}
	}
	return d.at == end && c.ended(size)
}

// The states, by what the last symbols were: those below literalStates are of
// a literal.
const (
	states        = 12
	literalStates = 7
	afterMatch    = 7
	afterRep      = 8
	afterShort    = 9
	matchTwice    = 10
	repTwice      = 11
)

// afterLiteral is the state after a literal.
var afterLiteral = [states]uint8{0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 4, 5}

// next goes on to one state after a literal, to another after none.
func (d *decoder) next(literal, none int) {
	if d.state < literalStates {
		d.state = literal
	} else {
		d.state = none
	}
}

// literal decodes a byte. After a match, the one that would have gone on with
// it tells which probabilities are used.
func (d *decoder) literal(c coder, pos int) coder {
	last := 0
	if pos > 0 {
		last = int(d.buf[d.at-1])
	}
	probs := &d.literals[((pos&d.literalPosMask)<<d.lc+last>>(8-d.lc))%literalCoders]
	var b byte
	if d.state < literalStates {
		c, b = c.literal(probs)
	} else {
		c, b = c.matched(probs, d.buf[d.at-d.reps[0]-1])
	}
	d.buf[d.at] = b
	d.at++
	d.state = int(afterLiteral[d.state])
	return c
}

// match decodes a match with a new distance, and returns its length.
func (d *decoder) match(c coder, posState int) (coder, int) {
	c, length := c.length(&d.matchLen, posState)
	c, dist := c.distance(&d.model, length)
	d.reps = [4]int{int(dist), d.reps[0], d.reps[1], d.reps[2]}
	d.next(afterMatch, matchTwice)
	return c, length
}

// rep decodes a match with one of the last distances, and returns its length.
func (d *decoder) rep(c coder, posState int) (coder, int) {
	c, bit := c.bit(&d.isRep0[d.state])
	if bit == 0 {
		if c, bit = c.bit(&d.isLong[d.state][posState]); bit == 0 {
			d.next(afterShort, repTwice)
			return c, 1
		}
	} else if c, bit = c.bit(&d.isRep1[d.state]); bit == 0 {
		d.reps[0], d.reps[1] = d.reps[1], d.reps[0]
	} else if c, bit = c.bit(&d.isRep2[d.state]); bit == 0 {
		d.reps = [4]int{d.reps[2], d.reps[0], d.reps[1], d.reps[3]}
	} else {
		d.reps = [4]int{d.reps[3], d.reps[0], d.reps[1], d.reps[2]}
	}
	d.next(afterRep, repTwice)
	return c.length(&d.repLen, posState)
}
