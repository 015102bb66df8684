package lzma

// How many probabilities there are of what.
const (
	posStates     = 16 // 1 << pb, at most
	literalCoders = 1 << maxBits
	literalProbs  = 0x300 // of a byte: after a literal, and after a match by the bit that is expected
	lenStates     = 4     // of a distance, by the length
	slotBits      = 6
	alignBits     = 4
	firstSlot     = 4  // slots below it are distances
	directSlot    = 14 // slots from here on have bits without probabilities
	distances     = 1 << (directSlot / 2)
	minMatch      = 2
)

// A prob is the probability of a bit 0, of 1 << probBits.
type prob = uint16

const (
	probBits = 11
	probOne  = 1 << probBits
	moveBits = 5 // how slowly probabilities follow what is seen
)

// A lengthModel is the probabilities of the lengths of matches.
type lengthModel struct {
	more, most prob
	low, mid   [posStates][8]prob
	high       [256]prob
}

// A model is all probabilities, by state where the name begins with "is".
type model struct {
	isMatch, isLong               [states][posStates]prob
	isRep, isRep0, isRep1, isRep2 [states]prob
	slots                         [lenStates][1 << slotBits]prob
	special                       [distances]prob
	align                         [1 << alignBits]prob
	matchLen, repLen              lengthModel
	literals                      [literalCoders][literalProbs]prob
}

// reset makes every bit as likely 0 as 1.
func (m *model) reset() {
	for i := range m.isMatch {
		even(m.isMatch[i][:], m.isLong[i][:])
	}
	even(m.isRep[:], m.isRep0[:], m.isRep1[:], m.isRep2[:], m.special[:], m.align[:])
	for i := range m.slots {
		even(m.slots[i][:])
	}
	for _, l := range []*lengthModel{&m.matchLen, &m.repLen} {
		l.more, l.most = probOne/2, probOne/2
		for i := range l.low {
			even(l.low[i][:], l.mid[i][:])
		}
		even(l.high[:])
	}
	for i := range m.literals {
		even(m.literals[i][:])
	}
}

func even(lists ...[]prob) {
	for _, probs := range lists {
		for i := range probs {
			probs[i] = probOne / 2
		}
	}
}
