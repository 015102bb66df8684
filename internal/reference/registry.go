package reference

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
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

var digestForm = regexp.MustCompile(`@sha256:[0-9a-f]{64}$`)

// cutDigest parts a name from the digest at its end, which keeps its @.
func cutDigest(name string) (head, digest string) {
	if at := digestForm.FindStringIndex(name); at != nil {
		return name[:at[0]], name[at[0]:]
	}
	return name, ""
}

// maxRemote bounds a reference to a registry; longer ones no registry takes.
const maxRemote = 1024

// DockerHub is the one name that smith gives to Docker Hub.
const DockerHub = "docker.io"

// DockerHubHosts returns all host names of Docker Hub: that in references first,
// then what logins are kept under, and what answers requests.
func DockerHubHosts() []string { return []string{DockerHub, "index.docker.io", "registry-1.docker.io"} }

// RegistryHost returns the one name of a registry: that of a host, or of the
// address that "docker login" takes and keeps, such as
// "https://index.docker.io/v1/".
func RegistryHost(name string) string {
	host := strings.TrimPrefix(strings.TrimPrefix(name, "https://"), plainScheme)
	if path := strings.TrimSuffix(host, "/"); strings.HasSuffix(path, "/v1") || strings.HasSuffix(path, "/v2") || !strings.Contains(path, "/") {
		host, _, _ = strings.Cut(path, "/")
	}
	if slices.Contains(DockerHubHosts(), host) {
		return DockerHub
	}
	return host
}

// isRegistry reports whether a name's first part can only be a registry's host.
func isRegistry(name string) bool {
	if strings.HasPrefix(name, plainScheme) || strings.HasPrefix(name, "https://") {
		return true
	}
	host, rest, found := strings.Cut(name, "/")
	return found && rest != "" && (strings.Contains(host, ".") || portForm.MatchString(host) || host == "localhost")
}

// registry reads a name that isRegistry.
func registry(name string) (Reference, error) {
	rest, isPlain := strings.CutPrefix(name, plainScheme)
	rest = strings.TrimPrefix(rest, "https://")
	host, repository, _ := strings.Cut(rest, "/")
	if head, _ := cutDigest(rest); strings.Contains(head, "@") {
		// Not repeated here: it may hold a password, which may hold any sign.
		host, _, _ = strings.Cut(head[strings.LastIndexByte(head, '@')+1:], "/")
		return Reference{}, fmt.Errorf("the name of an image at %s holds a user: it would stand in the image's record; leave it out and log in", host)
	}
	if len(rest) > maxRemote || !hostForm.MatchString(host) || !repositoryForm.MatchString(repository) {
		return Reference{}, fmt.Errorf("%.100q is no image in a registry; write HOST/NAME:TAG or HOST/NAME@sha256:…, in lower case", shown(name))
	}
	if host = RegistryHost(host); host == DockerHub && !strings.Contains(repository, "/") {
		repository = "library/" + repository
	}
	remote := host + "/" + repository
	if isPlain {
		remote = plainScheme + remote
	}
	return Reference{Kind: Registry, Remote: remote}, nil
}

// A Login is a user and a password that stood in a name.
type Login struct{ User, Password string }

// ParseRemote decides where `smith upload` and `smith download` find an image
// in a registry. They take the original's https://USER:PASSWORD@HOST/NAME:TAG
// too: the login is parted from the name, which goes on without it.
func ParseRemote(name string) (Reference, Login, error) {
	if err := plain(name); err != nil {
		return Reference{}, Login{}, errors.New("the name of the image is empty or holds a control character")
	}
	login, name, err := splitLogin(name)
	if err != nil {
		return Reference{}, Login{}, err
	}
	if !isRegistry(name) {
		return Reference{}, Login{}, fmt.Errorf("%.100q is no image in a registry; write HOST/NAME:TAG, for Docker Hub docker.io/NAME:TAG", shown(name))
	}
	r, err := registry(name)
	return r, login, err
}

// splitLogin parts [http[s]://]USER:PASSWORD@HOST/NAME. Its errors do not
// repeat what stands before the @.
func splitLogin(name string) (Login, string, error) {
	scheme, rest := "", name
	if i := strings.Index(name, "://"); i >= 0 {
		scheme, rest = name[:i+3], name[i+3:]
	}
	head, digest := cutDigest(rest)
	i := strings.LastIndexByte(head, '@') // a password may hold / and @ itself
	if i < 0 {
		return Login{}, name, nil
	}
	user, password, found := strings.Cut(head[:i], ":")
	var err error
	if user, err = url.PathUnescape(user); err == nil {
		password, err = url.PathUnescape(password)
	}
	if err != nil || !found || user == "" || password == "" {
		return Login{}, "", errors.New("what stands before the @ is no USER:PASSWORD, escaped as URLs have it")
	}
	return Login{user, password}, scheme + head[i+1:] + digest, nil
}

// plainScheme stands before a registry that is asked without TLS.
const plainScheme = "http://"

// A Remote is the parts of a Registry's reference.
type Remote struct {
	// Plain says that HTTP without TLS was asked for.
	Plain bool
	// Host is the registry's, with a port where one was given.
	Host string
	// Repository is the image's name in the registry.
	Repository string
	// Tag is "" where none was given; Digest too.
	Tag, Digest string
}

// Split returns the parts of a Registry's reference.
func (r Reference) Split() Remote {
	var out Remote
	rest, plain := strings.CutPrefix(r.Remote, plainScheme)
	out.Plain = plain
	out.Host, rest, _ = strings.Cut(rest, "/")
	rest, out.Digest, _ = strings.Cut(rest, "@")
	out.Repository, out.Tag, _ = strings.Cut(rest, ":")
	return out
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
