// Package smithfile is smith.yaml: its types, its strict decoder and its JSON
// Schema. It knows what may be written and where it was written, and nothing
// of how an image is built from it.
//
// The types in this file and in test.go are the one description of smith.yaml. The decoder
// and the schema both follow their fields' tags: json names the key, alias
// another name of it, rule the form of its values (see rules.go), default
// what an absent key means, single that a list may be written as its one
// element, word what stands for a whole map in which the key is true, keys the
// form of the names in a map, filled that a key which is written holds
// something. The fields' comments are the descriptions in the
// schema, so they are written for the reader of smith.yaml.
package smithfile

import "time"

// A smith.yaml says what an image is made from, which files it keeps, and how
// its program is started.
type Spec struct {
	// What kind of source the package is. Left out, the package's name decides.
	Type string `json:"type,omitzero" rule:"type"`

	// Where the files come from: an image in a file or folder (base.tar.gz, base.tar, base.tgz, ./layout, each with an optional :tag), or the name of a package. One name, or a list of them.
	Packages []string `json:"packages,omitzero" alias:"package" rule:"package" filled:"yes"`

	// Where packages are looked for: each a repository, or the word host for those that this machine's package manager uses. Left out, it is host.
	Repositories []Repository `json:"repositories,omitzero"`

	// Take the packages that others recommend too, where they can be had.
	Recommends bool `json:"recommends,omitzero"`

	// Streams of modules of RPM repositories to use beside the default ones, such as nodejs:20.
	Modules []string `json:"modules,omitzero" alias:"module" rule:"word"`

	// Write what scanners read to know which packages the files are of.
	PackageDatabase bool `json:"package-database" default:"true"`

	// Keep the copyright files of the packages whose files are kept.
	Licenses bool `json:"licenses" default:"true"`

	// Where the packages of smith.lock are asked for that no mirror has any more: folders such as those that smith fetch --to makes, addresses of snapshots that hold files at the same paths, or addresses with {sha256}, {name}, {version}, {architecture}, {file} or {path} in them.
	Archives []string `json:"archives,omitzero" rule:"archive"`

	// Settings for a source of RPM packages. They are those of the original smith.
	Mock *Mock `json:"mock,omitzero"`

	// Another image whose layers come first, with an optional :tag. What dir, entrypoint, cmd, env, ports, labels, mounts, user, stop-signal and healthcheck leave out comes from it.
	Parent string `json:"parent,omitzero" rule:"package"`

	// The platforms to build for, one or a list, such as linux/amd64. Left out, it is that of the package or of this machine.
	Platforms []string `json:"platforms,omitzero" alias:"platform" rule:"platform"`

	// The name under which a container tool loads the image, such as team/app:1.2. Left out, it is the name of the folder of smith.yaml.
	Name string `json:"name,omitzero" rule:"name"`

	// Globs of the files to keep, counted from the root: *, ?, [a-z], {a,b}, and ** for any number of folders. A folder brings all under it. A glob that matches nothing is an error. Left out, the program of entrypoint or cmd is kept.
	Paths []string `json:"paths,omitzero" rule:"glob"`

	// Globs of what to leave out, even where something needs it.
	Excludes []string `json:"excludes,omitzero" rule:"glob"`

	// Names of libraries or paths that may be missing: the build goes on without them.
	AllowMissing []string `json:"allow-missing,omitzero" rule:"missing"`

	// How far the notes that programs carry about libraries they load while running are followed: required keeps the required ones, recommended also the recommended ones that the source has, suggested also the suggested ones that it has.
	Dlopen string `json:"dlopen,omitzero" rule:"dlopen" default:"recommended"`

	// How much of its own world an interpreter such as python3, perl or ruby brings: full is its standard library, minimal what it needs to start, none nothing.
	Interpreters string `json:"interpreters,omitzero" rule:"interpreters" default:"full"`

	// What becomes of the dependencies of the packages: discharge keeps the run-time files of each that the kept files do not use and that is not proven unneeded, keep keeps all of them and all programs, none only what kept files name. Left out, it is discharge where packages are asked for by name; beside paths, what is not discharged is listed.
	Dependencies string `json:"dependencies,omitzero" rule:"dependencies"`

	// Further programs of the packages to keep beside the entry point, although they bring packages of their own: names, or globs of paths; all keeps every one.
	Programs []string `json:"programs,omitzero" rule:"program-name"`

	// Data that programs expect without naming it, taken from the source's own files.
	Bundles []string `json:"bundles,omitzero" rule:"bundle"`

	// With all, the variants of libraries for newer CPUs are kept beside the base ones.
	Hwcaps string `json:"hwcaps,omitzero" rule:"hwcaps"`

	// Character sets whose converters are kept, such as ISO-8859-1.
	Gconv []string `json:"gconv,omitzero" rule:"charset"`

	// Bring the debug information of the kept files, from the packages that distributions have for it: with true into the image, with separate into a second one beside it, whose layers are the image's and one more. It is called as the image with -debug at the end of its tag, and of an archive's name: app-debug.tar.gz. What is missing is warned of.
	DebugInfo string `json:"debuginfo,omitzero" rule:"debuginfo"`

	// Write /etc/passwd, /etc/group and /etc/nsswitch.conf, and keep the libraries that look names up. A user or group given by name does so too.
	NSS bool `json:"nss,omitzero"`

	// Run as root, 0:0.
	Root bool `json:"root,omitzero"`

	// The user, or user:group, that the program runs as, by name or number. A name that is not built in gets the id 10. Left out, it is that of the parent, or 10:10.
	User string `json:"user,omitzero" rule:"user"`

	// Names of further groups that the user is a member of.
	Groups []string `json:"groups,omitzero" rule:"group"`

	// Let the log files of common servers, such as /var/log/nginx/error.log, be links to the standard streams, where the package is asked for by its name alone.
	LogStreams bool `json:"log-streams" default:"true"`

	// With root, every file belongs to 0:0, except /write, /run and the mounts. Left out, all belong to the image's user.
	Owner string `json:"owner,omitzero" rule:"owner"`

	// Programs of the image that get capabilities of the kernel when they are run, each path with its list, such as /usr/bin/ping: [net_raw]. A link is followed to its program. The container must be allowed them, and all other capabilities are dropped.
	Capabilities map[string][]string `json:"capabilities,omitzero" rule:"capability" keys:"program path"`

	// Folders that are mounted when the image runs.
	Mounts []string `json:"mounts,omitzero" rule:"mount"`

	// The program to run and its first arguments. A spec that sets it inherits no cmd.
	Entrypoint []string `json:"entrypoint,omitzero" rule:"program"`

	// The arguments of the entry point, which the user of the image may replace; with no entry point, the program and its arguments. Beside a package alone, words that begin with an option are for the package's program.
	Cmd []string `json:"cmd,omitzero" rule:"argument"`

	// The working folder of the program.
	Dir string `json:"dir,omitzero" rule:"dir"`

	// Environment variables as NAME=value. They are merged by name with those of the parent or the package's image.
	Env []string `json:"env,omitzero" rule:"env"`

	// Labels of the image's config.
	Labels map[string]string `json:"labels,omitzero" rule:"label" keys:"label key"`

	// Ports that the program listens on, such as 80/tcp or 53/udp: a list, or a map with empty values.
	Ports []string `json:"ports,omitzero" rule:"port"`

	// The signal that asks the program to stop, such as SIGTERM or 15.
	StopSignal string `json:"stop-signal,omitzero" rule:"signal"`

	// How a container engine finds out whether the program works.
	Healthcheck *Healthcheck `json:"healthcheck,omitzero"`
	// What the image may hold at the most. A build that exceeds it fails, names what grew since the image that stands at the target, and leaves that there.
	Budget *Budget `json:"budget,omitzero"`

	// What smith test and smith build --test run to find out whether the image works: a list of runs and what must come of them.
	Tests []Test `json:"test,omitzero"`

	lines map[string]int
}

