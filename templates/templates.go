// Package templates turns the template a stack names into the document that
// goes to CloudFormation, and says offline what is wrong with it.
//
// It reads the files of the project it is given and nothing else: what has to
// be fetched or run (http, s3, sam, Python) comes from handlers that the
// program plugs in. It never calls AWS.
package templates

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"path"
	"strings"

	"github.com/deployer-cli/deployer/internal/cfntemplate"
	"github.com/deployer-cli/deployer/internal/jinja"
	"github.com/deployer-cli/deployer/stacks"
)

// Folder is where a project's templates stand.
const Folder = "templates"

// Body is a template made ready.
type Body struct {
	Text    []byte        // as it goes to CloudFormation; empty where Late leaves nothing to tell
	File    string        // where it came from, relative to the project, or its address
	Exact   bool          // lines of Text are lines of File: nothing was rendered
	Late    bool          // Text holds placeholders, or was made without values that are known later
	After   []stacks.Path // Late: the stacks whose outcome decides it, sorted
	Secrets []string      // secret values that stand in Text, longest first; never to be shown
}

// Raw is the text of a template as fetched, before anything is rendered.
type Raw struct {
	Name string // decides by its ending what is done with the text: "network.j2"
	File string // for messages: the path in the project, or an address
	Text []byte
}

// Fetch gets the text of a stack's template. There is one per template type.
type Fetch func(ctx context.Context, st *stacks.Stack) (Raw, error)

// Format makes a body out of fetched text. There is one per file ending.
type Format func(ctx context.Context, st *stacks.Stack, raw Raw, userData stacks.Value) (Body, error)

// Handler makes the whole body of a stack's template.
type Handler func(ctx context.Context, st *stacks.Stack, userData stacks.Value) (Body, error)

// LaterError says that a template cannot be had now and may be later: from the
// files alone, or while values are not known.
type LaterError struct{ Why string }

// Error says why.
func (e *LaterError) Error() string { return e.Why }

// Options plugs in what this package does not do itself.
type Options struct {
	Types    map[string]Fetch                  // by template type: "http", "s3"; "file" is built in
	Handlers func(kind string) (Handler, bool) // for every other type; nil: there are none
	Formats  map[string]Format                 // by file ending: ".py"; the others are built in
	Outside  func(name string) ([]byte, error) // reads a template outside of the project: absolute, or relative to it; nil refuses
}

// Loader renders and parses the templates of one project. It reads each file
// once, so that a run sees one state of the project from beginning to end, and
// renders and parses equal inputs once. It may be used by many goroutines.
type Loader struct {
	files    *files
	types    map[string]Fetch
	handlers func(kind string) (Handler, bool)
	formats  map[string]Format
	outside  func(name string) ([]byte, error)
	plugged  map[string]bool // endings of formats that were plugged in
	rendered cache[string, rendered]
	parsed   cache[[32]byte, *cfntemplate.Template]
	facts    cache[[32]byte, []located]
	envs     cache[string, *jinja.Environment]
}

// NewLoader returns a Loader of the project that fsys is rooted at.
func NewLoader(fsys fs.FS, opts Options) *Loader {
	l := &Loader{
		files:   &files{fsys: fsys},
		types:   map[string]Fetch{},
		plugged: map[string]bool{},
		outside: opts.Outside,
		formats: map[string]Format{},
	}
	l.types["file"] = l.fetchFile
	for _, ending := range []string{".yaml", ".yml", ".json", ".template"} {
		l.formats[ending] = asIs
	}
	l.formats[".j2"] = l.renderJinja
	if l.handlers = opts.Handlers; l.handlers == nil {
		l.handlers = func(string) (Handler, bool) { return nil, false }
	}
	maps.Copy(l.types, opts.Types)
	for ending, f := range opts.Formats {
		l.formats[ending], l.plugged[ending] = f, true
	}
	return l
}

// Costly tells whether making the stack's template means fetching something or
// running a program.
func (l *Loader) Costly(st *stacks.Stack) bool {
	return kind(st) != "file" || l.plugged[ending(st.Template.Path)]
}

