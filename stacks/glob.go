package stacks

import (
	"fmt"
	"path"
	"strings"
)

// anyDepth is the element of a glob that stands for any number of elements.
const anyDepth = "**"

// CheckGlob tells what is wrong with a pattern of stack paths.
func CheckGlob(glob string) error {
	if glob == "" || strings.HasPrefix(glob, "/") || strings.HasSuffix(glob, "/") || strings.Contains(glob, "//") {
		return fmt.Errorf("%q is no pattern of stacks, such as dev/** or dev/web-*", glob)
	}
	if _, err := path.Match(glob, ""); err != nil {
		return fmt.Errorf("%q is no pattern of stacks: %w", glob, err)
	}
	return nil
}

// Matches tells whether p is one of the stacks that a pattern names: * stands for
// anything in one element, ? for one character, [a-c] for one of several, and an
// element ** for any number of elements, none included. A pattern that CheckGlob
// refuses matches nothing.
func (p Path) Matches(glob string) bool {
	if CheckGlob(glob) != nil {
		return false
	}
	elements, patterns := strings.Split(string(p), "/"), strings.Split(glob, "/")
	// reached[i]: the patterns so far match the first i elements.
	reached := make([]bool, len(elements)+1)
	reached[0] = true
	for _, pattern := range patterns {
		next := make([]bool, len(elements)+1)
		for i := range next {
			switch {
			case pattern == anyDepth:
				next[i] = reached[i] || i > 0 && next[i-1]
			case i > 0 && reached[i-1]:
				next[i], _ = path.Match(pattern, elements[i-1])
			}
		}
		reached = next
	}
	return reached[len(elements)]
}
