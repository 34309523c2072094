package ui

import (
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode"

	"github.com/clipperhouse/displaywidth"
)

// plural gives "1 stack", "2 stacks".
func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

// columns measures texts as terminals do: a control sequence takes no room.
// charmbracelet/x/ansi does the same, but brings tables that are worked out at
// every start, which took longer than all the rest of it.
func columns() displaywidth.Options {
	return displaywidth.Options{ControlSequences: true, ControlSequences8Bit: true}
}

// strip leaves out control sequences.
func strip(s string) string {
	var b strings.Builder
	for g := columns().StringGraphemes(s); g.Next(); {
		if v := g.Value(); len(v) == 1 || v[0] != '\x1b' {
			b.WriteString(v)
		}
	}
	return b.String()
}

// clean takes everything out of a text from outside that a terminal would act
// on, and folds it into one line.
func clean(s string) string {
	s = strip(s)
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r' || r == '\u2028' || r == '\u2029':
			return ' '
		case unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r):
			return -1
		}
		return r
	}, s)
}

// cell cleans a cell of a table, which may be painted as a whole.
func cell(s string) string {
	if !strings.ContainsRune(s, '\x1b') {
		return clean(s)
	}
	if m := painted.FindStringSubmatch(s); m != nil {
		return m[1] + clean(m[2]) + m[3]
	}
	return clean(s)
}

var painted = regexp.MustCompile(`^(\x1b\[[0-9;]*m)([^\x1b]*)(\x1b\[[0-9;]*m)$`)

// cut shortens a line, which may hold colours, to width columns.
func cut(s string, width int) string {
	if width <= 0 {
		return s
	}
	return columns().TruncateString(s, width, "…")
}

// fold breaks a text between words into lines of at most columns columns, 0 for
// any width; all but the first begin with indent spaces. A word that is longer
// stays whole: an id that is cut cannot be copied.
func fold(text string, columns, indent int) []string {
	if columns <= 0 || width(text) <= columns {
		return []string{text}
	}
	var lines []string
	line := ""
	for text = strings.TrimRight(text, " "); text != ""; {
		word := strings.TrimLeft(text, " ")
		gap := text[:len(text)-len(word)]
		end := strings.IndexByte(word, ' ')
		if end < 0 {
			end = len(word)
		}
		word, text = word[:end], word[end:]
		if strings.TrimSpace(line) != "" && width(line)+len(gap)+width(word) > columns {
			lines = append(lines, line)
			line, gap = "", strings.Repeat(" ", indent)
		}
		line += gap + word
	}
	return append(lines, line)
}

// Fold writes a text with every line broken between words at columns, 0 for any width.
// What goes on below stands deeper than what it belongs to.
func Fold(w io.Writer, text string, columns int) {
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		deep := len(line) - len(strings.TrimLeft(line, " "))
		for _, part := range fold(line, columns, min(deep+4, max(columns/2, 4))) {
			fmt.Fprintln(w, part)
		}
	}
}

func width(s string) int { return columns().String(s) }

func padRight(s string, n int) string { return s + strings.Repeat(" ", max(0, n-width(s))) }

// Table writes rows in aligned columns, two spaces apart. The header, when
// given, stands above in upper case.
func Table(w io.Writer, header []string, rows [][]string) {
	all := make([][]string, 0, len(rows)+1)
	if len(header) > 0 {
		head := make([]string, len(header))
		for i, h := range header {
			head[i] = strings.ToUpper(h)
		}
		all = append(all, head)
	}
	for _, row := range rows {
		cells := make([]string, len(row))
		for i, text := range row {
			cells[i] = cell(text)
		}
		all = append(all, cells)
	}
	var widths []int
	for _, row := range all {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], width(cell))
		}
	}
	for _, row := range all {
		var b strings.Builder
		for i, cell := range row {
			if i == len(row)-1 {
				b.WriteString(cell)
				break
			}
			b.WriteString(padRight(cell, widths[i]+2))
		}
		fmt.Fprintln(w, strings.TrimRight(b.String(), " "))
	}
}
