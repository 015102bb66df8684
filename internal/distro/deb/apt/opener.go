package apt

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"

	"smith/internal/cache/store"
	"smith/internal/distro/openpgp"
	"smith/internal/event"
	"smith/internal/network/fetch"
)

// An Opener opens repositories. A release is asked for once, so that all
// platforms of a build see the same.
type Opener struct {
	Fetch  *fetch.Client
	Store  *store.Store
	Events event.Listener
	// Now is the time at which releases and keys must be valid.
	Now time.Time

	mu       sync.Mutex
	releases map[*Source]*asked
}

// asked is a release that was asked for.
type asked struct {
	once    sync.Once
	release *Release
	err     error
}

// release returns what a source says of itself now, verified.
func (o *Opener) release(ctx context.Context, s *Source) (*Release, error) {
	o.mu.Lock()
	if o.releases == nil {
		o.releases = map[*Source]*asked{}
	}
	a := o.releases[s]
	if a == nil {
		a = &asked{}
		o.releases[s] = a
	}
	o.mu.Unlock()
	a.once.Do(func() {
		if a.err = o.expand(ctx, s); a.err == nil {
			a.release, a.err = o.ask(ctx, s)
		}
		if a.err != nil {
			a.err = fmt.Errorf("%s: repository %s: %w", s.Where, s, a.err)
		}
	})
	return a.release, a.err
}

// ask takes the release from the first mirror that has one that counts. One
// that is older than the one seen before is not believed: whoever can hold
// updates back can hold back security.
func (o *Opener) ask(ctx context.Context, s *Source) (*Release, error) {
	seen := o.seen(s)
	var failed []string
	var stale *Release
	for _, mirror := range s.Mirrors {
		d, err := o.document(ctx, s, mirror)
		var r *Release
		if err == nil {
			r, err = o.read(s, d, o.Events)
		}
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil:
			failed = append(failed, err.Error())
		case seen != nil && r.Date.Before(seen.Date):
			stale = r
		case seen != nil && r.Date.Equal(seen.Date):
			return r, nil
		default:
			return r, o.keep(s, d)
		}
	}
	if stale != nil {
		o.Events.Warn(fmt.Sprintf("%s has a release of %s, older than the one of %s seen before: going on with the newer one from the cache",
			s, stale.Date.Format(time.RFC1123), seen.Date.Format(time.RFC1123)))
		return seen, nil
	}
	return nil, errors.New(strings.Join(failed, "; "))
}

// read verifies a document and reads the release in it.
func (o *Opener) read(s *Source, d *document, events event.Listener) (*Release, error) {
	text, key, err := d.verify(s, o.Now)
	if err != nil {
		return nil, err
	}
	r, err := readRelease(text)
	if err != nil {
		return nil, err
	}
	r.Key = key
	if err := s.checkDate(r, o.Now); err != nil {
		return nil, err
	}
	if text := s.checkName(r); text != "" {
		events.Warn(text)
	}
	return r, nil
}

// A document is a release as a mirror has it.
type document struct {
	Text []byte `json:"text"`
	// Signature is detached; nil where Text is clearsigned.
	Signature []byte `json:"signature,omitempty"`
	// Plain says that nothing vouches for Text.
	Plain bool `json:"plain,omitempty"`
}

// document fetches InRelease, or Release and Release.gpg.
func (o *Opener) document(ctx context.Context, s *Source, mirror string) (*document, error) {
	base := s.base(mirror)
	in, err := o.Fetch.Page(ctx, base+"InRelease")
	if err == nil {
		return &document{Text: in.Data}, nil
	}
	if !absent(err) {
		return nil, err
	}
	plain, plainErr := o.Fetch.Page(ctx, base+"Release")
	switch flat := strings.HasSuffix(s.Suite, "/"); {
	case plainErr == nil:
	case flat && absent(plainErr) && s.Trusted:
		return o.bare(ctx, base)
	case flat && absent(plainErr):
		return nil, fmt.Errorf("%w; trusted: true accepts a directory without a release", err)
	case errors.Is(plainErr, fs.ErrNotExist):
		return nil, fmt.Errorf("%w; is the suite called %s?", err, s.Suite)
	default:
		return nil, err
	}
	signature, err := o.Fetch.Page(ctx, base+"Release.gpg")
	switch {
	case err == nil:
		return &document{Text: plain.Data, Signature: signature.Data}, nil
	case absent(err) && s.Trusted:
		return &document{Text: plain.Data, Plain: true}, nil
	case absent(err):
		return nil, errors.New("it is not signed: it has neither InRelease nor Release.gpg; trusted: true uses it all the same")
	}
	return nil, err
}

// bare makes the release of a flat repository that has none: it names the list
// of packages as it is now. Nobody vouches for it, and it has no date.
func (o *Opener) bare(ctx context.Context, base string) (*document, error) {
	for _, form := range forms() {
		list, err := o.Fetch.Page(ctx, base+"Packages"+form)
		if absent(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		text := fmt.Appendf(nil, "Date: %s\nSHA256:\n %x %d Packages%s\n",
			time.Unix(0, 0).UTC().Format(time.RFC1123), sha256.Sum256(list.Data), len(list.Data), form)
		return &document{Text: text, Plain: true}, nil
	}
	return nil, fmt.Errorf("%s has neither a release nor a list of packages", base)
}

func absent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, fetch.ErrOffline)
}

// base is the address of the directory that holds the release.
func (s *Source) base(mirror string) string {
	if strings.HasSuffix(s.Suite, "/") {
		return mirror + strings.TrimPrefix(strings.TrimPrefix(s.Suite, "./"), "/")
	}
	return mirror + "dists/" + s.Suite + "/"
}

// verify returns the text of a document and the key that vouches for it.
func (d *document) verify(s *Source, now time.Time) (text []byte, key string, err error) {
	var signature *openpgp.Signature
	switch {
	case s.Trusted && (d.Plain || d.Signature != nil):
		return d.Text, "", nil
	case s.Trusted:
		text, err = openpgp.Unverified(d.Text)
		return text, "", err
	case d.Plain:
		return nil, "", errors.New("it is not signed")
	case d.Signature != nil:
		text = d.Text
		signature, err = s.Keys.Verify(d.Text, d.Signature, now)
	default:
		text, signature, err = s.Keys.VerifyClearsigned(d.Text, now)
	}
	if _, unknown := errors.AsType[*openpgp.UnknownKeyError](err); unknown {
		return nil, "", fmt.Errorf("%w: if you trust that key, put it into a file and name the file with signed-by", err)
	}
	if err != nil {
		return nil, "", err
	}
	return text, signature.Key, nil
}

// releases is the bucket of the newest release seen of each source.
const releases = "deb-release"

func (s *Source) key() string { return digest.FromString(s.String()).Encoded() }

// seen returns the newest release that was seen of a source, nil where there
// is none that counts still.
func (o *Opener) seen(s *Source) *Release {
	data, err := o.Store.Load(releases, s.key())
	if err != nil {
		return nil
	}
	d := &document{}
	if json.Unmarshal(data, d) != nil {
		return nil
	}
	r, err := o.read(s, d, event.Silent{})
	if err != nil {
		return nil // by another key, or expired: what the mirrors have is all there is
	}
	return r
}

func (o *Opener) keep(s *Source, d *document) error {
	data, err := json.Marshal(d)
	if err != nil {
		return err
	}
	return o.Store.Save(releases, s.key(), data)
}
