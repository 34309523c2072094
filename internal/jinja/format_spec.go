package jinja

import (
	"cmp"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/deployer-cli/deployer/internal/python"
)

// formatSpec says how to write one value; both ways of formatting share it.
type formatSpec struct {
	fill      rune
	align     alignment // 0: as the type wants; '=' pads after the sign
	sign      byte      // '+', '-', ' ' or 0
	alternate bool      // '#': with 0x and such
	width     int
	precision int  // -1: not given
	group     byte // ',' or '_' between thousands, or 0
	verb      byte // 0: as the type wants
	percent   bool // of a % format: precision means digits of integers
}

const afterSign alignment = '='

// maxWidth keeps widths and precisions within what texts may have.
const maxWidth = 1 << 20

// text writes a text.
func (f *formatSpec) text(r *run, s string) (string, error) {
	if f.precision >= 0 && utf8.RuneCountInString(s) > f.precision {
		s = string([]rune(s)[:f.precision])
	}
	align := f.align
	if align == 0 {
		align = left
	}
	return r.pad(s, f.width, f.filler(), align)
}

func (f *formatSpec) filler() rune { return cmp.Or(f.fill, ' ') }

// integer writes a whole number with verb d, b, o, x, X or c.
func (f *formatSpec) integer(r *run, n int64) (string, error) {
	if f.verb == 'c' {
		if n < 0 || n > utf8.MaxRune {
			return "", fail("%%c arg not in range(0x110000)")
		}
		return f.text(r, string(rune(n)))
	}
	base, prefix := 10, ""
	switch f.verb {
	case 'b':
		base, prefix = 2, "0b"
	case 'o':
		base, prefix = 8, "0o"
	case 'x':
		base, prefix = 16, "0x"
	case 'X':
		base, prefix = 16, "0X"
	}
	size := uint64(n) //nolint:gosec // two's complement: negated below
	if n < 0 {
		size = -size
	}
	digits := strconv.FormatUint(size, base)
	if f.verb == 'X' {
		digits = strings.ToUpper(digits)
	}
	if f.percent && f.precision > len(digits) {
		digits = strings.Repeat("0", f.precision-len(digits)) + digits
	}
	if !f.alternate {
		prefix = ""
	}
	return f.number(r, n < 0, prefix, digits)
}

// float writes a number with verb e, f, g, %, or as repr does.
func (f *formatSpec) float(r *run, v float64) (string, error) {
	verb, precision := f.verb|0x20, f.precision
	if f.verb == 0 || f.verb == '%' {
		verb = f.verb
	}
	var text string
	size := math.Abs(v)
	switch {
	case math.IsInf(size, 0) || v != v:
		text = python.Float(size)
	case verb == 0 && precision < 0:
		text = python.Float(size)
	case verb == 0:
		text = formatShort(size, max(precision, 1))
	default:
		if precision < 0 {
			precision = 6
		}
		text = formatVerb(size, verb, precision)
	}
	if f.verb >= 'A' && f.verb <= 'Z' {
		text = strings.ToUpper(text)
	}
	return f.number(r, math.Signbit(v) && v == v, "", text)
}

