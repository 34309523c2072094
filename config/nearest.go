package config

import (
	"iter"
	"slices"

	"github.com/deployer-cli/deployer/internal/spell"
)

// nearest returns the name closest to word, "" when none is close enough to
// be a slip of the fingers.
func nearest(word string, names iter.Seq[string]) string {
	name, _ := spell.Nearest(word, max(2, len(word)/3), names)
	return name
}

// slip returns the known key that a custom key may be a misspelling of, ""
// for none. Projects have many custom keys, so short words need a near match.
func slip(word string, known []string) string {
	if slices.Contains(known, word) {
		return ""
	}
	allowed := 2
	if len(word) <= 8 {
		allowed = 1
	}
	name, _ := spell.Nearest(word, allowed, slices.Values(known))
	return name
}
