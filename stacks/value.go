package stacks

import (
	"slices"
	"strconv"
	"strings"
)

// Pos is a place in a file of the project. The zero Pos is no place.
type Pos struct {
	File   string // slash-separated, relative to the project
	Line   int    // from 1
	Column int    // from 1, in characters; 0 when only the line is known
}

// String gives "file:line:column", leaving out what is not known.
func (p Pos) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		b.WriteString(":" + strconv.Itoa(p.Line))
		if p.Column > 0 {
			b.WriteString(":" + strconv.Itoa(p.Column))
		}
	}
	return b.String()
}

// Kind tells what a Value is.
type Kind uint8

// The kinds of value a config may hold.
const (
	Null    Kind = iota // nothing; a parameter or list item that is Null is left out
	Bool                // Text is "true" or "false"
	Int                 // Text is the decimal number
	Float               // Text is as Python's str gives it
	Text                // a string
	List                // Items
	Map                 // Fields, in file order
	Call                // a resolver or hook call, not yet made
	Unknown             // known only after the stacks in After are done
)

// String names the kind as an error message would.
func (k Kind) String() string {
	names := [...]string{"nothing", "a boolean", "a number", "a number", "a string", "a list", "a map", "a resolver call", "a value known later"}
	if int(k) < len(names) {
		return names[k]
	}
	return "kind " + strconv.Itoa(int(k))
}

// Value is what a config file holds in one place: a literal, a list, a map or
// a resolver call. Resolving replaces every Call by what it gives, or by an
// Unknown. The zero Value is Null.
type Value struct {
	Kind   Kind
	Text   string  // Bool, Int, Float, Text
	Items  []Value // List
	Fields []Field // Map
	Call   *Invocation
	After  []Path // Unknown: the stacks whose outcome decides it, sorted; may be empty
	Hint   string // Unknown: what it would be, for a reader, such as "VpcId of dev/network"
	Secret bool   // came from a secret resolver or belongs to a secret key: never shown
	Pos    Pos
}

// Field is one key of a Map.
type Field struct {
	Key   string
	Value Value
	Pos   Pos // of the key
}

// Invocation is a resolver or hook as written in a config: !name argument.
type Invocation struct {
	Name string // without the exclamation mark
	Arg  Value
}

// String returns a Text value holding s.
func String(s string) Value { return Value{Kind: Text, Text: s} }

// Strings returns a List of Text values.
func Strings(ss ...string) Value {
	v := Value{Kind: List, Items: make([]Value, 0, len(ss))}
	for _, s := range ss {
		v.Items = append(v.Items, String(s))
	}
	return v
}

// Later returns a value that is known only after the given stacks.
func Later(hint string, after ...Path) Value {
	return Value{Kind: Unknown, After: after, Hint: hint}
}

// IsScalar tells whether v is a boolean, number or string.
func (v Value) IsScalar() bool {
	return v.Kind == Bool || v.Kind == Int || v.Kind == Float || v.Kind == Text
}

// Get returns the field of a Map with the given key.
func (v Value) Get(key string) (Value, bool) {
	for _, f := range slices.Backward(v.Fields) {
		if f.Key == key {
			return f.Value, true
		}
	}
	return Value{}, false
}

// Walk calls visit for v and everything in it, arguments of calls included,
// parents first. It stops going deeper where visit returns false.
func (v Value) Walk(visit func(Value) bool) {
	if !visit(v) {
		return
	}
	for _, i := range v.Items {
		i.Walk(visit)
	}
	for _, f := range v.Fields {
		f.Value.Walk(visit)
	}
	if v.Call != nil {
		v.Call.Arg.Walk(visit)
	}
}

// HasCall tells whether v or anything in it is the call of a resolver.
func (v Value) HasCall() bool {
	found := false
	v.Walk(func(w Value) bool {
		found = found || w.Kind == Call
		return !found
	})
	return found
}

// HasUnknown tells whether v or anything in it is Unknown, and collects the
// stacks it waits for.
func (v Value) HasUnknown() (after []Path, unknown bool) {
	v.Walk(func(w Value) bool {
		if w.Kind == Unknown {
			unknown = true
			after = append(after, w.After...)
		}
		return true
	})
	return SortPaths(after), unknown
}

// HasSecret tells whether v or anything in it is secret.
func (v Value) HasSecret() bool {
	found := false
	v.Walk(func(w Value) bool {
		found = found || w.Secret
		return !found
	})
	return found
}

// Plain turns v into Go values: nil, bool, int64, float64, string, []any and
// map[string]any. Calls and Unknowns become their text form, "!name" or the
// hint; use it only where that is wanted, such as showing a config.
func (v Value) Plain() any {
	switch v.Kind {
	case Null:
		return nil
	case Bool:
		return v.Text == "true"
	case Int:
		if n, err := strconv.ParseInt(v.Text, 10, 64); err == nil {
			return n
		}
		return v.Text
	case Float:
		if f, err := strconv.ParseFloat(v.Text, 64); err == nil {
			return f
		}
		return v.Text
	case Text:
		return v.Text
	case List:
		out := make([]any, 0, len(v.Items))
		for _, i := range v.Items {
			out = append(out, i.Plain())
		}
		return out
	case Map:
		out := make(map[string]any, len(v.Fields))
		for _, f := range v.Fields {
			out[f.Key] = f.Value.Plain()
		}
		return out
	case Call:
		return v.Call.String()
	case Unknown:
		return v.Hint
	}
	return nil
}

// String gives the call as it would be written: !name argument.
func (c *Invocation) String() string {
	switch arg := c.Arg.Plain().(type) {
	case nil:
		return "!" + c.Name
	case string:
		return "!" + c.Name + " " + arg
	default:
		return "!" + c.Name + " " + describe(arg)
	}
}

func describe(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return strconv.Quote(v)
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case []any:
		parts := make([]string, 0, len(v))
		for _, i := range v {
			parts = append(parts, describe(i))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case map[string]any:
		return "{" + strings.Join(sortedPairs(v), ", ") + "}"
	}
	return "?"
}