// A repository of packages. The word host in its place stands for those that
// this machine's package manager uses.
type Repository struct {
	// The repositories that this machine's package manager uses.
	Host bool `json:"host,omitzero" word:"host"`

	// The address of a repository of Debian packages, http, https or file, or several mirrors of it. A user and password for it stand in ~/.netrc or in apt's auth.conf.
	Deb []string `json:"deb,omitzero" single:"yes" rule:"address"`

	// The address of a repository of RPM packages, http, https or file, or several mirrors of it; $basearch stands for the architecture. A user and password for it stand in ~/.netrc.
	RPM []string `json:"rpm,omitzero" single:"yes" rule:"address"`

	// In place of rpm, the address of a list of mirrors.
	Mirrorlist string `json:"mirrorlist,omitzero" rule:"address"`

	// In place of rpm, the address of a metalink: mirrors, and what the repository's metadata must be.
	Metalink string `json:"metalink,omitzero" rule:"address"`

	// Files or addresses of the OpenPGP keys that sign the packages of the repository, or a key itself.
	GPGKey []string `json:"gpgkey,omitzero" single:"yes" rule:"key"`

	// With false, packages are taken without a signature.
	GPGCheck bool `json:"gpgcheck" default:"true"`

	// The repository's metadata is signed too, and is checked.
	RepoGPGCheck bool `json:"repo_gpgcheck,omitzero"`

	// Of two repositories that have a package, the one with the lower priority is asked, whatever the versions; 99 where it is left out.
	Priority int `json:"priority,omitzero"`

	// Of two repositories that have the same version of a package, the one with the lower cost is asked; 1000 where it is left out.
	Cost int `json:"cost,omitzero"`

	// Packages that are not taken from the repository: names, or globs.
	Exclude []string `json:"exclude,omitzero" alias:"excludepkgs" single:"yes" rule:"word"`

	// The only packages that are taken from the repository: names, or globs.
	IncludePkgs []string `json:"includepkgs,omitzero" single:"yes" rule:"word"`

	// Modules do not hide the packages of the repository.
	ModuleHotfixes bool `json:"module_hotfixes,omitzero"`

	// The suites of the repository, such as bookworm and bookworm-updates; a folder with a slash at its end where the repository has none.
	Suites []string `json:"suites,omitzero" alias:"suite" rule:"word"`

	// The components, such as main.
	Components []string `json:"components,omitzero" alias:"component" rule:"word"`

	// The architectures that the repository is asked for, such as amd64. Left out, it is those of the platforms.
	Architectures []string `json:"architectures,omitzero" alias:"architecture" rule:"word"`

	// Files of the OpenPGP keys that vouch for the repository, or a key itself. Left out, it is the keys that this machine's package manager trusts.
	SignedBy []string `json:"signed-by,omitzero" single:"yes" rule:"key"`

	// With false, the repository counts after its Valid-Until: a snapshot is out of date by nature.
	CheckValidUntil bool `json:"check-valid-until" default:"true"`

	// Use the repository without anything that vouches for it.
	Trusted bool `json:"trusted,omitzero"`
}

