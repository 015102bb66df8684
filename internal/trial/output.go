package trial

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"smith/internal/smithfile"
)

// checkOutput returns an error where regular expressions cannot be read.
func checkOutput(what string, o *smithfile.Output) error {
	if o == nil {
		return nil
	}
	var all []error
	for _, text := range append(append([]string{}, o.Matches...), o.Excludes...) {
		if _, err := expression(text); err != nil {
			all = append(all, fmt.Errorf("%s: %w", what, err))
		}
	}
	if o.Empty && (o.Equals != "" || len(o.Contains)+len(o.Matches) > 0) {
		all = append(all, fmt.Errorf("%s: empty contradicts the other keys", what))
	}
	return errors.Join(all...)
}

// expression reads a regular expression, in which ^ and $ are the ends of lines.
func expression(text string) (*regexp.Regexp, error) { return regexp.Compile("(?m)" + text) }

// compare returns how a text differs from what is expected.
func compare(what string, o *smithfile.Output, text string) []string {
	if o == nil {
		return nil
	}
	var failures []string
	fail := func(format string, args ...any) {
		failures = append(failures, what+" "+fmt.Sprintf(format, args...)+": "+short(text))
	}
	if o.Empty && text != "" {
		fail("is not empty")
	}
	if o.Equals != "" && strings.TrimSuffix(text, "\n") != strings.TrimSuffix(o.Equals, "\n") {
		fail("is not %q", o.Equals)
	}
	for _, part := range o.Contains {
		if !strings.Contains(text, part) {
			fail("does not contain %q", part)
		}
	}
	for _, e := range o.Matches {
		if exp, err := expression(e); err != nil || !exp.MatchString(text) {
			fail("does not match %q", e)
		}
	}
	for _, e := range o.Excludes {
		if exp, err := expression(e); err != nil || exp.MatchString(text) {
			fail("matches %q", e)
		}
	}
	return failures
}

// short quotes the beginning of a text.
func short(text string) string {
	const most = 200
	if len(text) > most {
		return fmt.Sprintf("%q…", text[:most])
	}
	return fmt.Sprintf("%q", text)
}
