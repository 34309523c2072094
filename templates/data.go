package templates

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"hash"
	"math"
	"strconv"
	"strings"

	"github.com/deployer-cli/deployer/internal/jinja"
	"github.com/deployer-cli/deployer/stacks"
)

// LateMark begins every placeholder in a rendered template. It is made of
// letters only, so that a placeholder may stand wherever a value may, in a
// logical id too.
const LateMark = "DeployerLater"

// Placeholder is what stands in a template for a value that is known later.
func Placeholder(hint string) string {
	var b strings.Builder
	b.WriteString(LateMark)
	for _, r := range hint {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// toJinja gives a stack's user data as a template sees it. No data at all is an
// empty map, as in Sceptre.
func toJinja(v stacks.Value) any {
	if v.Kind == stacks.Null {
		return jinja.NewDict()
	}
	return jinjaValue(v)
}

func jinjaValue(v stacks.Value) any {
	switch v.Kind {
	case stacks.List:
		items := make([]any, 0, len(v.Items))
		for _, i := range v.Items {
			items = append(items, jinjaValue(i))
		}
		return &jinja.List{Items: items}
	case stacks.Map:
		d := jinja.NewDict()
		for _, f := range v.Fields {
			d.Set(f.Key, jinjaValue(f.Value))
		}
		return d
	case stacks.Unknown, stacks.Call:
		return jinja.Late{Text: Placeholder(lateHint(v))}
	case stacks.Int:
		if n, err := strconv.ParseInt(v.Text, 10, 64); err == nil {
			return n
		}
		return v.Text
	default:
		return v.Plain()
	}
}

// lateHint says what a value that is not known would be. A call that nobody has
// resolved counts as such, so that it cannot be taken for a value.
func lateHint(v stacks.Value) string {
	if v.Kind == stacks.Call {
		return v.Call.String()
	}
	return v.Hint
}

// fingerprint is equal for data that a template cannot tell apart.
func fingerprint(v stacks.Value) []byte {
	h := sha256.New()
	digest(h, v)
	return h.Sum(nil)
}

func digest(h hash.Hash, v stacks.Value) {
	h.Write([]byte{byte(v.Kind)})
	switch v.Kind {
	case stacks.List:
		number(h, len(v.Items))
		for _, i := range v.Items {
			digest(h, i)
		}
	case stacks.Map:
		number(h, len(v.Fields))
		for _, f := range v.Fields {
			text(h, f.Key)
			digest(h, f.Value)
		}
	case stacks.Unknown, stacks.Call:
		text(h, lateHint(v))
	default:
		text(h, v.Text)
	}
}

func text(h hash.Hash, s string) {
	number(h, len(s))
	h.Write([]byte(s))
}

func number(h hash.Hash, n int) {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(n)) //nolint:gosec // a length is never negative
	h.Write(b[:])
}

// JSON writes a value for another program: maps keep their order, and what is
// not known is a placeholder.
func JSON(v stacks.Value) []byte { return appendJSON(nil, v) }

func appendJSON(b []byte, v stacks.Value) []byte {
	switch v.Kind {
	case stacks.List:
		b = append(b, '[')
		for i, item := range v.Items {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendJSON(b, item)
		}
		return append(b, ']')
	case stacks.Map:
		b = append(b, '{')
		for i, f := range v.Fields {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendJSON(b, stacks.String(f.Key)), ':')
			b = appendJSON(b, f.Value)
		}
		return append(b, '}')
	case stacks.Null:
		return append(b, "null"...)
	case stacks.Bool, stacks.Int:
		return append(b, v.Text...)
	case stacks.Float:
		return append(b, number64(v.Text)...)
	case stacks.Unknown, stacks.Call:
		v.Text = Placeholder(lateHint(v))
	case stacks.Text:
	}
	text, _ := json.Marshal(v.Text) // a string always can be
	return append(b, text...)
}

// number64 writes a float as JSON does, and as Python reads what JSON lacks.
func number64(text string) string {
	f, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil || math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	}
	out := strconv.FormatFloat(f, 'g', -1, 64)
	if !strings.ContainsAny(out, ".e") {
		out += ".0" // a whole float stays one
	}
	return out
}
