package jinja

import (
	"strings"
	"unicode/utf8"
)

// percentFormat is "format % values".
func (r *run) percentFormat(format string, values any) (any, error) {
	p := &percentFormatter{r: r, rest: format, args: []any{values}, single: true}
	switch v := values.(type) {
	case Tuple:
		p.args, p.single = v, false
	case *Dict:
		p.mapping = v
	}
	for p.rest != "" {
		i := strings.IndexByte(p.rest, '%')
		if i < 0 {
			i = len(p.rest)
		}
		p.out.WriteString(p.rest[:i])
		if p.rest = p.rest[i:]; p.rest == "" {
			break
		}
		p.rest = p.rest[1:]
		if err := p.one(); err != nil {
			return nil, err
		}
		if err := r.fits(p.out.Len()); err != nil {
			return nil, err
		}
	}
	if _, list := values.(*List); list { // Python takes it for a mapping
		return p.out.String(), nil
	}
	if len(p.args) > p.used && p.mapping == nil {
		return nil, fail("not all arguments converted during string formatting")
	}
	return p.out.String(), r.checkSize(p.out.Len())
}

type percentFormatter struct {
	r       *run
	rest    string // of the format
	args    []any
	used    int
	single  bool
	mapping *Dict
	out     strings.Builder
}

// one writes the value of the conversion that p.rest begins with.
func (p *percentFormatter) one() error {
	spec := formatSpec{precision: -1, align: right, percent: true}
	var value any
	named := false
	if strings.HasPrefix(p.rest, "(") {
		var err error
		if value, err = p.key(); err != nil {
			return err
		}
		named = true
	}
	p.flags(&spec)
	var err error
	if spec.width, err = p.size(); err != nil {
		return err
	}
	if spec.width < 0 {
		spec.width, spec.align = -spec.width, left
	}
	if strings.HasPrefix(p.rest, ".") {
		p.rest = p.rest[1:]
		if spec.precision, err = p.size(); err != nil {
			return err
		}
	}
	p.rest = strings.TrimLeft(p.rest, "hlL")
	if p.rest == "" {
		return fail("incomplete format")
	}
	c, size := utf8.DecodeRuneInString(p.rest)
	p.rest = p.rest[size:]
	if c == '%' {
		p.out.WriteByte('%')
		return nil
	}
	if !named {
		if value, err = p.next(); err != nil {
			return err
		}
	}
	text, err := p.convert(spec, c, value)
	p.out.WriteString(text)
	return err
}

func (p *percentFormatter) key() (any, error) {
	end := strings.IndexByte(p.rest, ')')
	if end < 0 {
		return nil, fail("incomplete format key")
	}
	if p.mapping == nil {
		return nil, fail("format requires a mapping")
	}
	key := p.rest[1:end]
	p.rest = p.rest[end+1:]
	v, ok := p.mapping.get(key)
	if !ok {
		return nil, fail("%s", reprString(key))
	}
	return v, nil
}

func (p *percentFormatter) flags(spec *formatSpec) {
	for ; p.rest != ""; p.rest = p.rest[1:] {
		switch p.rest[0] {
		case '-':
			spec.align = left
		case '0':
			if spec.align != left {
				spec.align, spec.fill = afterSign, '0'
			}
		case '+':
			spec.sign = '+'
		case ' ':
			if spec.sign == 0 {
				spec.sign = ' '
			}
		case '#':
			spec.alternate = true
		default:
			return
		}
	}
}

// size reads a width or precision, which "*" takes from the values.
func (p *percentFormatter) size() (int, error) {
	if strings.HasPrefix(p.rest, "*") {
		p.rest = p.rest[1:]
		v, err := p.next()
		if err != nil {
			return 0, err
		}
		n, ok := integer(known(v))
		if !ok {
			return 0, fail("* wants int")
		}
		if n > maxWidth || n < -maxWidth {
			return 0, failLimit("a width in a format is too large")
		}
		return int(n), nil
	}
	n, length, ok := digitsAt(p.rest)
	if !ok {
		return 0, failLimit("a width in a format is too large")
	}
	p.rest = p.rest[length:]
	return n, nil
}

func (p *percentFormatter) next() (any, error) {
	if p.used >= len(p.args) {
		return nil, fail("not enough arguments for format string")
	}
	p.used++
	return p.args[p.used-1], nil
}

func (p *percentFormatter) convert(spec formatSpec, c rune, v any) (string, error) {
	v = known(v)
	if u, ok := v.(*undefined); ok {
		return "", u.err()
	}
	switch c {
	case 's', 'r', 'a':
		text, err := p.r.repr(v)
		if c == 's' {
			text, err = p.r.str(v)
		}
		if err != nil {
			return "", err
		}
		if spec.align == afterSign {
			spec.align, spec.fill = right, 0
		}
		return spec.text(p.r, text)
	case 'd', 'i', 'u':
		n, ok := number(v)
		if !ok {
			return "", fail("%%%c format: a real number is required, not %s", c, typeName(v))
		}
		i, err := truncate(n)
		if err != nil {
			return "", err
		}
		spec.verb = 'd'
		return spec.integer(p.r, i)
	case 'x', 'X', 'o':
		spec.verb = byte(c)
		n, ok := integer(v)
		if !ok {
			return "", fail("%%%c format: an integer is required, not %s", c, typeName(v))
		}
		return spec.integer(p.r, n)
	case 'c':
		return p.character(spec, v)
	case 'e', 'E', 'f', 'F', 'g', 'G':
		n, ok := number(v)
		if !ok {
			return "", fail("must be real number, not %s", typeName(v))
		}
		spec.verb = byte(c) //nolint:gosec // one of the letters above
		return spec.float(p.r, toFloat(n))
	}
	return "", fail("unsupported format character %s", reprString(string(c)))
}

func (p *percentFormatter) character(spec formatSpec, v any) (string, error) {
	if s, ok := v.(string); ok && utf8.RuneCountInString(s) == 1 {
		return spec.text(p.r, s)
	}
	if n, ok := integer(v); ok && n >= 0 && n <= utf8.MaxRune {
		return spec.text(p.r, string(rune(n)))
	}
	return "", fail("%%c requires int or char")
}
