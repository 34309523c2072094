package jinja

import (
	"strings"
	"unicode/utf16"

	"github.com/deployer-cli/deployer/internal/python"
)

// tojsonFilter writes JSON as Python's json.dumps with sorted keys, and
// hides what HTML would read: Jinja2 does so without autoescape, too.
func tojsonFilter(r *run, v any, args []any) (any, error) {
	w := &jsonWriter{r: r}
	switch indent := known(argOr(args, 0, nil)).(type) {
	case nil:
	case string:
		w.indent, w.pretty = indent, true
	default:
		n, err := smallOr(args, 0, 0)
		if err != nil {
			return nil, err
		}
		if w.indent, err = r.pad("", n, ' ', left); err != nil {
			return nil, err
		}
		w.pretty = true
	}
	if err := w.write(v, 0); err != nil {
		return nil, err
	}
	out := strings.NewReplacer("<", `\u003c`, ">", `\u003e`, "&", `\u0026`, "'", `\u0027`).Replace(w.out.String())
	return out, r.checkSize(len(out))
}

type jsonWriter struct {
	r      *run
	out    strings.Builder
	indent string
	pretty bool
}

func (w *jsonWriter) write(v any, depth int) error {
	if err := w.r.deeper(); err != nil {
		return err
	}
	defer w.r.shallower()
	if err := w.r.fits(w.out.Len()); err != nil {
		return err
	}
	switch v := known(v).(type) {
	case *Dict:
		return w.dict(v, depth)
	case *List:
		return w.list(v.Items, depth)
	case Tuple:
		return w.list(v, depth)
	case *group:
		return w.list([]any{v.grouper, v.list}, depth)
	case string:
		w.text(v)
		return nil
	default:
		text, err := jsonScalar(v)
		w.out.WriteString(text)
		return err
	}
}

func jsonScalar(v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "null", nil
	case bool:
		return strings.ToLower(shortText(v)), nil
	case int64:
		return shortRepr(v), nil
	case float64:
		switch text := python.Float(v); text {
		case "nan":
			return "NaN", nil
		case "inf":
			return "Infinity", nil
		case "-inf":
			return "-Infinity", nil
		default:
			return text, nil
		}
	case *undefined:
		return "", v.err()
	}
	return "", fail("Object of type %s is not JSON serializable", typeName(v))
}

func (w *jsonWriter) text(s string) {
	const digits = "0123456789abcdef"
	w.out.WriteByte('"')
	for _, c := range s {
		switch {
		case c == '"' || c == '\\':
			w.out.WriteByte('\\')
			w.out.WriteRune(c)
		case c >= ' ' && c < 0x7f:
			w.out.WriteRune(c)
		case strings.ContainsRune("\b\f\n\r\t", c):
			w.out.WriteByte('\\')
			w.out.WriteByte("bfnrt"[strings.IndexRune("\b\f\n\r\t", c)])
		case c == 0x7f:
			w.out.WriteRune(c)
		default:
			units := utf16.AppendRune(nil, c)
			for _, u := range units {
				w.out.Write([]byte{'\\', 'u', digits[u>>12], digits[u>>8&15], digits[u>>4&15], digits[u&15]})
			}
		}
	}
	w.out.WriteByte('"')
}

// separate starts item i of a list or dict, or with i = -1 the line of the
// closing bracket.
func (w *jsonWriter) separate(i, depth int) error {
	if i > 0 {
		w.out.WriteByte(',')
	}
	if !w.pretty {
		if i > 0 {
			w.out.WriteByte(' ')
		}
		return nil
	}
	if err := w.r.checkProduct(len(w.indent), int64(depth)); err != nil {
		return err
	}
	w.out.WriteString("\n" + strings.Repeat(w.indent, depth))
	return nil
}

func (w *jsonWriter) list(items []any, depth int) error {
	if len(items) == 0 {
		w.out.WriteString("[]")
		return nil
	}
	w.out.WriteByte('[')
	for i, item := range items {
		if err := w.separate(i, depth+1); err != nil {
			return err
		}
		if err := w.write(item, depth+1); err != nil {
			return err
		}
	}
	err := w.separate(-1, depth)
	w.out.WriteByte(']')
	return err
}

func (w *jsonWriter) dict(d *Dict, depth int) error {
	if d.Len() == 0 {
		w.out.WriteString("{}")
		return nil
	}
	entries, keys := make([]any, d.Len()), make([]any, d.Len())
	for i, e := range d.entries {
		entries[i], keys[i] = e, e.key
	}
	if err := w.r.sortItems(entries, keys, false); err != nil {
		return err
	}
	w.out.WriteByte('{')
	for i := range entries {
		e := entries[i].(entry)
		if err := w.separate(i, depth+1); err != nil {
			return err
		}
		key, ok := e.key.(string)
		if !ok {
			var err error
			if key, err = jsonScalar(e.key); err != nil {
				return fail("keys must be str, int, float, bool or None, not %s", typeName(e.key))
			}
		}
		w.text(key)
		w.out.WriteString(": ")
		if err := w.write(e.value, depth+1); err != nil {
			return err
		}
	}
	err := w.separate(-1, depth)
	w.out.WriteByte('}')
	return err
}
