package jinja

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The literals of Jinja2's lexer; all anchored and linear.
var (
	floatPattern   = regexp.MustCompile(`^(?i)([0-9]+_)*[0-9]+((\.([0-9]+_)*[0-9]+)?e[+\-]?([0-9]+_)*[0-9]+|\.([0-9]+_)*[0-9]+)`)
	integerPattern = regexp.MustCompile(`^(?i)(0b(_?[01])+|0o(_?[0-7])+|0x(_?[0-9a-f])+|[1-9](_?[0-9])*|0(_?0)*)`)
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
		return true, l.number()
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

func (l *lexer) number() error {
	rest := l.src[l.pos:]
	afterDot := l.pos > 0 && l.src[l.pos-1] == '.' // x.0.1 is two subscripts
	if m := floatPattern.FindString(rest); m != "" && !afterDot {
		l.emit(tokFloat, l.pos, strings.ReplaceAll(m, "_", ""))
		l.move(l.pos + len(m))
		return nil
	}
	m := integerPattern.FindString(rest)
	l.emit(tokInteger, l.pos, strings.ReplaceAll(m, "_", ""))
	l.move(l.pos + len(m))
	return nil
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
