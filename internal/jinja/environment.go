package jinja

import (
	"math/rand/v2"
	"strings"
	"sync"
)

// Loader finds the source of templates that are included, imported or
// extended. Names are handed over as the template wrote them. An error that
// wraps fs.ErrNotExist counts as a missing template for "ignore missing" and
// for lists of names.
type Loader interface {
	Load(name string) (string, error)
}

// Options are the settings of an Environment; the zero value has Jinja2's
// defaults.
type Options struct {
	Loader              Loader // nil: no template can be included
	TrimBlocks          bool
	LstripBlocks        bool
	KeepTrailingNewline bool
	NewlineSequence     string // "" means "\n"

	// Delimiters; an empty one keeps Jinja2's default.
	BlockStart, BlockEnd       string
	VariableStart, VariableEnd string
	CommentStart, CommentEnd   string

	// Rand picks for the random filter, 0 <= answer < n. Nil is not seeded.
	Rand func(n int) int

	Limits Limits
}

// Limits bound what one Render may cost; a zero field has its default.
type Limits struct {
	Output int // bytes of output and of any one text, default 16 MiB
	Steps  int // units of work, default 10 million
	Depth  int // calls of macros, includes and such in each other, default 200
}

const (
	defaultOutput = 16 << 20
	defaultSteps  = 10_000_000
	defaultDepth  = 200
	maxCached     = 4096 // parsed templates kept
)

// Environment renders templates. It is safe for concurrent use and keeps
// what it parsed.
type Environment struct {
	opts  Options
	known *builtins

	mu     sync.Mutex
	parsed map[cacheKey]*template
}

// builtins are the tables of what templates can use without defining it.
type builtins struct {
	filters, tests          map[string]*filter
	text, list, tuple, dict methods
	globals                 map[string]*function
}

// sharedBuiltins makes the tables once. They are only read, and a project has
// an Environment for every folder.
var sharedBuiltins = sync.OnceValue(func() *builtins { //nolint:gochecknoglobals // never changes
	return &builtins{
		filters: builtinFilters(), tests: builtinTests(),
		text: textMethods(), list: listMethods(), tuple: tupleMethods(), dict: dictMethods(),
		globals: globals(),
	}
})

type cacheKey struct{ name, source string }

// New makes an Environment. Delimiters that cannot be told apart are
// reported by the first Render.
func New(opts Options) *Environment {
	opts = opts.withDefaults()
	return &Environment{opts: opts, known: sharedBuiltins(), parsed: make(map[cacheKey]*template)}
}

func (o Options) withDefaults() Options {
	setDefault(&o.BlockStart, "{%")
	setDefault(&o.BlockEnd, "%}")
	setDefault(&o.VariableStart, "{{")
	setDefault(&o.VariableEnd, "}}")
	setDefault(&o.CommentStart, "{#")
	setDefault(&o.CommentEnd, "#}")
	setDefault(&o.NewlineSequence, "\n")
	setDefault(&o.Limits.Output, defaultOutput)
	setDefault(&o.Limits.Steps, defaultSteps)
	setDefault(&o.Limits.Depth, defaultDepth)
	if o.Rand == nil {
		o.Rand = rand.IntN
	}
	return o
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Render evaluates source with the variables vars, which may be nil and is
// not changed. name stands in errors. The error is an *Error.
func (e *Environment) Render(name, source string, vars *Dict) (string, error) {
	out, _, err := e.RenderNoting(name, source, vars)
	return out, err
}

// RenderNoting renders as Render does, and tells whether the outcome depends
// on a Late value: one was printed or took part in an operation.
func (e *Environment) RenderNoting(name, source string, vars *Dict) (out string, usedLate bool, err error) {
	if !e.hasTags(source) && len(source) <= e.opts.Limits.Output {
		return e.plainText(source), false, nil
	}
	t, err := e.parse(name, source)
	if err != nil {
		return "", false, err
	}
	r := newRun(e)
	out, err = r.render(t, vars)
	if err != nil {
		return "", r.usedLate, t.at(0, err)
	}
	return out, r.usedLate, nil
}

// Check parses source without rendering it.
func (e *Environment) Check(name, source string) error {
	_, err := e.parse(name, source)
	return err
}

func (e *Environment) hasTags(source string) bool {
	return strings.Contains(source, e.opts.BlockStart) ||
		strings.Contains(source, e.opts.VariableStart) ||
		strings.Contains(source, e.opts.CommentStart)
}

// plainText is what a template without any tag renders to.
func (e *Environment) plainText(source string) string {
	return e.newlines(e.normalize(source))
}

// normalize makes every line end "\n" and drops the last one, as Jinja2 does
// before it looks at anything else.
func (e *Environment) normalize(source string) string {
	source = unixNewlines(source)
	if !e.opts.KeepTrailingNewline {
		source = strings.TrimSuffix(source, "\n")
	}
	return source
}

func unixNewlines(s string) string {
	if strings.IndexByte(s, '\r') < 0 {
		return s
	}
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
}

// newlines puts the configured line end into template text.
func (e *Environment) newlines(text string) string {
	if e.opts.NewlineSequence == "\n" {
		return text
	}
	return strings.ReplaceAll(text, "\n", e.opts.NewlineSequence)
}

// parse answers from the cache where it can. Two goroutines may parse the
// same source at once; the outcome is the same.
func (e *Environment) parse(name, source string) (*template, error) {
	key := cacheKey{name, source}
	e.mu.Lock()
	t := e.parsed[key]
	e.mu.Unlock()
	if t != nil {
		return t, nil
	}
	t, err := e.parseSource(name, source)
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.parsed) >= maxCached {
		clear(e.parsed)
	}
	e.parsed[key] = t
	return t, nil
}

func (e *Environment) parseSource(name, source string) (*template, error) {
	t := &template{name: name, source: e.normalize(source)}
	if len(source) > e.opts.Limits.Output {
		return nil, t.at(0, failLimit("the template has %d bytes, more than the limit of %d", len(source), e.opts.Limits.Output))
	}
	if msg := e.opts.ambiguous(); msg != "" {
		return nil, t.at(0, syntaxFailure("%s", msg))
	}
	tokens, err := lex(&e.opts, t)
	if err != nil {
		return nil, err
	}
	if err := parseTemplate(e, t, tokens); err != nil {
		return nil, err
	}
	return t, nil
}
