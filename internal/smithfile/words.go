package smithfile

import (
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"smith/internal/nearest"
)

// quote shows a value of the file, cut where it is long.
func quote(text string) string {
	const most = 80
	if runes := []rune(text); len(runes) > most {
		return strconv.Quote(string(runes[:most])) + "…"
	}
	return strconv.Quote(text)
}

// describe says what a node is, in words that its writer knows.
func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.SequenceNode:
		return "a list"
	case yaml.MappingNode:
		return "a map"
	}
	switch n.ShortTag() {
	case "!!null":
		return "nothing"
	case "!!int", "!!float":
		return "the number " + n.Value
	case "!!bool":
		return "the boolean " + n.Value
	case "!!str", "!!timestamp":
		return "the string " + quote(n.Value)
	case "!!merge":
		return "<<, which merges maps: write their keys out"
	}
	return "a value with the tag " + quote(n.Tag)
}

// listForm shows how words that were written in another form, such as a command
// line as a string, are written as a list.
func listForm(words []string) string {
	const most = 8
	if len(words) == 0 {
		return "[]"
	}
	var quoted []string
	for _, word := range words[:min(len(words), most)] {
		quoted = append(quoted, quote(word))
	}
	if len(words) > most {
		quoted = append(quoted, "…")
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// assignments are the entries of a map as NAME=value.
func assignments(n *yaml.Node) []string {
	var all []string
	for i := 0; i+1 < len(n.Content); i += 2 {
		all = append(all, target(n.Content[i]).Value+"="+target(n.Content[i+1]).Value)
	}
	return all
}

// otherWords are keys that people bring from other tools.
var otherWords = map[string]string{
	"args": "cmd", "command": "cmd", "environment": "env", "volumes": "mounts", "volume": "mounts",
	"workdir": "dir", "working_dir": "dir", "workingdir": "dir", "expose": "ports", "image": "package",
	"base": "parent", "from": "parent", "files": "paths", "arch": "platforms",
}

// suggestKey names the known key that was most likely meant.
func suggestKey(fields []field, key string) string {
	var known []string
	for _, f := range fields {
		known = append(known, f.key)
		if f.alias != "" {
			known = append(known, f.alias)
		}
	}
	if other, ok := otherWords[strings.ToLower(key)]; ok {
		if _, ok := findField(fields, other); ok {
			return "; did you mean " + strconv.Quote(other) + "?"
		}
	}
	if hint := suggest(known, strings.ReplaceAll(strings.ToLower(key), "_", "-")); hint != "" {
		return hint
	}
	return "; `smith schema` lists the keys"
}

// suggest names the known word next to a word, if it is near.
func suggest(known []string, word string) string {
	near := nearest.Words(word, slices.Values(known), 1)
	if len(near) == 0 {
		return ""
	}
	return "; did you mean " + strconv.Quote(near[0]) + "?"
}
