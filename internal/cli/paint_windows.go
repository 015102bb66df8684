package cli

import (
	"os"

	"golang.org/x/sys/windows"
)

// understands says whether a console takes colours and moves of the cursor, and
// tells it to.
func understands(f *os.File) bool {
	console := windows.Handle(f.Fd())
	var mode uint32
	if windows.GetConsoleMode(console, &mode) != nil {
		return false
	}
	return windows.SetConsoleMode(console, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}
