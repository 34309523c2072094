package jinja

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

func lower(s string) string { return strings.ToLower(s) }

// upper knows the one letter of Latin scripts that becomes two.
func upper(s string) string { return strings.ReplaceAll(strings.ToUpper(s), "ß", "SS") }

func same(s string) string { return s }

// onText makes a filter of a function on the text of any value.
func onText(f func(string) string) func(*run, any, []any) (any, error) {
	return func(r *run, v any, _ []any) (any, error) {
		s, err := r.str(v)
		if err != nil {
			return nil, err
		}
		out := f(s)
		return out, r.checkSize(len(out))
	}
}

// titleFilter starts a word after white space, a hyphen or an opening
// bracket.
func titleFilter(s string) string {
	start := true
	return strings.Map(func(c rune) rune {
		if isSpace(c) || strings.ContainsRune("-({[<", c) {
			start = true
			return c
		}
		if start {
			start = false
			return unicode.ToUpper(c)
		}
		return unicode.ToLower(c)
	}, s)
}

func isWord(c rune) bool { return c == '_' || unicode.IsLetter(c) || unicode.IsNumber(c) }

func wordcountFilter(r *run, v any, _ []any) (any, error) {
	s, err := r.str(v)
	if err != nil {
		return nil, err
	}
	words := strings.FieldsFunc(s, func(c rune) bool { return !isWord(c) })
	return int64(len(words)), r.spend(len(s) / 16)
}

func centerFilter(r *run, v any, args []any) (any, error) {
	s, err := r.str(v)
	if err != nil {
		return nil, err
	}
	width, err := smallOr(args, 0, 80)
	if err != nil {
		return nil, err
	}
	return r.padPython(s, width, ' ', center)
}

func formatFilter(r *run, v any, a arguments) (any, error) {
	s, err := r.str(v)
	if err != nil {
		return nil, err
	}
	if len(a.named) == 0 {
		return r.percentFormat(s, Tuple(a.pos))
	}
	if len(a.pos) > 0 {
		return nil, fail("can't handle positional and keyword arguments at the same time")
	}
	d := NewDict()
	for _, n := range a.named {
		d.Set(n.name, n.value)
	}
	return r.percentFormat(s, d)
}

func indentFilter(r *run, v any, args []any) (any, error) {
	s, ok := v.(string)
	if !ok {
		return nil, fail("unsupported operand type(s) for +=: %s and 'str'", reprString(typeName(v)))
	}
	indent, err := r.indention(args)
	if err != nil {
		return nil, err
	}
	first, err := r.flagOr(args, 1, false)
	if err != nil {
		return nil, err
	}
	blank, err := r.flagOr(args, 2, false)
	if err != nil {
		return nil, err
	}
	lines := splitLines(s+"\n", false)
	if err := r.checkProduct(len(indent)+1, int64(len(lines))); err != nil {
		return nil, err
	}
	for i, line := range lines {
		if i == 0 && first || i > 0 && (blank || line != "") {
			lines[i] = indent + line
		}
	}
	return r.joinTexts(lines, "\n")
}

func (r *run) indention(args []any) (string, error) {
	if s, ok := asText(argOr(args, 0, nil)); ok {
		return s, nil
	}
	width, err := smallOr(args, 0, 4)
	if err != nil {
		return "", err
	}
	return r.pad("", width, ' ', left)
}

func replaceFilter(r *run, v any, args []any) (any, error) {
	texts := make([]string, 3)
	for i, x := range []any{v, args[0], args[1]} {
		var err error
		if texts[i], err = r.str(x); err != nil {
			return nil, err
		}
	}
	n, err := smallOr(args, 2, -1)
	if err != nil {
		return nil, err
	}
	return r.replace(texts[0], texts[1], texts[2], n)
}

func trimFilter(r *run, v any, args []any) (any, error) {
	s, err := r.str(v)
	if err != nil {
		return nil, err
	}
	return stripper(true, true)(r, s, args)
}

func truncateFilter(r *run, v any, args []any) (any, error) {
	size, err := smallOr(args, 0, 255)
	if err != nil {
		return nil, err
	}
	killWords, err := r.flagOr(args, 1, false)
	if err != nil {
		return nil, err
	}
	end, err := r.str(argOr(args, 2, "..."))
	if err != nil {
		return nil, err
	}
	leeway, err := smallOr(args, 3, 5)
	if err != nil {
		return nil, err
	}
	room := size - utf8.RuneCountInString(end)
	if room < 0 || leeway < 0 {
		return nil, fail("expected length >= %d, got %d", size-room, size)
	}
	s, ok := v.(string)
	if !ok {
		if n, ok := length(v); ok && n <= size+leeway {
			return v, nil
		}
		return nil, fail("object of type %s cannot be truncated", reprString(typeName(v)))
	}
	runes := []rune(s)
	if len(runes) <= size+leeway {
		return s, r.spend(len(s) / 16)
	}
	cut := string(runes[:room])
	if i := strings.LastIndexByte(cut, ' '); i >= 0 && !killWords {
		cut = cut[:i]
	}
	return cut + end, r.spend(len(s) / 16)
}
