package record

import (
	"encoding/json"
	"fmt"
)

// maxRecord bounds a record that is read, in bytes.
const maxRecord = 256 << 20

// Decode reads a record that is attached to an image. It reads the versions up
// to Version.
func Decode(data []byte) (*Record, error) {
	r, err := decode(data)
	if err != nil {
		return nil, fmt.Errorf("cannot read the build record: %w", err)
	}
	return r, nil
}

func decode(data []byte) (*Record, error) {
	if len(data) > maxRecord {
		return nil, fmt.Errorf("its size of %d bytes exceeds the limit of %d", len(data), maxRecord)
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
