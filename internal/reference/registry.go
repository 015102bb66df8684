package reference

import (
	"fmt"
	"regexp"
	"strings"
)

var (
	hostForm = regexp.MustCompile(`^(?:[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*|\[[0-9A-Fa-f:]+\])(?::[0-9]{1,5})?$`)
	portForm = regexp.MustCompile(`:[0-9]{1,5}$`)
	// repositoryForm is a repository's name, with a tag, a digest or both (OCI
	// distribution-spec, "Pulling manifests").
	repositoryForm = regexp.MustCompile(`^[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*)*` +
		`(?::[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?(?:@sha256:[0-9a-f]{64})?$`)
)

// maxRemote bounds a reference to a registry; longer ones no registry takes.
const maxRemote = 1024

// isRegistry says whether a name's first part can only be a registry's host.
func isRegistry(name string) bool {
	if strings.HasPrefix(name, "http://") || strings.HasPrefix(name, "https://") {
		return true
	}
	host, rest, found := strings.Cut(name, "/")
	return found && rest != "" && (strings.Contains(host, ".") || portForm.MatchString(host) || host == "localhost")
}

// registry reads a name that isRegistry.
func registry(name string) (Reference, error) {
	rest, isPlain := strings.CutPrefix(name, "http://")
	rest = strings.TrimPrefix(rest, "https://")
	host, repository, _ := strings.Cut(rest, "/")
	if strings.Contains(host, "@") {
		// Not repeated here: it may hold a password.
		_, host, _ = strings.Cut(host, "@")
		return Reference{}, fmt.Errorf("the name of an image at %s holds a user: it would stand in the image's record; leave it out and log in", host)
	}
	if len(rest) > maxRemote || !hostForm.MatchString(host) || !repositoryForm.MatchString(repository) {
		return Reference{}, fmt.Errorf("%.100q is no image in a registry; write HOST/NAME:TAG or HOST/NAME@sha256:…, in lower case", name)
	}
	if host == "docker.io" && !strings.Contains(repository, "/") {
		repository = "library/" + repository
	}
	remote := host + "/" + repository
	if isPlain {
		remote = "http://" + remote
	}
	return Reference{Kind: Registry, Remote: remote}, nil
}

// shortName is a name of Docker Hub, which only type: oci makes it.
func shortName(name string) (Reference, error) {
	r, err := registry("docker.io/" + name)
	if err != nil {
		return Reference{}, fmt.Errorf("%.100q is no image's name; write a file, HOST/NAME:TAG, or a short name such as debian:12", name)
	}
	r.Decided = "a short name with type: oci is Docker Hub's"
	return r, nil
}
