package repodata

import (
	"context"
	"strings"

	"smith/internal/nearest"
)

// Like shows finders what the index tells of all packages: their programs and
// configuration, and the libraries that they provide by name.
func (x *Index) Like(ctx context.Context, finders []*nearest.PathFinder) error {
	for i := range x.Len() {
		p, err := x.Package(i)
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		name := func() string { return p.Name }
		for _, f := range finders {
			for _, file := range p.Files {
				f.See(file, name)
			}
			for _, r := range p.Provides {
				soname, _, _ := strings.Cut(r.Name, "(")
				f.SeeName(soname, name)
			}
		}
	}
	return nil
}

// Like shows finders all that the packages hold.
func (l *Filelists) Like(ctx context.Context, finders []*nearest.PathFinder) error {
	for i := range l.Len() {
		record, err := l.Record(i)
		if err != nil {
			return err
		}
		list, err := decodeList(record)
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		for _, f := range finders {
			for _, name := range list.paths {
				f.See(name, func() string { return list.name })
			}
		}
	}
	return nil
}
