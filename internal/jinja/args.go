package jinja

import "math"

// Helpers that read bound arguments. An absent one, or None where Python
// takes None for "not given", has the default.

func given(args []any, i int) bool {
	if i >= len(args) {
		return false
	}
	_, missing := args[i].(absent)
	return !missing
}

func argOr(args []any, i int, def any) any {
	if given(args, i) {
		return args[i]
	}
	return def
}

// textArg gives a required text.
func textArg(args []any, i int) (string, error) {
	v := known(args[i])
	switch v := v.(type) {
	case string:
		return v, nil
	case *undefined:
		return "", v.err()
	}
	return "", fail("argument %d must be str, not %s", i+1, typeName(v))
}

// optText gives an optional text; nil means not given.
func optText(args []any, i int) (*string, error) {
	if !given(args, i) || args[i] == nil {
		return nil, nil
	}
	s, err := textArg(args, i)
	return &s, err
}

func intOr(args []any, i int, def int64) (int64, error) {
	if !given(args, i) || args[i] == nil {
		return def, nil
	}
	v := known(args[i])
	if u, ok := v.(*undefined); ok {
		return 0, u.err()
	}
	n, ok := integer(v)
	if !ok {
		return 0, fail("%s object cannot be interpreted as an integer", reprString(typeName(v)))
	}
	return n, nil
}

// smallOr is intOr for sizes and counts, held between limits that no text
// or list reaches.
func smallOr(args []any, i int, def int64) (int, error) {
	n, err := intOr(args, i, def)
	return int(min(max(n, math.MinInt32), math.MaxInt32)), err
}

func (r *run) flagOr(args []any, i int, def bool) (bool, error) {
	if !given(args, i) {
		return def, nil
	}
	return r.truth(args[i])
}
