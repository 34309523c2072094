package jinja

import "math"

// filter is a built-in filter or test: a function of a value and bound
// arguments. Exactly one of run and open is set.
type filter struct {
	params
	run  func(r *run, v any, args []any) (any, error)
	open func(r *run, v any, a arguments) (any, error) // takes any arguments

	// raw says that late and undefined values come as they are; otherwise
	// the first is a text by now, and the second has failed.
	raw bool
}

// filter applies a filter or test.
func (r *run) filter(f *filter, v any, a arguments) (any, error) {
	if err := r.spend(1); err != nil {
		return nil, err
	}
	if !f.raw {
		v = known(v)
		if u, ok := v.(*undefined); ok && !u.lenient {
			return nil, u.err()
		}
	}
	if f.open != nil {
		return f.open(r, v, a)
	}
	args, err := f.bind("filter or test", a)
	if err != nil {
		return nil, err
	}
	return f.run(r, v, args)
}

func takes(need int, names ...string) params { return params{names: names, need: need} }

// builtinFilters are Jinja2's filters except urlize.
func builtinFilters() map[string]*filter {
	all := map[string]*filter{
		"default":    {params: takes(0, "default_value", "boolean"), run: defaultFilter, raw: true},
		"items":      {run: itemsFilter, raw: true},
		"attr":       {params: takes(1, "name"), run: attrFilter},
		"batch":      {params: takes(1, "linecount", "fill_with"), run: batchFilter},
		"slice":      {params: takes(1, "slices", "fill_with"), run: sliceFilter},
		"dictsort":   {params: takes(0, "case_sensitive", "by", "reverse"), run: dictsortFilter},
		"first":      {run: firstFilter},
		"last":       {run: lastFilter},
		"groupby":    {params: takes(1, "attribute", "default", "case_sensitive"), run: groupbyFilter},
		"join":       {params: takes(0, "d", "attribute"), run: joinFilter},
		"length":     {run: lengthFilter},
		"list":       {run: listFilter},
		"map":        {open: mapFilter, raw: true},
		"select":     {open: selector(false, true), raw: true},
		"reject":     {open: selector(false, false), raw: true},
		"selectattr": {open: selector(true, true), raw: true},
		"rejectattr": {open: selector(true, false), raw: true},
		"max":        {params: takes(0, "case_sensitive", "attribute"), run: extreme(1)},
		"min":        {params: takes(0, "case_sensitive", "attribute"), run: extreme(-1)},
		"random":     {run: randomFilter},
		"reverse":    {run: reverseFilter},
		"sort":       {params: takes(0, "reverse", "case_sensitive", "attribute"), run: sortFilter},
		"sum":        {params: takes(0, "attribute", "start"), run: sumFilter},
		"unique":     {params: takes(0, "case_sensitive", "attribute"), run: uniqueFilter},

		"abs":            {run: absFilter},
		"filesizeformat": {params: takes(0, "binary"), run: filesizeFilter},
		"float":          {params: takes(0, "default"), run: floatFilter},
		"int":            {params: takes(0, "default", "base"), run: intFilter},
		"round":          {params: takes(0, "precision", "method"), run: roundFilter},

		"escape":     {run: escapeFilter},
		"striptags":  {run: striptagsFilter},
		"tojson":     {params: takes(0, "indent"), run: tojsonFilter},
		"urlencode":  {run: urlencodeFilter},
		"xmlattr":    {params: takes(0, "autospace"), run: xmlattrFilter},
		"pprint":     {run: pprintFilter},
		"capitalize": {run: onText(capitalize)},
		"lower":      {run: onText(lower)},
		"upper":      {run: onText(upper)},
		"title":      {run: onText(titleFilter)},
		"string":     {run: onText(same)},
		"wordcount":  {run: wordcountFilter},
		"center":     {params: takes(0, "width"), run: centerFilter},
		"format":     {open: formatFilter},
		"indent":     {params: takes(0, "width", "first", "blank"), run: indentFilter},
		"replace":    {params: takes(2, "old", "new", "count"), run: replaceFilter},
		"trim":       {params: takes(0, "chars"), run: trimFilter},
		"truncate":   {params: takes(0, "length", "killwords", "end", "leeway"), run: truncateFilter},
		"wordwrap":   {params: takes(0, "width", "break_long_words", "wrapstring", "break_on_hyphens"), run: wordwrapFilter},
	}
	for alias, name := range map[string]string{
		"d": "default", "count": "length", "e": "escape", "forceescape": "escape", "safe": "string",
	} {
		all[alias] = all[name]
	}
	return all
}

func defaultFilter(r *run, v any, args []any) (any, error) {
	replace := false
	if _, ok := v.(*undefined); ok {
		replace = true
	} else if boolean, err := r.flagOr(args, 1, false); err != nil {
		return nil, err
	} else if boolean {
		yes, err := r.truth(v)
		if err != nil {
			return nil, err
		}
		replace = !yes
	}
	if replace {
		return argOr(args, 0, ""), nil
	}
	return v, nil
}

func attrFilter(r *run, v any, args []any) (any, error) {
	name, err := textArg(args, 0)
	if err != nil {
		return nil, err
	}
	if d, ok := v.(*Dict); ok && r.env.known.dict[name] == nil {
		return &undefined{owner: d, owned: true, name: name}, nil
	}
	return r.getAttr(v, name)
}

func absFilter(_ *run, v any, _ []any) (any, error) {
	n, ok := number(v)
	if !ok {
		return nil, fail("bad operand type for abs(): %s", reprString(typeName(v)))
	}
	if i, ok := n.(int64); ok && i < 0 {
		return sign("-", n)
	} else if ok {
		return n, nil
	}
	return math.Abs(n.(float64)), nil
}

// attribute is a path such as "a.0.b" that filters look up in items.
type attribute []any

func (r *run) attributePath(v any) (attribute, error) {
	switch v := known(v).(type) {
	case nil, absent:
		return nil, nil
	case string:
		return splitPath(v), r.spend(len(v))
	case int64:
		return attribute{v}, nil
	case *undefined:
		return nil, v.err()
	default:
		return nil, fail("an attribute must be a text or number, not %s", typeName(v))
	}
}

// get looks the path up in item; what is missing becomes def unless that
// is nil.
func (p attribute) get(r *run, item, def any) (any, error) {
	for _, part := range p {
		var err error
		if item, err = r.getItem(item, part); err != nil {
			return nil, err
		}
		if _, missing := item.(*undefined); missing && def != nil {
			item = def
		}
	}
	return item, r.spend(1)
}

// keysOf gives what sorting and such compare: the attribute of each item,
// in lower case unless case matters.
func (r *run) keysOf(items []any, path attribute, caseSensitive bool) ([]any, error) {
	keys := make([]any, len(items))
	for i, item := range items {
		key, err := path.get(r, item, nil)
		if err != nil {
			return nil, err
		}
		keys[i] = foldCase(key, caseSensitive)
	}
	return keys, nil
}

func foldCase(v any, caseSensitive bool) any {
	v = known(v)
	if s, ok := v.(string); ok && !caseSensitive {
		return lower(s)
	}
	return v
}
