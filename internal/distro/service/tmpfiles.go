package service

import (
	"path"
	"strings"
)

// Tmpfiles returns the directories that a file of tmpfiles.d makes
// (tmpfiles.d(5)): lines of the types d, D, v, q and Q. Those of classes that a
// server does not write to, such as below /etc, are left out.
func Tmpfiles(text string) []Directory {
	var all []Directory
	for line := range strings.SplitSeq(text, "\n") {
		words := split(strings.TrimSpace(line))
		if len(words) < 2 || words[0] == "" || words[0][0] == '#' || strings.IndexByte("dDvqQ", words[0][0]) < 0 {
			continue
		}
		u := unit{}
		dir := placed(u.expanded(words[1]))
		class, ok := ClassOf(dir)
		if !ok || class == Configuration || !path.IsAbs(dir) || strings.ContainsAny(dir, "*?[%") {
			continue
		}
		d := Directory{Path: dir, Class: class}
		if len(words) > 3 {
			d.User = owner(words[3])
		}
		if len(words) > 4 {
			d.Group = owner(words[4])
		}
		all = append(all, d)
	}
	return all
}

// owner is a user or group of tmpfiles.d, "" for root's.
func owner(word string) string {
	word = strings.TrimPrefix(word, ":")
	if word == "-" || word == "root" || word == "0" {
		return ""
	}
	return word
}
