package rpmfile

// Scripts returns the scriptlets that would run when the package is installed,
// by their names in spec files. One for another program than /bin/sh begins
// with a line that names it: "#!<lua>"; one that is a program alone is nothing
// but that line.
func (p *Package) Scripts() map[string]string {
	scripts := map[string]string{}
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
		if program := p.Header.String(s.prog); program != "" && program != "/bin/sh" {
			text = "#!" + program + "\n" + text
		}
		scripts[s.name] = text
	}
	return scripts
}
