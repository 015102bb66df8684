package rpm

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"

	"smith/internal/cache/store"
	"smith/internal/distro/openpgp"
	"smith/internal/distro/rpm/mockconfig"
	"smith/internal/distro/rpm/repodata"
	"smith/internal/distro/rpm/yumconfig"
	"smith/internal/network/fetch"
)

// repositories returns the configuration of all repositories for a machine.
func (f *family) repositories(machine string) ([]yumconfig.Repository, error) {
	all := slices.Clone(f.options.Repositories)
	for i := range all {
		if err := all[i].Replace(yumconfig.For(machine, "")); err != nil {
			return nil, err
		}
	}
	if f.options.Mock != "" {
		c, err := f.mockConfig()
		if err != nil {
			return nil, err
		}
		if c.Machine != machine {
			return nil, fmt.Errorf("%s is a configuration for %s, and the image is for %s", f.options.Mock, c.Machine, machine)
		}
		all = append(all, c.Repositories...)
	}
	if f.options.Host {
		host, err := yumconfig.ReadHost(f.Root, machine)
		if err != nil {
			return nil, err
		}
		if len(host) == 0 {
			return nil, errors.New("this machine has no repositories of RPM packages (/etc/yum.repos.d): " +
				"name one, repositories: [{rpm: https://mirror.example.org/os/, gpgkey: KEY}], or a mock configuration, mock: {config: …}")
		}
		all = append(all, host...)
	}
	return slices.DeleteFunc(all, func(r yumconfig.Repository) bool { return r.Debug && !f.Debug }), nil
}

// mockConfig reads the mock configuration.
func (f *family) mockConfig() (*mockconfig.Config, error) {
	path := f.mockPath()
	if !exists(path) {
		return nil, fmt.Errorf("the mock configuration %s is not there: the key mock.config takes a file, or the name of one in %s", path, filepath.Dir(mockconfig.DefaultPath))
	}
	return mockconfig.Read(path)
}

