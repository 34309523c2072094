package picture

import (
	"fmt"
	"html"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/deployer-cli/deployer/internal/blast"
	"github.com/deployer-cli/deployer/stacks"
)

// Sizes of the picture, in pixels.
const (
	margin  = 24
	line    = 17  // from one line of text to the next
	padding = 10  // around the text of a box
	between = 22  // from one box to the one below
	letter  = 7.3 // how wide a letter is at 12 pixels
	small   = 6.1 // and at 10
	bend    = 70  // room in which lines turn
	head    = 52  // above the boxes, for the title
)

// box is a stack with its place.
type box struct {
	*node
	column     int
	x, y, w, h float64
	turn       float64 // x at which lines leave their rows
	out        []edge
	in         int // lines that end here
	taken      int // of those that were drawn
}

// near tells whether a line to another box meets none on its way. One that would
// is not drawn: its label names the other.
func (b *box) near(to *box) bool { return b.column == to.column+1 }

// style holds the colours, by what a page is: light, dark, or paper.
const style = `<style>
.page{fill:#fff}text{fill:#1f2328}.quiet{fill:#57606a}.line{fill:none;stroke:#57606a}.tip{fill:#57606a}.box{fill:#f6f8fa;stroke:#57606a}
.chosen{fill:#fff1f0;stroke:#b3261e;stroke-width:2}.ring{fill:none;stroke:#b3261e}.first{fill:#fff8e5;stroke:#9a6700;stroke-width:1.5}
.stays{stroke-dasharray:5 4}.lost{stroke-dasharray:5 4}.label{font-size:10px;paint-order:stroke;stroke:#fff;stroke-width:4px;stroke-linejoin:round}
.name{font-weight:bold}.alas{font-weight:bold;fill:#b3261e}.drum{fill:none;stroke:#1f2328}
@media screen and (prefers-color-scheme:dark){.page{fill:#0d1117}text{fill:#e6edf3}.quiet{fill:#9198a1}.line{stroke:#8b949e}.tip{fill:#8b949e}.box{fill:#161b22;stroke:#8b949e}
.chosen{fill:#2d1214;stroke:#ff7b72}.ring{fill:none;stroke:#ff7b72}.first{fill:#272115;stroke:#d29922}.label{stroke:#0d1117}.alas{fill:#ff7b72}.drum{stroke:#e6edf3}}
</style>
`

// SVG writes a picture that needs nothing else and can be read on a light page,
// on a dark one, and printed. What was chosen stands on the left; a stack stands
// to the right of all that has to wait for it, so that a break goes from right to
// left; what stays is on the far right of what it loses.
func SVG(w io.Writer, p *blast.Plan) error {
	s := newScene(p)
	boxes := s.layout()
	var width, height float64 = 560, 0
	for _, b := range boxes {
		width, height = max(width, b.x+b.w), max(height, b.y+b.h)
	}
	width, height = max(width, letter*float64(utf8.RuneCountInString(s.title))+margin)+margin, height+margin+3*line
	var out strings.Builder
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" width="%.0f" height="%.0f" font-family="ui-monospace,Menlo,Consolas,monospace" font-size="12" role="img" aria-label="%s">`+"\n",
		width, height, width, height, html.EscapeString(s.title))
	out.WriteString(style)
	fmt.Fprintf(&out, `<rect class="page" width="%.0f" height="%.0f"/><text class="name" x="%d" y="%d">%s</text>`+"\n", width, height, margin, margin+6, html.EscapeString(s.title))
	var labels strings.Builder
	for _, b := range boxes {
		for i, e := range b.out {
			b.draw(&out, &labels, boxes, i, e)
		}
	}
	for _, b := range boxes {
		b.write(&out)
	}
	out.WriteString(labels.String())
	legend(&out, height-2*line)
	out.WriteString("</svg>\n")
	_, err := io.WriteString(w, out.String())
	return err
}

// layout gives every stack its place.
func (s *scene) layout() []*box {
	boxes := make([]*box, 0, len(s.nodes))
	at := map[stacks.Path]*box{}
	for _, n := range s.nodes {
		b := &box{node: n, out: s.out(n.path)}
		boxes, at[n.path] = append(boxes, b), b
	}
	last := columns(boxes, at)
	for _, b := range boxes {
		for i := range b.out {
			e := &b.out[i]
			if to := at[e.to]; to != nil && b.near(to) {
				to.in++
			} else {
				e.short = string(e.to) + ": " + e.short
			}
		}
	}
	x := float64(margin)
	for c := range last + 1 {
		x = place(slices.DeleteFunc(slices.Clone(boxes), func(b *box) bool { return b.column != c }), x)
	}
	return boxes
}

// columns puts every box to the right of what waits for it, and returns the last
// column.
func columns(boxes []*box, at map[stacks.Path]*box) int {
	last := 0
	pass := func(b *box) {
		for _, e := range b.out {
			if to := at[e.to]; to != nil {
				b.column = max(b.column, to.column+1)
			}
		}
		last = max(last, b.column)
	}
	for _, b := range slices.Backward(boxes) { // what waits comes before what it waits for
		if b.role != stays {
			pass(b)
		}
	}
	for _, b := range boxes {
		if b.role == stays {
			pass(b)
		}
	}
	return last
}