// Settings for a source of RPM packages, as the original smith had them.
type Mock struct {
	// The configuration file of mock.
	Config string `json:"config,omitzero" rule:"text"`

	// Commands to run before the package is built.
	PreBuild string `json:"pre-build,omitzero" rule:"script"`

	// Commands to run after the package is built.
	PostBuild string `json:"post-build,omitzero" rule:"script"`

	// Further packages to install.
	Deps []string `json:"deps,omitzero" rule:"package"`

	// The same as debuginfo: true.
	DebugInfo bool `json:"debuginfo,omitzero"`

	// With debuginfo, further packages in which debug information is looked for, names or files.
	DebugDeps []string `json:"debugdeps,omitzero" rule:"package"`

	// With debuginfo, globs of further files to keep with it, of its packages too: sources, say. What they need is not kept.
	DebugPaths []string `json:"debugpaths,omitzero" rule:"glob"`
}

// How a container engine finds out whether the program works. Docker's
// engine and podman read it; OCI has no word for it.
type Healthcheck struct {
	// The check: [CMD, program, argument, …], [CMD-SHELL, command] or [NONE].
	Test []string `json:"test,omitzero" rule:"healthcheck"`

	// The time between two checks, such as 30s.
	Interval Duration `json:"interval,omitzero" rule:"duration"`

	// The time after which a check counts as failed.
	Timeout Duration `json:"timeout,omitzero" rule:"duration"`

	// The time that the program gets to start, in which a failure does not count.
	StartPeriod Duration `json:"start-period,omitzero" rule:"duration"`

	// The time between two checks while the program starts.
	StartInterval Duration `json:"start-interval,omitzero" rule:"duration"`

	// The number of failures in a row that make the program unhealthy.
	Retries int `json:"retries,omitzero"`
}

// What an image may hold at the most.
type Budget struct {
	// The size of all layers as they are stored and transferred, such as 30MB or 10MiB.
	Size string `json:"size,omitzero" rule:"size"`
	// The number of packages that files come from.
	Packages int `json:"packages,omitzero"`
	// The number of files, links and folders.
	Files int `json:"files,omitzero"`
}

// A Duration is a length of time that is written as Go writes it: 1m30s.
type Duration time.Duration

// MarshalText returns the duration as time.Duration prints it.
func (d Duration) MarshalText() ([]byte, error) {
	return []byte(time.Duration(d).String()), nil
}

// UnmarshalText reads what time.ParseDuration reads.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	*d = Duration(parsed)
	return err
}

// Line returns the line of smith.yaml in which an element of a list stands,
// such as Line("paths", 0), or that of the key where the element has no line
// of its own or index is negative; 0 where neither is known. Keys of an inner
// map are written "mock.deps".
func (s *Spec) Line(key string, index int) int {
	if line, ok := s.lines[element(key, index)]; ok {
		return line
	}
	return s.lines[key]
}
