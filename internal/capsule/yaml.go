package capsule

import (
	"fmt"
	"strings"

	"github.com/deployer-cli/deployer/stacks"
)

// What is written here is read by Jinja first and by YAML 1.1 afterwards. So
// every string stands in double quotes, in ASCII, with its braces escaped: there
// is nothing in it that either could take for something else.

// after gives a value as it stands behind a key's colon or a list's dash, with
// the white space before it; indent is that of the key or dash.
func after(v stacks.Value, indent int) string {
	tag := ""
	if v.Kind == stacks.Call {
		tag = " !" + v.Call.Name
		v = v.Call.Arg
		if v.Kind == stacks.Call { // no call stands right inside another
			v = stacks.String(v.Call.String())
		}
	}
	switch {
	case v.Kind == stacks.List && len(v.Items) == 0:
		return tag + " []"
	case v.Kind == stacks.Map && len(v.Fields) == 0:
		return tag + " {}"
	case v.Kind == stacks.List, v.Kind == stacks.Map:
		return tag + "\n" + lines(v, indent+2)
	case tag != "" && v.Kind == stacks.Null:
		return tag
	}
	return tag + " " + scalar(v)
}

// lines gives the items of a list or the fields of a map, one a line or more.
func lines(v stacks.Value, indent int) string {
	var out []string
	pad := strings.Repeat(" ", indent)
	for _, i := range v.Items {
		out = append(out, pad+"-"+after(i, indent))
	}
	for _, f := range v.Fields {
		out = append(out, pad+quote(f.Key)+":"+after(f.Value, indent))
	}
	return strings.Join(out, "\n")
}

func scalar(v stacks.Value) string {
	switch v.Kind {
	case stacks.Bool, stacks.Int:
		return v.Text
	case stacks.Float:
		return float(v.Text)
	case stacks.Text:
		return quote(v.Text)
	default:
		return "null"
	}
}

// float writes a number as YAML 1.1 reads one: it wants a point, and has words
// of its own for what is no number.
func float(text string) string {
	switch strings.TrimLeft(text, "+-") {
	case "inf":
		return strings.Replace(text, "inf", ".inf", 1)
	case "nan":
		return ".nan"
	}
	if mantissa, exponent, ok := strings.Cut(text, "e"); ok && !strings.Contains(mantissa, ".") {
		return mantissa + ".0e" + exponent
	}
	return text
}

// quote gives a string in double quotes: printable ASCII without braces, and
// escapes for the rest. They are the same in YAML 1.1 and 1.2.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r >= ' ' && r <= '~' && r != '{' && r != '}':
			b.WriteRune(r)
		case r <= 0xff:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r <= 0xffff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// yaml gives a value as a text of its own, such as a resolver call.
func yaml(v stacks.Value) string { return strings.TrimPrefix(after(v, 0), " ") }

// behind puts a text that yaml made behind a key or dash that stands at indent.
// No string in it goes over lines.
func behind(text string, indent int) string {
	if text == "" {
		return " null"
	}
	text = strings.ReplaceAll(text, "\n", "\n"+strings.Repeat(" ", indent))
	if strings.HasPrefix(text, "\n") {
		return text
	}
	return " " + text
}
