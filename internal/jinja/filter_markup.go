package jinja

import (
	"html"
	"strings"
	"unicode/utf8"
)

func escapeHTML(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "'", "&#39;", `"`, "&#34;").Replace(s)
}

func escapeFilter(r *run, v any, _ []any) (any, error) {
	s, err := r.str(v)
	if err != nil {
		return nil, err
	}
	if err := r.checkSize(len(s)); err != nil {
		return nil, err
	}
	out := escapeHTML(s)
	return out, r.checkSize(len(out))
}

func striptagsFilter(r *run, v any, _ []any) (any, error) {
	s, err := r.str(v)
	if err != nil {
		return nil, err
	}
	s = cutAll(cutAll(s, "<!--", "-->"), "<", ">")
	return html.UnescapeString(strings.Join(strings.Fields(s), " ")), r.checkSize(len(s))
}

// cutAll removes everything between open and end, with them.
func cutAll(s, open, end string) string {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(s, open)
		if !found {
			break
		}
		_, rest, closed := strings.Cut(after, end)
		if !closed {
			break
		}
		b.WriteString(before)
		s = rest
	}
	b.WriteString(s)
	return b.String()
}

func xmlattrFilter(r *run, v any, args []any) (any, error) {
	d, ok := v.(*Dict)
	if !ok {
		return nil, fail("%s object has no attribute 'items'", reprString(typeName(v)))
	}
	space, err := r.flagOr(args, 0, true)
	if err != nil {
		return nil, err
	}
	var parts []string
	for key, value := range d.All() {
		if _, missing := value.(*undefined); missing || value == nil {
			continue
		}
		name, err := r.str(key)
		if err != nil {
			return nil, err
		}
		if strings.ContainsAny(name, " \t\n\r\f\v/>=") {
			return nil, fail("Invalid character in attribute name: %s", reprString(name))
		}
		text, err := r.str(value)
		if err != nil {
			return nil, err
		}
		parts = append(parts, escapeHTML(name)+`="`+escapeHTML(text)+`"`)
	}
	out := strings.Join(parts, " ")
	if out != "" && space {
		out = " " + out
	}
	return out, r.checkSize(len(out))
}

func urlencodeFilter(r *run, v any, _ []any) (any, error) {
	var pairs []any
	switch v := v.(type) {
	case *Dict:
		pairs, _ = r.collect(&dictView{"items", v})
	case *List:
		pairs = v.Items
	case Tuple:
		pairs = v
	case iterator:
		pairs, _ = r.collect(v)
	default:
		s, err := r.str(v)
		if err != nil {
			return nil, err
		}
		return quoteURL(s, "/", "%20"), r.checkSize(3 * len(s))
	}
	var parts []string
	for _, pair := range pairs {
		kv, err := r.collect(pair)
		if err != nil {
			return nil, err
		}
		if len(kv) != 2 {
			return nil, fail("a pair of name and value is needed, not %d values", len(kv))
		}
		key, err := r.str(kv[0])
		if err != nil {
			return nil, err
		}
		value, err := r.str(kv[1])
		if err != nil {
			return nil, err
		}
		parts = append(parts, quoteURL(key, "", "+")+"="+quoteURL(value, "", "+"))
	}
	return r.joinTexts(parts, "&")
}

func quoteURL(s, safe, space string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', strings.IndexByte("_.-~"+safe, c) >= 0:
			b.WriteByte(c)
		case c == ' ':
			b.WriteString(space)
		default:
			b.Write([]byte{'%', digits[c>>4], digits[c&15]})
		}
	}
	return b.String()
}

// pprintFilter shows small values as repr with sorted keys, larger ones
// with an item per line.
func pprintFilter(r *run, v any, _ []any) (any, error) {
	p := &prettyPrinter{r: r}
	if err := p.write(v, 0, 0); err != nil {
		return nil, err
	}
	return p.out.String(), nil
}

const prettyWidth = 80

type prettyPrinter struct {
	r   *run
	out strings.Builder
}

// write prints v; indent is the column it starts at, and trailing what must
// fit after it.
func (p *prettyPrinter) write(v any, indent, trailing int) error {
	if err := p.r.deeper(); err != nil {
		return err
	}
	defer p.r.shallower()
	v, err := p.sorted(v)
	if err != nil {
		return err
	}
	text, err := p.r.repr(v)
	if err != nil {
		return err
	}
	if indent+utf8.RuneCountInString(text)+trailing <= prettyWidth {
		p.out.WriteString(text)
		return p.r.fits(p.out.Len())
	}
	switch v := v.(type) {
	case *List:
		return p.lines("[", "]", len(v.Items), indent, trailing, func(i, extra int) error {
			return p.write(v.Items[i], indent+1, extra)
		})
	case *Dict:
		return p.lines("{", "}", len(v.entries), indent, trailing, func(i, extra int) error {
			key, err := p.r.repr(v.entries[i].key)
			if err != nil {
				return err
			}
			p.out.WriteString(key + ": ")
			return p.write(v.entries[i].value, indent+1+utf8.RuneCountInString(key)+2, extra)
		})
	}
	p.out.WriteString(text)
	return p.r.fits(p.out.Len())
}

func (p *prettyPrinter) lines(open, end string, n, indent, trailing int, item func(i, extra int) error) error {
	p.out.WriteString(open)
	for i := range n {
		extra := 1
		if i == n-1 {
			extra = trailing + 1
		}
		if i > 0 {
			p.out.WriteString(",\n" + strings.Repeat(" ", indent+1))
		}
		if err := item(i, extra); err != nil {
			return err
		}
	}
	p.out.WriteString(end)
	return p.r.fits(p.out.Len())
}

// sorted gives a dict with its keys in order, also inside.
func (p *prettyPrinter) sorted(v any) (any, error) {
	d, ok := v.(*Dict)
	if !ok {
		return v, nil
	}
	list, err := dictsortFilter(p.r, d, []any{true})
	if err != nil {
		return d.copy(), nil //nolint:nilerr // keys without an order stay as they are
	}
	out := NewDict()
	for _, pair := range list.(*List).Items {
		key, value := pair.(Tuple)[0], pair.(Tuple)[1]
		if err := p.r.setKey(out, key, value); err != nil {
			return nil, err
		}
	}
	return out, nil
}
