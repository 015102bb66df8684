package lzma

import "encoding/binary"

// input is what a chunk is packed in, up to 64 KiB, and as much again: it is
// enough to look once a symbol, which takes twenty bytes at most, whether the
// end was passed; and an index with as many bits needs no check.
type input [1 << 17]byte

// A coder is the range decoder. It is handed on as a value, so that it stays in
// registers: this is where the time goes. So each function has the decoding of
// a bit in it once more, with two ways to write it. Where the bit decides what
// comes next there is a branch. Where it becomes a part of a number there is
// none, since it would be foretold wrongly too often: zero has all bits set for
// a bit 0, and none for a bit 1.
type coder struct {
	rng, code uint32
	at        int
	in        *input
}

const (
	coderStart = 5       // bytes that the coder begins with
	top        = 1 << 24 // the range is above it before a bit is decoded
	move       = 1<<moveBits - 1 - probOne
)

// newCoder begins with the input, and says whether that can be one.
func newCoder(in *input) (coder, bool) {
	return coder{rng: 1<<32 - 1, code: binary.BigEndian.Uint32(in[1:]), at: coderStart, in: in}, in[0] == 0
}

// ended says whether the coder is through with size bytes.
func (c coder) ended(size int) bool {
	if c.rng < top {
		c.code = c.code<<8 | uint32(c.in[c.at%len(c.in)])
		c.at++
	}
	return c.at == size && c.code == 0
}

// bit decodes one bit.
func (c coder) bit(p *prob) (coder, uint32) {
	if c.rng < top {
		c.rng <<= 8
		c.code = c.code<<8 | uint32(c.in[c.at%len(c.in)])
		c.at++
	}
	chance := uint32(*p)
	bound := c.rng >> probBits * chance
	if c.code < bound {
		c.rng = bound
		*p = prob(chance + (probOne-chance)>>moveBits)
		return c, 0
	}
	c.rng -= bound
	c.code -= bound
	*p = prob(chance - chance>>moveBits)
	return c, 1
}

// tree decodes a number of some bits, the highest first. A 1 stands above them.
func (c coder) tree(probs []prob, bits int) (coder, uint32) {
	number := uint32(1)
	for range bits {
		if c.rng < top {
			c.rng <<= 8
			c.code = c.code<<8 | uint32(c.in[c.at%len(c.in)])
			c.at++
		}
		p := &probs[number]
		chance := int32(*p)
		bound := c.rng >> probBits * uint32(chance)
		zero := int32((int64(c.code) - int64(bound)) >> 63)
		number = number<<1 + 1 + uint32(zero)
		*p = prob(chance - (chance+zero&move)>>moveBits)
		c.rng = c.rng - bound + uint32(zero)&(bound-(c.rng-bound))
		c.code -= bound &^ uint32(zero)
	}
	return c, number
}

// literal decodes a byte after a literal.
func (c coder) literal(probs *[literalProbs]prob) (coder, byte) {
	number := uint32(1)
	for number < 1<<8 {
		if c.rng < top {
			c.rng <<= 8
			c.code = c.code<<8 | uint32(c.in[c.at%len(c.in)])
			c.at++
		}
		p := &probs[number]
		chance := int32(*p)
		bound := c.rng >> probBits * uint32(chance)
		zero := int32((int64(c.code) - int64(bound)) >> 63)
		number = number<<1 + 1 + uint32(zero)
		*p = prob(chance - (chance+zero&move)>>moveBits)
		c.rng = c.rng - bound + uint32(zero)&(bound-(c.rng-bound))
		c.code -= bound &^ uint32(zero)
	}
	return c, byte(number)
}

// matched decodes a byte after a match, which would have gone on with another:
// as long as their bits are the same, those of the other choose probabilities.
func (c coder) matched(probs *[literalProbs]prob, other byte) (coder, byte) {
	number, same, guess := uint32(1), uint32(1<<8), uint32(other)
	for number < 1<<8 {
		guess <<= 1
		bit := guess & same
		if c.rng < top {
			c.rng <<= 8
			c.code = c.code<<8 | uint32(c.in[c.at%len(c.in)])
			c.at++
		}
		p := &probs[same+bit+number]
		chance := int32(*p)
		bound := c.rng >> probBits * uint32(chance)
		zero := int32((int64(c.code) - int64(bound)) >> 63)
		same &= bit ^ uint32(zero)
		number = number<<1 + 1 + uint32(zero)
		*p = prob(chance - (chance+zero&move)>>moveBits)
		c.rng = c.rng - bound + uint32(zero)&(bound-(c.rng-bound))
		c.code -= bound &^ uint32(zero)
	}
	return c, byte(number)
}

// reverse decodes a number of some bits, the lowest first.
func (c coder) reverse(probs []prob, bits int) (coder, uint32) {
	node, number := uint32(1), uint32(0)
	for i := range bits {
		var bit uint32
		c, bit = c.bit(&probs[node])
		node = node<<1 | bit
		number |= bit << i
	}
	return c, number
}

// direct decodes a number of bits that are as likely 0 as 1, the highest first.
func (c coder) direct(bits int) (coder, uint32) {
	number := uint32(0)
	for range bits {
		if c.rng < top {
			c.rng <<= 8
			c.code = c.code<<8 | uint32(c.in[c.at%len(c.in)])
			c.at++
		}
		c.rng >>= 1
		c.code -= c.rng
		zero := uint32(int32(c.code) >> 31)
		c.code += c.rng & zero
		number = number<<1 + 1 + zero
	}
	return c, number
}

// length decodes the length of a match.
func (c coder) length(m *lengthModel, posState int) (coder, int) {
	c, bit := c.bit(&m.more)
	if bit == 0 {
		c, number := c.tree(m.low[posState][:], 3)
		return c, minMatch + int(number) - 1<<3
	}
	if c, bit = c.bit(&m.most); bit == 0 {
		c, number := c.tree(m.mid[posState][:], 3)
		return c, minMatch + 8 + int(number) - 1<<3
	}
	c, number := c.tree(m.high[:], 8)
	return c, minMatch + 16 + int(number) - 1<<8
}

// distance decodes the distance of a match, less one.
func (c coder) distance(m *model, length int) (coder, uint32) {
	c, slot := c.tree(m.slots[min(length-minMatch, lenStates-1)][:], slotBits)
	slot -= 1 << slotBits
	if slot < firstSlot {
		return c, slot
	}
	bits := int(slot/2) - 1
	base := (2 | slot&1) << bits
	if slot < directSlot {
		c, low := c.reverse(m.special[base-slot:], bits)
		return c, base + low
	}
	c, high := c.direct(bits - alignBits)
	c, low := c.reverse(m.align[:], alignBits)
	return c, base + high<<alignBits + low
}
