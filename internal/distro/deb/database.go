package deb

import (
	"context"
	"crypto/md5" //nolint:gosec // the form of the database, no protection
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"smith/internal/distro/packages"
	"smith/internal/source"
	"smith/internal/tree"
	"smith/record"
)

// statusDir is where images without dpkg tell scanners of their packages: a
// file for each with its control fields, and NAME.md5sums beside it.
const statusDir = "/var/lib/dpkg/status.d/"

// distribution are the files by which scanners know what the packages are of
// (os-release(5)), and the package that holds them.
var distribution = []string{"/etc/os-release", "/usr/lib/os-release", "/etc/debian_version", "/etc/lsb-release"}

const distributionPackage = "base-files"

// A description is what an image is told of the packages that it is made of.
type description struct {
	source.Description
	image   *tree.Tree
	offered []*tree.Tree
	reasons map[string]record.Reason
}

// describe returns what Offer.Describe is for these packages. What it opens is
// closed with the offer.
func (s *Source) describe(offer *source.Offer, chosen []*pkg, whole func(context.Context) ([]*pkg, error)) func(context.Context, *tree.Tree, source.Description) (map[string]record.Reason, error) {
	return func(ctx context.Context, image *tree.Tree, d source.Description) (map[string]record.Reason, error) {
		all := description{Description: d, image: image, offered: []*tree.Tree{offer.Tree}, reasons: map[string]record.Reason{}}
		if d.Packages && kept(image) {
			base, err := all.distribution(ctx, offer, whole)
			if err != nil {
				return nil, err
			}
			if base != nil {
				chosen = append(slices.Clone(chosen), base)
			}
		}
		for _, p := range chosen {
			files := filesOf(image, p)
			if len(files) == 0 {
				continue
			}
			if err := all.add(ctx, p, files); err != nil {
				return nil, fmt.Errorf("cannot describe %s: %w", p.ID(), err)
			}
		}
		return all.reasons, nil
	}
}

// kept says whether an image holds a file of any package.
func kept(image *tree.Tree) bool {
	found := errors.New("found")
	return errors.Is(image.Walk(func(n *tree.Node) error {
		if n.Origin != nil && n.Origin.Kind == record.KindPackage {
			return found
		}
		return nil
	}), found)
}

// filesOf returns what an image holds of a package, in the order of the paths.
func filesOf(image *tree.Tree, p *pkg) []*tree.Node {
	var files []*tree.Node
	_ = image.Walk(func(n *tree.Node) error { // the function returns no error
		if n.Origin != nil && n.Origin.Kind == record.KindPackage && n.Origin.Digest == p.digest().String() && n.Kind != tree.Dir {
			files = append(files, n)
		}
		return nil
	})
	return files
}

// distribution adds the files by which the distribution is known. Where the
// packages on offer lack them, it returns the essential package that has them.
func (d *description) distribution(ctx context.Context, offer *source.Offer, whole func(context.Context) ([]*pkg, error)) (*pkg, error) {
	if d.offered[0].Exists(distribution[0]) {
		return nil, d.takeDistribution(d.offered[0])
	}
	all, err := whole(ctx)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(all, func(p *pkg) bool { return p.locked.Name == distributionPackage })
	if i < 0 {
		return nil, nil // a repository of single packages
	}
	set, err := packages.New(ctx, []packages.Package{all[i]}, Rules())
	if err != nil {
		return nil, err
	}
	closeOffer := offer.Close
	offer.Close = func() error { return errors.Join(closeOffer(), set.Close()) }
	offer.Inputs = append(offer.Inputs, all[i].input())
	d.offered = append(d.offered, set.Tree())
	return all[i], d.takeDistribution(set.Tree())
}

