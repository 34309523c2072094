package jinja

import (
	"strings"
	"unicode/utf8"
)

func cutter(cut func(s, x string) string) func(*run, any, []any) (any, error) {
	return func(_ *run, self any, args []any) (any, error) {
		x, err := textArg(args, 0)
		return cut(self.(string), x), err
	}
}

func stripper(start, end bool) func(*run, any, []any) (any, error) {
	return func(r *run, self any, args []any) (any, error) {
		chars, err := optText(args, 0)
		if err != nil {
			return nil, err
		}
		s := self.(string)
		before := len(s)
		drop := isSpace
		if chars != nil {
			drop = func(c rune) bool { return strings.ContainsRune(*chars, c) }
			if err := r.spend((1 + len(s)/16) * (1 + len(*chars)/16)); err != nil {
				return nil, err
			}
		}
		if start {
			s = strings.TrimLeftFunc(s, drop)
		}
		if end {
			s = strings.TrimRightFunc(s, drop)
		}
		return s, r.spend(1 + before/64 + (before-len(s))/4)
	}
}

func texts(parts []string) *List {
	list := &List{Items: make([]any, len(parts))}
	for i, p := range parts {
		list.Items[i] = p
	}
	return list
}

// splitArgs reads the separator, nil for white space, and the number of
// splits, negative for all.
func (r *run) splitArgs(s string, args []any) (sep *string, n int, err error) {
	if sep, err = optText(args, 0); err != nil {
		return nil, 0, err
	}
	if sep != nil && *sep == "" {
		return nil, 0, fail("empty separator")
	}
	if n, err = smallOr(args, 1, -1); err != nil {
		return nil, 0, err
	}
	pieces := len(s)
	if sep != nil {
		pieces = strings.Count(s, *sep)
	}
	return sep, n, r.spend(1 + pieces + len(s)/16)
}

func textSplit(r *run, self any, args []any) (any, error) {
	s := self.(string)
	sep, n, err := r.splitArgs(s, args)
	if err != nil {
		return nil, err
	}
	if sep != nil {
		return texts(strings.SplitN(s, *sep, splitCount(n))), nil
	}
	var parts []string
	s = strings.TrimLeftFunc(s, isSpace)
	for s != "" {
		end := strings.IndexFunc(s, isSpace)
		if end < 0 || n >= 0 && len(parts) == n {
			parts = append(parts, s)
			break
		}
		parts = append(parts, s[:end])
		s = strings.TrimLeftFunc(s[end:], isSpace)
	}
	return texts(parts), nil
}

func splitCount(n int) int {
	if n < 0 {
		return -1
	}
	return n + 1
}

func textRsplit(r *run, self any, args []any) (any, error) {
	s := self.(string)
	sep, n, err := r.splitArgs(s, args)
	if err != nil {
		return nil, err
	}
	var parts []string // from the end
	if sep == nil {
		s = strings.TrimRightFunc(s, isSpace)
	}
	for n < 0 || len(parts) < n {
		var at, end int
		if sep != nil {
			at = strings.LastIndex(s, *sep)
			end = at + len(*sep)
		} else if at = strings.LastIndexFunc(s, isSpace); at >= 0 {
			_, size := utf8.DecodeRuneInString(s[at:])
			end = at + size
		}
		if at < 0 {
			break
		}
		parts = append(parts, s[end:])
		if s = s[:at]; sep == nil {
			s = strings.TrimRightFunc(s, isSpace)
		}
	}
	if sep != nil || s != "" {
		parts = append(parts, s)
	}
	for i, j := 0, len(parts)-1; i < j; i, j = i+1, j-1 {
		parts[i], parts[j] = parts[j], parts[i]
	}
	return texts(parts), nil
}

// splitLines cuts at every line end Python knows; keep leaves them on.
func splitLines(s string, keep bool) []string {
	var lines []string
	for s != "" {
		i := strings.IndexAny(s, "\n\r\v\f\x1c\x1d\x1e\u0085\u2028\u2029")
		if i < 0 {
			return append(lines, s)
		}
		_, size := utf8.DecodeRuneInString(s[i:])
		if strings.HasPrefix(s[i:], "\r\n") {
			size = 2
		}
		if keep {
			lines = append(lines, s[:i+size])
		} else {
			lines = append(lines, s[:i])
		}
		s = s[i+size:]
	}
	return lines
}

