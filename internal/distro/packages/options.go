package packages

import (
	"smith/internal/cache/store"
	"smith/internal/event"
	"smith/internal/lock"
	"smith/internal/network/fetch"
)

// Options are what the source of a distribution's packages is told, whatever
// their kind.
type Options struct {
	// Requests are the packages to offer, with all that they need.
	Requests []Request
	// Recommends takes recommended packages too.
	Recommends bool
	// Debug looks for the packages with the debug information of the others.
	Debug bool
	// Locked are the packages to use, by platform, in place of what the
	// repositories have now; nil asks the repositories.
	Locked map[string]*lock.Platform
	// Keep are packages, by platform, whose versions stay where they can.
	Keep map[string]*lock.Platform
	// Archives are where files are asked for that no mirror has: see
	// lock.Addresses.
	Archives []string
	// Dir is the folder that paths count from.
	Dir string
	// Root is where the machine's configuration lies; "" is "/".
	Root string
	// Network says how files are fetched; the source sets its Logins and Proxy
	// as the machine has them.
	Network fetch.Options
	Store   *store.Store
	Events  event.Listener
}

// A Request is one package that is asked for.
type Request struct {
	// Text is the request as it is written.
	Text string
	// File says that it is the path of a package's file.
	File bool
	// Where tells the reader where it stands: "smith.yaml:2".
	Where string
}
