package jinja

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

type methods = map[string]*methodDef

// textMethods are the methods of str.
func textMethods() methods {
	all := methods{
		"join":       {one("iterable"), textJoin},
		"format":     {params{rest: true}, nil}, // takes any keyword: see callOpen
		"replace":    {params{names: []string{"old", "new", "count"}, need: 2}, textReplace},
		"split":      {params{names: []string{"sep", "maxsplit"}}, textSplit},
		"rsplit":     {params{names: []string{"sep", "maxsplit"}}, textRsplit},
		"splitlines": {params{names: []string{"keepends"}}, textSplitlines},
		"partition":  {one("sep"), textPartition},
		"rpartition": {one("sep"), textRpartition},
		"startswith": {span("prefix"), affix(strings.HasPrefix)},
		"endswith":   {span("suffix"), affix(strings.HasSuffix)},
		"find":       {span("sub"), finder(strings.Index, false)},
		"rfind":      {span("sub"), finder(strings.LastIndex, false)},
		"index":      {span("sub"), finder(strings.Index, true)},
		"rindex":     {span("sub"), finder(strings.LastIndex, true)},
		"count":      {span("sub"), textCount},
		"strip":      {params{names: []string{"chars"}}, stripper(true, true)},
		"lstrip":     {params{names: []string{"chars"}}, stripper(true, false)},
		"rstrip":     {params{names: []string{"chars"}}, stripper(false, true)},
		"zfill":      {one("width"), textZfill},
		"center":     {params{names: []string{"width", "fillchar"}, need: 1}, padder(center)},
		"ljust":      {params{names: []string{"width", "fillchar"}, need: 1}, padder(left)},
		"rjust":      {params{names: []string{"width", "fillchar"}, need: 1}, padder(right)},
		"expandtabs": {params{names: []string{"tabsize"}}, textExpandtabs},
		"removeprefix": {one("prefix"), cutter(func(s, x string) string {
			return strings.TrimPrefix(s, x)
		})},
		"removesuffix": {one("suffix"), cutter(func(s, x string) string {
			return strings.TrimSuffix(s, x)
		})},
		"format_map": {one("mapping"), textFormatMap},
	}
	for name, f := range map[string]func(string) string{
		"upper": upper, "lower": strings.ToLower, "casefold": strings.ToLower,
		"title": pythonTitle, "capitalize": capitalize, "swapcase": swapCase,
	} {
		all[name] = &methodDef{run: func(r *run, self any, _ []any) (any, error) {
			out := f(self.(string))
			return out, r.checkSize(len(out))
		}}
	}
	for name, f := range map[string]func(string) bool{
		"isdigit": isDigit, "isdecimal": isDigit, "isnumeric": isNumeric, "isalpha": isAlpha,
		"isalnum": isAlnum, "isspace": isAllSpace, "isupper": isUpper, "islower": isLower,
		"istitle": isTitle, "isidentifier": isIdentifier, "isascii": isASCII,
	} {
		all[name] = &methodDef{run: func(r *run, self any, _ []any) (any, error) {
			s := self.(string)
			return f(s), r.spend(len(s) / 16)
		}}
	}
	return all
}

func one(name string) params { return params{names: []string{name}, need: 1} }

func span(name string) params {
	return params{names: []string{name, "start", "end"}, need: 1}
}

func capitalize(s string) string {
	c, size := utf8.DecodeRuneInString(s)
	if size == 0 {
		return ""
	}
	return string(unicode.ToTitle(c)) + strings.ToLower(s[size:])
}

// pythonTitle starts a word after everything that is no letter.
func pythonTitle(s string) string {
	inWord := false
	return strings.Map(func(c rune) rune {
		was := inWord
		inWord = unicode.IsLetter(c)
		if was {
			return unicode.ToLower(c)
		}
		return unicode.ToTitle(c)
	}, s)
}

func swapCase(s string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsUpper(c) {
			return unicode.ToLower(c)
		}
		return unicode.ToUpper(c)
	}, s)
}

func allRunes(is func(rune) bool) func(string) bool {
	return func(s string) bool {
		return s != "" && strings.IndexFunc(s, func(c rune) bool { return !is(c) }) < 0
	}
}

func isDigit(s string) bool    { return allRunes(unicode.IsDigit)(s) }
func isNumeric(s string) bool  { return allRunes(unicode.IsNumber)(s) }
func isAlpha(s string) bool    { return allRunes(unicode.IsLetter)(s) }
func isAllSpace(s string) bool { return allRunes(isSpace)(s) }

