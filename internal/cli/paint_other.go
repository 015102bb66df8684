//go:build !windows

package cli

import "os"

// understands says whether a terminal takes colours and moves of the cursor.
func understands(*os.File) bool { return os.Getenv("TERM") != "dumb" }
