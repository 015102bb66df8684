//go:build !unix || aix || solaris

package archive

import "os"

// lock does nothing: the system offers no lock that ends with the process.
func lock(*os.Root) (unlock func(), err error) { return func() {}, nil }

// hold does nothing either.
func hold(*os.File) {}

// abandoned cannot tell.
func abandoned(*os.File) bool { return false }
