package capability

import (
	"fmt"
	"strings"
)

// Parse reads what people and packages write of a file's capabilities, such as
// "cap_net_raw+ep" or "= cap_setgid,cap_setuid=ep" (cap_from_text(3)): clauses,
// each names, which are all where there are none, and what is done to their
// flags.
func Parse(text string) (File, error) {
	all := Set(1)<<len(Names()) - 1
	flags := map[byte]*Set{'e': new(Set), 'i': new(Set), 'p': new(Set)}
	for clause := range strings.FieldsSeq(text) {
		at := strings.IndexAny(clause, "=+-")
		if at < 0 {
			return File{}, fmt.Errorf("%.60q: it does not say what becomes of the capabilities", clause)
		}
		names := all
		if list := clause[:at]; list != "" && !strings.EqualFold(list, "all") {
			var err error
			if names, err = SetOf(strings.Split(list, ",")...); err != nil {
				return File{}, err
			}
		}
		var op byte
		for _, c := range []byte(clause[at:]) {
			set := flags[c]
			switch {
			case c == '=':
				for _, s := range flags {
					*s &^= names
				}
				op = c
			case c == '+', c == '-':
				op = c
			case set == nil:
				return File{}, fmt.Errorf("%.60q: %q is no flag of a capability", clause, c)
			case op == '-':
				*set &^= names
			default:
				*set |= names
			}
		}
	}
	// A file has one flag for all.
	return File{Permitted: *flags['p'], Inheritable: *flags['i'], Effective: *flags['e'] != 0}, nil
}
