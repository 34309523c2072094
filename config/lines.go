package config

import "strings"

// lineMap leads places in a rendered text back to the file it was made from.
// The nil lineMap is for a text that is its file.
type lineMap struct {
	line  []int // rendered line (from 0) → line of the file (from 1)
	exact []int // how many characters at the line's head are the file's own
}

// mapLines aligns the lines of a rendered text with those of its file. Where
// loops repeat lines or includes bring in others it is a good guess: near the
// place, and never past the end.
func mapLines(source, rendered string) *lineMap {
	if source == rendered {
		return nil
	}
	src, out := strings.Split(source, "\n"), strings.Split(rendered, "\n")
	index := make(map[string][]int, len(src))
	for i, l := range src {
		if strings.TrimSpace(l) != "" {
			index[l] = append(index[l], i)
		}
	}
	m := &lineMap{line: make([]int, len(out)), exact: make([]int, len(out))}
	next := 0 // the line of the file that is expected to come
	for i, l := range out {
		at, exact, ok := align(src, index, l, next)
		if ok {
			next = at + 1
		} else {
			at = min(next, len(src)-1)
		}
		m.line[i], m.exact[i] = at+1, exact
	}
	return m
}

// align finds the line of the file that a rendered line came from.
func align(src []string, index map[string][]int, line string, next int) (at, exact int, ok bool) {
	if next < len(src) && src[next] == line {
		return next, len([]rune(line)) + 1, true
	}
	last := -1
	for _, i := range index[line] {
		last = i
		if i >= next {
			break
		}
	}
	if last >= 0 {
		return last, len([]rune(line)) + 1, true
	}
	// A line with Jinja in it keeps what stands before the Jinja. Only the
	// nearest such lines are tried, so that aligning stays cheap.
	for i := next; i < min(next+50, len(src)); i++ {
		head, _, found := strings.Cut(src[i], "{")
		if found && strings.TrimSpace(head) != "" && strings.HasPrefix(line, head) {
			return i, len([]rune(head)), true
		}
	}
	return 0, 0, false
}

// source gives the place in the file; column 0 where only the line is known.
func (m *lineMap) source(line, column int) (int, int) {
	if m == nil || line < 1 {
		return line, column
	}
	i := min(line, len(m.line)) - 1
	if column > m.exact[i]+1 {
		column = 0
	}
	if m.exact[i] == 0 {
		column = 0
	}
	return m.line[i], column
}
