package jinja

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// unescape decodes the escapes of a string literal as Python's
// unicode-escape codec does; msg says what is wrong.
func unescape(s string) (text, msg string) {
	var b strings.Builder
	for i := 0; i < len(s); {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			i++
			continue
		}
		n, msg := unescapeOne(&b, s[i+1:])
		if msg != "" {
			return "", msg
		}
		i += 1 + n
	}
	return b.String(), ""
}

// unescapeOne decodes the escape whose backslash stood before s and gives
// its length.
func unescapeOne(b *strings.Builder, s string) (int, string) {
	const simple, decoded = `\'"abfnrtv`, "\\'\"\a\b\f\n\r\t\v"
	c := s[0]
	if i := strings.IndexByte(simple, c); i >= 0 {
		b.WriteByte(decoded[i])
		return 1, ""
	}
	switch {
	case c == '\n':
		return 1, ""
	case c >= '0' && c <= '7':
		n := 1
		for n < 3 && n < len(s) && s[n] >= '0' && s[n] <= '7' {
			n++
		}
		code, _ := strconv.ParseUint(s[:n], 8, 32)
		b.WriteRune(rune(code)) //nolint:gosec // three octal digits
		return n, ""
	case c == 'x':
		return hexEscape(b, s, 2, `truncated \xXX escape`)
	case c == 'u':
		return hexEscape(b, s, 4, `truncated \uXXXX escape`)
	case c == 'U':
		return hexEscape(b, s, 8, `truncated \UXXXXXXXX escape`)
	case c == 'N':
		return 0, `malformed \N character escape`
	}
	b.WriteByte('\\')
	_, size := utf8.DecodeRuneInString(s)
	b.WriteString(s[:size])
	return size, ""
}

func hexEscape(b *strings.Builder, s string, digits int, truncated string) (int, string) {
	if len(s) < 1+digits {
		return 0, truncated
	}
	code, err := strconv.ParseUint(s[1:1+digits], 16, 32)
	if err != nil {
		return 0, truncated
	}
	if code > utf8.MaxRune {
		return 0, "illegal Unicode character"
	}
	b.WriteRune(rune(code))
	return 1 + digits, ""
}
