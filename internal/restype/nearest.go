package restype

import (
	"slices"
	"strings"
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
// Equal candidates are decided by order.
func Closest(name string, candidates []string) (string, bool) {
	lower := strings.ToLower(name)
	limit := min(1+len(name)/4, 2+len(name)/24)
	best, found := "", false
	for _, c := range candidates {
		if d := distance(lower, strings.ToLower(c), limit); d <= limit {
			best, found, limit = c, true, d-1
		}
		if limit < 0 {
			break
		}
	}
	if !found {
		return sameKind(lower, candidates)
	}
	return best, true
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

// distance is the Levenshtein distance of a and b in bytes, or limit+1 when it is
// more than limit.
func distance(a, b string, limit int) int {
	if len(a)-len(b) > limit || len(b)-len(a) > limit {
		return limit + 1
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal, least := row[0], i+1
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = min(diagonal, row[j], row[j+1]) + 1
			}
			diagonal, row[j+1] = row[j+1], cost
			least = min(least, cost)
		}
		if least > limit {
			return limit + 1
		}
	}
	return row[len(b)]
}