func textSplitlines(r *run, self any, args []any) (any, error) {
	keep, err := r.flagOr(args, 0, false)
	if err != nil {
		return nil, err
	}
	s := self.(string)
	return texts(splitLines(s, keep)), r.spend(1 + len(s)/4)
}

func textPartition(r *run, self any, args []any) (any, error) {
	sep, err := textArg(args, 0)
	if err != nil || sep == "" {
		return nil, emptySeparator(err)
	}
	s := self.(string)
	if before, after, found := strings.Cut(s, sep); found {
		return Tuple{before, sep, after}, r.spend(len(s) / 64)
	}
	return Tuple{s, "", ""}, r.spend(len(s) / 64)
}

func textRpartition(r *run, self any, args []any) (any, error) {
	sep, err := textArg(args, 0)
	if err != nil || sep == "" {
		return nil, emptySeparator(err)
	}
	s := self.(string)
	if i := strings.LastIndex(s, sep); i >= 0 {
		return Tuple{s[:i], sep, s[i+len(sep):]}, r.spend(len(s) / 64)
	}
	return Tuple{"", "", s}, r.spend(len(s) / 64)
}

func emptySeparator(err error) error {
	if err != nil {
		return err
	}
	return fail("empty separator")
}

func textZfill(r *run, self any, args []any) (any, error) {
	s := self.(string)
	sign := ""
	if s != "" && (s[0] == '-' || s[0] == '+') {
		sign, s = s[:1], s[1:]
	}
	width, err := smallOr(args, 0, 0)
	if err != nil {
		return nil, err
	}
	out, err := r.pad(s, width-len(sign), '0', right)
	return sign + out, err
}

// alignment says where a padded text stands.
type alignment byte

const (
	left   alignment = '<'
	right  alignment = '>'
	center alignment = '^'
)

func padder(align alignment) func(*run, any, []any) (any, error) {
	return func(r *run, self any, args []any) (any, error) {
		width, err := smallOr(args, 0, 0)
		if err != nil {
			return nil, err
		}
		fill := ' '
		text, err := optText(args, 1)
		if err != nil {
			return nil, err
		}
		if text != nil {
			if utf8.RuneCountInString(*text) != 1 {
				return nil, fail("The fill character must be exactly one character long")
			}
			fill, _ = utf8.DecodeRuneInString(*text)
		}
		return r.padPython(self.(string), width, fill, align)
	}
}

// padPython is pad with the odd rule str.center has for odd margins.
func (r *run) padPython(s string, width int, fill rune, align alignment) (string, error) {
	if align != center {
		return r.pad(s, width, fill, align)
	}
	size := utf8.RuneCountInString(s)
	margin := width - size
	if margin <= 0 {
		return s, nil
	}
	before := margin/2 + margin&width&1
	s, err := r.pad(s, size+before, fill, right)
	if err != nil {
		return "", err
	}
	return r.pad(s, width, fill, left)
}

// pad makes s at least width characters long.
func (r *run) pad(s string, width int, fill rune, align alignment) (string, error) {
	if err := r.spend(1 + len(s)/64); err != nil {
		return "", err
	}
	missing := width - utf8.RuneCountInString(s)
	if missing <= 0 {
		return s, nil
	}
	if err := r.checkSize(len(s) + missing*utf8.RuneLen(fill)); err != nil {
		return "", err
	}
	before := 0
	switch align {
	case right:
		before = missing
	case center:
		before = missing / 2
	default:
	}
	f := string(fill)
	return strings.Repeat(f, before) + s + strings.Repeat(f, missing-before), nil
}

func textExpandtabs(r *run, self any, args []any) (any, error) {
	size, err := smallOr(args, 0, 8)
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	column := 0
	for _, c := range self.(string) {
		switch {
		case c == '\t' && size > 0:
			n := size - column%size
			if err := r.fits(b.Len() + n); err != nil {
				return nil, err
			}
			b.WriteString(strings.Repeat(" ", n))
			column += n
		case c == '\t':
		default:
			b.WriteRune(c)
			if column++; c == '\n' || c == '\r' {
				column = 0
			}
		}
	}
	return b.String(), r.checkSize(b.Len())
}
