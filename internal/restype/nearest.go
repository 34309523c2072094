package restype

import (
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/internal/spell"
)

// Nearest returns the known type whose name is most like name, for hints; false
// when none is close.
func Nearest(name string) (string, bool) {
	return Closest(name, Names())
}

// NearestProperty returns the property of the type most like p, for hints.
func (t *Type) NearestProperty(p string) (string, bool) {
	return Closest(p, t.Properties)
}

// NearestAttribute returns the attribute of the type most like a, for hints.
func (t *Type) NearestAttribute(a string) (string, bool) {
	return Closest(a, t.Attributes)
}

// Closest returns the candidate with the fewest edits from name, ignoring case.
// Where none is close, the only AWS type with the same last part as name will do.
// Of equally close ones it is the first by name.
func Closest(name string, candidates []string) (string, bool) {
	if best, ok := spell.NearestFold(name, min(1+len(name)/4, 2+len(name)/24), slices.Values(candidates)); ok {
		return best, true
	}
	return sameKind(strings.ToLower(name), candidates)
}

// sameKind finds the one candidate with the same last part, as in a type named
// under the wrong service.
func sameKind(lower string, candidates []string) (string, bool) {
	at := strings.LastIndex(lower, "::")
	if at < 0 || !strings.HasPrefix(lower, "aws::") {
		return "", false
	}
	match := func(c string) bool { return strings.HasSuffix(strings.ToLower(c), lower[at:]) }
	i := slices.IndexFunc(candidates, match)
	if i < 0 || slices.ContainsFunc(candidates[i+1:], match) {
		return "", false
	}
	return candidates[i], true
}
