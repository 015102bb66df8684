package registry

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/errcode"
)

// errShort says that a blob ended before all of it had come.
var errShort = errors.New("the registry ends the blob too early")

// A statusError is an answer that is no success.
type statusError struct {
	status   int
	text     string         // what the registry says of it
	response *http.Response // its body is closed; nil where the library hides it
	from     string         // the host to which the registry redirected, or ""
}

// Error returns the answer.
func (e *statusError) Error() string {
	text := e.text
	if text == "" {
		text = http.StatusText(e.status)
	}
	if e.from != "" {
		return fmt.Sprintf("redirected to %s, which answers %d: %s", e.from, e.status, text)
	}
	return fmt.Sprintf("the registry answers %d: %s", e.status, text)
}

// status returns the status of the answer that an error tells of, or 0.
func status(err error) int {
	if e, ok := errors.AsType[*statusError](err); ok {
		return e.status
	}
	if e, ok := errors.AsType[*errcode.ErrorResponse](err); ok {
		return e.StatusCode
	}
	return 0
}

// maxMessage bounds what a registry may say in an error.
const maxMessage = 500

// plain says what went wrong in a line of smith's own. Queries of URLs are left
// out: stores of blobs have signatures there.
func plain(err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*errcode.ErrorResponse](err); ok {
		answer := &statusError{status: e.StatusCode}
		answer.text = said(e.Errors)
		return advise(answer)
	}
	switch {
	case errors.Is(err, auth.ErrBasicCredentialNotFound):
		return advise(&statusError{status: http.StatusUnauthorized})
	case errors.Is(err, errdef.ErrNotFound):
		return advise(&statusError{status: http.StatusNotFound})
	}
	if e, ok := errors.AsType[*statusError](err); ok {
		return advise(e)
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		return fmt.Errorf("%s: %w%s", hostOf(e.URL), e.Err, distrust(e.Err))
	}
	return &clean{text: clip(query.ReplaceAllString(err.Error(), "")), err: err}
}

// said is what a registry says in errors, without the details, which are for
// its own log.
func said(errs errcode.Errors) string {
	var texts []string
	for _, e := range errs {
		e.Detail = nil
		if strings.EqualFold(e.Message, strings.ReplaceAll(e.Code, "_", " ")) {
			e.Message = ""
		}
		texts = append(texts, e.Error())
	}
	return clip(strings.Join(texts, "; "))
}

// advise adds what a user can do, where that is known.
func advise(e *statusError) error {
	switch e.status {
	case http.StatusUnauthorized:
		if e.from != "" {
			return e
		}
		return fmt.Errorf("%w; smith login HOST keeps a login for it", e)
	case http.StatusNotFound:
		return fmt.Errorf("%w; it has no such image, or shows it after smith login only", e)
	case http.StatusTooManyRequests:
		return fmt.Errorf("%w; it wants to be asked later", e)
	}
	return e
}

// distrust says what helps where one side does not know the other's certificate.
func distrust(err error) string {
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "; --ca names a file with those that vouch for it"
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "remote error" { // an alert (RFC 8446, 6)
		return "; if it wants to know its clients, --cert and --key name your certificate and its key"
	}
	return ""
}

var query = regexp.MustCompile(`\?[^\s"']*`)

// A clean error has a text of ours and the causes of another.
type clean struct {
	text string
	err  error
}

// Error returns the text.
func (c *clean) Error() string { return c.text }

// Unwrap returns what it stands for.
func (c *clean) Unwrap() error { return c.err }

// clip bounds a text from outside and takes out what would garble a terminal.
func clip(text string) string {
	out := []rune(text)
	for i, r := range out {
		if r < ' ' || r == 0x7f {
			out[i] = ' '
		}
	}
	if len(out) > maxMessage {
		return string(out[:maxMessage]) + "…"
	}
	return string(out)
}

func hostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" { // of a redirection to a path
		return "the registry"
	}
	return u.Host
}
