package lzma

// maxChunk is the most that one chunk is in plain bytes.
const maxChunk = 1 << 21

// A window is plain bytes, as far back as matches reach.
type window struct {
	buf        []byte
	at         int // where the next byte goes
	fresh      int // where the last chunk begins
	start      int // where the dictionary was reset; below zero when that slid out
	dictionary int
	slides     bool
}

// room makes room for n bytes, and says whether there is.
func (w *window) room(n int) bool {
	if n > len(w.buf)-w.at && w.slides {
		w.slide(n)
	}
	return n <= len(w.buf)-w.at
}

// slide makes the window longer, as far as it may get, or else gives up what
// lies further back than matches reach.
func (w *window) slide(n int) {
	most := w.dictionary + max(w.dictionary/2, maxChunk)
	buf, from := w.buf, 0
	if size := min(max(2*len(buf), w.at+n), most); size > len(buf) {
		buf = make([]byte, size)
	}
	if w.at+n > len(buf) {
		from = w.at - w.dictionary
	}
	copy(buf, w.buf[from:w.at])
	w.buf = buf
	w.at, w.fresh, w.start = w.at-from, w.fresh-from, w.start-from
}

// repeat appends length bytes from dist bytes before the end. It says whether
// there are such, and the room.
func (w *window) repeat(dist, length int) bool {
	if dist <= 0 || dist > w.at-w.start || dist > w.dictionary || length > len(w.buf)-w.at {
		return false
	}
	from := w.buf[w.at-dist : w.at-dist+length]
	to := w.buf[w.at : w.at+length]
	w.at += length
	if dist >= length {
		copy(to, from)
		return true
	}
	for i := range to { // each byte may be the one before
		to[i] = from[i]
	}
	return true
}
