package accounts

import (
	"path"
	"strconv"
	"strings"
)

// options are those that take a word, by command; the value is what it means.
var options = map[string]map[string]string{
	"adduser": {
		"--home": "home", "--uid": "uid", "--gid": "gid", "--ingroup": "group", "--gecos": "comment", "--comment": "comment", "--shell": "", "--conf": "",
		"--firstuid": "", "--lastuid": "", "--firstgid": "", "--lastgid": "", "--add-extra-groups": "", "-c": "",
	},
	"addgroup": {"--gid": "gid", "--conf": "", "-c": "", "--firstgid": "", "--lastgid": ""},
	"useradd": {
		"-d": "home", "--home-dir": "home", "--home": "home", "-u": "uid", "--uid": "uid", "-g": "group", "--gid": "group", "-c": "comment", "--comment": "comment",
		"-G": "of", "--groups": "of", "-s": "", "--shell": "", "-b": "", "--base-dir": "", "-e": "", "--expiredate": "", "-f": "", "--inactive": "", "-k": "",
		"--skel": "", "-K": "", "--key": "", "-p": "", "--password": "", "-R": "", "--root": "", "-P": "", "--prefix": "", "-Z": "", "--selinux-user": "",
	},
	"groupadd": {"-g": "gid", "--gid": "gid", "-K": "", "--key": "", "-p": "", "--password": "", "-R": "", "--root": "", "-P": "", "--prefix": "", "-U": "", "--users": ""},
	"usermod": {
		"-G": "of", "--groups": "of", "-g": "", "--gid": "", "-d": "", "--home": "", "-c": "", "--comment": "", "-s": "", "--shell": "", "-u": "", "--uid": "",
		"-l": "", "--login": "", "-e": "", "-f": "", "-p": "", "-R": "", "--root": "", "-P": "", "--prefix": "", "-Z": "",
	},
	"gpasswd": {"-a": "member", "--add": "member", "-d": "", "--delete": "", "-M": "", "-A": ""},
}

// Command returns what a command that manages accounts does, and whether it
// does something that is understood (adduser(8), useradd(8), groupadd(8),
// usermod(8), gpasswd(1)).
func Command(name string, args []string) (Change, bool) {
	name = path.Base(name)
	known, ok := options[name]
	if !ok {
		return Change{}, false
	}
	got, flags := map[string]string{}, map[string]bool{}
	var operands []string
	for i := 0; i < len(args); i++ {
		option, value, joined := strings.Cut(args[i], "=")
		meaning, valued := known[option]
		switch {
		case !strings.HasPrefix(args[i], "-") || args[i] == "-":
			operands = append(operands, args[i])
		case joined && valued:
			got[meaning] = value
		case joined:
		case valued && i+1 < len(args):
			i++
			got[meaning] = args[i]
		case strings.HasPrefix(option, "--"):
			flags[option] = true
		default:
			i += cluster(option, args[i+1:], known, got, flags)
		}
	}
	if len(operands) == 0 {
		return Change{}, false
	}
	return change(name, got, flags, operands)
}

// cluster reads options of one letter that stand together, such as -rMs, and
// returns how many of the next words belong to them.
func cluster(option string, next []string, known, got map[string]string, flags map[string]bool) int {
	for j := 1; j < len(option); j++ {
		letter := "-" + option[j:j+1]
		meaning, valued := known[letter]
		if !valued {
			flags[letter] = true
			continue
		}
		if j+1 < len(option) {
			got[meaning] = option[j+1:]
			return 0
		}
		if len(next) > 0 {
			got[meaning] = next[0]
			return 1
		}
	}
	return 0
}

func change(name string, got map[string]string, flags map[string]bool, operands []string) (Change, bool) {
	subject := operands[0]
	if name == "adduser" && flags["--group"] && !flags["--system"] && got["home"] == "" && len(operands) == 1 {
		name = "addgroup"
	}
	switch name {
	case "adduser":
		if len(operands) > 1 { // adduser USER GROUP
			return Change{Member: subject, Of: operands[1:2]}, true
		}
		u := User{Name: subject, ID: id(got["uid"]), Group: got["group"], Comment: got["comment"], Home: got["home"]}
		switch {
		case u.Group == "" && got["gid"] != "":
			u.Group = got["gid"]
		case u.Group == "" && flags["--system"] && !flags["--group"]:
			u.Group = "nogroup"
		}
		return Change{User: &u}, true
	case "useradd":
		u := User{Name: subject, ID: id(got["uid"]), Group: got["group"], Comment: got["comment"], Home: got["home"]}
		return Change{User: &u, Member: subject, Of: list(got["of"])}, true
	case "addgroup":
		if len(operands) > 1 {
			return Change{Member: subject, Of: operands[1:2]}, true
		}
		return Change{Group: &Group{subject, id(got["gid"])}}, true
	case "groupadd":
		return Change{Group: &Group{subject, id(got["gid"])}}, true
	case "usermod":
		return Change{Member: subject, Of: list(got["of"])}, got["of"] != ""
	case "gpasswd":
		return Change{Member: got["member"], Of: operands[:1]}, got["member"] != ""
	}
	return Change{}, false
}

func list(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, ",")
}

func id(text string) int {
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		return Dynamic
	}
	return int(n)
}

// Sysusers returns what the lines of a file of sysusers.d(5) do.
func Sysusers(text string) []Change {
	var all []Change
	for line := range strings.SplitSeq(text, "\n") {
		words := fields(line)
		if len(words) < 2 || strings.ContainsAny(words[1], "%") {
			continue
		}
		at := func(i int) string {
			if i < len(words) && words[i] != "-" {
				return words[i]
			}
			return ""
		}
		number, group, _ := strings.Cut(at(2), ":")
		switch strings.TrimRight(words[0], "!") {
		case "u":
			u := User{Name: words[1], ID: id(number), Group: group, Comment: at(3), Home: at(4)}
			all = append(all, Change{User: &u})
		case "g":
			all = append(all, Change{Group: &Group{words[1], id(number)}})
		case "m":
			if at(2) != "" {
				all = append(all, Change{Member: words[1], Of: []string{words[2]}})
			}
		}
	}
	return all
}

// fields splits a line at spaces that are not quoted.
func fields(line string) []string {
	var words []string
	var word strings.Builder
	begun, quote := false, rune(0)
	for _, r := range strings.TrimSpace(line) + " " {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '"' || r == '\'':
			quote, begun = r, true
		case r == '#' && !begun && len(words) == 0:
			return nil
		case r == ' ' || r == '\t':
			if begun {
				words = append(words, word.String())
				word.Reset()
			}
			begun = false
		default:
			begun = true
			word.WriteRune(r)
		}
	}
	return words
}
