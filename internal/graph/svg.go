package graph

import (
	"cmp"
	"fmt"
	"html"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/deployer-cli/deployer/stacks"
)

// Sizes of the picture, in pixels.
const (
	svgBoxHeight = 30
	svgRow       = 46 // from one box to the one below
	svgGap       = 70 // between columns
	svgMargin    = 20
	svgLetter    = 7.3 // how wide a letter is at 12 pixels
	svgPadding   = 12  // left and right of a name
)

// svgBox is one stack in the picture.
type svgBox struct {
	path    stacks.Path
	column  int
	x, y, w float64
}

// SVG writes the graph as a picture that needs nothing else: every stack to the
// right of all it depends on, so that a launch goes from left to right. An edge
// that a longer chain implies is left out; weak references are dashed.
func (g *Graph) SVG(w io.Writer) error {
	boxes, columns := g.layout()
	var width, height float64
	for _, b := range boxes {
		width, height = max(width, b.x+b.w), max(height, b.y+svgBoxHeight)
	}
	var out strings.Builder
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" width="%.0f" height="%.0f" font-family="ui-monospace,Menlo,Consolas,monospace" font-size="12" role="img" aria-label="dependencies of %d stacks">`+"\n",
		width+svgMargin, height+svgMargin, width+svgMargin, height+svgMargin, len(boxes))
	out.WriteString(`<style>rect{fill:#f6f8fa;stroke:#57606a}text{fill:#1f2328}path{fill:none;stroke:#8c959f}@media(prefers-color-scheme:dark){rect{fill:#161b22;stroke:#8b949e}text{fill:#e6edf3}path{stroke:#6e7681}}</style>` + "\n")
	for _, l := range g.links() {
		if from, to := boxes[l.from], boxes[l.to]; from != nil && to != nil && !g.implied(l.from, l.to, columns) {
			out.WriteString(svgArrow(to, from, l.weak, l.label))
		}
	}
	for _, p := range g.Paths() {
		b := boxes[p]
		fmt.Fprintf(&out, `<rect x="%.0f" y="%.0f" width="%.0f" height="%d" rx="5"/><text x="%.0f" y="%.0f">%s</text>`+"\n",
			b.x, b.y, b.w, svgBoxHeight, b.x+svgPadding, b.y+19, html.EscapeString(string(p)))
	}
	out.WriteString("</svg>\n")
	_, err := io.WriteString(w, out.String())
	return err
}

// svgArrow draws a line from what is needed to who needs it, which is the way
// a launch goes.
func svgArrow(to, from *svgBox, weak bool, label string) string {
	x1, y1, x2, y2 := to.x+to.w, to.y+svgBoxHeight/2, from.x, from.y+svgBoxHeight/2
	dash := ""
	if weak {
		dash = ` stroke-dasharray="5 4"`
	}
	bend := (x2 - x1) / 2
	return fmt.Sprintf(`<path%s d="M%.0f %.0fC%.0f %.0f %.0f %.0f %.0f %.0fm-6 -4l6 4l-6 4"><title>%s</title></path>`+"\n",
		dash, x1, y1, x1+bend, y1, x2-bend, y2, x2, y2, html.EscapeString(label))
}

// layout puts every stack right before the first that needs it, so that lines
// stay short, and near what it depends on.
func (g *Graph) layout() (map[stacks.Path]*svgBox, map[stacks.Path]int) {
	order, column := g.everyone(), g.columns()
	boxes := map[stacks.Path]*svgBox{}
	var columns [][]*svgBox
	for _, p := range order {
		b := &svgBox{path: p, column: column[p], w: svgLetter*float64(utf8.RuneCountInString(string(p))) + 2*svgPadding}
		boxes[p] = b
		for len(columns) <= b.column {
			columns = append(columns, nil)
		}
		columns[b.column] = append(columns[b.column], b)
	}
	x := float64(svgMargin)
	for _, boxesOf := range columns {
		g.place(boxesOf, boxes, x)
		var widest float64
		for _, b := range boxesOf {
			widest = max(widest, b.w)
		}
		x += widest + svgGap
	}
	return boxes, column
}

// columns numbers the columns: first each stack after the last of its
// dependencies, then as far to the right as its dependents let it go.
func (g *Graph) columns() map[stacks.Path]int {
	order, column := g.everyone(), map[stacks.Path]int{}
	for _, p := range order {
		for _, e := range g.edges[p] {
			column[p] = max(column[p], column[e.To]+1)
		}
	}
	for _, p := range slices.Backward(order) {
		first := -1
		for _, e := range g.Dependents(p) {
			if first < 0 || column[e.From] < first {
				first = column[e.From]
			}
		}
		column[p] = max(column[p], first-1)
	}
	return column
}

// place stacks the boxes of a column, ordered by where their dependencies are.
func (g *Graph) place(column []*svgBox, all map[stacks.Path]*svgBox, x float64) {
	middle := make(map[stacks.Path]float64, len(column))
	for _, b := range column {
		n := 0.0
		for _, e := range g.edges[b.path] {
			if to := all[e.To]; to != nil && to.column < b.column {
				middle[b.path] += to.y
				n++
			}
		}
		middle[b.path] /= max(n, 1)
	}
	slices.SortStableFunc(column, func(a, b *svgBox) int {
		return cmp.Or(cmp.Compare(middle[a.path], middle[b.path]), cmp.Compare(a.path, b.path))
	})
	for i, b := range column {
		b.x, b.y = x, svgMargin+float64(i)*svgRow
	}
}

// implied tells whether a stack reaches one of its dependencies through
// another one too. Columns keep the search short: only what lies between counts.
func (g *Graph) implied(from, to stacks.Path, column map[stacks.Path]int) bool {
	seen := map[stacks.Path]bool{}
	var reaches func(p stacks.Path) bool
	reaches = func(p stacks.Path) bool {
		for _, e := range g.edges[p] {
			if e.To == to && p != from {
				return true
			}
			if e.To != to && !seen[e.To] && column[e.To] > column[to] {
				seen[e.To] = true
				if reaches(e.To) {
					return true
				}
			}
		}
		return false
	}
	return reaches(from)
}
