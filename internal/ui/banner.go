package ui

import (
	"fmt"
	"io"
	"strings"

	"github.com/deployer-cli/deployer/stacks"
)

// Banner is what stands before anything else on stderr, on every command that
// has an environment.
type Banner struct {
	Environment string
	Class       stacks.Class
	Production  bool // by its class or by its name
	Account     string
	Region      string
	Realm       stacks.Realm
	Endpoint    string
	Note        string // such as the sandbox's speed
}

// Show writes the banner. Production is a box of three lines that cannot be
// taken for anything else, also without colour and in a log; all others take
// one line.
func (b Banner) Show(w io.Writer, s Style, columns int) {
	facts := b.facts()
	if !b.Production {
		line := fmt.Sprintf("== %s == %s", b.title(), strings.Join(facts, "  "))
		for _, l := range wrap(line, columns) {
			fmt.Fprintln(w, s.Class(b.Class, l))
		}
		return
	}
	room := columns
	if columns > 0 {
		room = max(columns-8, 24)
	}
	body := wrap(fmt.Sprintf("PRODUCTION  %s  %s", b.Environment, strings.Join(facts, "  ")), room)
	if b.Class != stacks.Production {
		body = append(body, wrap("not declared: only its name says production", room)...)
	}
	inner := 0
	for _, l := range body {
		inner = max(inner, width(l))
	}
	rule := strings.Repeat("!", inner+8)
	fmt.Fprintln(w, s.Class(stacks.Production, rule))
	for _, l := range body {
		fmt.Fprintln(w, s.Class(stacks.Production, "!!  "+padRight(l, inner)+"  !!"))
	}
	fmt.Fprintln(w, s.Class(stacks.Production, rule))
}

func (b Banner) title() string {
	if b.Class == stacks.Undeclared {
		if b.Environment == "" {
			return "project"
		}
		return b.Environment
	}
	return fmt.Sprintf("%s (%s)", b.Environment, b.Class)
}

func (b Banner) facts() []string {
	var out []string
	if b.Account != "" {
		out = append(out, "account "+b.Account)
	}
	if b.Region != "" {
		out = append(out, b.Region)
	}
	switch b.Realm {
	case stacks.RealmEndpoint:
		out = append(out, "realm endpoint "+clean(b.Endpoint))
	default:
		out = append(out, "realm "+string(b.Realm))
	}
	if b.Note != "" {
		out = append(out, b.Note)
	}
	return out
}

// wrap breaks a line so that it fits the columns: at double spaces, and what
// is too long even alone at any space. 0 columns means a pipe, which is as wide
// as it needs to be.
func wrap(line string, columns int) []string {
	if columns <= 0 || width(line) <= columns {
		return []string{line}
	}
	out := []string{""}
	add := func(text, space string) {
		last := &out[len(out)-1]
		switch {
		case *last == "":
			*last = cut(text, columns)
		case width(*last)+len(space)+width(text) <= columns:
			*last += space + text
		default:
			out = append(out, cut(text, columns))
		}
	}
	for part := range strings.SplitSeq(line, "  ") {
		if width(part) <= columns {
			add(part, "  ")
			continue
		}
		space := "  "
		for word := range strings.FieldsSeq(part) {
			add(word, space)
			space = " "
		}
	}
	return out
}