func isAlnum(s string) bool {
	return allRunes(func(c rune) bool { return unicode.IsLetter(c) || unicode.IsNumber(c) })(s)
}

func isUpper(s string) bool {
	return strings.IndexFunc(s, unicode.IsUpper) >= 0 && strings.IndexFunc(s, unicode.IsLower) < 0
}

func isLower(s string) bool {
	return strings.IndexFunc(s, unicode.IsLower) >= 0 && strings.IndexFunc(s, unicode.IsUpper) < 0
}

func isTitle(s string) bool { return pythonTitle(s) == s && strings.IndexFunc(s, unicode.IsUpper) >= 0 }

func isIdentifier(s string) bool {
	c, _ := utf8.DecodeRuneInString(s)
	return (c == '_' || unicode.IsLetter(c)) && allRunes(func(c rune) bool {
		return c == '_' || unicode.IsLetter(c) || unicode.IsNumber(c)
	})(s)
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(c rune) bool { return c > unicode.MaxASCII }) < 0
}

func textJoin(r *run, self any, args []any) (any, error) {
	items, err := r.collect(args[0])
	if err != nil {
		return nil, err
	}
	texts := make([]string, len(items))
	for i, item := range items {
		text, ok := asText(item)
		if !ok {
			if u, undef := item.(*undefined); undef {
				return nil, u.err()
			}
			return nil, fail("sequence item %d: expected str instance, %s found", i, typeName(item))
		}
		texts[i] = text
	}
	return r.joinTexts(texts, self.(string))
}

// joinTexts is strings.Join within the limits.
func (r *run) joinTexts(texts []string, separator string) (any, error) {
	size := 0
	for _, t := range texts {
		size += len(t) + len(separator)
	}
	if err := r.checkSize(size); err != nil {
		return nil, err
	}
	return strings.Join(texts, separator), nil
}

func textReplace(r *run, self any, args []any) (any, error) {
	old, err := textArg(args, 0)
	if err != nil {
		return nil, err
	}
	with, err := textArg(args, 1)
	if err != nil {
		return nil, err
	}
	n, err := smallOr(args, 2, -1)
	if err != nil {
		return nil, err
	}
	return r.replace(self.(string), old, with, n)
}

func (r *run) replace(s, old, with string, n int) (any, error) {
	times := strings.Count(s, old)
	if n >= 0 {
		times = min(times, n)
	}
	if err := r.checkProduct(len(with), int64(times)); err != nil {
		return nil, err
	}
	if err := r.checkSize(len(s) + times*len(with)); err != nil {
		return nil, err
	}
	return strings.Replace(s, old, with, n), nil
}

// part gives the piece of a text that start and end arguments name, in
// characters, and where it begins.
func (r *run) part(s string, args []any) (string, int64, error) {
	if !given(args, 1) && !given(args, 2) {
		return s, 0, r.spend(len(s) / 64)
	}
	piece, err := r.slice(s, [3]any{argOr(args, 1, nil), argOr(args, 2, nil), nil})
	if err != nil {
		return "", 0, err
	}
	n, err := intOr(args, 1, 0)
	size := int64(utf8.RuneCountInString(s))
	if n < 0 {
		n += size
	}
	return piece.(string), min(max(n, 0), size), err
}

func affix(has func(s, x string) bool) func(*run, any, []any) (any, error) {
	return func(r *run, self any, args []any) (any, error) {
		s, _, err := r.part(self.(string), args)
		if err != nil {
			return nil, err
		}
		options, ok := args[0].(Tuple)
		if !ok {
			options = Tuple{args[0]}
		}
		if err := r.spend(len(options)); err != nil {
			return nil, err
		}
		for i := range options {
			x, err := textArg(options, i)
			if err != nil {
				return nil, err
			}
			if has(s, x) {
				return true, nil
			}
		}
		return false, nil
	}
}

func finder(find func(s, x string) int, must bool) func(*run, any, []any) (any, error) {
	return func(r *run, self any, args []any) (any, error) {
		s, start, err := r.part(self.(string), args)
		if err != nil {
			return nil, err
		}
		x, err := textArg(args, 0)
		if err != nil {
			return nil, err
		}
		i := find(s, x)
		if i >= 0 {
			return start + int64(utf8.RuneCountInString(s[:i])), nil
		}
		if must {
			return nil, fail("substring not found")
		}
		return int64(-1), nil
	}
}

func textCount(r *run, self any, args []any) (any, error) {
	s, _, err := r.part(self.(string), args)
	if err != nil {
		return nil, err
	}
	x, err := textArg(args, 0)
	return int64(strings.Count(s, x)), err
}
