package cli

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"smith/internal/network/fetch"
	"smith/internal/oci/image"
	"smith/internal/pipeline"
	"smith/internal/smithfile"
)

// A specCommand holds the flags of every command that reads a smith.yaml.
type specCommand struct {
	*app
	conf, dir string
	platforms []string
}

func (c *specCommand) specFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVarP(&c.conf, "conf", "c", "smith.yaml", "the file that describes the image")
	f.StringVarP(&c.dir, "dir", "d", ".", "directory that holds the file and that its paths are relative to")
	f.StringSliceVar(&c.platforms, "platform", nil, "platform to build, such as linux/amd64 (default: the spec's, else this machine's)")
}

// request reads the spec, and tells where its lock is: smith.lock is beside
// smith.yaml, web.lock beside web.yaml.
func (c *specCommand) request() (pipeline.Request, string, error) {
	dir, err := filepath.Abs(c.dir)
	if err != nil {
		return pipeline.Request{}, "", fmt.Errorf("cannot find directory %s: %w", c.dir, err)
	}
	file := c.conf
	if !filepath.IsAbs(file) {
		file = filepath.Join(c.dir, file)
	}
	s, err := smithfile.ReadFile(file)
	if err != nil {
		return pipeline.Request{}, "", err
	}
	r := pipeline.Request{Spec: s, SpecName: filepath.Base(c.conf), Dir: dir, Labels: image.Labels{Name: filepath.Base(dir)}}
	for _, text := range c.platforms {
		p, err := pipeline.ParsePlatform(text)
		if err != nil {
			return r, "", usagef("--platform: %w", err)
		}
		r.Platforms = append(r.Platforms, p)
	}
	return r, strings.TrimSuffix(file, filepath.Ext(file)) + ".lock", nil
}

// builder opens what a build works with. The caller closes the display.
func (c *specCommand) builder() (*pipeline.Builder, *display, error) {
	st, err := c.store()
	if err != nil {
		return nil, nil, err
	}
	display := c.display()
	client, err := c.registry(st, display)
	return &pipeline.Builder{
		Store: st, Registry: client, Network: fetch.Options{Insecure: c.insecure, Offline: c.offline},
		Command: display.command, Events: display,
	}, display, err
}
