package stacks

import (
	"errors"
	"slices"
	"strconv"
	"strings"
)

// Reader reads a block of a file and collects all that is wrong in it, as *Problem.
// It shows no value: an address may hold a password, and somebody may have written
// a secret where the name of its variable belongs.
type Reader struct{ problems []error }

// Fail notes that what stands under a key cannot be used.
func (r *Reader) Fail(what string, at Pos, why string) {
	r.problems = append(r.problems, &Problem{Pos: at, What: what + " cannot be used", Why: why})
}

// Err is everything that is wrong, nil for nothing.
func (r *Reader) Err() error { return errors.Join(r.problems...) }

// Named gives the entries of a map of things by name, sorted by it. A name that is
// empty or stands twice is wrong.
func (r *Reader) Named(what, thing string, v Value) []Field {
	if v.Kind != Map && v.Kind != Null {
		r.Fail(what, v.Pos, "it must be a map of "+thing+"s by name, and is "+v.Kind.String())
	}
	var out []Field
	for _, f := range v.Fields {
		if f.Key == "" || slices.ContainsFunc(out, func(o Field) bool { return o.Key == f.Key }) {
			r.Fail(what+"."+f.Key, f.Pos, "every "+thing+" needs a name of its own")
			continue
		}
		out = append(out, f)
	}
	slices.SortFunc(out, func(a, b Field) int { return strings.Compare(a.Key, b.Key) })
	return out
}

// Text reads a string that is not empty, "" where it is none.
func (r *Reader) Text(what string, f Field) string {
	if f.Value.Kind != Text || f.Value.Text == "" {
		r.Fail(what, f.Pos, "it must be a string, and is "+f.Value.Kind.String())
		return ""
	}
	return f.Value.Text
}

// Command reads a program and its arguments. They are kept with the records of a
// break, so that no password may stand in them.
func (r *Reader) Command(what string, f Field) []string {
	if f.Value.Kind != List || len(f.Value.Items) == 0 {
		r.Fail(what, f.Pos, "it must be a list of a program and its arguments, such as [scripts/check.sh]")
		return nil
	}
	out := make([]string, 0, len(f.Value.Items))
	for i, item := range f.Value.Items {
		word := "its word " + strconv.Itoa(i+1)
		switch {
		case !item.IsScalar() || strings.ContainsRune(item.Text, 0) || i == 0 && item.Text == "":
			r.Fail(what, f.Pos, word+" must be a string, and is "+item.Kind.String())
		case HoldsPassword(item.Text):
			r.Fail(what, f.Pos, word+" holds an address with a user or a password, which would be kept with the records of a break; let the program take it from its environment")
		}
		out = append(out, item.Text)
	}
	return out
}
