package lock

import (
	"net/url"
	"path"
	"path/filepath"
	"strings"
)

// Addresses returns where archives would have a package that the mirrors lost.
// An archive is one of:
//
//   - an address with {sha256}, {name}, {version}, {architecture}, {file} or
//     {path} in it;
//   - the address of a snapshot, which holds files at the same paths below it;
//   - a folder that smith fetch --to made; a path that is not absolute counts
//     from dir.
func Addresses(archives []string, dir string, p Package) []string {
	var all []string
	for _, a := range archives {
		switch {
		case strings.Contains(a, "{"):
			if all = append(all, p.fill(a)); !strings.Contains(a, "://") {
				all[len(all)-1] = FileAddress(dir, all[len(all)-1])
			}
		case strings.Contains(a, "://"):
			all = append(all, strings.TrimSuffix(a, "/")+"/"+p.path())
		default:
			all = append(all, FileAddress(dir, filepath.Join(a, filepath.FromSlash(KeptAs(p)))))
		}
	}
	return all
}

// KeptAs is the path of a package's file in a folder that smith fetch --to
// makes.
func KeptAs(p Package) string { return "sha256/" + p.SHA256 }

// FileAddress is the address of a file; one that is not absolute counts from
// dir.
func FileAddress(dir, file string) string {
	if !filepath.IsAbs(file) {
		file = filepath.Join(dir, file)
	}
	file = filepath.ToSlash(file)
	if !strings.HasPrefix(file, "/") { // C:/x
		file = "/" + file
	}
	return (&url.URL{Scheme: "file", Path: file}).String()
}

// path is that of the package's file below its repository: from pool/ on where
// it has one, as every archive of Debian packages and its snapshots have.
func (p Package) path() string {
	u, err := url.Parse(p.URL)
	if err != nil {
		return KeptAs(p)
	}
	plain := strings.TrimPrefix(u.EscapedPath(), "/")
	if at := strings.Index(plain, "pool/"); at >= 0 {
		return plain[at:]
	}
	return plain
}

func (p Package) fill(template string) string {
	return strings.NewReplacer(
		"{sha256}", p.SHA256, "{name}", url.PathEscape(p.Name), "{version}", url.PathEscape(p.Version),
		"{architecture}", p.Architecture, "{file}", path.Base(p.path()), "{path}", p.path(),
	).Replace(template)
}
