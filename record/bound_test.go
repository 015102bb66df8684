package record

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// A record of others takes memory in proportion to its size, whatever it holds.
func TestDecodedMemoryIsBounded(t *testing.T) {
	const size = 1 << 20
	lists := map[string]string{
		"empty files":   `{"version":2,"files":[` + strings.Repeat("{},", size/3) + `{}]}`,
		"null files":    `{"version":2,"files":[` + strings.Repeat("null,", size/5) + `{}]}`,
		"empty reasons": `{"version":2,"files":[{"reasons":[` + strings.Repeat("{},", size/3) + `{}]}]}`,
		"empty effects": `{"version":1,"scripts":[{"effects":[` + strings.Repeat("{},", size/3) + `{}]}]}`,
		"texts":         `{"version":2,"warnings":[` + strings.Repeat(`"",`, size/3) + `""]}`,
		"open lists":    strings.Repeat("[", size),
		"zeros":         string(make([]byte, size)),
	}
	for name, text := range lists {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := Decode([]byte(text))
		runtime.ReadMemStats(&after)
		if err == nil {
			t.Errorf("%s: no error", name)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 16*size {
			t.Errorf("%s: %d MiB allocated for %d MiB", name, used>>20, size>>20)
		}
	}
}

// The smallest files that smith writes are not taken for empty ones.
func TestSmallFilesAreRead(t *testing.T) {
	var text bytes.Buffer
	text.WriteString(`{"version":2,"platform":"linux/amd64","files":[{"path":"/","type":"dir","reasons":[]}`)
	for i := range 10000 {
		fmt.Fprintf(&text, `,{"path":"/%d","type":"dir","reasons":[{"rule":"way"}]}`, i)
	}
	text.WriteString("]}")
	if r, err := Decode(text.Bytes()); err != nil || len(r.Files) != 10001 {
		t.Errorf("%v", err)
	}
}
