package wire

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// maxDepth bounds how deep a parameter's name may nest.
const maxDepth = 32

// node is a tree of the request's parameters: Parameters.member.1.ParameterKey is
// four levels deep.
type node struct {
	text string
	set  bool
	kids map[string]*node
}

func (n *node) kid(name string) *node {
	if n == nil {
		return nil
	}
	return n.kids[name]
}

// DecodeQuery reads the parameters of a query request into the struct that into
// points to. Its error is an *Error.
func DecodeQuery(values url.Values, into any) error {
	v := reflect.ValueOf(into)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return &Error{"", fmt.Sprintf("cannot decode into %T", into)}
	}
	root, err := tree(values)
	if err != nil {
		return err
	}
	d := queryDecoder{types{}}
	return d.structure(v.Elem(), root, "")
}

func tree(values url.Values) (*node, error) {
	root := &node{}
	for name, texts := range values {
		if len(texts) == 0 {
			continue
		}
		n := root
		depth := 0
		for part := range strings.SplitSeq(name, ".") {
			if depth++; depth > maxDepth {
				return nil, &Error{fmt.Sprintf("%.60s…", name), "nested too deep"}
			}
			next := n.kids[part]
			if next == nil {
				next = &node{}
				if n.kids == nil {
					n.kids = map[string]*node{}
				}
				n.kids[part] = next
			}
			n = next
		}
		n.text, n.set = texts[0], true
	}
	return root, nil
}

type queryDecoder struct{ types types }

func (d queryDecoder) structure(v reflect.Value, n *node, member string) error {
	for _, f := range d.types.fields(v.Type()) {
		if kid := n.kid(f.name); kid != nil {
			if err := d.value(v.FieldByIndex(f.index), kid, join(member, f.name)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d queryDecoder) value(v reflect.Value, n *node, member string) error {
	t := v.Type()
	switch {
	case t.Kind() == reflect.Pointer:
		p := reflect.New(t.Elem())
		if err := d.value(p.Elem(), n, member); err != nil {
			return err
		}
		v.Set(p)
		return nil
	case t.Kind() == reflect.Struct && !isTime(t):
		return d.structure(v, n, member)
	case isBytes(t):
		return setBytes(v, n.text, member)
	case t.Kind() == reflect.Slice:
		return d.list(v, n, member)
	case t.Kind() == reflect.Map:
		return d.dictionary(v, n, member)
	case !n.set:
		return &Error{member, "a structure where a single value is expected"}
	}
	return setScalar(v, n.text, member)
}

func setBytes(v reflect.Value, text, member string) error {
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return &Error{member, "not base64"}
	}
	v.SetBytes(b)
	return nil
}

func (d queryDecoder) list(v reflect.Value, n *node, member string) error {
	numbered, err := inOrder(n, "member", member)
	if err != nil {
		return err
	}
	out := reflect.MakeSlice(v.Type(), len(numbered), len(numbered))
	for i, e := range numbered {
		if err := d.value(out.Index(i), e.node, e.member); err != nil {
			return err
		}
	}
	v.Set(out)
	return nil
}

func (d queryDecoder) dictionary(v reflect.Value, n *node, member string) error {
	t := v.Type()
	if t.Key().Kind() != reflect.String {
		return &Error{member, "cannot decode into " + t.String()}
	}
	numbered, err := inOrder(n, "entry", member)
	if err != nil {
		return err
	}
	out := reflect.MakeMapWithSize(t, len(numbered))
	for _, e := range numbered {
		key, value, word := e.node.kid("key"), e.node.kid("value"), ".value"
		if key == nil && value == nil { // the attributes of SNS's messages
			key, value, word = e.node.kid("Name"), e.node.kid("Value"), ".Value"
		}
		if key == nil || value == nil {
			return &Error{e.member, "an entry needs a key and a value"}
		}
		item := reflect.New(t.Elem()).Elem()
		if err := d.value(item, value, e.member+word); err != nil {
			return err
		}
		out.SetMapIndex(reflect.ValueOf(key.text).Convert(t.Key()), item)
	}
	v.Set(out)
	return nil
}

// numbered is an element of a list with its place.
type numbered struct {
	number uint64
	node   *node
	member string
}

// inOrder answers the elements under Name.word.N, or Name.N, by their numbers.
// Gaps are closed, so that a huge number costs nothing.
func inOrder(n *node, word, member string) ([]numbered, error) {
	under := n
	if kid := n.kid(word); kid != nil {
		under, member = kid, member+"."+word
	}
	out := make([]numbered, 0, len(under.kids))
	for name, kid := range under.kids {
		i, err := strconv.ParseUint(name, 10, 64)
		if err != nil {
			return nil, &Error{join(member, name), "not a number of a list"}
		}
		out = append(out, numbered{i, kid, member + "." + name})
	}
	slices.SortFunc(out, func(a, b numbered) int {
		return cmp.Or(cmp.Compare(a.number, b.number), strings.Compare(a.member, b.member))
	})
	return out, nil
}

func join(member, name string) string {
	if member == "" {
		return name
	}
	return member + "." + name
}
