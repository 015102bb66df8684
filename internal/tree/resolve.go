package tree

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// MaxLinks is how many symbolic links Linux follows for one path
// (MAXSYMLINKS, path_resolution(7)).
const MaxLinks = 40

// Errors that a PathError wraps, beside fs.ErrNotExist.
var (
	ErrLoop         = errors.New("too many symbolic links")
	ErrNotDirectory = errors.New("not a folder")
)

// A Resolution is what a path leads to.
type Resolution struct {
	// Node is where the path ends.
	Node *Node
	// Links are the symbolic links that were followed, in order. Where the
	// last element is a link that Lookup did not follow, it is Node.
	Links []*Node
}

// Path returns the real path of the node: no link on the way.
func (r Resolution) Path() string { return r.Node.Path() }

// A PathError tells why a path leads nowhere.
type PathError struct {
	Path  string  // as it was asked for
	At    string  // the real path at which resolution ended
	Links []*Node // the links followed until then
	Err   error   // fs.ErrNotExist, ErrLoop, ErrNotDirectory
}

// Error returns the path, where it ended, and why.
func (e *PathError) Error() string {
	reason := e.Err.Error()
	if errors.Is(e.Err, fs.ErrNotExist) {
		reason = "no such file"
	}
	if e.At == e.Path || e.At == "" {
		return fmt.Sprintf("%s: %s", e.Path, reason)
	}
	return fmt.Sprintf("%s: %s: %s", e.Path, e.At, reason)
}

// Unwrap returns the reason.
func (e *PathError) Unwrap() error { return e.Err }

// Lookup finds the node at a path. Links in folders on the way are followed
// inside the tree; a link at the end is not. The error is a *PathError where
// the path leads nowhere.
func (t *Tree) Lookup(name string) (Resolution, error) { return t.walk(name, false) }

// Resolve finds what a path leads to, as open(2) in a process rooted at the
// tree would: every link is followed inside the tree. The error is a
// *PathError where the path leads nowhere.
func (t *Tree) Resolve(name string) (Resolution, error) { return t.walk(name, true) }

// Exists says whether a path leads to something.
func (t *Tree) Exists(name string) bool {
	_, err := t.Resolve(name)
	return err == nil
}

func (t *Tree) walk(name string, followLast bool) (Resolution, error) {
	var links []*Node
	at := t.root
	fail := func(where string, err error) (Resolution, error) {
		return Resolution{}, &PathError{Path: name, At: where, Links: links, Err: err}
	}
	todo := name
	for {
		todo = strings.TrimLeft(todo, "/")
		if todo == "" {
			return Resolution{Node: at, Links: links}, nil
		}
		part, rest, more := strings.Cut(todo, "/")
		todo = rest
		if at.Kind != Dir {
			return fail(at.Path(), ErrNotDirectory)
		}
		switch part {
		case ".":
			continue
		case "..":
			if at.parent != nil {
				at = at.parent
			}
			continue
		}
		next, err := at.Child(part)
		if err != nil {
			return Resolution{}, err
		}
		if next == nil {
			return fail(join(at, part), fs.ErrNotExist)
		}
		// A trailing slash asks for the folder behind a link, as in the kernel.
		if next.Kind != Symlink || (!more && !followLast) {
			at = next
			continue
		}
		if links = append(links, next); len(links) > MaxLinks {
			return fail(next.Path(), ErrLoop)
		}
		if next.Link == "" || len(next.Link)+len(todo) > maxPath*4 {
			return fail(next.Path(), fs.ErrNotExist)
		}
		if strings.HasPrefix(next.Link, "/") {
			at = t.root
		}
		if more {
			todo = next.Link + "/" + todo
		} else {
			todo = next.Link
		}
	}
}

func join(dir *Node, name string) string {
	if dir.parent == nil {
		return "/" + name
	}
	return dir.Path() + "/" + name
}
