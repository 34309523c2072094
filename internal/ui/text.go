package ui

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"
)

func trimZero(d time.Duration) string {
	return strings.Replace(fmt.Sprintf("%.1fs", d.Seconds()), ".0s", "s", 1)
}

func pad(a int, unitA string, b int, unitB string) string {
	return fmt.Sprintf("%d%s%02d%s", a, unitA, b, unitB)
}

// plural gives "1 stack", "2 stacks".
func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

// clean takes everything out of a text from outside that a terminal would act
// on, and folds it into one line.
func clean(s string) string {
	s = ansi.Strip(s)
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || r == '\r' {
			return ' '
		}
		if r < ' ' || r == 0x7f || (r >= 0x80 && r < 0xa0) {
			return -1
		}
		return r
	}, s)
}

// cut shortens a line, which may hold colours, to width columns.
func cut(s string, width int) string {
	if width <= 0 {
		return s
	}
	return ansi.Truncate(s, width, "…")
}

func width(s string) int { return ansi.StringWidth(s) }

func padRight(s string, n int) string { return s + strings.Repeat(" ", max(0, n-width(s))) }

// Table writes rows in aligned columns, two spaces apart. The header, when
// given, stands above in upper case.
func Table(w io.Writer, header []string, rows [][]string) {
	all := rows
	if len(header) > 0 {
		head := make([]string, len(header))
		for i, h := range header {
			head[i] = strings.ToUpper(h)
		}
		all = append([][]string{head}, rows...)
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
