package jinja

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// braceFormat is format.format(...).
func (r *run) braceFormat(format string, a arguments) (any, error) {
	f := &braceFormatter{r: r, args: a}
	text, err := f.expand(format, 2)
	if err != nil {
		return nil, err
	}
	return text, r.checkSize(len(text))
}

func textFormatMap(r *run, self any, args []any) (any, error) {
	d, ok := args[0].(*Dict)
	if !ok {
		return nil, fail("format_map() needs a dict, not %s", typeName(args[0]))
	}
	f := &braceFormatter{r: r, mapping: d}
	text, err := f.expand(self.(string), 2)
	if err != nil {
		return nil, err
	}
	return text, r.checkSize(len(text))
}

type braceFormatter struct {
	r       *run
	args    arguments
	mapping *Dict // of format_map, instead of args
	auto    int   // next field without a number
	manual  bool  // a field had a number
}

// expand replaces the fields of s; depth says how often fields may still
// stand in each other.
func (f *braceFormatter) expand(s string, depth int) (string, error) {
	if depth == 0 {
		return "", fail("Max string recursion exceeded")
	}
	var b strings.Builder
	for s != "" {
		i := strings.IndexAny(s, "{}")
		if i < 0 {
			b.WriteString(s)
			break
		}
		b.WriteString(s[:i])
		c := s[i]
		s = s[i+1:]
		if s != "" && s[0] == c {
			b.WriteByte(c)
			s = s[1:]
			continue
		}
		if c == '}' {
			return "", fail("Single '}' encountered in format string")
		}
		end := fieldEnd(s)
		if end < 0 {
			return "", fail("expected '}' before end of string")
		}
		text, err := f.field(s[:end], depth)
		if err != nil {
			return "", err
		}
		b.WriteString(text)
		if err := f.r.fits(b.Len()); err != nil {
			return "", err
		}
		s = s[end+1:]
	}
	return b.String(), nil
}

// fieldEnd finds the brace that closes a field.
func fieldEnd(s string) int {
	depth := 0
	for i := range len(s) {
		switch s[i] {
		case '{':
			depth++
		case '}':
			if depth == 0 {
				return i
			}
			depth--
		}
	}
	return -1
}

// field gives the text of name[!conversion][:spec].
func (f *braceFormatter) field(field string, depth int) (string, error) {
	end := strings.IndexAny(field, "!:")
	if open := strings.IndexByte(field, '['); open >= 0 && open < end { // a key may hold anything
		if closing := strings.IndexByte(field[open:], ']'); closing >= 0 {
			if end = strings.IndexAny(field[open+closing:], "!:"); end >= 0 {
				end += open + closing
			}
		}
	}
	name, rest := field, ""
	if end >= 0 {
		name, rest = field[:end], field[end:]
	}
	v, err := f.value(name)
	if err != nil {
		return "", err
	}
	if strings.HasPrefix(rest, "!") {
		if v, rest, err = f.conversion(v, rest); err != nil {
			return "", err
		}
	}
	text, err := f.expand(strings.TrimPrefix(rest, ":"), depth-1+boolToInt(rest == ""))
	if err != nil {
		return "", err
	}
	spec, err := parseSpec(text)
	if err != nil {
		return "", err
	}
	return spec.format(f.r, v)
}

func boolToInt(b bool) int { return int(boolInt(b)) }

func (f *braceFormatter) conversion(v any, rest string) (any, string, error) {
	if len(rest) < 2 || len(rest) > 2 && rest[2] != ':' {
		return nil, "", fail("expected ':' after conversion specifier")
	}
	var text string
	var err error
	switch rest[1] {
	case 's':
		text, err = f.r.str(v)
	case 'r', 'a':
		text, err = f.r.repr(v)
	default:
		err = fail("Unknown conversion specifier '%c'", rest[1])
	}
	return text, rest[2:], err
}

