package picture

import (
	"fmt"
	"io"
	"strings"

	"github.com/deployer-cli/deployer/internal/blast"
	"github.com/deployer-cli/deployer/stacks"
)

// Text writes the stacks in the order in which they go, each with what has to
// wait for it and why, and with its data; then what stays.
func Text(w io.Writer, p *blast.Plan) error {
	s := newScene(p)
	var out strings.Builder
	fmt.Fprintf(&out, "%s\n\n", s.title)
	for _, n := range s.nodes {
		turn := ""
		if n.turn > 0 {
			turn = fmt.Sprintf("%d.", n.turn)
		}
		fmt.Fprintf(&out, "%3s %s %s\n", turn, n.role.mark(), n.path)
		for _, e := range s.out(n.path) {
			if e.loses {
				fmt.Fprintf(&out, "        loses %s\n", e.to)
				continue
			}
			fmt.Fprintf(&out, "        before %s: %s\n", e.to, strings.Join(e.full, "; "))
		}
		for _, d := range n.data {
			fmt.Fprintf(&out, "        data %s: %s\n", d.id, d.cover)
		}
	}
	fmt.Fprintf(&out, "\n  %s %s   %s %s   %s %s\n", target.mark(), target.word(), first.mark(), first.word(), stays.mark(), stays.word())
	_, err := io.WriteString(w, out.String())
	return err
}

// Dot writes the picture for Graphviz. Arrows lead from what goes first to what
// has to wait for it; those of what is only lost are dashed.
func Dot(w io.Writer, p *blast.Plan) error {
	s := newScene(p)
	var out strings.Builder
	escape := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", " ")
	q := func(text string) string { return `"` + escape.Replace(text) + `"` }
	shape := func(r role) string {
		return [...]string{"shape=box, peripheries=2, penwidth=2, color=\"#b3261e\"", "shape=box, color=\"#9a6700\"", "shape=box, style=\"rounded,dashed\""}[r]
	}
	fmt.Fprintf(&out, "digraph break {\n  rankdir=RL;\n  label=%s;\n  node [fontname=\"monospace\"]; edge [fontname=\"monospace\", fontsize=10];\n", q(s.title))
	for _, n := range s.nodes {
		fmt.Fprintf(&out, "  %s [%s, label=\"%s\\n%s\"];\n", q(string(n.path)), shape(n.role), escape.Replace(string(n.path)), escape.Replace(n.says()))
		for _, d := range n.data {
			id := string(n.path) + "::" + d.id
			fmt.Fprintf(&out, "  %s [shape=cylinder, label=\"%s\\n%s\"];\n", q(id), escape.Replace(d.id), escape.Replace(d.cover))
			fmt.Fprintf(&out, "  %s -> %s [label=\"data of\", arrowhead=none];\n", q(id), q(string(n.path)))
		}
	}
	for _, e := range s.edges {
		style := ""
		if e.loses {
			style = ", style=dashed"
		}
		fmt.Fprintf(&out, "  %s -> %s [label=%s%s];\n", q(string(e.from)), q(string(e.to)), q(e.short), style)
	}
	fmt.Fprintln(&out, "  subgraph cluster_legend {\n    label=\"legend\";")
	for r := target; r <= stays; r++ {
		fmt.Fprintf(&out, "    legend%d [%s, label=%s];\n", r, shape(r), q(r.word()))
	}
	fmt.Fprintln(&out, "    legend3 [shape=cylinder, label=\"holds data\"];\n  }\n}")
	_, err := io.WriteString(w, out.String())
	return err
}

// Mermaid writes the picture for Mermaid, which GitHub shows in Markdown. Arrows
// are as those of Dot.
func Mermaid(w io.Writer, p *blast.Plan) error {
	s := newScene(p)
	var out strings.Builder
	escape := strings.NewReplacer(`#`, "#35;", `"`, "#quot;", "\n", " ", "<", "#lt;", ">", "#gt;")
	box := func(id string, r role, text string) {
		around := [...][2]string{{"{{", "}}"}, {"[", "]"}, {"(", ")"}}[r]
		class := [...]string{"chosen", "first", "stays"}[r]
		fmt.Fprintf(&out, "  %s%s\"%s\"%s:::%s\n", id, around[0], text, around[1], class)
	}
	fmt.Fprintln(&out, "flowchart RL")
	ids := map[stacks.Path]string{}
	for i, n := range s.nodes {
		ids[n.path] = fmt.Sprintf("s%d", i)
		box(ids[n.path], n.role, escape.Replace(string(n.path))+"<br/>"+escape.Replace(n.says()))
		for j, d := range n.data {
			fmt.Fprintf(&out, "  s%dd%d[(\"%s<br/>%s\")] --- %s\n", i, j, escape.Replace(d.id), escape.Replace(d.cover), ids[n.path])
		}
	}
	for _, e := range s.edges {
		arrow := "-->"
		if e.loses {
			arrow = "-.->"
		}
		fmt.Fprintf(&out, "  %s %s|\"%s\"| %s\n", ids[e.from], arrow, escape.Replace(e.short), ids[e.to])
	}
	fmt.Fprintln(&out, "  subgraph legend")
	for r := target; r <= stays; r++ {
		out.WriteString("  ")
		box(fmt.Sprintf("l%d", r), r, r.word())
	}
	fmt.Fprintln(&out, "    l3[(\"holds data\")]\n  end")
	fmt.Fprintln(&out, "  classDef chosen stroke:#b3261e,stroke-width:3px\n  classDef first stroke:#9a6700\n  classDef stays stroke-dasharray:5 4")
	_, err := io.WriteString(w, out.String())
	return err
}
