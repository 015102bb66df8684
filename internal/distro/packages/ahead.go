package packages

import (
	"path"
	"strings"
	"sync"
)

// ahead is the opening of packages that will be looked at soon.
type ahead struct {
	once      sync.Once
	libraries map[string][]*member // by names of files, where lists tell them
	group     sync.WaitGroup
	slots     chan struct{}
	mu        sync.Mutex
	begun     map[*member]bool
}

// Ahead begins to open the packages that hold libraries of these names, several
// at once, and returns. It is for libraries that will be looked up next, so that
// one is not waited for after the other. What fails is told to whoever looks.
func (s *Set) Ahead(names []string) {
	a := &s.ahead
	a.once.Do(s.nameLibraries)
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, name := range names {
		for _, m := range a.libraries[path.Base(name)] {
			if a.begun[m] {
				continue
			}
			a.begun[m] = true
			a.group.Go(func() {
				a.slots <- struct{}{}
				defer func() { <-a.slots }()
				_ = m.open() // it returns the same to whoever opens it next
			})
		}
	}
}

// nameLibraries notes who holds which libraries, as far as packages are not
// opened anyway.
func (s *Set) nameLibraries() {
	a := &s.ahead
	a.libraries, a.begun = map[string][]*member{}, map[*member]bool{}
	a.slots = make(chan struct{}, maxOpening)
	for _, m := range s.members {
		for _, name := range m.paths {
			if dir, base := path.Split(name); m.opened() == nil && strings.Contains(dir, "/lib") {
				a.libraries[base] = append(a.libraries[base], m)
			}
		}
	}
}

// Settle waits until all is open that Ahead began to open.
func (s *Set) Settle() { s.ahead.group.Wait() }
