package jinja

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// tag reads the inside of a tag up to its end, which counts only outside
// all brackets.
func (l *lexer) tag(end func(int) (int, bool), endKind tokenKind) error {
	var brackets []byte
	for l.pos < len(l.src) {
		if len(brackets) == 0 {
			if after, ok := end(l.pos); ok {
				l.emit(endKind, l.pos, "")
				l.move(after)
				return nil
			}
		}
		if after := l.skipSpace(l.pos); after > l.pos {
			l.move(after)
			continue
		}
		done, err := l.literal()
		if err != nil {
			return err
		}
		if done {
			continue
		}
		if brackets, err = l.operator(brackets); err != nil {
			return err
		}
	}
	return nil
}

// literal reads a number, name or string if there is one.
func (l *lexer) literal() (bool, error) {
	c := l.src[l.pos]
	switch {
	case c == '\'' || c == '"':
		return l.str(c)
	case c >= '0' && c <= '9':
		l.number()
		return true, nil
	}
	end := l.pos
	for end < len(l.src) {
		r, size := utf8.DecodeRuneInString(l.src[end:])
		if r != '_' && !unicode.IsLetter(r) && !unicode.IsNumber(r) {
			break
		}
		end += size
	}
	if end == l.pos {
		return false, nil
	}
	name := l.src[l.pos:end]
	if first, _ := utf8.DecodeRuneInString(name); first != '_' && !unicode.IsLetter(first) {
		return false, l.fail(l.pos, "Invalid character in identifier")
	}
	l.emit(tokName, l.pos, name)
	l.move(end)
	return true, nil
}

func (l *lexer) number() {
	rest := l.src[l.pos:]
	afterDot := l.pos > 0 && l.src[l.pos-1] == '.' // x.0.1 is two subscripts
	kind, n := tokInteger, integerLength(rest)
	if size := floatLength(rest); size > 0 && !afterDot {
		kind, n = tokFloat, size
	}
	l.emit(kind, l.pos, strings.ReplaceAll(rest[:n], "_", ""))
	l.move(l.pos + n)
}

// digits gives the length of a run of the digits in set, between which
// single underscores may stand.
func digits(s, set string) int {
	n := 0
	for i := range len(s) {
		c := s[i]
		if c >= 'A' && c <= 'F' {
			c |= 0x20
		}
		switch {
		case strings.IndexByte(set, c) >= 0:
			n = i + 1
		case c != '_' || i != n:
			return n
		}
	}
	return n
}

const decimal = "0123456789"

// integerLength gives the length of the integer that s begins with.
func integerLength(s string) int {
	if s[0] != '0' {
		return digits(s, decimal)
	}
	if len(s) > 2 {
		set := ""
		switch s[1] | 0x20 {
		case 'b':
			set = "01"
		case 'o':
			set = decimal[:8]
		case 'x':
			set = decimal + "abcdef"
		}
		rest := strings.TrimPrefix(s[2:], "_")
		if n := digits(rest, set); n > 0 {
			return len(s) - len(rest) + n
		}
	}
	return digits(s, "0")
}

// floatLength gives the length of the float that s begins with, or 0.
func floatLength(s string) int {
	whole := digits(s, decimal)
	n := whole
	if n < len(s) && s[n] == '.' {
		if fraction := digitsFirst(s[n+1:]); fraction > 0 {
			n += 1 + fraction
		}
	}
	if n < len(s) && s[n]|0x20 == 'e' {
		from := n + 1
		if from < len(s) && (s[from] == '+' || s[from] == '-') {
			from++
		}
		if exponent := digitsFirst(s[from:]); exponent > 0 {
			return from + exponent
		}
	}
	if n == whole {
		return 0
	}
	return n
}

// digitsFirst is digits for runs that must not begin with an underscore.
func digitsFirst(s string) int {
	if s == "" || s[0] == '_' {
		return 0
	}
	return digits(s, decimal)
}

func (l *lexer) str(quote byte) (bool, error) {
	escaped := false
	for i := l.pos + 1; i < len(l.src); i++ {
		switch l.src[i] {
		case '\\':
			escaped = true
			i++
		case quote:
			text := l.src[l.pos+1 : i]
			if escaped {
				var msg string
				if text, msg = unescape(text); msg != "" {
					return false, l.fail(l.pos, "%s", msg)
				}
			}
			l.emit(tokString, l.pos, text)
			l.move(i + 1)
			return true, nil
		}
	}
	return false, l.fail(l.pos, "unexpected char %s at %d", reprString(string(rune(quote))), utf8.RuneCountInString(l.src[:l.pos]))
}

const twoByteOperators = "// ** == != >= <= "

func (l *lexer) operator(brackets []byte) ([]byte, error) {
	rest := l.src[l.pos:]
	if len(rest) >= 2 && rest[1] != ' ' && strings.Contains(twoByteOperators, rest[:2]+" ") {
		l.emit(tokOperator, l.pos, rest[:2])
		l.move(l.pos + 2)
		return brackets, nil
	}
	c := rest[0]
	if !strings.ContainsRune("+-/*%~[](){}><=.:|,;", rune(c)) {
		r, _ := utf8.DecodeRuneInString(rest)
		return nil, l.fail(l.pos, "unexpected char %s at %d", reprString(string(r)), utf8.RuneCountInString(l.src[:l.pos]))
	}
	switch c {
	case '(':
		brackets = append(brackets, ')')
	case '[':
		brackets = append(brackets, ']')
	case '{':
		brackets = append(brackets, '}')
	case ')', ']', '}':
		if len(brackets) == 0 {
			return nil, l.fail(l.pos, "unexpected '%c'", c)
		}
		expected := brackets[len(brackets)-1]
		if expected != c {
			return nil, l.fail(l.pos, "unexpected '%c', expected '%c'", c, expected)
		}
		brackets = brackets[:len(brackets)-1]
	}
	l.emit(tokOperator, l.pos, rest[:1])
	l.move(l.pos + 1)
	return brackets, nil
}
