package loader

import (
	"errors"

	"smith/internal/tree"
)

// CachePath is where glibc's linker looks for the cache.
const CachePath = "/etc/ld.so.cache"

var errBadCache = errors.New("not a usable ld.so.cache")

// A Cache is the contents of /etc/ld.so.cache.
type Cache struct {
	Entries []CacheEntry
}

// A CacheEntry maps a soname to a path.
type CacheEntry struct {
	Soname, Path string
	Flags        uint32
}

func readCacheFile(*tree.Node) (*Cache, error) { return nil, errBadCache }

func (c *Cache) lookup(*linker, string) string { return "" }
