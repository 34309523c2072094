package resolve

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/deployer-cli/deployer/stacks"
)

// maxWidth bounds the width a format may ask for.
const maxWidth = 10_000

// formatted fills a format string of Python's: {name}, {name[key]}, {name.key},
// doubled braces, and {name:spec} for strings with fill, alignment, width and
// precision. used are the values that went in. A value not known yet, and a
// secret beside it, stands in the text as shape shows it.
func formatted(format string, values stacks.Value) (text string, used []stacks.Value, why string) {
	var out, hint strings.Builder
	unknown := false
	for rest := format; rest != ""; {
		i := strings.IndexAny(rest, "{}")
		if i < 0 {
			i = len(rest)
		}
		out.WriteString(rest[:i])
		hint.WriteString(rest[:i])
		rest = rest[i:]
		switch {
		case rest == "":
		case strings.HasPrefix(rest, "{{"), strings.HasPrefix(rest, "}}"):
			out.WriteByte(rest[0])
			hint.WriteByte(rest[0])
			rest = rest[2:]
		case rest[0] == '}':
			return "", nil, "a closing brace stands alone; write }} for a brace"
		default:
			name, after, ok := strings.Cut(rest[1:], "}")
			if !ok {
				return "", nil, "a brace is not closed; write {{ for a brace"
			}
			rest = after
			v, filled, why := fill(name, values)
			if why != "" {
				return "", nil, why
			}
			used = append(used, v)
			unknown = unknown || v.Kind == stacks.Unknown
			out.WriteString(filled)
			hint.WriteString(shape(v))
		}
	}
	if unknown {
		return hint.String(), used, ""
	}
	return out.String(), used, ""
}

// fill gives the value that a replacement field names, and its text.
func fill(name string, values stacks.Value) (v stacks.Value, text, why string) {
	name, spec, _ := strings.Cut(name, ":")
	name, conversion, converted := strings.Cut(name, "!")
	if converted && conversion != "s" {
		return v, "", "the conversion !" + conversion + " is not supported"
	}
	keys := strings.FieldsFunc(name, func(r rune) bool { return r == '.' || r == '[' || r == ']' })
	if len(keys) == 0 {
		return v, "", "a field has no name; every field of !sub is named"
	}
	v, ok := values.Get(keys[0])
	if !ok {
		return v, "", "there is no value for {" + keys[0] + "}"
	}
	if v.Kind != stacks.Unknown {
		if v, _, why = descend(v, keys[1:]); why != "" {
			return v, "", why
		}
	}
	if v.Kind == stacks.Unknown {
		return v, "", ""
	}
	if !v.IsScalar() && v.Kind != stacks.Null {
		return v, "", "{" + name + "} is " + v.Kind.String()
	}
	text, why = pad(pythonText(v), spec)
	return v, text, why
}

// pad applies a format specification for strings: [[fill]align][width][.precision].
func pad(text, spec string) (padded, why string) {
	if spec == "" {
		return text, ""
	}
	m := regexp.MustCompile(`^(?:(.)?([<>^]))?(\d*)(?:\.(\d+))?s?$`).FindStringSubmatch(spec)
	if m == nil {
		return "", "the format " + strconv.Quote(spec) + " is not supported"
	}
	width, _ := strconv.Atoi(m[3])
	if width > maxWidth || len(m[3]) > 6 {
		return "", fmt.Sprintf("a width of %s is more than %d", m[3], maxWidth)
	}
	if m[4] != "" {
		if n, err := strconv.Atoi(m[4]); err == nil {
			runes := []rune(text)
			text = string(runes[:min(n, len(runes))])
		}
	}
	filler := m[1]
	if filler == "" {
		filler = " "
	}
	missing := max(0, width-utf8.RuneCountInString(text))
	left := 0
	switch m[2] {
	case ">":
		left = missing
	case "^":
		left = missing / 2
	}
	return strings.Repeat(filler, left) + text + strings.Repeat(filler, missing-left), ""
}
