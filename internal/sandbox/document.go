package sandbox

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/deployer-cli/deployer/internal/cfnyaml"
)

// place of a mistake in a file, before what is wrong there.
func mistake(n *cfnyaml.Node, format string, args ...any) error {
	return fmt.Errorf("line %d, column %d: "+format, append([]any{n.Line, n.Column}, args...)...)
}

// document reads a file that is a list of maps, or one map, or a map with the one
// key given that holds either.
func document(src []byte, key string) ([]*cfnyaml.Node, error) {
	root, _, err := cfnyaml.Parse(src)
	if err != nil {
		return nil, err
	}
	if root.Kind == cfnyaml.Map && len(root.Pairs) == 1 && root.Pairs[0].Key.Text == key {
		root = root.Pairs[0].Value
	}
	switch root.Kind {
	case cfnyaml.Null:
		return nil, nil
	case cfnyaml.List:
		return root.Items, nil
	case cfnyaml.Map:
		return []*cfnyaml.Node{root}, nil
	default:
		return nil, mistake(root, "%s where a list or a map is expected", root.Kind)
	}
}

// text is a scalar as its writer meant it: 010 and yes are not numbers and truths
// here.
func text(n *cfnyaml.Node) string {
	if n.Kind == cfnyaml.Null {
		return ""
	}
	if n.Quoted || n.Kind == cfnyaml.String {
		return n.Text
	}
	return n.Raw
}

// fields reads a map's known keys and collects what is wrong with them.
type fields struct {
	node  *cfnyaml.Node
	known []string
	errs  []error
}

func newFields(n *cfnyaml.Node) *fields {
	f := &fields{node: n}
	if n.Kind != cfnyaml.Map {
		f.errs = append(f.errs, mistake(n, "%s where a map is expected", n.Kind))
	}
	return f
}

func (f *fields) fail(n *cfnyaml.Node, format string, args ...any) {
	f.errs = append(f.errs, mistake(n, format, args...))
}

func (f *fields) get(key string) *cfnyaml.Node {
	f.known = append(f.known, key)
	return f.node.Get(key)
}

// scalar calls set with the text of a key that is there.
func (f *fields) scalar(key, want string, set func(text string) error) {
	n := f.get(key)
	if n == nil {
		return
	}
	if !n.IsScalar() {
		f.fail(n, "%s: %s where %s is expected", key, n.Kind, want)
		return
	}
	value := text(n)
	if n.Kind == cfnyaml.Bool && strings.HasPrefix(want, "true") {
		value = n.Text // yes is a truth where one is asked for
	}
	if set(value) != nil {
		f.fail(n, "%s: %q is not %s", key, text(n), want)
	}
}

func (f *fields) string(key string, into *string) {
	f.scalar(key, "a text", func(s string) error { *into = s; return nil })
}

func (f *fields) int(key string, into *int) {
	f.scalar(key, "a whole number", func(s string) (err error) { *into, err = strconv.Atoi(s); return err })
}

func (f *fields) float(key string, into *float64) {
	f.scalar(key, "a number", func(s string) (err error) { *into, err = strconv.ParseFloat(s, 64); return err })
}

func (f *fields) duration(key string, into *time.Duration) {
	f.scalar(key, "a duration such as 90s or 10m", func(s string) (err error) { *into, err = time.ParseDuration(s); return err })
}

func (f *fields) bool(key string, into *bool) {
	f.scalar(key, "true or false", func(s string) (err error) { *into, err = strconv.ParseBool(s); return err })
}

// pairs answers the entries of a key that holds a map.
func (f *fields) pairs(key string) []cfnyaml.Pair {
	n := f.get(key)
	if n == nil || n.Kind == cfnyaml.Null {
		return nil
	}
	if n.Kind != cfnyaml.Map {
		f.fail(n, "%s: %s where a map is expected", key, n.Kind)
		return nil
	}
	return n.Pairs
}

// items answers the elements of a key that holds a list.
func (f *fields) items(key string) []*cfnyaml.Node {
	n := f.get(key)
	if n == nil || n.Kind == cfnyaml.Null {
		return nil
	}
	if n.Kind != cfnyaml.List {
		f.fail(n, "%s: %s where a list is expected", key, n.Kind)
		return nil
	}
	return n.Items
}

// done also names the keys nobody asked for.
func (f *fields) done() error {
	for _, p := range f.node.Pairs {
		if !slices.Contains(f.known, p.Key.Text) {
			f.fail(p.Key, "unknown key %q: the keys are %s", p.Key.Text, strings.Join(f.known, ", "))
		}
	}
	return errors.Join(f.errs...)
}
