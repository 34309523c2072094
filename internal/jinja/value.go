package jinja

import (
	"strconv"
	"strings"

	"github.com/deployer-cli/deployer/internal/python"
)

// List is a Python list: it can be changed in place.
type List struct{ Items []any }

// Tuple is a Python tuple.
type Tuple []any

// Late is a text that is only known later. Printing it gives Text, and
// every operation takes it as that text; RenderNoting tells whether that
// happened. Passing it along, default and "is defined" do not count.
type Late struct{ Text string }

// late is a Late inside a run, which it tells when it is used.
type late struct {
	text string
	used *bool
}

func (l *late) use() string {
	*l.used = true
	return l.text
}

// known turns a late value into its text and gives all others unchanged.
func known(v any) any {
	if l, ok := v.(*late); ok {
		return l.use()
	}
	return v
}

// undefined stands for a value that does not exist. Nearly every operation
// on it fails with its message. A lenient one, the value of an inline if
// without else, may also be printed, gone through and taken as false.
type undefined struct {
	hint    string
	owner   any // what has no such attribute
	owned   bool
	name    any
	lenient bool
}

func (u *undefined) err() error {
	return &failure{kind: KindUndefined, msg: u.message()}
}

// strict is err for operations that lenient values allow.
func (u *undefined) strict() error {
	if u.lenient {
		return nil
	}
	return u.err()
}

func (u *undefined) message() string {
	name, isText := u.name.(string)
	switch {
	case u.hint != "":
		return u.hint
	case !u.owned:
		return reprString(name) + " is undefined"
	case !isText:
		return ownerName(u.owner) + " has no element " + shortRepr(u.name)
	}
	return reprString(ownerName(u.owner)) + " has no attribute " + reprString(name)
}

// ownerName names a value's type as Jinja2 does in messages.
func ownerName(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case *namespace:
		return "jinja2.utils.Namespace object"
	case *module:
		return "jinja2.environment.TemplateModule object"
	case *loopState:
		return "jinja2.runtime.LoopContext object"
	case *macro:
		return "jinja2.runtime.Macro object"
	case *selfRef:
		return "jinja2.runtime.TemplateReference object"
	default:
		return typeName(v) + " object"
	}
}

// typeName is Python's name of a value's type.
func typeName(v any) string {
	switch v := v.(type) {
	case nil:
		return "NoneType"
	case bool:
		return "bool"
	case int64:
		return "int"
	case float64:
		return "float"
	case string, *late:
		return "str"
	case *List:
		return "list"
	case Tuple, *group:
		return "tuple"
	case *Dict:
		return "dict"
	case *rangeValue:
		return "range"
	case *dictView:
		return "dict_" + v.kind
	case *generator:
		return "generator"
	case *undefined:
		return "StrictUndefined"
	case *namespace:
		return "Namespace"
	case *macro:
		return "Macro"
	case *loopState:
		return "LoopContext"
	case *module:
		return "TemplateModule"
	case *method:
		return "builtin_function_or_method"
	case *function:
		return "function"
	}
	return "object"
}

// shortRepr is a Python repr for messages, cut where long.
func shortRepr(v any) string {
	switch v := v.(type) {
	case int64:
		return strconv.FormatInt(v, 10)
	case string:
		return reprString(v)
	case float64:
		return python.Float(v)
	case nil:
		return "None"
	case Tuple:
		parts := make([]string, len(v))
		for i, item := range v {
			parts[i] = shortRepr(item)
		}
		return "(" + strings.Join(parts, ", ") + ")"
	}
	return "<" + typeName(v) + ">"
}

// number gives v as an int64 or float64; booleans are numbers in Python.
func number(v any) (any, bool) {
	switch v := known(v).(type) {
	case int64, float64:
		return v, true
	case bool:
		return boolInt(v), true
	}
	return nil, false
}

func boolInt(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// integer gives v as an int64 if it is one.
func integer(v any) (int64, bool) {
	switch v := v.(type) {
	case int64:
		return v, true
	case bool:
		return boolInt(v), true
	}
	return 0, false
}

// asText gives v as a string if it is one.
func asText(v any) (string, bool) {
	s, ok := known(v).(string)
	return s, ok
}

// truth is Python's bool().
func (r *run) truth(v any) (bool, error) {
	switch v := known(v).(type) {
	case nil:
		return false, nil
	case bool:
		return v, nil
	case int64:
		return v != 0, nil
	case float64:
		return v != 0, nil
	case string:
		return v != "", nil
	case *undefined:
		return false, v.strict()
	default:
		if n, ok := length(v); ok {
			return n > 0, nil
		}
		return true, nil
	}
}

// length is Python's len(), for values that have one and are no text.
func length(v any) (int, bool) {
	switch v := v.(type) {
	case *List:
		return len(v.Items), true
	case Tuple:
		return len(v), true
	case *group:
		return 2, true
	case *Dict:
		return v.Len(), true
	case *dictView:
		return v.dict.Len(), true
	case *rangeValue:
		return v.len(), true
	case *loopState:
		return v.length(), true
	case *undefined: // only lenient ones come here
		return 0, true
	}
	return 0, false
}
