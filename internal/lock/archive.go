package lock

import (
	"net/url"
	"path"
	"path/filepath"
	"strings"
)

// Addresses returns where archives would have a package that no mirror has any
// more.
// An archive is one of:
//
//   - an address with {sha256}, {name}, {version}, {architecture}, {file} or
//     {path} in it;
//   - the address of a snapshot, which holds files at the same paths below it;
//   - a directory that smith fetch --to made; a relative path is resolved
//     against dir.
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

// KeptAs is the path of a package's file in a directory that smith fetch --to
// makes.
func KeptAs(p Package) string { return "sha256/" + p.SHA256 }

// FileAddress is the URL of a file; a relative path is resolved against dir.
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

// path is the path of the package's file below its repository. Every archive of
// Debian packages and its snapshots share the part from pool/ on.
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
