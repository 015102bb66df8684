package cli

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"smith/internal/network/fetch"
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
	f.StringVarP(&c.dir, "dir", "d", ".", "folder that the file and its paths count from")
	f.StringSliceVar(&c.platforms, "platform", nil, "platform to build, such as linux/amd64 (default: the spec's, else this machine's)")
}

// options reads the spec, and tells where its lock is: smith.lock is beside
// smith.yaml, web.lock beside web.yaml.
func (c *specCommand) options() (pipeline.Options, string, error) {
	dir, err := filepath.Abs(c.dir)
	if err != nil {
		return pipeline.Options{}, "", fmt.Errorf("cannot find folder %s: %w", c.dir, err)
	}
	file := c.conf
	if !filepath.IsAbs(file) {
		file = filepath.Join(c.dir, file)
	}
	s, err := smithfile.ReadFile(file)
	if err != nil {
		return pipeline.Options{}, "", err
	}
	o := pipeline.Options{Spec: s, SpecName: filepath.Base(c.conf), Dir: dir, Name: filepath.Base(dir)}
	for _, text := range c.platforms {
		p, err := pipeline.ParsePlatform(text)
		if err != nil {
			return o, "", usagef("--platform: %w", err)
		}
		o.Platforms = append(o.Platforms, p)
	}
	return o, strings.TrimSuffix(file, filepath.Ext(file)) + ".lock", nil
}

// begins opens what a build works with. The caller closes the display.
func (c *specCommand) begins(o *pipeline.Options) (*display, error) {
	var err error
	if o.Store, err = c.store(); err != nil {
		return nil, err
	}
	display := c.display()
	o.Events = display
	o.Network = fetch.Options{Insecure: c.insecure, Offline: c.offline}
	o.Command = display.command
	o.Registry, err = c.registry(o.Store, display)
	return display, err
}