// Render makes the body of the stack's template with its user data, in which
// nothing is left to resolve. What cannot be had is a *stacks.Problem at the
// template key.
func (l *Loader) Render(ctx context.Context, st *stacks.Stack, userData stacks.Value) (Body, error) {
	body, err := l.render(ctx, st, userData)
	if _, later := errors.AsType[*LaterError](err); later {
		after, _ := userData.HasUnknown()
		return Body{File: st.Template.Path, Late: true, After: after}, nil
	}
	if err == nil && !body.Exact && body.Secrets == nil {
		body.Secrets = secretsIn(string(body.Text), userData)
	}
	return body, err
}

func (l *Loader) render(ctx context.Context, st *stacks.Stack, userData stacks.Value) (Body, error) {
	if h, ok := l.handlers(kind(st)); ok && l.types[kind(st)] == nil {
		return h(ctx, st, userData)
	}
	fetch, err := l.fetcher(st)
	if err != nil {
		return Body{}, err
	}
	raw, err := fetch(ctx, st)
	if err != nil {
		return Body{}, err
	}
	if raw.Text, err = decode(raw.Text); err != nil {
		return Body{}, problem(st, raw.File, err.Error(), "save it as UTF-8")
	}
	if len(strings.TrimSpace(string(raw.Text))) == 0 {
		return Body{}, problem(st, raw.File, "the template is empty", "a template needs at least a Resources section")
	}
	format, err := l.format(st, raw)
	if err != nil {
		return Body{}, err
	}
	return format(ctx, st, raw, userData)
}

// NeedsData tells whether the stack's user data has a say in its template, so
// that a plain template does not make anybody look up what it never uses.
func (l *Loader) NeedsData(st *stacks.Stack) bool {
	name := st.Template.Path
	switch kind(st) {
	case "file", "s3":
	case "http":
		address, _ := st.Template.Args.Get("url")
		name = address.Text
	default:
		return true
	}
	switch ending(name) {
	case ".yaml", ".yml", ".json", ".template":
		return false
	}
	return true
}

func (l *Loader) fetcher(st *stacks.Stack) (Fetch, error) {
	if f, ok := l.types[kind(st)]; ok {
		return f, nil
	}
	p := &stacks.Problem{
		Pos: st.Template.Pos, What: "template of type " + kind(st), Why: "there is no such type",
		Tip: "types: file, s3, http, sam, or a program deployer-template-" + kind(st) + " on the path or in plugins/",
	}
	switch near, ok := nearest(kind(st), "file", "s3", "http", "sam"); {
	case near == kind(st):
		p.Why, p.Tip = "not plugged in", ""
	case ok:
		p.Tip = "did you mean type: " + near
	}
	return nil, p
}

func (l *Loader) format(st *stacks.Stack, raw Raw) (Format, error) {
	end := ending(raw.Name)
	if f, ok := l.formats[end]; ok {
		return f, nil
	}
	if end == ".py" {
		return nil, problem(st, raw.File, "templates in Python are not plugged in", "")
	}
	why := "a template's name ends in .yaml, .json, .template, .j2 or .py"
	if end != "" {
		why = "it ends in " + end + "; " + why
	}
	return nil, problem(st, raw.File, why, "")
}

// asIs takes the text as the body: CloudFormation reads YAML and JSON itself.
func asIs(_ context.Context, _ *stacks.Stack, raw Raw, _ stacks.Value) (Body, error) {
	return Body{Text: raw.Text, File: raw.File, Exact: true}, nil
}

// kind is the type of the stack's template; file where none is given.
func kind(st *stacks.Stack) string {
	if st.Template.Type == "" {
		return "file"
	}
	return st.Template.Type
}

// ending is the lower-case file ending of a path or address.
func ending(name string) string {
	if i := strings.IndexAny(name, "?#"); i >= 0 && strings.Contains(name, "://") {
		name = name[:i]
	}
	return strings.ToLower(path.Ext(name))
}

func problem(st *stacks.Stack, file, why, tip string) *stacks.Problem {
	return &stacks.Problem{Pos: st.Template.Pos, What: "template " + file, Why: why, Tip: tip}
}