// value finds what "0.name[key]" means.
func (f *braceFormatter) value(name string) (any, error) {
	end := strings.IndexAny(name, ".[")
	if end < 0 {
		end = len(name)
	}
	v, err := f.argument(name[:end])
	rest := name[end:]
	for err == nil && rest != "" {
		if rest[0] == '.' {
			rest = rest[1:]
			end := strings.IndexAny(rest, ".[")
			if end < 0 {
				end = len(rest)
			}
			v, err = f.r.attributeOnly(v, rest[:end])
			rest = rest[end:]
			continue
		}
		end := strings.IndexByte(rest, ']')
		if end < 0 || rest[0] != '[' {
			return nil, fail("expected '}' before end of string")
		}
		v, err = f.r.itemOnly(v, rest[1:end])
		rest = rest[end+1:]
	}
	return v, err
}

// attributeOnly is what a format's ".name" means: no item of a dict.
func (r *run) attributeOnly(v any, name string) (any, error) {
	if d, ok := v.(*Dict); ok && r.env.known.dict[name] == nil {
		return nil, fail("%s object has no attribute %s", reprString(typeName(d)), reprString(name))
	}
	out, err := r.getAttr(v, name)
	if u, ok := out.(*undefined); ok {
		return nil, u.err()
	}
	return out, err
}

func (r *run) itemOnly(v any, key string) (any, error) {
	var k any = key
	if n, err := strconv.ParseInt(key, 10, 64); err == nil {
		k = n
	}
	out, err := r.getItem(v, k)
	if u, ok := out.(*undefined); ok {
		return nil, u.err()
	}
	return out, err
}

func (f *braceFormatter) argument(name string) (any, error) {
	if v, ok := f.mapping.get(name); ok {
		return v, f.r.spend(1)
	}
	n, length, ok := digitsAt(name)
	switch {
	case name == "":
		if f.manual {
			return nil, fail("cannot switch from manual field specification to automatic field numbering")
		}
		n = f.auto
		f.auto++
	case ok && length == len(name):
		if f.auto > 0 {
			return nil, fail("cannot switch from automatic field numbering to manual field specification")
		}
		f.manual = true
	default:
		for _, v := range f.args.named {
			if v.name == name {
				return v.value, nil
			}
		}
		return nil, fail("%s", reprString(name))
	}
	if n >= len(f.args.pos) {
		return nil, fail("Replacement index %d out of range for positional args tuple", n)
	}
	return f.args.pos[n], nil
}

// parseSpec reads [[fill]align][sign][#][0][width][,][.precision][verb].
func parseSpec(s string) (*formatSpec, error) {
	f := &formatSpec{precision: -1}
	if _, size := utf8.DecodeRuneInString(s); size > 0 && len(s) > size && strings.IndexByte("<>^=", s[size]) >= 0 {
		f.fill, _ = utf8.DecodeRuneInString(s)
		f.align = alignment(s[size])
		s = s[size+1:]
	} else if s != "" && strings.IndexByte("<>^=", s[0]) >= 0 {
		f.align = alignment(s[0])
		s = s[1:]
	}
	if s != "" && strings.IndexByte("+- ", s[0]) >= 0 {
		f.sign, s = s[0], s[1:]
	}
	if strings.HasPrefix(s, "#") {
		f.alternate = true
		s = s[1:]
	}
	if strings.HasPrefix(s, "0") {
		if f.fill == 0 {
			f.fill = '0'
		}
		if f.align == 0 {
			f.align = afterSign
		}
		s = s[1:]
	}
	return f, f.parseSizes(s)
}

func (f *formatSpec) parseSizes(s string) error {
	width, length, ok := digitsAt(s)
	if !ok {
		return failLimit("a width in a format is too large")
	}
	f.width, s = width, s[length:]
	if s != "" && (s[0] == ',' || s[0] == '_') {
		f.group, s = s[0], s[1:]
	}
	if strings.HasPrefix(s, ".") {
		precision, length, ok := digitsAt(s[1:])
		if !ok {
			return failLimit("a precision in a format is too large")
		}
		if length == 0 {
			return fail("Format specifier missing precision")
		}
		f.precision, s = precision, s[1+length:]
	}
	if len(s) > 1 || s != "" && strings.IndexByte("bcdeEfFgGnosxX%", s[0]) < 0 {
		return fail("Invalid format specifier")
	}
	if s != "" {
		f.verb = s[0]
	}
	return nil
}
