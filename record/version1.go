package record

import (
	"encoding/json"
	"strings"
)

// The form of version 1, in which a package was one text,
// "zlib1g 1:1.2.13 amd64", and what a script would have made had the origin
// "postinst of nginx 1.22 amd64".
type (
	record1 struct {
		Record
		Inputs  []input1  `json:"inputs"`
		Files   []file1   `json:"files"`
		Scripts []script1 `json:"scripts"`
	}
	input1 struct {
		Input
		Package struct{} `json:"-"`
	}
	file1 struct {
		File
		Origin *origin1 `json:"origin"`
	}
	origin1 struct {
		Kind   Kind   `json:"kind"`
		Name   string `json:"name"`
		Digest string `json:"digest"`
	}
	script1 struct {
		Script
		Package string `json:"package"`
	}
)

func decodeVersion1(data []byte) (*Record, error) {
	var old record1
	if err := json.Unmarshal(data, &old); err != nil {
		return nil, err
	}
	r, formats := old.Record, map[string]Format{}
	r.Version, r.Inputs, r.Files, r.Scripts = Version, nil, nil, nil
	for _, o := range old.Inputs {
		in := o.Input
		if in.Kind == KindPackage {
			formats[in.Name] = formatOf(in.URL, in.Note)
			in.Package, in.Name = package1(in.Name, formats), ""
		}
		r.Inputs = append(r.Inputs, in)
	}
	for _, o := range old.Files {
		f := o.File
		f.Origin = o.Origin.upgrade(formats)
		r.Files = append(r.Files, f)
	}
	for _, o := range old.Scripts {
		s := o.Script
		s.Package = package1(o.Package, formats)
		r.Scripts = append(r.Scripts, s)
	}
	return &r, nil
}

// upgrade takes the name of an origin apart.
func (o *origin1) upgrade(formats map[string]Format) *Origin {
	if o == nil {
		return nil
	}
	n := &Origin{Kind: o.Kind, Name: o.Name, Digest: o.Digest}
	switch {
	case o.Kind == KindPackage:
		n.Name, n.Package = "", package1(o.Name, formats)
	case o.Kind == KindSmith:
		what, pkg, ok := strings.Cut(o.Name, " of ")
		if !ok {
			break
		}
		n.Name, n.Package = "", package1(pkg, formats)
		if what == "copyright" {
			n.Name = what
		} else {
			n.Script = what
		}
	}
	return n
}

// package1 parses the text of a package, in which no part held a blank.
func package1(text string, formats map[string]Format) Package {
	p := Package{Format: formats[text]}
	p.Name, text, _ = strings.Cut(text, " ")
	p.Version, p.Architecture, _ = strings.Cut(text, " ")
	return p
}

// formatOf tells the format by the file's name, which version 1 did not say.
func formatOf(names ...string) Format {
	for _, name := range names {
		for _, f := range Formats() {
			if strings.HasSuffix(name, "."+string(f)) {
				return f
			}
		}
	}
	return ""
}
