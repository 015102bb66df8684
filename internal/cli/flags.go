package cli

import (
	"github.com/spf13/pflag"

	"smith/internal/size"
)

// A sizeFlag is a flag that holds a number of bytes.
type sizeFlag int64

var _ pflag.Value = (*sizeFlag)(nil)

func (s *sizeFlag) String() string { return size.Format(int64(*s)) }
func (s *sizeFlag) Type() string   { return "SIZE" }
func (s *sizeFlag) Set(text string) error {
	n, err := size.Parse(text)
	*s = sizeFlag(n)
	return err
}
