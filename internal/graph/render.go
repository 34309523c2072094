package graph

import (
	"fmt"
	"io"
	"strings"

	"github.com/deployer-cli/deployer/stacks"
)

// Text writes the stacks in an order in which they may be launched, each with
// what it waits for and why.
func (g *Graph) Text(w io.Writer) error {
	var out strings.Builder
	for _, p := range g.everyone() {
		fmt.Fprintln(&out, p)
		for _, e := range g.edges[p] {
			fmt.Fprintf(&out, "  %s%s\n", e.What, at(e.Pos))
		}
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// everyone gives the stacks in order, those that hang on a cycle last.
func (g *Graph) everyone() []stacks.Path {
	order := g.Order()
	if len(order) == g.Len() {
		return order
	}
	placed := make(map[stacks.Path]bool, len(order))
	for _, p := range order {
		placed[p] = true
	}
	for _, p := range g.Paths() {
		if !placed[p] {
			order = append(order, p)
		}
	}
	return order
}

func at(pos stacks.Pos) string {
	if pos.File == "" {
		return ""
	}
	return " (" + pos.String() + ")"
}

// Dot writes the graph for Graphviz. Arrows lead from a stack to what it
// depends on; those of weak references are dashed.
func (g *Graph) Dot(w io.Writer) error {
	var out strings.Builder
	escape := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`) // made once: it is large
	quote := func(s string) string { return `"` + escape.Replace(s) + `"` }
	fmt.Fprintln(&out, "digraph stacks {")
	fmt.Fprintln(&out, "  rankdir=RL;")
	fmt.Fprintln(&out, "  node [shape=box];")
	for _, p := range g.Paths() {
		fmt.Fprintf(&out, "  %s;\n", quote(string(p)))
	}
	for _, l := range g.links() {
		style := ""
		if l.weak {
			style = ", style=dashed"
		}
		fmt.Fprintf(&out, "  %s -> %s [label=%s%s];\n", quote(string(l.from)), quote(string(l.to)), quote(l.label), style)
	}
	fmt.Fprintln(&out, "}")
	_, err := io.WriteString(w, out.String())
	return err
}

// Mermaid writes the graph for Mermaid, which GitHub shows in Markdown. Arrows
// are as those of Dot.
func (g *Graph) Mermaid(w io.Writer) error {
	var out strings.Builder
	escape := strings.NewReplacer(`#`, "#35;", `"`, "#quot;", "\n", " ")
	fmt.Fprintln(&out, "flowchart RL")
	ids := map[stacks.Path]string{}
	for i, p := range g.Paths() {
		ids[p] = fmt.Sprintf("s%d", i)
		fmt.Fprintf(&out, "  %s[\"%s\"]\n", ids[p], escape.Replace(string(p)))
	}
	for _, l := range g.links() {
		arrow := "-->"
		if l.weak {
			arrow = "-.->"
		}
		fmt.Fprintf(&out, "  %s %s|\"%s\"| %s\n", ids[l.from], arrow, escape.Replace(l.label), ids[l.to])
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// link is all the edges between two stacks, as one arrow.
type link struct {
	from, to stacks.Path
	label    string
	weak     bool // every one of the edges is
}

func (g *Graph) links() []link {
	var out []link
	for e := range g.Edges() {
		label := e.Key
		if label == "" {
			label = string(e.Kind)
		}
		last := len(out) - 1
		if last >= 0 && out[last].from == e.From && out[last].to == e.To {
			out[last].label += ", " + label
			out[last].weak = out[last].weak && e.Weak
			continue
		}
		out = append(out, link{e.From, e.To, label, e.Weak})
	}
	return out
}
