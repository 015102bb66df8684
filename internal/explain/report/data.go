package report

import (
	"encoding/json"

	"smith/internal/capability"
	"smith/internal/explain"
	"smith/record"
)

// data is what the script of the page reads. The names are short where they
// stand once for each file.
type data struct {
	Name       string `json:"name"`
	Digest     string `json:"digest"`
	Platform   string `json:"platform"`
	Compressed int64  `json:"compressed"`
	Unpacked   int64  `json:"unpacked"`
	Recorded   bool   `json:"recorded"`
	Facts      []Fact `json:"facts"`
	Packages   []pack `json:"packages"`
	// Vouchers are what vouched for the other origins, by their kinds.
	Vouchers map[string]string `json:"vouchers,omitempty"`
	Files    []file            `json:"files"`
	Checks   []explain.Check   `json:"checks"`
	Suspects []record.Finding  `json:"suspects"`
	Warnings []string          `json:"warnings"`
	Spec     json.RawMessage   `json:"spec,omitempty"`
}

// A pack is a package with what it gave to the image.
type pack struct {
	Name         string `json:"name"`
	Version      string `json:"version"`
	Architecture string `json:"architecture"`
	Files        int    `json:"files"`
	Size         int64  `json:"size"`
	// Voucher is what vouched for it.
	Voucher string `json:"voucher,omitempty"`
}

type file struct {
	Path string          `json:"p"`
	Type record.FileType `json:"t"`
	Size int64           `json:"s"`
	// Package is an index in Packages, -1 where the file is from none.
	Package int `json:"k"`
	// Origin is what else the file comes from.
	Origin string `json:"o,omitempty"`
	// Why is the file before it on the shortest chain, an index in Files, -1
	// for a root and -2 where nothing explains the file.
	Why int `json:"w"`
	// Reason is why, in words. Aside is set where the graph does not show it.
	Reason string `json:"d,omitempty"`
	Aside  bool   `json:"r,omitempty"`
	// Capabilities are as getcap(8) shows them.
	Capabilities string `json:"c,omitempty"`
	// Others are the further files that need it.
	Others []int `json:"x,omitempty"`
}

const (
	isRoot      = -1
	unexplained = -2
)

func newData(r Report) data {
	d := data{
		Name: r.Name, Digest: r.Digest, Platform: r.Platform, Compressed: r.Compressed, Recorded: r.Image.Recorded,
		Facts: r.Facts, Checks: r.Checks, Suspects: r.Suspects, Warnings: r.Warnings, Spec: r.Spec,
		Packages: []pack{}, Files: []file{}, Vouchers: map[string]string{},
	}
	packages := map[record.Package]int{}
	for _, p := range r.Image.Packages() {
		packages[p] = len(d.Packages)
		d.Packages = append(d.Packages, pack{Name: p.Name, Version: p.Version, Architecture: p.Architecture})
	}
	index := make(map[*explain.File]int, len(r.Image.Files))
	for i, f := range r.Image.Files {
		index[f] = i
	}
	for _, f := range r.Image.Files {
		row := file{Path: f.Path, Type: f.Type, Size: f.Size, Package: -1}
		if at, ok := packages[f.Package()]; ok {
			row.Package = at
			d.Packages[at].Files++
			d.Packages[at].Size += f.Size
			d.Packages[at].Voucher = voucher(r.Image, f)
		} else if f.Origin != nil {
			row.Origin = string(f.Origin.Kind)
			if text := voucher(r.Image, f); text != "" {
				d.Vouchers[row.Origin] = text
			}
		}
		if attribute := f.Node.Xattrs[capability.Attribute]; attribute != "" {
			row.Capabilities = capability.Text(attribute)
		}
		row.explain(r.Image, f, index)
		d.Unpacked += f.Size
		d.Files = append(d.Files, row)
	}
	return d
}

// explain fills in the reasons of a file.
func (row *file) explain(img *explain.Image, f *explain.File, index map[*explain.File]int) {
	chain := img.Why(f)
	if chain == nil {
		row.Why = unexplained
		return
	}
	last := chain[len(chain)-1]
	row.Why, row.Reason = isRoot, last.Reason.String()
	row.Aside = !last.Reason.Rule.IsEdge() || last.Reason.Rule.Role() == record.RoleMetadata
	if len(chain) > 1 {
		row.Why = index[chain[len(chain)-2].File]
	}
	for _, r := range f.Reasons {
		if r == last.Reason || r.From == "" {
			continue
		}
		if from := img.File(r.From); from != nil {
			row.Others = append(row.Others, index[from])
		}
	}
}

// voucher is what vouched for a file's bytes, "" where no record tells.
func voucher(img *explain.Image, f *explain.File) string {
	if in := img.Input(f); in != nil {
		return in.Voucher()
	}
	return ""
}
