package rpm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"

	"smith/internal/distro/rpm/repodata"
)

// A document is a repomd.xml as a mirror has it.
type document struct {
	Text []byte `json:"text"`
	// Signature is detached; nil where none is wanted.
	Signature []byte `json:"signature,omitempty"`
	// TLS says in what way a server vouched for it; "" is in none.
	TLS string `json:"tls,omitempty"`
}

// readRepomd takes the repomd.xml of the first mirror that has a good one. One
// that is older than what was seen before is not believed: whoever can hold
// updates back can hold back security.
func (r *repository) readRepomd(ctx context.Context, digests []digest.Digest) error {
	seen := r.seen()
	stale := ""
	var failed []error
	for _, mirror := range r.mirrors {
		address := mirror + "repodata/repomd.xml"
		d, err := r.document(ctx, address, digests)
		var md *repodata.Repomd
		if err == nil {
			if md, err = r.verified(d); err != nil {
				err = fmt.Errorf("%s: %w", address, err)
			}
		}
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			failed = append(failed, err)
		case seen != nil && md.Timestamp < seen.md.Timestamp && !strings.HasPrefix(mirror, "file:"):
			stale = fmt.Sprintf("%s is of %s, older than the one of %s seen before", address, date(md), date(seen.md))
		default:
			r.repomd = md
			return r.keep(d, seen, md)
		}
	}
	if stale == "" {
		return errors.Join(failed...)
	}
	r.family.Events.Warn(stale + ": going on with the newer one from the cache")
	var err error
	r.repomd, err = r.verified(seen.document)
	return err
}

func date(md *repodata.Repomd) string {
	return time.Unix(md.Timestamp, 0).UTC().Format(time.RFC1123)
}

// document fetches a repomd.xml, and its signature where one is wanted.
func (r *repository) document(ctx context.Context, address string, digests []digest.Digest) (*document, error) {
	page, err := r.family.client.Page(ctx, address)
	if err != nil {
		return nil, err
	}
	if len(digests) > 0 && !slices.ContainsFunc(digests, func(d digest.Digest) bool { return d.Algorithm().FromBytes(page.Data) == d }) {
		return nil, fmt.Errorf("%s is not what the metalink vouches for: the mirror is out of date", address)
	}
	d := &document{Text: page.Data}
	switch {
	case len(digests) > 0 && strings.HasPrefix(r.Metalink, "https:"):
		d.TLS = "vouched by TLS, through a metalink"
	case strings.HasPrefix(address, "https:") && !r.family.Network.Insecure:
		d.TLS = "vouched by TLS"
	}
	if r.RepoGPGCheck {
		signature, err := r.family.client.Page(ctx, address+".asc")
		if err != nil {
			return nil, fmt.Errorf("repo_gpgcheck: %w", err)
		}
		d.Signature = signature.Data
	}
	return d, nil
}

// verified returns what a document says, and notes what vouches for it.
func (r *repository) verified(d *document) (*repodata.Repomd, error) {
	r.key, r.vouched = "", d.TLS
	if d.TLS == "" {
		r.vouched = "nothing vouches for the repository's metadata"
	}
	if r.RepoGPGCheck {
		s, err := r.keys.Verify(d.Text, d.Signature, time.Now())
		if err != nil {
			return nil, err
		}
		r.key, r.vouched = s.Key, "metadata signed by "+s.Key
	}
	return repodata.ParseRepomd(d.Text)
}

// repomds is the bucket of the newest repomd.xml seen of each repository.
const repomds = "rpm-repomd"

// An earlier document is the newest that was seen of the repository.
type earlier struct {
	*document
	md *repodata.Repomd
}

// seen returns the newest that was seen and that something vouches for, nil
// where there is none: what anybody may have made up holds nothing back.
func (r *repository) seen() *earlier {
	data, err := r.family.Store.Load(repomds, r.placeInCache())
	if err != nil {
		return nil
	}
	d := &document{}
	if json.Unmarshal(data, d) != nil || !r.RepoGPGCheck && d.TLS == "" {
		return nil
	}
	md, err := r.verified(d)
	if err != nil {
		return nil // by another key
	}
	return &earlier{d, md}
}

// keep notes a document that something vouches for as the newest.
func (r *repository) keep(d *document, seen *earlier, md *repodata.Repomd) error {
	if d.Signature == nil && d.TLS == "" || seen != nil && md.Timestamp == seen.md.Timestamp {
		return nil
	}
	data, err := json.Marshal(d)
	if err != nil {
		return err
	}
	return r.family.Store.Save(repomds, r.placeInCache(), data)
}

// placeInCache names the repository by the first address that its configuration
// has.
func (r *repository) placeInCache() string {
	first := r.Metalink + r.Mirrorlist
	if len(r.BaseURLs) > 0 {
		first = r.BaseURLs[0]
	}
	return digest.FromString(first).Encoded()
}