func (d *description) takeDistribution(from *tree.Tree) error {
	reason := record.Reason{Rule: record.RulePackageDatabase, Detail: "tells which distribution the packages are of"}
	for _, name := range distribution {
		at, err := from.Lookup(name)
		if err != nil {
			continue // not every distribution has all
		}
		if err := d.insert(name, at.Node.Copy(), reason); err != nil {
			return err
		}
	}
	return nil
}

// insert puts a file into the image, unless one is there or is unwanted.
func (d *description) insert(name string, n *tree.Node, reason record.Reason) error {
	return d.Insert(d.image, name, n, reason, d.reasons)
}

// add adds what belongs to one package: its copyright, its control fields, and
// the sums of its files.
func (d *description) add(ctx context.Context, p *pkg, files []*tree.Node) error {
	f, err := p.open(ctx)
	if err != nil {
		return err
	}
	defer f.Close()
	if d.Licenses {
		own, err := d.copyright(p)
		if err != nil {
			return err
		}
		if own != nil {
			files = append(files, own)
			slices.SortFunc(files, func(a, b *tree.Node) int { return strings.Compare(a.Path(), b.Path()) })
		}
	}
	if !d.Packages {
		return nil
	}
	sums, err := sums(files, f.MD5Sums())
	if err != nil {
		return err
	}
	name := p.locked.Name
	if _, err := d.image.Lookup(statusDir + name); err == nil {
		name += ":" + p.locked.Architecture // of several architectures
	}
	fields := f.Control.String()
	if f.Control.Get("Status") == "" {
		fields = strings.TrimRight(fields, "\n") + "\nStatus: install ok installed\n"
	}
	reason := record.Reason{Rule: record.RulePackageDatabase, Detail: "tells scanners of " + p.ID().String()}
	for name, text := range map[string]string{name: fields, name + ".md5sums": sums} {
		n := tree.NewFile([]byte(text), 0o644)
		n.Origin = &record.Origin{Kind: record.KindSmith, Name: "package database"}
		if err := d.insert(statusDir+name, n, reason); err != nil {
			return err
		}
	}
	return nil
}

// copyright adds the package's copyright file, and returns the node where it is
// one of the package's own. A package may show another's by a link of its
// folder.
func (d *description) copyright(p *pkg) (*tree.Node, error) {
	name := "/usr/share/doc/" + p.locked.Name + "/copyright"
	var n *tree.Node
	for _, t := range d.offered {
		if at, err := t.Resolve(name); err == nil && at.Node.Kind == tree.File {
			n = at.Node.Copy()
			break
		}
	}
	if n == nil {
		return nil, nil
	}
	own := n.Origin != nil && n.Origin.Digest == p.digest().String()
	if !own {
		n.Origin = &record.Origin{Kind: record.KindSmith, Name: "copyright", Package: p.ID()}
	}
	if err := d.insert(name, n, record.Reason{Rule: record.RuleLicense, Detail: "the copyright of " + p.ID().String()}); err != nil {
		return nil, err
	}
	if !own || n.Parent() == nil {
		return nil, nil
	}
	return n, nil
}

// sums returns the MD5 sums of the files as deb-md5sums(5) has them. known are
// those that the package tells, by its own paths.
func sums(files []*tree.Node, known map[string]string) (string, error) {
	var b strings.Builder
	for _, n := range files {
		if n.Kind != tree.File {
			continue
		}
		sum := known[n.Path()]
		if sum == "" {
			sum = known[strings.TrimPrefix(n.Path(), "/usr")] // before the merge of /usr
		}
		if len(sum) != hex.EncodedLen(md5.Size) {
			r, err := n.Open()
			if err != nil {
				return "", err
			}
			h := md5.New() //nolint:gosec // see above
			_, err = io.Copy(h, r)
			if err = errors.Join(err, r.Close()); err != nil {
				return "", err
			}
			sum = hex.EncodeToString(h.Sum(nil))
		}
		fmt.Fprintf(&b, "%s  %s\n", sum, strings.TrimPrefix(n.Path(), "/"))
	}
	return b.String(), nil
}
