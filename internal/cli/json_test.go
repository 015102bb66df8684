package cli

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"smith/internal/explain"
	"smith/internal/lock"
)

// docs/json.md tells of each key that is printed.
func TestJSONIsDescribed(t *testing.T) {
	text, err := os.ReadFile("../../docs/json.md")
	if err != nil {
		t.Fatal(err)
	}
	parts := map[string]string{}
	for part := range strings.SplitSeq(string(text), "\n## smith ") {
		name, rest, _ := strings.Cut(part, "\n")
		parts[name] = rest
	}
	for command, v := range map[string]any{
		"ls": listed{}, "why": answer{}, "graph": explain.Edge{}, "diff": explain.Difference{},
		"verify": explain.Check{}, "inspect": inspection{}, "deps": dependencies{},
		"build": builtOutput{}, "lock": lock.Change{}, "upload": uploadOutput{}, "cache": cacheView{}, "version": Version{},
	} {
		for _, key := range keys(reflect.TypeOf(v), map[reflect.Type]bool{}) {
			told := parts[command]
			for other, part := range parts {
				if strings.Contains(parts[command], "`smith "+other+"`") {
					told += part
				}
			}
			if !strings.Contains(told, "`"+key+"`") {
				t.Errorf("smith %s --json prints %q, of which docs/json.md tells nothing", command, key)
			}
		}
	}
}

// keys returns the keys of a type of our own and of those within it; what an
// image's config holds is the specification's.
func keys(t reflect.Type, seen map[reflect.Type]bool) []string {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || seen[t] || !strings.HasPrefix(t.PkgPath(), "smith/") || t.Name() == "ContainerConfig" {
		return nil
	}
	seen[t] = true
	var all []string
	for i := range t.NumField() {
		f := t.Field(i)
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" {
			all = append(all, name)
		}
		all = append(all, keys(f.Type, seen)...)
	}
	return all
}
