package trial

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
)

// WriteJUnit writes results as JUnit's XML, which continuous integration
// services read.
func WriteJUnit(w io.Writer, image string, results []Result) error {
	type failure struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
	type testCase struct {
		Name    string   `xml:"name,attr"`
		Class   string   `xml:"classname,attr"`
		Time    string   `xml:"time,attr"`
		Failure *failure `xml:"failure,omitempty"`
	}
	suite := struct {
		XMLName  xml.Name   `xml:"testsuite"`
		Name     string     `xml:"name,attr"`
		Tests    int        `xml:"tests,attr"`
		Failures int        `xml:"failures,attr"`
		Cases    []testCase `xml:"testcase"`
	}{Name: image, Tests: len(results)}
	for _, r := range results {
		c := testCase{Name: r.Name, Class: image, Time: fmt.Sprintf("%.3f", r.Seconds)}
		if !r.Passed() {
			suite.Failures++
			c.Failure = &failure{r.Failures[0], strings.Join(append(append([]string{}, r.Failures...), r.Missing...), "\n")}
		}
		suite.Cases = append(suite.Cases, c)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(suite); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}
