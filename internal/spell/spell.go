// Package spell finds the known word that a wrong one was meant to be, for hints.
// It never decides that a word is wrong, nor how far off a hint may be.
package spell

import (
	"iter"
	"strings"
)

// Nearest returns the known word that takes the fewest edits, and at most the
// given number, to become word; false when there is none. Of equally near ones it
// is the first by bytes, whatever order they come in.
func Nearest(word string, most int, known iter.Seq[string]) (string, bool) {
	return nearest(word, most, known, func(s string) string { return s })
}

// NearestFold is Nearest without regard to upper and lower case.
func NearestFold(word string, most int, known iter.Seq[string]) (string, bool) {
	return nearest(strings.ToLower(word), most, known, strings.ToLower)
}

func nearest(word string, most int, known iter.Seq[string], fold func(string) string) (string, bool) {
	best, found := "", false
	for k := range known {
		d := Distance(word, fold(k), most)
		if d > most || found && d == most && k >= best {
			continue
		}
		best, found, most = k, true, d
	}
	return best, found
}

// Distance is the number of letters to add, drop, change or swap with their
// neighbour to make b of a (optimal string alignment, on bytes), or most+1 when it
// is more than most.
func Distance(a, b string, most int) int {
	if len(a)-len(b) > most || len(b)-len(a) > most {
		return most + 1
	}
	before, above, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range above {
		above[j] = j
	}
	leastAbove := 0
	for i := range len(a) {
		row[0] = i + 1
		least := row[0]
		for j := range len(b) {
			cost := above[j]
			if a[i] != b[j] {
				cost = 1 + min(above[j], above[j+1], row[j])
			}
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				cost = min(cost, before[j-1]+1)
			}
			row[j+1] = cost
			least = min(least, cost)
		}
		// The next row can only come from these two, with one more edit from the upper.
		if least > most && leastAbove >= most {
			return most + 1
		}
		leastAbove = least
		before, above, row = above, row, before
	}
	return min(above[len(b)], most+1)
}
