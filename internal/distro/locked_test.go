package distro

import (
	"context"
	"errors"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"smith/internal/event"
	"smith/internal/golden"
	"smith/internal/lock"
	"smith/internal/network/fetch"
	"smith/record"
)

// A fixed family has no packages.
type fixed struct{ Family }

func (fixed) Platform(p ocispec.Platform) (ocispec.Platform, error) { return p, nil }
func (fixed) Start(o fetch.Options) (*fetch.Client, error)          { return fetch.New(o), nil }
func (fixed) Format() record.Format                                 { return record.FormatDeb }
func (fixed) AddRequests(r *lock.Requests)                          { r.Modules = []string{"a:1"} }
func (fixed) Locked(*Item) Package                                  { return nil }

func (fixed) Newest(_ context.Context, p lock.Package) (string, error) {
	if p.Name == "gone" {
		return "", errors.New("no package is called gone")
	}
	return "2", nil
}

// What is said of locks that were made for something else.
func TestOutdatedLocks(t *testing.T) {
	texts := golden.New(t)
	for _, tt := range []struct {
		name   string
		locked map[string]*lock.Platform
	}{
		{"no platform", map[string]*lock.Platform{}},
		{"other requests", map[string]*lock.Platform{"linux/amd64": {Requests: lock.Requests{Packages: []string{"curl"}, Modules: []string{"a:1"}, Recommends: true}}}},
		{"other modules", map[string]*lock.Platform{"linux/amd64": {Requests: lock.Requests{
			Packages: []string{"bash"}, Modules: []string{"a:2"}, DebugDeps: []string{"a-debuginfo"}, DebugInfo: true,
		}}}},
		{"other family", map[string]*lock.Platform{"linux/amd64": {Family: record.FormatRPM}}},
	} {
		s := New(Options{Requests: []Request{{Text: "bash"}}, Locked: tt.locked, Debug: true, Events: event.Silent{}}, fixed{})
		_, err := s.Open(t.Context(), ocispec.Platform{OS: "linux", Architecture: "amd64"})
		texts.Error(tt.name, err)
	}
}

// What is advised where a locked package is found nowhere.
func TestAdvice(t *testing.T) {
	texts := golden.New(t)
	s := New(Options{}, fixed{})
	texts.Add("a newer one", s.advise(t.Context(), lock.Package{Name: "bash", Version: "1"}))
	texts.Add("none", s.advise(t.Context(), lock.Package{Name: "gone", Version: "1"}))
	s.Network.Offline = true
	texts.Add("offline", s.advise(t.Context(), lock.Package{Name: "bash", Version: "1"}))
}

// A choosy family has no package for data.
type choosy struct{ fixed }

func (choosy) Resolve(_ context.Context, q Query) (*Choice, error) {
	var names []string
	for _, r := range q.Wanted([]Request{{Text: "bash"}, {Text: "ca-certificates", Data: true}}) {
		names = append(names, r.Text)
	}
	if len(names) > 1 {
		return nil, errors.New("no package is called ca-certificates")
	}
	return &Choice{}, nil
}

// A repository may lack a package that is wanted for data alone: who lacks the
// data says so later.
func TestDataIsOptional(t *testing.T) {
	for _, data := range []bool{true, false} {
		s := New(Options{Requests: []Request{{Text: "bash"}, {Text: "ca-certificates", Data: data}}, Events: event.Silent{}}, choosy{})
		_, _, err := s.choose(t.Context(), ocispec.Platform{OS: "linux", Architecture: "amd64"}, false)
		if (err == nil) != data {
			t.Errorf("data %v: %v", data, err)
		}
	}
}
