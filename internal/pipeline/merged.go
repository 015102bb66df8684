package pipeline

import (
	"fmt"
	"path"

	"smith/internal/closure"
	"smith/internal/tree"
	"smith/record"
)

// mergedLinks are the links of a system with a merged /usr (file-hierarchy(7),
// "Compatibility Symlinks").
var mergedLinks = []string{"/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"}

// addMerged adds the links of a merged /usr that the source has to an image that
// has files behind them: what is at /usr/bin/sh is called /bin/sh by scripts and
// users, whether a kept file does so or not.
func addMerged(files, offered, parent *tree.Tree, excludes []string) (map[string]record.Reason, error) {
	reasons := map[string]record.Reason{}
	if offered == nil {
		return reasons, nil
	}
	for _, name := range mergedLinks {
		target := "/usr" + name
		at, err := offered.Lookup(name)
		if err != nil || at.Node.Kind != tree.Symlink || path.Join("/", at.Node.Link) != target || !has(files, target) {
			continue
		}
		if _, err := files.Lookup(name); err == nil || parent != nil && has(parent, name) || closure.Excludes(files, excludes, name) {
			continue
		}
		if err := files.Insert(name, at.Node.Copy()); err != nil {
			return nil, fmt.Errorf("cannot add %s: %w", name, err)
		}
		reasons[name] = record.Reason{Rule: record.RuleSkeleton, Detail: "the distribution has a merged /usr"}
	}
	return reasons, nil
}

func has(t *tree.Tree, name string) bool {
	_, err := t.Lookup(name)
	return err == nil
}
