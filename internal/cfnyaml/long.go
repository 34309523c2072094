package cfnyaml

import (
	"regexp"
	"strconv"
	"strings"
)

var (
	longInt   = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)
	longFloat = regexp.MustCompile(`^-?(0|[1-9][0-9]*)?\.?[0-9]*([eE][-+]?[0-9]+)?$`)
)

// Long gives n as CloudFormation's long form: !Ref X is {"Ref": "X"},
// !GetAtt A.B is {"Fn::GetAtt": ["A", "B"]}, !Condition X is
// {"Condition": "X"} and any other !Name is {"Fn::Name": …}.
//
// Unlike PyYAML, CloudFormation sees in a plain scalar only what JSON has:
// true and false, whole numbers without a leading zero, decimal numbers. Dates,
// account ids with a leading zero, yes and 1:30 stay strings as written.
func (n *Node) Long() any {
	if !strings.HasPrefix(n.Tag, "!") || strings.HasPrefix(n.Tag, "!!") {
		return n.long()
	}
	var arg any = n.Raw
	if !n.IsScalar() {
		arg = n.long()
	}
	switch name := n.Tag[1:]; name {
	case "Ref", "Condition":
		return map[string]any{name: arg}
	case "GetAtt":
		if text, ok := arg.(string); ok {
			if resource, attribute, found := strings.Cut(text, "."); found {
				arg = []any{resource, attribute}
			}
		}
		return map[string]any{"Fn::GetAtt": arg}
	default:
		return map[string]any{"Fn::" + name: arg}
	}
}

// long is Long without regard to n's own tag.
func (n *Node) long() any {
	switch n.Kind {
	case List:
		out := make([]any, 0, len(n.Items))
		for _, i := range n.Items {
			out = append(out, i.Long())
		}
		return out
	case Map:
		out := make(map[string]any, len(n.Pairs))
		for _, p := range n.Pairs {
			out[p.Key.Raw] = p.Value.Long()
		}
		return out
	case Null:
		return nil
	case Bool:
		return n.longBool()
	case Int:
		return n.longInt()
	case Float:
		return n.longFloat()
	case Time:
		return n.Raw
	case String:
		return n.Text
	}
	return nil
}

func (n *Node) longBool() any {
	switch strings.ToLower(n.Raw) {
	case "true":
		return true
	case "false":
		return false
	}
	return n.Raw
}

func (n *Node) longInt() any {
	if !longInt.MatchString(n.Raw) {
		return n.Raw
	}
	if i, err := strconv.ParseInt(n.Raw, 10, 64); err == nil {
		return i
	}
	return n.Raw
}

func (n *Node) longFloat() any {
	if !longFloat.MatchString(n.Raw) {
		return n.Raw
	}
	if f, err := strconv.ParseFloat(n.Raw, 64); err == nil {
		return f
	}
	return n.Raw
}
