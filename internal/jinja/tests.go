package jinja

// builtinTests are Jinja2's tests.
func builtinTests() map[string]*filter {
	all := map[string]*filter{
		"defined":     isTest(func(v any) bool { return !isUndefined(v) }),
		"undefined":   isTest(isUndefined),
		"none":        isTest(func(v any) bool { return v == nil }),
		"boolean":     isTest(func(v any) bool { return typeName(v) == "bool" }),
		"true":        isTest(func(v any) bool { return v == true }),
		"false":       isTest(func(v any) bool { return v == false }),
		"integer":     isTest(func(v any) bool { return typeName(v) == "int" }),
		"float":       isTest(func(v any) bool { return typeName(v) == "float" }),
		"string":      isTest(func(v any) bool { return typeName(v) == "str" }),
		"mapping":     isTest(func(v any) bool { return typeName(v) == "dict" }),
		"number":      isTest(isNumber),
		"sequence":    isTest(isSequence),
		"callable":    isTest(isCallable),
		"escaped":     isTest(func(any) bool { return false }),
		"iterable":    {run: iterableTest},
		"odd":         {run: remainder(1)},
		"even":        {run: remainder(0)},
		"divisibleby": {params: takes(1, "num"), run: divisibleTest},
		"lower":       {run: textTest(isLower)},
		"upper":       {run: textTest(isUpper)},
		"sameas":      {params: takes(1, "other"), run: sameTest, raw: true},
		"filter":      {run: filterTest},
		"in":          comparison("in"),
	}
	all["test"] = &filter{run: func(_ *run, v any, _ []any) (any, error) {
		name, _ := v.(string)
		return all[name] != nil, nil
	}}
	for op, names := range map[string][]string{
		"==": {"==", "eq", "equalto"}, "!=": {"!=", "ne"},
		">": {">", "gt", "greaterthan"}, ">=": {">=", "ge"},
		"<": {"<", "lt", "lessthan"}, "<=": {"<=", "le"},
	} {
		for _, name := range names {
			all[name] = comparison(op)
		}
	}
	return all
}

// isTest makes a test that undefined values may take, too. Asking whether a
// late value is defined does not use it, and its type is known.
func isTest(is func(any) bool) *filter {
	return &filter{raw: true, run: func(_ *run, v any, _ []any) (any, error) { return is(v), nil }}
}

func isUndefined(v any) bool {
	_, ok := v.(*undefined)
	return ok
}

func isNumber(v any) bool {
	switch v.(type) {
	case bool, int64, float64:
		return true
	}
	return false
}

func isSequence(v any) bool {
	switch v.(type) {
	case string, *late, *List, Tuple, *group, *Dict, *rangeValue:
		return true
	}
	return false
}

func isCallable(v any) bool {
	_, ok := v.(callable)
	return ok || isUndefined(v) // as in Jinja2, where undefined values can be tried
}

func iterableTest(r *run, v any, _ []any) (any, error) {
	_, err := r.iterate(v)
	return err == nil, nil
}

func remainder(want int64) func(*run, any, []any) (any, error) {
	return func(r *run, v any, _ []any) (any, error) {
		rest, err := r.binary("%", v, int64(2))
		if err != nil {
			return nil, err
		}
		return r.equal(rest, want)
	}
}

func divisibleTest(r *run, v any, args []any) (any, error) {
	rest, err := r.binary("%", v, args[0])
	if err != nil {
		return nil, err
	}
	return r.equal(rest, int64(0))
}

func textTest(is func(string) bool) func(*run, any, []any) (any, error) {
	return func(r *run, v any, _ []any) (any, error) {
		s, err := r.str(v)
		if err != nil {
			return nil, err
		}
		return is(s), r.spend(len(s) / 16)
	}
}

// sameTest is Python's "is", where small texts and numbers are the same
// object if they are equal.
func sameTest(_ *run, v any, args []any) (any, error) {
	other := known(args[0])
	v = known(v)
	if typeName(v) != typeName(other) {
		return false, nil
	}
	if _, ok := v.(Tuple); ok {
		return false, nil
	}
	return v == other, nil
}

func filterTest(r *run, v any, _ []any) (any, error) {
	name, _ := v.(string)
	return r.env.known.filters[name] != nil, nil
}

func comparison(op string) *filter {
	return &filter{params: takes(1, "other"), run: func(r *run, v any, args []any) (any, error) {
		return r.compare(op, v, args[0])
	}}
}
