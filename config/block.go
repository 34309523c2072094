package config

import (
	"errors"
	"strconv"
	"strings"

	"github.com/deployer-cli/deployer/internal/cfnyaml"
	"github.com/deployer-cli/deployer/stacks"
)

// block is the environment block of a group file as it stands there, before
// Jinja. It is read on its own so that nothing outside it, a flag or another
// file, can change what it says.
type block struct {
	found    bool // a block of deployer's: a map
	value    stacks.Value
	file     string
	line     int
	problems []*stacks.Problem
}

// literalTip says how to mend a block that is not literal.
const literalTip = "write the environment block out in the group's config.yaml, without Jinja, variables or resolvers"

// findBlock looks for the environment key at the start of a line. A plain
// value, such as environment: dev, is a project's own key and no block.
func findBlock(file, text string) *block {
	b := &block{file: file}
	lines := strings.Split(text, "\n")
	first := -1
	for i, l := range lines {
		if !isBlockKey(l) {
			continue
		}
		if first >= 0 {
			b.problem(i+1, "environment stands twice", "the first is on line "+strconv.Itoa(first+1), "keep one of them")
			return b
		}
		first = i
	}
	if first < 0 {
		return b
	}
	end := first + 1
	for end < len(lines) && belongs(lines[end]) {
		end++
	}
	body := strings.Join(lines[first:end], "\n")
	if isPlainKey(lines[first], lines[first+1:end]) {
		return b
	}
	b.line = first + 1
	if hasJinja(body) {
		b.found = true
		b.problem(b.line+jinjaLine(body), "the environment block must be literal", "there is Jinja in it", literalTip)
		return b
	}
	b.parse(strings.Repeat("\n", first) + body)
	return b
}

// parse reads the block alone; the empty lines before it keep its place.
func (b *block) parse(text string) {
	node, warnings, err := cfnyaml.Parse([]byte(text))
	if err != nil {
		b.found = true
		p := syntaxProblem(b.file, text, nil, err)
		if e, ok := errors.AsType[*cfnyaml.SyntaxError](err); ok && strings.Contains(e.Msg, "alias") {
			p.What, p.Tip = "the environment block must be literal", literalTip
		}
		b.problems = append(b.problems, p)
		return
	}
	for _, w := range warnings {
		b.found = true
		b.problem(w.Line, "the environment block must be plain", w.Text, "")
		b.problems[len(b.problems)-1].Pos.Column = w.Column
	}
	v := converter{file: b.file}.value(node)
	f, ok := field(v, environmentKey)
	if !ok || f.Value.Kind != stacks.Map && f.Value.Kind != stacks.Null {
		return
	}
	b.found, b.value = true, f.Value
	b.value.Pos = f.Pos
	f.Value.Walk(func(w stacks.Value) bool {
		if w.Kind == stacks.Call {
			b.problems = append(b.problems, &stacks.Problem{
				Pos: w.Pos, What: "the environment block must be literal",
				Why: "!" + w.Call.Name + " is a resolver call", Tip: literalTip,
			})
			return false
		}
		return true
	})
}

// literal checks that the rendered file says what the block says.
func (b *block) literal(d *document) []*stacks.Problem {
	f, ok := field(d.fields, environmentKey)
	isBlock := ok && (f.Value.Kind == stacks.Map || f.Value.Kind == stacks.Call)
	switch {
	case len(b.problems) > 0, !b.found && !isBlock:
		return nil
	case b.found && ok && (f.Value.Kind == b.value.Kind) && same(f.Value, b.value):
		return nil
	}
	pos := stacks.Pos{File: b.file, Line: max(b.line, 1)}
	why := "after Jinja it is not there, or says something else"
	if !b.found {
		pos, why = f.Pos, "it does not stand in the file itself at the start of a line"
	}
	return []*stacks.Problem{{Pos: pos, What: "the environment block must be literal", Why: why, Tip: literalTip}}
}

func (b *block) problem(line int, what, why, tip string) {
	b.problems = append(b.problems, &stacks.Problem{
		Pos: stacks.Pos{File: b.file, Line: line, Column: 1}, What: what, Why: why, Tip: tip,
	})
}

func isBlockKey(line string) bool {
	for _, key := range []string{"environment", `"environment"`, "'environment'"} {
		if rest, ok := strings.CutPrefix(line, key); ok && strings.HasPrefix(strings.TrimLeft(rest, " \t"), ":") {
			return true
		}
	}
	return false
}

// belongs tells whether a line goes on with the block before it: indented,
// empty, a comment, or closing a flow.
func belongs(line string) bool {
	if line == "" || line == "\r" {
		return true
	}
	return strings.ContainsRune(" \t#}]", rune(line[0]))
}

// isPlainKey tells whether environment is a project's own key: one plain
// value on its line, in which Jinja is allowed.
func isPlainKey(line string, more []string) bool {
	_, value, _ := strings.Cut(line, ":")
	value = strings.TrimSpace(value)
	if value == "" || value[0] == '#' || value[0] == '&' || value[0] == '*' || value[0] == '!' || strings.HasPrefix(value, "<<") {
		return false
	}
	if value[0] == '{' {
		return strings.HasPrefix(value, "{{") && allBlank(more)
	}
	return true
}

func allBlank(lines []string) bool {
	for _, l := range lines {
		if l = strings.TrimSpace(l); l != "" && l[0] != '#' {
			return false
		}
	}
	return true
}

func hasJinja(text string) bool {
	return strings.Contains(text, "{{") || strings.Contains(text, "{%") || strings.Contains(text, "{#")
}

// jinjaLine is the line (from 0) in which the first Jinja stands.
func jinjaLine(text string) int {
	for i, l := range strings.Split(text, "\n") {
		if hasJinja(l) {
			return i
		}
	}
	return 0
}
