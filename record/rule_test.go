package record

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strings"
	"testing"

	"smith/internal/golden"
)

// Every constant of the closed sets is in the list of its set, and every rule
// has a role and a description.
func TestSetsAreComplete(t *testing.T) {
	listed := map[string]bool{}
	for _, info := range RuleInfos() {
		listed["Rule "+string(info.Rule)] = true
		if info.Role < RoleAsked || info.Role > RoleMetadata || info.Keeps == "" {
			t.Errorf("rule %s has no role or description", info.Rule)
		}
	}
	for _, k := range Kinds() {
		listed["Kind "+string(k)] = true
	}
	for _, f := range FileTypes() {
		listed["FileType "+string(f)] = true
	}
	for _, c := range EffectClasses() {
		listed["EffectClass "+string(c)] = true
	}
	for _, f := range Formats() {
		listed["Format "+string(f)] = true
	}
	declared := constants(t, "rule.go", "record.go", "package.go")
	for name := range declared {
		if !listed[name] {
			t.Errorf("the constant %s is in no list", name)
		}
	}
	for name := range listed {
		if !declared[name] {
			t.Errorf("%s is listed and no constant", name)
		}
	}
}

// constants returns the typed text constants of some files, "Type value".
func constants(t *testing.T, names ...string) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	for _, name := range names {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Values) != 1 {
				return true
			}
			kind, typed := spec.Type.(*ast.Ident)
			value, literal := spec.Values[0].(*ast.BasicLit)
			if typed && literal && value.Kind == token.STRING {
				all[kind.Name+" "+strings.Trim(value.Value, `"`)] = true
			}
			return true
		})
	}
	return all
}

// How a reason of each rule reads.
func TestReasonString(t *testing.T) {
	texts := golden.New(t)
	for _, info := range RuleInfos() {
		texts.Add(string(info.Rule), Reason{info.Rule, "/bin/app", "DETAIL"}.String()+"\n"+Reason{Rule: info.Rule, From: "/bin/app"}.String())
	}
	texts.Add("detail begins with the rule", Reason{Rule: RuleBundle, Detail: "bundle certificates"}.String())
	texts.Add("unknown rule", Reason{Rule: "later", Detail: "x"}.String())
	if r := Rule("later"); r.Role() != RoleNeed || !r.IsEdge() {
		t.Error("an unknown rule is not shown")
	}
}

// docs/explain.md has the table of rules.
func TestDocumented(t *testing.T) {
	data, err := os.ReadFile("../docs/explain.md")
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	for _, info := range RuleInfos() {
		table.WriteString("| `" + string(info.Rule) + "` | " + info.Keeps + " |\n")
	}
	if !strings.Contains(string(data), table.String()) {
		t.Errorf("docs/explain.md lacks the table of rules:\n%s", table.String())
	}
}
