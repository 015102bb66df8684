package record

import (
	"testing"

	"smith/internal/capability"
	"smith/internal/tree"
)

// What is said of records that cannot be read or made.
func TestMistakes(t *testing.T) {
	decode := func(data []byte) error {
		_, err := Decode(data)
		return err
	}
	files := tree.New()
	tool := tree.NewFile(nil, 0o755)
	tool.Xattrs = map[string]string{capability.Attribute: "?"}
	if err := files.Insert("/bin/tool", tool); err != nil {
		t.Fatal(err)
	}
	_, capabilities := Files(files, nil)
	for _, c := range []struct {
		err  error
		want string
	}{
		{decode([]byte(`{"version":9}`)), "cannot read the build record: its version is 9, this smith reads 1"},
		{decode([]byte("{")), "cannot read the build record: unexpected end of JSON input"},
		{decode(make([]byte, maxRecord+1)), "cannot read the build record: its 268435457 bytes are more than the 268435456 allowed"},
		{capabilities, "cannot read the capabilities of /bin/tool: not in a form that the kernel knows"},
	} {
		if c.err == nil || c.err.Error() != c.want {
			t.Errorf("\n got %v\nwant %s", c.err, c.want)
		}
	}
}