// place puts the boxes of one column below each other, with room on their left
// for the reasons of their lines, and returns where the next column begins.
func place(column []*box, x float64) float64 {
	reasons, widest, y := 0.0, 0.0, float64(head)
	for _, b := range column {
		for _, e := range b.out {
			reasons = max(reasons, small*float64(utf8.RuneCountInString(e.short)))
		}
	}
	if reasons > 0 {
		x += reasons + bend
	}
	for _, b := range column {
		b.measure()
		b.x, b.y, b.turn = x, y, x-reasons-12
		y += b.h + between
		widest = max(widest, b.w)
	}
	return x + widest
}

// measure makes a box as large as its text, and as the lines that meet it.
func (b *box) measure() {
	letters := max(utf8.RuneCountInString(string(b.path)), utf8.RuneCountInString(b.says()))
	for _, d := range b.data {
		letters = max(letters, utf8.RuneCountInString(d.id+": "+d.cover)+3)
	}
	b.w = letter*float64(letters) + 2*padding
	b.h = float64(max(2+len(b.data), len(b.out), b.in))*line + 2*padding
}

// draw draws one line from a box to what waits for it, with its reason beside
// the box that it comes from: there each has a row of its own.
func (b *box) draw(out, labels *strings.Builder, boxes []*box, i int, e edge) {
	n := slices.IndexFunc(boxes, func(o *box) bool { return o.path == e.to })
	if n < 0 {
		return
	}
	to, dash := boxes[n], ""
	if e.loses {
		dash = " lost"
	}
	y1 := b.y + b.h/2 + (float64(i)-float64(len(b.out)-1)/2)*line
	x1 := b.x - small*float64(utf8.RuneCountInString(e.short)) - 10
	way := fmt.Sprintf("M%.1f %.1fH%.1f", b.x, y1, x1)
	x2, y2 := x1-6, y1
	if b.near(to) {
		to.taken++
		x2, y2 = to.x+to.w+2, to.y+to.h/2+(float64(to.taken)-float64(to.in+1)/2)*min(line, (to.h-8)/float64(max(to.in, 1)))
		bow := float64(bend-20) / 2
		way = fmt.Sprintf("M%.1f %.1fH%.1fC%.1f %.1f %.1f %.1f %.1f %.1fH%.1f", b.x, y1, b.turn, b.turn-bow, y1, b.turn-bend+20+bow, y2, b.turn-bend+20, y2, x2+8)
	}
	fmt.Fprintf(out, `<path class="line%s" d="%s"><title>%s before %s: %s</title></path><path class="tip" d="M%.1f %.1fl8 -4v8z"/>`+"\n",
		dash, way, html.EscapeString(string(e.from)), html.EscapeString(string(e.to)), html.EscapeString(strings.Join(e.full, "; ")), x2, y2)
	fmt.Fprintf(labels, `<text class="label" text-anchor="end" x="%.1f" y="%.1f">%s</text>`+"\n", b.x-6, y1-3, html.EscapeString(e.short))
}

// write writes a box with its text.
func (b *box) write(out *strings.Builder) {
	frame(out, b.role, b.x, b.y, b.w, b.h)
	x, y := b.x+padding, b.y+padding+12
	fmt.Fprintf(out, `<text class="name" x="%.1f" y="%.1f">%s</text><text class="quiet" x="%.1f" y="%.1f">%s</text>`,
		x, y, html.EscapeString(string(b.path)), x, y+line, html.EscapeString(b.says()))
	for i, d := range b.data {
		at := y + float64(i+2)*line
		drum(out, x, at)
		class := ""
		if d.lost {
			class = ` class="alas"`
		}
		fmt.Fprintf(out, `<text%s x="%.1f" y="%.1f">%s</text>`, class, x+3*letter, at, html.EscapeString(d.id+": "+d.cover))
	}
	out.WriteString("\n")
}

// frame is the shape of a role: a double border, a single one, a dashed round one.
func frame(out *strings.Builder, r role, x, y, w, h float64) {
	class, round := [...]string{"box chosen", "box first", "box stays"}[r], [...]int{2, 2, 12}[r]
	fmt.Fprintf(out, `<rect class="%s" x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="%d"/>`, class, x, y, w, h, round)
	if r == target {
		fmt.Fprintf(out, `<rect class="ring" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`, x+4, y+4, w-8, h-8)
	}
}

// drum is the sign of data.
func drum(out *strings.Builder, x, y float64) {
	fmt.Fprintf(out, `<path class="drum" d="M%.1f %.1fv7a5 2 0 0 0 10 0v-7"/><ellipse class="drum" cx="%.1f" cy="%.1f" rx="5" ry="2"/>`, x, y-8, x+5, y-8)
}

// legend explains the shapes.
func legend(out *strings.Builder, y float64) {
	x := float64(margin)
	for r := target; r <= stays; r++ {
		frame(out, r, x, y-12, 28, 18)
		fmt.Fprintf(out, `<text x="%.1f" y="%.1f">%s</text>`, x+36, y+1, r.word())
		x += 36 + letter*float64(len(r.word())) + 22
	}
	x = margin
	y += line + 6
	drum(out, x+8, y)
	fmt.Fprintf(out, `<text x="%.1f" y="%.1f">holds data</text>`, x+36, y)
	x += 36 + letter*10 + 22
	fmt.Fprintf(out, `<path class="line" d="M%.1f %.1fh28"/><path class="tip" d="M%.1f %.1fl8 -4v8z"/><text x="%.1f" y="%.1f">goes before what it points at or names, and why</text>`+"\n", x, y-4, x, y-4, x+36, y)
}