// mockPath is the file of the mock configuration: a path, or a name as mock's
// -r takes it.
func (f *family) mockPath() string {
	if beside := filepath.Join(f.Dir, f.options.Mock); !filepath.IsAbs(f.options.Mock) && exists(beside) {
		return beside
	}
	return mockconfig.Find(f.options.Mock)
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// A repository is one that is open.
type repository struct {
	yumconfig.Repository
	family  *family
	mirrors []string
	keys    *openpgp.Keyring // nil where it names none
	repomd  *repodata.Repomd
	index   *repodata.Index
	modules *repodata.Modules   // nil where it has none
	lists   *repodata.Filelists // nil until it is asked for
	// key is the fingerprint of the key that vouched for the metadata, or "".
	key string
	// vouched says what vouches for the metadata.
	vouched string
}

var (
	_ repodata.Fetcher = (*repository)(nil)
	_ repodata.Lists   = (*repository)(nil)
)

// openAll opens repositories, several at once. Those that may be absent are
// left out with a warning where they are.
func (f *family) openAll(ctx context.Context, configured []yumconfig.Repository) (repositories, error) {
	opened := make(repositories, len(configured))
	group, groupCtx := errgroup.WithContext(ctx)
	for i, c := range configured {
		group.Go(func() error {
			r := &repository{Repository: c, family: f}
			err := r.open(groupCtx)
			if err != nil && c.Optional && ctx.Err() == nil {
				f.Events.Warn(fmt.Sprintf("%s is left out: %v", c.Where, err))
				return nil
			}
			if err != nil {
				return fmt.Errorf("%s: %w", c.Where, err)
			}
			opened[i] = r
			return nil
		})
	}
	err := group.Wait()
	opened = slices.DeleteFunc(opened, func(r *repository) bool { return r == nil })
	if err != nil {
		return nil, errors.Join(err, opened.Close())
	}
	return opened, nil
}

// repositories are those that are open.
type repositories []*repository

// Close lets go of them.
func (all repositories) Close() error {
	var errs []error
	for _, r := range all {
		errs = append(errs, r.index.Close())
		if r.lists != nil {
			errs = append(errs, r.lists.Close())
		}
	}
	return errors.Join(errs...)
}

func (r *repository) open(ctx context.Context) error {
	if r.Invalid != nil {
		return r.Invalid
	}
	if r.Connection.Insecure {
		r.family.Events.Warn(r.Where + ": the server's certificate is not checked (sslverify is off)")
	}
	if err := r.connect(append(slices.Clone(r.BaseURLs), r.Mirrorlist, r.Metalink)...); err != nil {
		return err
	}
	if err := r.readKeys(ctx); err != nil {
		return err
	}
	digests, err := r.findMirrors(ctx)
	if err == nil {
		err = r.connect(r.mirrors...)
	}
	if err != nil {
		return err
	}
	if err := r.readRepomd(ctx, digests); err != nil {
		return err
	}
	if d, ok := r.repomd.Data["modules"]; ok {
		if r.modules, err = repodata.OpenModules(ctx, r.family.Store, d, r); err != nil {
			return err
		}
		for _, fault := range r.modules.Unreadable {
			r.family.Events.Warn(fmt.Sprintf("%s: modules: skipped %s", r.Where, fault))
		}
	}
	r.index, err = repodata.OpenIndex(ctx, r.family.Store, r.repomd.Data["primary"], r)
	return err
}

// connect has addresses of the repository fetched as its configuration says.
func (r *repository) connect(addresses ...string) error {
	for _, address := range addresses {
		if err := r.family.client.Connect(address, r.Connection); err != nil {
			return err
		}
	}
	return nil
}

// readKeys reads the keys that vouch for the repository.
func (r *repository) readKeys(ctx context.Context) error {
	if !r.GPGCheck && !r.RepoGPGCheck {
		r.family.Events.Warn(r.Where + ": packages are taken without a signature (gpgcheck is off)")
		return nil
	}
	if len(r.Keys) == 0 {
		return errors.New("it names no keys to check signatures with: set gpgkey, or gpgcheck: false to go without")
	}
	var all []*openpgp.Keyring
	for _, key := range r.Keys {
		data, err := r.keyData(ctx, key)
		if err != nil {
			return fmt.Errorf("gpgkey: %w", err)
		}
		keys, err := openpgp.ReadKeyring(data)
		if err != nil {
			return fmt.Errorf("gpgkey %.200s: %w", strings.SplitN(key, "\n", 2)[0], err)
		}
		all = append(all, keys)
	}
	r.keys = openpgp.Join(all...)
	return nil
}

// maxKey bounds the bytes of a file of keys.
const maxKey = 4 << 20

func (r *repository) keyData(ctx context.Context, key string) ([]byte, error) {
	if strings.Contains(key, "-----BEGIN PGP") {
		return []byte(key), nil
	}
	if strings.HasPrefix(key, "http://") || strings.HasPrefix(key, "https://") {
		page, err := r.family.client.Page(ctx, key)
		if err != nil {
			return nil, err
		}
		return page.Data, nil
	}
	name := strings.TrimPrefix(key, "file://")
	if !filepath.IsAbs(name) {
		name = filepath.Join(r.family.Dir, name)
	}
	info, err := os.Stat(name)
	if err == nil && (info.Size() > maxKey || !info.Mode().IsRegular()) {
		err = fmt.Errorf("%s is no file of keys", name)
	}
	if errors.Is(err, fs.ErrNotExist) && strings.Contains(name, "/distribution-gpg-keys/") {
		return nil, fmt.Errorf("%w; the package distribution-gpg-keys has it", err)
	}
	if err != nil {
		return nil, err
	}
	return os.ReadFile(name)
}

// findMirrors asks for the mirrors, where the configuration names a list of
// them, and returns the digests of repomd.xml that the list vouches for.
func (r *repository) findMirrors(ctx context.Context) ([]digest.Digest, error) {
	r.mirrors = r.BaseURLs
	switch {
	case r.Metalink != "":
		page, err := r.family.client.Page(ctx, r.Metalink)
		if err != nil {
			return nil, err
		}
		m, err := repodata.ParseMetalink(page.Data)
		if err != nil {
			return nil, err
		}
		r.mirrors = append(r.mirrors, m.Mirrors...)
		return m.Digests, nil
	case r.Mirrorlist != "" && len(r.mirrors) == 0:
		page, err := r.family.client.Page(ctx, r.Mirrorlist)
		if err != nil {
			return nil, err
		}
		r.mirrors, err = repodata.ParseMirrorlist(page.Data)
		return nil, err
	}
	return nil, nil
}

// addresses are where a file of the repository is.
func (r *repository) addresses(base, location string) []string {
	if base != "" {
		return []string{strings.TrimSuffix(base, "/") + "/" + location}
	}
	var all []string
	for _, m := range r.mirrors {
		all = append(all, m+location)
	}
	return all
}

// Fetch brings a metadata file to the cache.
func (r *repository) Fetch(ctx context.Context, d repodata.Data) (*store.Entry, error) {
	return r.family.client.Get(ctx, fetch.File{
		Name: r.ID + " " + filepath.Base(d.Location), Digest: d.Digest, Size: d.Size, Addresses: r.addresses(d.Base, d.Location),
	})
}

// openLists opens the full lists of files, fetched where the cache lacks them.
func (r *repository) openLists(ctx context.Context) error {
	d, ok := r.repomd.Data["filelists"]
	if !ok || r.lists != nil {
		return nil
	}
	var err error
	r.lists, err = repodata.OpenFilelists(ctx, r.family.Store, d, r.index, r)
	return err
}

// Holders returns the packages that hold a path; only then are the lists
// fetched.
func (r *repository) Holders(ctx context.Context, path string) ([]int, error) {
	if err := r.openLists(ctx); err != nil || r.lists == nil {
		return nil, err
	}
	return r.lists.Holders(ctx, path)
}
