package rpmfile

import "smith/internal/scriptlet"

// Scripts returns the scriptlets that would run when the package is installed
// for the first time, by their names in spec files, in their order, with what
// rpm calls them with: the number of the package's versions that there will be
// (rpm-scriptlets(7)). One for another program than /bin/sh begins
// with a line that names it: "#!<lua>"; one that is a program alone, such as
// %post -p /sbin/ldconfig, is the command to run it.
func (p *Package) Scripts() []scriptlet.Script {
	var scripts []scriptlet.Script
	for _, s := range []struct {
		name       string
		text, prog Tag
	}{
		{"pretrans", tagPreTrans, tagPreTransProg},
		{"pre", tagPreIn, tagPreInProg},
		{"post", tagPostIn, tagPostInProg},
		{"posttrans", tagPostTrans, tagPostTransProg},
	} {
		if !p.Header.Has(s.text) && !p.Header.Has(s.prog) {
			continue
		}
		text := p.Header.String(s.text)
		switch program := p.Header.String(s.prog); {
		case program == "" || program == "/bin/sh":
		case text == "":
			text = program + "\n"
		default:
			text = "#!" + program + "\n" + text
		}
		scripts = append(scripts, scriptlet.Script{Name: s.name, Text: text, Args: []string{"1"}})
	}
	return scripts
}
