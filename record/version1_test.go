package record

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// version1 is a record as smith 0.1 wrote it.
const version1 = `{"version":1,"spec":"smith.yaml","platform":"linux/amd64",
"inputs":[{"kind":"package","name":"nginx 1.22.1-9 amd64","digest":"sha256:1","url":"http://example.org/pool/nginx.deb","key":"AB12"},
{"kind":"package","name":"app 2-1 noarch","digest":"sha256:2","note":"the file app-2-1.noarch.rpm"},{"kind":"image","name":"base.tar","digest":"sha256:3"}],
"files":[{"path":"/bin","type":"dir","origin":{"kind":"package","name":"nginx 1.22.1-9 amd64","digest":"sha256:1"},"reasons":[{"rule":"way","from":"/bin/x"}]},
{"path":"/bin/x","type":"symlink","link":"y","origin":{"kind":"smith","name":"postinst of nginx 1.22.1-9 amd64"},"reasons":[{"rule":"path","detail":"path in smith.yaml:1"}]},
{"path":"/c","type":"file","origin":{"kind":"smith","name":"copyright of nginx 1.22.1-9 amd64"},"reasons":null},
{"path":"/d","type":"file","origin":{"kind":"smith","name":"package database"},"reasons":null},
{"path":"/e","type":"file","reasons":null}],
"scripts":[{"package":"nginx 1.22.1-9 amd64","name":"postinst","effects":[{"class":"unhandled","command":"x","line":1,"why":"y"}]}],
"warnings":["w"]}`

// A record of version 1 is read as one of today, its packages taken apart.
func TestVersion1(t *testing.T) {
	got, err := Decode([]byte(version1))
	if err != nil {
		t.Fatal(err)
	}
	nginx := Package{Name: "nginx", Version: "1.22.1-9", Architecture: "amd64", Format: FormatDeb}
	want := &Record{
		Version: Version, Spec: "smith.yaml", Platform: "linux/amd64", Warnings: []string{"w"},
		Inputs: []Input{
			{Kind: KindPackage, Package: nginx, Digest: "sha256:1", URL: "http://example.org/pool/nginx.deb", Key: "AB12"},
			{Kind: KindPackage, Package: Package{Name: "app", Version: "2-1", Architecture: "noarch", Format: FormatRPM}, Digest: "sha256:2", Note: "the file app-2-1.noarch.rpm"},
			{Kind: KindImage, Name: "base.tar", Digest: "sha256:3"},
		},
		Files: []File{
			{Path: "/bin", Type: TypeDirectory, Origin: &Origin{Kind: KindPackage, Package: nginx, Digest: "sha256:1"}, Reasons: []Reason{{Rule: RuleWay, From: "/bin/x"}}},
			{Path: "/bin/x", Type: TypeSymlink, Link: "y", Origin: &Origin{Kind: KindSmith, Package: nginx, Script: "postinst"}, Reasons: []Reason{{Rule: RulePath, Detail: "path in smith.yaml:1"}}},
			{Path: "/c", Type: TypeFile, Origin: &Origin{Kind: KindSmith, Name: "copyright", Package: nginx}},
			{Path: "/d", Type: TypeFile, Origin: &Origin{Kind: KindSmith, Name: "package database"}},
			{Path: "/e", Type: TypeFile},
		},
		Scripts: []Script{{Package: nginx, Name: "postinst", Effects: []Effect{{Class: EffectUnhandled, Command: "x", Line: 1, Why: "y"}}}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