// formatShort is verb g as format() uses it without a verb: it leaves room
// for a digit after the point.
func formatShort(size float64, precision int) string {
	text := strconv.FormatFloat(size, 'e', precision-1, 64)
	at := strings.IndexByte(text, 'e')
	exponent, _ := strconv.Atoi(text[at+1:])
	if size != 0 && (exponent < -4 || exponent >= precision-1) {
		mantissa := text[:at]
		if strings.Contains(mantissa, ".") {
			mantissa = strings.TrimRight(strings.TrimRight(mantissa, "0"), ".")
		}
		return mantissa + text[at:]
	}
	text = strconv.FormatFloat(size, 'g', precision, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}

func formatVerb(size float64, verb byte, precision int) string {
	switch verb {
	case '%':
		return strconv.FormatFloat(size*100, 'f', precision, 64) + "%"
	case 'g', 'n':
		return strconv.FormatFloat(size, 'g', max(precision, 1), 64)
	}
	return strconv.FormatFloat(size, verb, precision, 64)
}

// number puts sign, prefix, digits and padding together.
func (f *formatSpec) number(r *run, negative bool, prefix, digits string) (string, error) {
	if f.group != 0 {
		digits = groupDigits(digits, f.group)
	}
	head := prefix
	switch {
	case negative:
		head = "-" + prefix
	case f.sign == '+' || f.sign == ' ':
		head = string(rune(f.sign)) + prefix
	}
	switch f.align {
	case afterSign:
		digits, err := r.pad(digits, f.width-len(head), f.filler(), right)
		return head + digits, err
	case 0:
		return r.pad(head+digits, f.width, f.filler(), right)
	default:
		return r.pad(head+digits, f.width, f.filler(), f.align)
	}
}

// groupDigits puts a separator between the thousands of a number.
func groupDigits(text string, separator byte) string {
	end := strings.IndexAny(text, ".e%")
	if end < 0 {
		end = len(text)
	}
	var b strings.Builder
	for i := range end {
		if i > 0 && (end-i)%3 == 0 {
			b.WriteByte(separator)
		}
		b.WriteByte(text[i])
	}
	b.WriteString(text[end:])
	return b.String()
}

// format writes any value as format(v, spec) does.
func (f *formatSpec) format(r *run, v any) (string, error) {
	v = known(v)
	switch f.verb {
	case 'e', 'E', 'f', 'F', 'g', 'G', '%', 'n':
		n, ok := number(v)
		if !ok {
			return "", f.unknown(v)
		}
		if i, whole := n.(int64); whole && f.verb == 'n' {
			return f.integer(r, i)
		}
		return f.float(r, toFloat(n))
	case 'd', 'b', 'o', 'x', 'X', 'c':
		n, ok := integer(v)
		if !ok {
			return "", f.unknown(v)
		}
		return f.wholeNumber(r, n)
	case 's':
		s, ok := v.(string)
		if !ok {
			return "", f.unknown(v)
		}
		return f.plainText(r, s)
	}
	switch v := v.(type) {
	case int64:
		return f.wholeNumber(r, v)
	case float64:
		return f.float(r, v)
	case string:
		return f.plainText(r, v)
	case bool:
		if *f == (formatSpec{precision: -1}) {
			return shortText(v), nil
		}
		return f.wholeNumber(r, boolInt(v))
	}
	if *f != (formatSpec{precision: -1}) {
		return "", fail("unsupported format string passed to %s.__format__", typeName(v))
	}
	return r.str(v)
}

// wholeNumber is integer with the checks of format().
func (f *formatSpec) wholeNumber(r *run, n int64) (string, error) {
	if f.precision >= 0 {
		return "", fail("Precision not allowed in integer format specifier")
	}
	return f.integer(r, n)
}

// plainText is text with the checks of format().
func (f *formatSpec) plainText(r *run, s string) (string, error) {
	switch {
	case f.sign != 0:
		return "", fail("Sign not allowed in string format specifier")
	case f.alternate:
		return "", fail("Alternate form (#) not allowed in string format specifier")
	case f.group != 0:
		return "", fail("Cannot specify '%c' with 's'.", f.group)
	}
	return f.text(r, s)
}

func (f *formatSpec) unknown(v any) error {
	if u, ok := v.(*undefined); ok {
		return u.err()
	}
	return fail("Unknown format code '%c' for object of type %s", f.verb, reprString(typeName(v)))
}

// digitsAt reads a number of digits at the start of s; ok is false if it is
// too large.
func digitsAt(s string) (n, length int, ok bool) {
	for length < len(s) && s[length] >= '0' && s[length] <= '9' {
		if n = n*10 + int(s[length]-'0'); n > maxWidth {
			return 0, 0, false
		}
		length++
	}
	return n, length, true
}
