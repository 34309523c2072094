package config

import (
	"cmp"
	"strconv"
	"strings"
)

// sceptreVersion is the Sceptre whose projects deployer reads; a project's
// required_version is about Sceptre.
const sceptreVersion = "4.6.0"

// requiredVersion checks the project's required_version.
func (b *builder) requiredVersion() {
	want := b.text("required_version")
	if want == "" {
		return
	}
	f, _ := b.find("required_version")
	ok, valid := satisfies(sceptreVersion, want)
	switch {
	case !valid:
		b.problem(f.Value.Pos, "required_version cannot be read", "it is "+shown(f.Value), `write it as ">=4.0"`)
	case !ok:
		b.problem(f.Value.Pos, "required_version asks for another Sceptre",
			"deployer reads projects as Sceptre "+sceptreVersion+" does, and "+want+" is asked for", "")
	}
}

// satisfies checks a version against PEP 440 specifiers joined by commas.
func satisfies(version, specifiers string) (ok, valid bool) {
	ok = true
	for spec := range strings.SplitSeq(specifiers, ",") {
		spec = strings.TrimSpace(spec)
		if spec == "" {
			continue
		}
		one, good := satisfiesOne(version, spec)
		if !good {
			return false, false
		}
		ok = ok && one
	}
	return ok, true
}

func satisfiesOne(version, spec string) (ok, valid bool) {
	for _, op := range []string{"===", "~=", "==", "!=", "<=", ">=", "<", ">"} {
		rest, found := strings.CutPrefix(spec, op)
		if !found {
			continue
		}
		rest = strings.TrimSpace(rest)
		prefix, wild := strings.CutSuffix(rest, ".*")
		want, good := release(prefix)
		if !good || wild && op != "==" && op != "!=" {
			return false, false
		}
		have, _ := release(version)
		c := compareReleases(have, want)
		if wild {
			c = compareReleases(have[:min(len(have), len(want))], want)
		}
		switch op {
		case "~=":
			return len(want) > 1 && c >= 0 && compareReleases(have[:min(len(have), len(want)-1)], want[:len(want)-1]) == 0, len(want) > 1
		case "==", "===":
			return c == 0, true
		case "!=":
			return c != 0, true
		case "<=":
			return c <= 0, true
		case ">=":
			return c >= 0, true
		case "<":
			return c < 0, true
		}
		return c > 0, true
	}
	return false, false
}

// release reads the numbers of a version; what follows them, such as rc1, is
// left out.
func release(s string) ([]int, bool) {
	s = strings.TrimPrefix(s, "v")
	var out []int
	for part := range strings.SplitSeq(s, ".") {
		digits := part
		if i := strings.IndexFunc(part, func(r rune) bool { return r < '0' || r > '9' }); i >= 0 {
			digits = part[:i]
		}
		n, err := strconv.Atoi(digits)
		if err != nil {
			return out, len(out) > 0 && digits == "" && part != ""
		}
		out = append(out, n)
	}
	return out, true
}

func compareReleases(a, b []int) int {
	for i := range max(len(a), len(b)) {
		x, y := 0, 0
		if i < len(a) {
			x = a[i]
		}
		if i < len(b) {
			y = b[i]
		}
		if c := cmp.Compare(x, y); c != 0 {
			return c
		}
	}
	return 0
}
