// Package cfnyaml reads YAML and JSON as the two programs that matter here do:
// PyYAML's SafeLoader, with which Sceptre reads configs, and CloudFormation,
// which reads templates.
//
// It knows documents, not their meaning: it never opens a file, resolves a
// reference or judges a template.
package cfnyaml

import (
	"fmt"
	"strconv"
)

// Kind tells what a Node is.
type Kind uint8

// The kinds of node.
const (
	Null Kind = iota
	Bool
	Int
	Float
	Time
	String
	List
	Map
)

// String names the kind as an error message would.
func (k Kind) String() string {
	switch k {
	case Null:
		return "nothing"
	case Bool:
		return "a boolean"
	case Int, Float:
		return "a number"
	case Time:
		return "a date"
	case String:
		return "a string"
	case List:
		return "a list"
	case Map:
		return "a map"
	}
	return "kind " + strconv.Itoa(int(k))
}

// Node is one value of a document. Nodes are read only: an alias shares the
// node of its anchor.
type Node struct {
	Kind   Kind
	Tag    string  // a tag of the document's own as written, "!Ref"; "" for none or a standard one
	Text   string  // scalars: String decoded; Bool "true" or "false"; Int decimal; Float as Python's str; Time as written
	Raw    string  // scalars: as written, without quotes and escapes
	Quoted bool    // a scalar in quotes or a block, which is never anything but a string
	Items  []*Node // List
	Pairs  []Pair  // Map: file order, merged keys first, of duplicates the last
	Line   int     // from 1
	Column int     // from 1, in characters
}

// Pair is one entry of a Map. Keys are always scalars.
type Pair struct{ Key, Value *Node }

// Warning is something a document should not do, and may.
type Warning struct {
	Line, Column int
	Text         string
}

// SyntaxError says why a document cannot be read. Line and Column are 0 where
// the place is not known.
type SyntaxError struct {
	Line, Column int
	Msg          string
}

// Error gives the place and the reason.
func (e *SyntaxError) Error() string {
	if e.Line == 0 {
		return e.Msg
	}
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Msg)
}

// IsScalar tells whether n is neither a list nor a map.
func (n *Node) IsScalar() bool { return n.Kind != List && n.Kind != Map }

// Get returns the value of the given key as written; nil when it is absent or
// n is no map.
func (n *Node) Get(key string) *Node {
	if n == nil || n.Kind != Map {
		return nil
	}
	for _, p := range n.Pairs {
		if p.Key.Raw == key {
			return p.Value
		}
	}
	return nil
}

// Plain gives n as Go values: nil, bool, int64 (a string where it is too big),
// float64, string, []any and map[string]any. Tags are left out.
func (n *Node) Plain() any {
	switch n.Kind {
	case Null:
		return nil
	case Bool:
		return n.Text == "true"
	case Int:
		if i, err := strconv.ParseInt(n.Text, 10, 64); err == nil {
			return i
		}
		return n.Text
	case Float:
		if f, err := strconv.ParseFloat(n.Text, 64); err == nil {
			return f
		}
		return n.Text
	case Time, String:
		return n.Text
	case List:
		out := make([]any, 0, len(n.Items))
		for _, i := range n.Items {
			out = append(out, i.Plain())
		}
		return out
	case Map:
		out := make(map[string]any, len(n.Pairs))
		for _, p := range n.Pairs {
			out[p.Key.keyText()] = p.Value.Plain()
		}
		return out
	}
	return nil
}

// keyText is the key as a string: what Python's str gives, but "null" for
// nothing as JSON would.
func (n *Node) keyText() string {
	if n.Kind == Null {
		return "null"
	}
	return n.Text
}
