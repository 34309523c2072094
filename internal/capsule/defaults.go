package capsule

import (
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/internal/cfntemplate"
	"github.com/deployer-cli/deployer/internal/cfnyaml"
)

// Kept is a template as a capsule keeps it: without the defaults of its secret
// parameters. One that cannot be read is returned as it is.
func Kept(template string) string {
	if out, _, err := withoutDefaults(template); err == nil {
		return out
	}
	return template
}

// withoutDefaults takes the defaults of NoEcho parameters out of a template, and
// leaves the rest of its text as it was written. parameter names the one whose
// default cannot be taken out, "" where the template cannot be read.
func withoutDefaults(text string) (out, parameter string, err error) {
	if !strings.Contains(text, "NoEcho") {
		return text, "", nil
	}
	for {
		t, err := cfntemplate.Parse([]byte(text))
		if err != nil {
			return "", "", err
		}
		name := secretDefault(t)
		if name == "" {
			return text, "", nil
		}
		if text, err = cut(text, t, name); err != nil {
			return "", name, err
		}
	}
}

// secretDefault names a NoEcho parameter with a default that says something, ""
// where there is none.
func secretDefault(t *cfntemplate.Template) string {
	for _, name := range slices.Sorted(maps.Keys(t.Parameters)) {
		if p := t.Parameters[name]; p.NoEcho && p.Default != nil && *p.Default != "" {
			return name
		}
	}
	return ""
}

// cut takes the default of one parameter out. Which commas or lines go with it
// depends on how the template is written: what reads as the rest of it is right.
func cut(text string, t *cfntemplate.Template, name string) (string, error) {
	key, val := pair(value(value(t.Root, "Parameters"), name), "Default")
	if key == nil {
		return "", errors.New("its place is not known")
	}
	start, end := offset(text, key), offset(text, val)
	if end = ending(text, end, val); start < 0 || end <= start {
		return "", errors.New("it is written in a way that is not understood")
	}
	for _, candidate := range cuts(text, start, end) {
		if rest, err := cfntemplate.Parse([]byte(candidate)); err == nil && without(t, rest, name) {
			return candidate, nil
		}
	}
	return "", errors.New("it is written in a way that is not understood")
}

// cuts are the texts without what stands between start and end: with the comma
// behind it, with the comma before it, and without the whole lines.
func cuts(text string, start, end int) []string {
	const blank = " \t\r\n"
	before, behind := text[:start], text[end:]
	var out []string
	if rest, ok := strings.CutPrefix(strings.TrimLeft(behind, blank), ","); ok {
		out = append(out, before+strings.TrimLeft(rest, " \t"))
	}
	if rest, ok := strings.CutSuffix(strings.TrimRight(before, blank), ","); ok {
		out = append(out, rest+behind)
	}
	line, next := strings.LastIndexByte(before, '\n')+1, strings.IndexByte(behind, '\n')+1
	if next == 0 {
		next = len(behind)
	}
	return append(out, before[:line]+behind[next:])
}

// without tells whether a template is another without the default of one parameter.
func without(was, is *cfntemplate.Template, name string) bool {
	all, _ := was.Doc["Parameters"].(map[string]any)
	one, _ := all[name].(map[string]any)
	one, all = maps.Clone(one), maps.Clone(all)
	delete(one, "Default")
	all[name] = one
	doc := maps.Clone(was.Doc)
	doc["Parameters"] = all
	return reflect.DeepEqual(doc, is.Doc)
}

func pair(n *cfnyaml.Node, key string) (k, v *cfnyaml.Node) {
	if n != nil {
		for _, p := range n.Pairs {
			if p.Key.Text == key {
				return p.Key, p.Value
			}
		}
	}
	return nil, nil
}

func value(n *cfnyaml.Node, key string) *cfnyaml.Node {
	_, v := pair(n, key)
	return v
}

// offset is where a node begins, -1 where that is not in the text.
func offset(text string, n *cfnyaml.Node) int {
	at := 0
	for range n.Line - 1 {
		i := strings.IndexByte(text[at:], '\n')
		if i < 0 {
			return -1
		}
		at += i + 1
	}
	column := 1
	for i := range text[at:] {
		if column == n.Column {
			return at + i
		}
		column++
	}
	return -1
}

// ending is where a scalar that begins at a place ends, -1 for what is no scalar
// on a line of its own.
func ending(text string, at int, n *cfnyaml.Node) int {
	if at < 0 || n.Kind == cfnyaml.Map || n.Kind == cfnyaml.List {
		return -1
	}
	switch text[at] {
	case '"':
		for i := at + 1; i < len(text); i++ {
			switch text[i] {
			case '\\':
				i++
			case '"':
				return i + 1
			}
		}
	case '\'':
		for i := at + 1; i < len(text); i++ {
			if text[i] != '\'' {
				continue
			}
			if i+1 < len(text) && text[i+1] == '\'' {
				i++
				continue
			}
			return i + 1
		}
	default:
		if n.Raw != "" && strings.HasPrefix(text[at:], n.Raw) {
			return at + len(n.Raw)
		}
	}
	return -1
}
