package closure

import (
	"sync"

	"smith/internal/tree"
)

// A Memory is what was read of files that selections look at again: one build
// selects several times. The zero value is ready; it is safe for concurrent use.
type Memory struct{ found sync.Map }

// remembered returns what was read of a file, by what its bytes are known by.
// Where nothing tells them, or there is no memory, they are read again.
func remembered[T any](m *Memory, what string, n *tree.Node, read func() (T, error)) (T, error) {
	id := identity(n)
	if m == nil || id == "" {
		return read()
	}
	key := what + "\x00" + id
	if known, ok := m.found.Load(key); ok {
		return known.(T), nil
	}
	value, err := read()
	if err == nil {
		m.found.Store(key, value)
	}
	return value, err
}
