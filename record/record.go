// Package record is the build record: what an image was made from and why
// each of its files is there. It travels with the image as a blob of media
// type application/vnd.smith.record+json and is what `smith ls`, `inspect`
// and later commands read. It holds no time, host or user, so that the same
// build gives the same record.
package record

// Version is the version of the record's form.
const Version = 1

// A Record explains an image.
type Record struct {
	Version int `json:"version"`
	// Spec is where the roots were written, such as "smith.yaml".
	Spec string `json:"spec,omitempty"`
	// Platform is the image's, such as "linux/amd64".
	Platform string `json:"platform"`
	// Inputs are what the files came from, the package first, then the parent.
	Inputs []Input `json:"inputs,omitempty"`
	// Files are all files of the new layer, sorted by path.
	Files []File `json:"files"`
	// Excluded are paths that something needs and that the spec leaves out.
	Excluded []Finding `json:"excluded,omitempty"`
	// Allowed are missing things that the spec accepts by name.
	Allowed []Finding `json:"allowed,omitempty"`
	// Suspects look like names of libraries that a kept file may load.
	Suspects []Finding `json:"suspects,omitempty"`
	// Scripts are what the scripts of the packages would have done that the
	// image holds files of.
	Scripts []Script `json:"scripts,omitempty"`
	// Warnings are what the build said, in the order of their texts.
	Warnings []string `json:"warnings,omitempty"`
}

// An Input is a source of files.
type Input struct {
	// Kind is "image", "parent", "host", "overlay" or "package".
	Kind string `json:"kind"`
	// Name is the reference as the spec gives it, without any folder of the
	// machine it was built on.
	Name string `json:"name"`
	// Digest is the manifest's or file's digest, "" for this machine's files.
	Digest string `json:"digest,omitempty"`
	// URL is where a package was offered.
	URL string `json:"url,omitempty"`
	// Repository is what offered a package, in its own words: "Debian bookworm
	// main".
	Repository string `json:"repository,omitempty"`
	// Key is the fingerprint of the key that vouched for a package.
	Key string `json:"key,omitempty"`
	// Note says how the kind was decided, or what vouches for the input.
	Note string `json:"note,omitempty"`
}

// A Script is one that a package runs when it is installed. It was read, not
// run.
type Script struct {
	// Package is the name of the input, Name that of the script: "postinst".
	Package string   `json:"package"`
	Name    string   `json:"name"`
	Effects []Effect `json:"effects,omitempty"`
}

// An Effect is something that a script would have done.
type Effect struct {
	// Class is "emulated", "irrelevant" or "unhandled".
	Class string `json:"class"`
	// Command is what would have been run, as far as that is known, and Line
	// where it stands.
	Command string `json:"command"`
	Line    int    `json:"line"`
	// Why tells why it has its class.
	Why string `json:"why"`
	// Path is what an unhandled effect changes, or is about, where that is known.
	Path string `json:"path,omitempty"`
}

// A File is one path of the image.
type File struct {
	Path string `json:"path"`
	// Type is "file", "dir", "symlink" or "hardlink".
	Type   string `json:"type"`
	Size   int64  `json:"size,omitempty"`
	Link   string `json:"link,omitempty"`
	Digest string `json:"digest,omitempty"`
	// Capabilities are those that the spec gives to the program, by name.
	Capabilities []string `json:"capabilities,omitempty"`
	// Origin is where the bytes came from: the kind and name of an input, and
	// the digest of its layer or package.
	Origin *Origin `json:"origin,omitempty"`
	// Reasons are why the file is there, the first one found first.
	Reasons []Reason `json:"reasons"`
}

// An Origin is where a file's bytes came from.
type Origin struct {
	Kind   string `json:"kind"`
	Name   string `json:"name,omitempty"`
	Digest string `json:"digest,omitempty"`
}

// A Reason is one edge of the closure: why a path is there.
type Reason struct {
	// Rule is the rule that brought the path: "path", "overlay", "needed",
	// "interpreter", "script", "symlink", "nss", "dlopen", "skeleton", ….
	Rule string `json:"rule"`
	// From is the path that needs this one, "" where the spec asks for it.
	From string `json:"from,omitempty"`
	// Detail is for the reader: the glob and its line, the soname and where it
	// was found, the words after "#!".
	Detail string `json:"detail,omitempty"`
}

// A Finding is something that was looked at and not simply kept.
type Finding struct {
	// Name is the path, soname or version in question.
	Name string `json:"name"`
	// From is the path that asks for it.
	From string `json:"from,omitempty"`
	// Detail says why, and where it was looked for.
	Detail string `json:"detail,omitempty"`
}
