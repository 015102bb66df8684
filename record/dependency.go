package record

// A DependencyOutcome is what became of a dependency. The set is closed.
type DependencyOutcome string

// The outcomes of dependencies.
const (
	DependencyDischarged DependencyOutcome = "discharged" // files of it are kept
	DependencyKept       DependencyOutcome = "kept"       // all its run-time files are kept for the dependency's sake
	DependencyUnneeded   DependencyOutcome = "unneeded"   // it is proven unneeded
	DependencyStands     DependencyOutcome = "stands"     // it holds no files; its own dependencies count in its place
	DependencySuspect    DependencyOutcome = "suspect"    // nothing of it is kept, and it may be needed
)

// DependencyOutcomes returns all outcomes of dependencies.
func DependencyOutcomes() []DependencyOutcome {
	return []DependencyOutcome{DependencyDischarged, DependencyKept, DependencyUnneeded, DependencyStands, DependencySuspect}
}

// A Dependency is what became of one dependency of a package that the image
// holds files of. It is comparable.
type Dependency struct {
	// From and To are the names of the packages.
	From    string            `json:"from"`
	To      string            `json:"to"`
	Outcome DependencyOutcome `json:"outcome"`
	// Why explains an outcome, for a reader.
	Why string `json:"why,omitempty"`
}
