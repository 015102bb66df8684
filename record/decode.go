package record

import (
	"encoding/json"
	"errors"
	"fmt"
)

// MediaType is the media type of a record that is attached to an image.
const MediaType = "application/vnd.smith.record+json"

// AnnotationAttachments is the annotation of an image's entry in index.json
// whose value, a JSON list of descriptors, names what is attached to the image.
// In a registry the attachments are referrers of the image.
const AnnotationAttachments = "com.oracle.smith.attachments"

// MaxSize bounds a record that is read, in bytes. A record has some 400 bytes
// for each file of the image.
const MaxSize = 128 << 20

// Bounds of what a record of MaxSize bytes may hold. Decoded, an object takes
// up to 300 bytes, so that few bytes of JSON could take much memory: a real
// object has at least leastObject bytes.
const (
	maxObjects  = 2 << 20
	leastObject = 12
	slack       = 1 << 10 // bytes that need not fit leastObject
)

// Decode reads a record that is attached to an image. It reads the versions up
// to Version. The record may come from anybody: its size, and the memory that
// it takes when decoded, are bounded.
func Decode(data []byte) (*Record, error) {
	r, err := decode(data)
	if err != nil {
		return nil, fmt.Errorf("cannot read the build record: %w", err)
	}
	return r, nil
}

func decode(data []byte) (*Record, error) {
	if len(data) > MaxSize {
		return nil, fmt.Errorf("its size of %d bytes exceeds the limit of %d", len(data), MaxSize)
	}
	if n := values(data); n > maxObjects || n*leastObject > len(data)+slack {
		return nil, errors.New("it has too many empty values")
	}
	var form struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(data, &form); err != nil {
		return nil, err
	}
	switch form.Version {
	case 1:
		return decodeVersion1(data)
	case Version:
		r := &Record{}
		return r, json.Unmarshal(data, r)
	}
	return nil, fmt.Errorf("unsupported version %d; this smith reads versions 1 to %d", form.Version, Version)
}

// values counts what becomes an element of a list when JSON is decoded: the
// objects, and the elements that are texts, numbers or null. Text that is not
// JSON is counted somehow, and refused by the decoder.
func values(data []byte) int {
	n, quoted := 0, false
	var lists []byte // of each open list or object its bracket, the innermost last
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			n++
			lists = append(lists, c)
		case (c == '}' || c == ']') && len(lists) > 0:
			lists = lists[:len(lists)-1]
		case c == ',' && len(lists) > 0 && lists[len(lists)-1] == '[':
			n++
		}
	}
	return n
}
