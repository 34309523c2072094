// Package picture draws the blast radius of a break: what was chosen, what must
// go first and why, what stays and loses its dependency, and what holds data and
// how that is covered.
//
// All formats say the same. No meaning is carried by colour alone: what a stack
// is stands in its shape or border and in words, and a legend explains both. The
// package reads a plan and writes text; it decides nothing.
package picture

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/internal/blast"
	"github.com/deployer-cli/deployer/stacks"
)

// role is what a break means for a stack.
type role int

const (
	target role = iota // was chosen
	first              // must go before what was chosen
	stays              // stays, and loses something that goes
)

// mark stands for a role where there are no shapes.
func (r role) mark() string { return [...]string{"!", "-", "~"}[r] }

// word says a role in the legend.
func (r role) word() string {
	return [...]string{"chosen", "must go first", "stays, and loses its dependency"}[r]
}

// node is one stack in the picture.
type node struct {
	path stacks.Path
	role role
	turn int // in which it goes, from 1; 0 for what stays
	data []datum
}

// says is the second line of a node.
func (n *node) says() string {
	switch n.role {
	case target:
		return fmt.Sprintf("CHOSEN, goes as no. %d", n.turn)
	case first:
		return fmt.Sprintf("must go first, as no. %d", n.turn)
	default:
		return "stays"
	}
}

// datum is a resource that holds data.
type datum struct {
	id, cover string
	lost      bool // nothing covers it
}

// edge leads from a stack to what cannot go before it, or to what it loses.
type edge struct {
	from, to stacks.Path
	short    string // for a line in a picture
	full     []string
	loses    bool
}

// scene is everything that is drawn.
type scene struct {
	title string
	nodes []*node // in the order in which they go, then what stays
	edges []edge
}

func newScene(p *blast.Plan) *scene {
	chosen := make([]string, 0, len(p.Targets))
	for _, t := range p.Targets {
		chosen = append(chosen, string(t))
	}
	s := &scene{title: "break of " + strings.Join(chosen, ", ") + ": " + counts(len(p.Steps), len(p.Radius.Dependents))}
	why := map[stacks.Path][]string{}
	for i := range p.Steps {
		step := &p.Steps[i]
		n := &node{path: step.Stack, role: first, turn: i + 1}
		if step.Target {
			n.role = target
		}
		why[step.Stack] = step.Why
		s.nodes = append(s.nodes, n)
	}
	for i := range p.Radius.Stacks {
		r := &p.Radius.Stacks[i]
		for _, h := range r.Holders {
			if n := s.node(r.Stack); n != nil {
				n.data = append(n.data, datum{h.LogicalID, h.Becomes(), h.Cover == blast.Uncovered})
			}
		}
	}
	for i := range p.Steps {
		for _, before := range p.Steps[i].After {
			s.edges = append(s.edges, because(before, p.Steps[i].Stack, why[before]))
		}
	}
	for _, d := range p.Radius.Dependents {
		s.nodes = append(s.nodes, &node{path: d.Stack, role: stays})
		for _, lost := range d.Loses {
			s.edges = append(s.edges, edge{from: d.Stack, to: lost, short: "loses it", full: []string{"depends on it by configuration"}, loses: true})
		}
	}
	return s
}

func counts(gone, stay int) string {
	text := fmt.Sprintf("%d stacks go", gone)
	if gone == 1 {
		text = "1 stack goes"
	}
	switch stay {
	case 0:
		return text
	case 1:
		return text + ", 1 stays and loses what it needs"
	}
	return fmt.Sprintf("%s, %d stay and lose what they need", text, stay)
}

func (s *scene) node(p stacks.Path) *node {
	if i := slices.IndexFunc(s.nodes, func(n *node) bool { return n.path == p }); i >= 0 {
		return s.nodes[i]
	}
	return nil
}

// out lists the edges that lead from a stack.
func (s *scene) out(p stacks.Path) []edge {
	return slices.DeleteFunc(slices.Clone(s.edges), func(e edge) bool { return e.from != p })
}

// because finds in the reasons of a stack those that name what has to wait.
func because(from, to stacks.Path, why []string) edge {
	e := edge{from: from, to: to}
	for _, w := range why {
		if text, ok := strings.CutSuffix(w, " of "+string(to)); ok {
			e.full = append(e.full, text)
		}
	}
	if len(e.full) == 0 {
		e.full = []string{"needs it by configuration"}
	}
	e.short = shorten(e.full[0])
	if more := len(e.full) - 1; more > 0 {
		e.short += fmt.Sprintf(" +%d", more)
	}
	return e
}

// uses is the form of the reasons that internal/blast gives for what lives in or
// on a resource.
var uses = regexp.MustCompile(`^its (\S+) \(\S+\) uses \S+::(\S+) \S+$`)

// longest is how long a reason on a line may be, in letters.
const longest = 28

// shorten takes out of a reason what can be read elsewhere.
func shorten(why string) string {
	text := strings.TrimSuffix(strings.TrimPrefix(why, "it "), " by configuration")
	if m := uses.FindStringSubmatch(why); m != nil {
		text = m[1] + " uses " + m[2]
	}
	r := []rune(text)
	if len(r) <= longest {
		return text
	}
	if name, ok := strings.CutPrefix(text, "imports "); ok { // exports differ at their ends
		tail := []rune(name)
		return "imports …" + string(tail[len(tail)-(longest-9):])
	}
	return string(r[:longest-1]) + "…"
}
