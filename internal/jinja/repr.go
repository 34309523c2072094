package jinja

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/deployer-cli/deployer/internal/python"
)

// str is Python's str(): what printing a value gives.
func (r *run) str(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	case *late:
		return v.use(), nil
	case *undefined:
		return "", v.strict()
	case *module:
		return v.text, nil
	}
	return r.repr(v)
}

// repr is Python's repr().
func (r *run) repr(v any) (string, error) {
	w := reprWriter{r: r}
	if err := w.write(v); err != nil {
		return "", err
	}
	return w.String(), nil
}

type reprWriter struct {
	strings.Builder
	r *run
}

func (w *reprWriter) write(v any) error {
	before := w.Len()
	if err := w.r.deeper(); err != nil {
		return err
	}
	defer w.r.shallower()
	if err := w.value(v); err != nil {
		return err
	}
	if err := w.r.fits(w.Len()); err != nil {
		return err
	}
	return w.r.spend((w.Len() - before) / 16)
}

func (w *reprWriter) value(v any) error {
	switch v := known(v).(type) {
	case nil:
		w.WriteString("None")
	case bool:
		w.WriteString(shortText(v))
	case int64:
		w.WriteString(strconv.FormatInt(v, 10))
	case float64:
		w.WriteString(python.Float(v))
	case string:
		w.WriteString(reprString(v))
	case *List:
		return w.items("[", v.Items, "]")
	case Tuple:
		return w.tuple(v)
	case *group:
		return w.tuple(Tuple{v.grouper, v.list})
	case *Dict:
		return w.dict(v)
	case *dictView:
		return w.view(v)
	case *namespace:
		w.WriteString("<Namespace ")
		if err := w.dict(v.dict); err != nil {
			return err
		}
		w.WriteString(">")
	default:
		w.WriteString(reprOther(v))
	}
	return nil
}

// reprOther is the repr of values nobody prints on purpose. Python shows
// addresses in some; those would differ between two runs.
func reprOther(v any) string {
	switch v := v.(type) {
	case *undefined:
		return "Undefined"
	case *rangeValue:
		text := "range(" + strconv.FormatInt(v.start, 10) + ", " + strconv.FormatInt(v.stop, 10)
		if v.step != 1 {
			text += ", " + strconv.FormatInt(v.step, 10)
		}
		return text + ")"
	case *macro:
		return "<Macro " + reprString(v.name) + ">"
	case *module:
		return "<TemplateModule " + reprString(v.name) + ">"
	case *loopState:
		return "<LoopContext " + strconv.Itoa(v.index0+1) + "/" + strconv.Itoa(v.length()) + ">"
	case *generator:
		return "<generator object " + v.name + ">"
	case *method:
		return "<built-in method " + v.name + " of " + typeName(v.self) + " object>"
	case *function:
		return "<function " + v.name + ">"
	}
	return "<object>"
}

func (w *reprWriter) items(open string, items []any, end string) error {
	w.WriteString(open)
	for i, item := range items {
		if i > 0 {
			w.WriteString(", ")
		}
		if err := w.write(item); err != nil {
			return err
		}
	}
	w.WriteString(end)
	return nil
}

func (w *reprWriter) tuple(t Tuple) error {
	if len(t) == 1 {
		return w.items("(", t, ",)")
	}
	return w.items("(", t, ")")
}

func (w *reprWriter) dict(d *Dict) error {
	w.WriteString("{")
	for i, e := range d.entries {
		if i > 0 {
			w.WriteString(", ")
		}
		if err := w.write(e.key); err != nil {
			return err
		}
		w.WriteString(": ")
		if err := w.write(e.value); err != nil {
			return err
		}
	}
	w.WriteString("}")
	return nil
}

func (w *reprWriter) view(v *dictView) error {
	items := make([]any, v.dict.Len())
	for i := range items {
		items[i] = v.at(i)
	}
	return w.items("dict_"+v.kind+"([", items, "])")
}

// reprString is Python's repr of a text: single quotes unless that needs
// escapes that double quotes do not.
func reprString(s string) string {
	quote := byte('\'')
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		quote = '"'
	}
	var b strings.Builder
	b.Grow(len(s) + 2)
	b.WriteByte(quote)
	for _, c := range s {
		switch {
		case c == rune(quote) || c == '\\':
			b.WriteByte('\\')
			b.WriteRune(c)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\r':
			b.WriteString(`\r`)
		case c == '\t':
			b.WriteString(`\t`)
		case c == ' ' || unicode.IsPrint(c):
			b.WriteRune(c)
		default:
			escapeRune(&b, c)
		}
	}
	b.WriteByte(quote)
	return b.String()
}

func escapeRune(b *strings.Builder, c rune) {
	const digits = "0123456789abcdef"
	prefix, width := `\x`, 2
	switch {
	case c > 0xffff:
		prefix, width = `\U`, 8
	case c > 0xff || c == utf8.RuneError:
		prefix, width = `\u`, 4
	}
	b.WriteString(prefix)
	for i := width - 1; i >= 0; i-- {
		b.WriteByte(digits[c>>(4*i)&15])
	}
}
