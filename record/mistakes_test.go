package record

import (
	"testing"

	"smith/internal/golden"
)

// The messages for records that cannot be read.
func TestMistakes(t *testing.T) {
	texts := golden.New(t)
	for _, c := range []struct {
		name string
		data []byte
	}{
		{"version", []byte(`{"version":9}`)},
		{"no version", []byte("{}")},
		{"type", []byte(`{"version":2,"files":{}}`)},
		{"type in version 1", []byte(`{"version":1,"files":{}}`)},
		{"empty", nil},
		{"cut off", []byte("{")},
		{"too large", make([]byte, MaxSize+1)},
	} {
		_, err := Decode(c.data)
		texts.Error(c.name, err)
	}
}
