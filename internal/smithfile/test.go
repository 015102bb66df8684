package smithfile

// A run of the image that must go as expected, in the sandbox of smith run.
type Test struct {
	// What is tested, for the report.
	Name string `json:"name,omitzero" rule:"text"`

	// The program and its arguments, in place of the image's entry point and cmd. Left out, the image is run as it is.
	Run []string `json:"run,omitzero" rule:"program"`

	// Arguments of the image's entry point, in place of its cmd.
	Args []string `json:"args,omitzero" rule:"argument"`

	// What the program reads from its standard input.
	Stdin string `json:"stdin,omitzero" rule:"script"`

	// Environment variables beside the image's, as NAME=value.
	Env []string `json:"env,omitzero" rule:"env"`

	// Files that the program sees in /read, by their path there, each with its text.
	Read map[string]string `json:"read,omitzero" rule:"label" keys:"file name"`

	// With true, the program uses this machine's network.
	Network bool `json:"network,omitzero"`

	// The time after which the test fails; 30s where it is left out.
	Timeout Duration `json:"timeout,omitzero" rule:"duration"`

	// The exit code that the program must have. A program with wait, http or exec is stopped after them, and its exit code does not count.
	Exit int `json:"exit,omitzero"`

	// What the program must print on its standard output.
	Stdout *Output `json:"stdout,omitzero"`

	// What it must print on its standard error.
	Stderr *Output `json:"stderr,omitzero"`

	// A TCP port on which the program must listen, such as 8080.
	Wait string `json:"wait,omitzero" rule:"port"`

	// A request that the program must answer once it listens.
	HTTP *HTTP `json:"http,omitzero"`

	// Another program of the image with its arguments, run beside the first one; it must end with exit code 0.
	Exec []string `json:"exec,omitzero" rule:"program"`

	// Files that the image must have, or must not. They are looked at and need no run: a test with files alone runs nothing.
	Files []FileTest `json:"files,omitzero"`
}

// What a text must be like. All that is given must hold.
type Output struct {
	// The whole text. A newline at its end does not count.
	Equals string `json:"equals,omitzero" rule:"script"`

	// Texts that it contains.
	Contains []string `json:"contains,omitzero" single:"yes" rule:"argument"`

	// Regular expressions (Go's, RE2) that match a line or more of it.
	Matches []string `json:"matches,omitzero" single:"yes" rule:"argument"`

	// Regular expressions that match nothing of it.
	Excludes []string `json:"excludes,omitzero" single:"yes" rule:"argument"`

	// With true, it must be empty.
	Empty bool `json:"empty,omitzero"`
}

// A request over HTTP to the program.
type HTTP struct {
	// The address, such as http://localhost:8080/health.
	URL string `json:"url,omitzero" rule:"word"`

	// The status that the answer must have; 200 where it is left out.
	Status int `json:"status,omitzero"`

	// What its body must be like.
	Body *Output `json:"body,omitzero"`
}

// A file of the image.
type FileTest struct {
	// The file, symlinks followed.
	Path string `json:"path,omitzero" rule:"dir"`

	// With true, the image must not have it.
	Absent bool `json:"absent,omitzero"`

	// With true, it must be executable.
	Executable bool `json:"executable,omitzero"`

	// What it must hold.
	Content *Output `json:"content,omitzero"`
}
