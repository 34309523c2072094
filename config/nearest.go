package config

import (
	"iter"
	"slices"
)

// distance is the number of letters to add, drop, change or swap to make b of
// a (optimal string alignment).
func distance(a, b string) int {
	s, t := []rune(a), []rune(b)
	before, above := make([]int, len(t)+1), make([]int, len(t)+1)
	for j := range above {
		above[j] = j
	}
	for i := range s {
		row := make([]int, len(t)+1)
		row[0] = i + 1
		for j := range t {
			cost := 1
			if s[i] == t[j] {
				cost = 0
			}
			row[j+1] = min(above[j+1]+1, row[j]+1, above[j]+cost)
			if i > 0 && j > 0 && s[i] == t[j-1] && s[i-1] == t[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, above = above, row
	}
	return above[len(t)]
}

// nearest returns the name closest to word, "" when none is close enough to
// be a slip of the fingers.
func nearest(word string, names iter.Seq[string]) string {
	best, least := "", max(2, len(word)/3)+1
	for name := range names {
		gap := len(name) - len(word)
		if gap >= least || -gap >= least {
			continue // the lengths alone say that it is too far
		}
		if d := distance(word, name); d < least || (d == least && best != "" && name < best) {
			best, least = name, d
		}
	}
	return best
}

// slip returns the known key that a custom key may be a misspelling of, ""
// for none. Projects have many custom keys, so short words need a near match.
func slip(word string, known []string) string {
	if slices.Contains(known, word) {
		return ""
	}
	name := nearest(word, slices.Values(known))
	if name == "" {
		return ""
	}
	allowed := 2
	if len(word) <= 8 {
		allowed = 1
	}
	if d := distance(word, name); d > allowed {
		return ""
	}
	return name
}
