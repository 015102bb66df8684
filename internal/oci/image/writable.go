package image

import (
	"maps"
	"path"
	"slices"
	"strings"
)

// LabelWritable is the label of an image's config that lists the directories of
// caches and logs, which the program writes to and which need not outlive a
// container, separated by commas. Directories whose files must are volumes.
const LabelWritable = "com.oracle.smith.writable"

// SetWritable lists directories in the config.
func (c *ContainerConfig) SetWritable(dirs []string) {
	if len(dirs) == 0 {
		return
	}
	labels := maps.Clone(c.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	labels[LabelWritable] = strings.Join(slices.Sorted(slices.Values(dirs)), ",")
	c.Labels = labels
}

// Writable returns the directories that labels list, without those that are not
// absolute.
func Writable(labels map[string]string) []string {
	var dirs []string
	for dir := range strings.SplitSeq(labels[LabelWritable], ",") {
		if path.IsAbs(dir) {
			dirs = append(dirs, path.Clean(dir))
		}
	}
	return dirs
}
