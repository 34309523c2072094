package config

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/deployer-cli/deployer/internal/cfnyaml"
	"github.com/deployer-cli/deployer/internal/jinja"
	"github.com/deployer-cli/deployer/stacks"
)

const byteOrderMark = "\ufeff"

// folderLoader hands Jinja the files that a config includes. Names are
// relative to the config's own folder, as in Sceptre.
type folderLoader struct {
	fsys fs.FS
	dir  string
}

// Load reads one file of the folder.
func (f folderLoader) Load(name string) (string, error) {
	if !fs.ValidPath(name) {
		return "", fmt.Errorf("%s lies outside %s: %w", name, f.dir, fs.ErrNotExist)
	}
	text, err := fs.ReadFile(f.fsys, path.Join(f.dir, name))
	return string(text), err
}

// document is one config file, rendered and read.
type document struct {
	fields   stacks.Value // always a Map
	source   string       // the text before Jinja
	jinja    bool         // rendering changed something
	warnings []*stacks.Problem
}

// read gives a config file's text.
func (l *loader) read(file string) (string, []*stacks.Problem, *stacks.Problem) {
	raw, err := fs.ReadFile(l.fsys, file)
	pos := stacks.Pos{File: file}
	if err != nil {
		return "", nil, &stacks.Problem{Pos: pos, What: "file cannot be read", Why: cause(err)}
	}
	text := string(raw)
	var warnings []*stacks.Problem
	if rest, ok := strings.CutPrefix(text, byteOrderMark); ok {
		text = rest
		warnings = append(warnings, &stacks.Problem{
			Pos: pos, What: "file begins with a byte order mark", Tip: "save it as UTF-8 without BOM",
		})
	}
	if !utf8.ValidString(text) || strings.IndexByte(text, 0) >= 0 {
		_, _, err := cfnyaml.Parse([]byte(text))
		return "", warnings, syntaxProblem(file, text, nil, err)
	}
	return text, warnings, nil
}

// document renders a config file's text and reads the YAML it makes.
func (l *loader) document(env *jinja.Environment, file, text string, vars *jinja.Dict) (*document, *stacks.Problem) {
	rendered, err := env.Render(path.Base(file), text, vars)
	if err != nil {
		return nil, renderProblem(file, text, err)
	}
	var lines *lineMap
	if rendered != strings.TrimSuffix(text, "\n") {
		lines = mapLines(text, rendered)
	}
	node, warnings, err := cfnyaml.Parse([]byte(rendered))
	if err != nil {
		return nil, syntaxProblem(file, rendered, lines, err)
	}
	d := &document{source: text, jinja: lines != nil}
	c := converter{file: file, lines: lines}
	for _, w := range warnings {
		line, column := lines.source(w.Line, w.Column)
		d.warnings = append(d.warnings, &stacks.Problem{Pos: stacks.Pos{File: file, Line: line, Column: column}, What: w.Text})
	}
	d.fields = c.value(node)
	switch d.fields.Kind {
	case stacks.Map:
	case stacks.Null:
		d.fields = stacks.Value{Kind: stacks.Map, Pos: stacks.Pos{File: file, Line: 1, Column: 1}}
	default:
		return nil, &stacks.Problem{
			Pos:  d.fields.Pos,
			What: "a config file must hold keys and values",
			Why:  "this one holds " + d.fields.Kind.String(),
		}
	}
	return d, nil
}

// renderProblem tells what Jinja could not do.
func renderProblem(file, text string, err error) *stacks.Problem {
	e, ok := errors.AsType[*jinja.Error](err)
	if !ok {
		return &stacks.Problem{Pos: stacks.Pos{File: file}, What: "cannot render", Why: err.Error()}
	}
	pos := stacks.Pos{File: path.Join(path.Dir(file), e.Template), Line: e.Line, Column: e.Column}
	return &stacks.Problem{Pos: pos, What: "cannot render", Why: e.Msg, Tip: undefinedTip(text, e)}
}

// undefinedTip helps with the usual mistake: a variable that was not given.
func undefinedTip(text string, e *jinja.Error) string {
	if e.Kind != jinja.KindUndefined {
		return ""
	}
	name := quoted(e.Msg)
	lines := strings.Split(text, "\n")
	if name == "" || e.Line < 1 || e.Line > len(lines) {
		return ""
	}
	switch line := lines[e.Line-1]; {
	case strings.Contains(line, "var."+name), strings.Contains(line, "var["):
		return fmt.Sprintf("give it with --var %s=…, or write {{ var.%s | default('…') }}", name, name)
	case strings.Contains(line, "environment_variable"):
		return fmt.Sprintf("set the environment variable %s, or write {{ environment_variable.%s | default('…') }}", name, name)
	}
	return ""
}

// quoted returns what stands last between single quotes in a message.
func quoted(msg string) string {
	parts := strings.Split(msg, "'")
	if len(parts) < 3 {
		return ""
	}
	return parts[len(parts)-2]
}

// syntaxProblem tells why a text is no YAML.
func syntaxProblem(file, text string, lines *lineMap, err error) *stacks.Problem {
	p := &stacks.Problem{Pos: stacks.Pos{File: file}, What: "cannot read YAML", Why: err.Error()}
	e, ok := errors.AsType[*cfnyaml.SyntaxError](err)
	if !ok {
		return p
	}
	p.Why = e.Msg
	p.Pos.Line, p.Pos.Column = lines.source(e.Line, e.Column)
	if tab := tabIndent(text, e.Line); tab > 0 {
		p.Why = "a tab indents the line, and YAML wants spaces"
		p.Pos.Line, p.Pos.Column = lines.source(tab, 1)
	}
	return p
}

// tabIndent returns the line at or next to line that a tab indents, 0 if none:
// parsers tend to report the line after.
func tabIndent(text string, line int) int {
	all := strings.Split(text, "\n")
	for i := max(line-1, 1); i <= min(line+1, len(all)); i++ {
		l := all[i-1]
		if indent := l[:len(l)-len(strings.TrimLeft(l, " \t"))]; strings.Contains(indent, "\t") && strings.TrimSpace(l) != "" {
			return i
		}
	}
	return 0
}
