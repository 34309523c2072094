package jinja

import (
	"errors"
	"io/fs"
	"strings"
)

// maxEvalDepth bounds the recursion of evaluation itself, so that no input
// can overflow the stack.
const maxEvalDepth = 10_000

// Jumps out of a loop travel as errors.
var (
	errBreak    = errors.New("break outside loop")
	errContinue = errors.New("continue outside loop")
)

func isLoopJump(err error) bool { return errors.Is(err, errBreak) || errors.Is(err, errContinue) }

// run is the state of one Render: what may still be spent, where output
// goes, and what was loaded.
type run struct {
	env      *Environment
	steps    int // left
	depth    int // of evaluation
	calls    int // of macros, includes and such in each other
	out      *strings.Builder
	loaded   map[string]*template
	modules  map[*template]*module
	usedLate bool
}

func newRun(e *Environment) *run {
	return &run{env: e, steps: e.opts.Limits.Steps}
}

// render evaluates the template called by the user.
func (r *run) render(t *template, vars *Dict) (string, error) {
	base := &scope{vars: vars, tmpl: t}
	return r.capture(func() error {
		return r.root(t, newContext(t, base))
	})
}

// capture gives what f prints.
func (r *run) capture(f func() error) (string, error) {
	outer := r.out
	r.out = &strings.Builder{}
	err := f()
	text := r.out.String()
	r.out = outer
	return text, err
}

// print adds text to the output.
func (r *run) print(text string) error {
	if r.out.Len()+len(text) > r.env.opts.Limits.Output {
		return failLimit("the output is longer than the limit of %d bytes", r.env.opts.Limits.Output)
	}
	r.out.WriteString(text)
	return r.spend(len(text) / 16)
}

// spend pays for n units of work.
func (r *run) spend(n int) error {
	if r.steps -= n; r.steps < 0 || n < 0 {
		r.steps = -1
		return failLimit("the template does more than the limit of %d steps", r.env.opts.Limits.Steps)
	}
	return nil
}

// checkSize pays for a text of n bytes before it is made.
func (r *run) checkSize(n int) error {
	if err := r.fits(n); err != nil {
		return err
	}
	return r.spend(n / 16)
}

// fits tells whether a text of n bytes is within the limit. A text that
// grows is checked by it step by step and paid for once.
func (r *run) fits(n int) error {
	if n < 0 || n > r.env.opts.Limits.Output {
		return failLimit("a text is longer than the limit of %d bytes", r.env.opts.Limits.Output)
	}
	return r.spend(1)
}

// eval evaluates x; every evaluation of a part goes through here.
func (r *run) eval(x expr, s *scope) (any, error) {
	if r.depth++; r.depth > maxEvalDepth {
		return nil, failLimit("the template calls itself or nests too deeply")
	}
	r.steps--
	v, err := x.eval(r, s)
	r.depth--
	return v, err
}

// exec executes the statements of a body.
func (r *run) exec(body []stmt, s *scope) error {
	if r.depth++; r.depth > maxEvalDepth {
		return failLimit("the template calls itself or nests too deeply")
	}
	if err := r.spend(1 + len(body)); err != nil {
		return err
	}
	for _, st := range body {
		if err := st.exec(r, s); err != nil {
			r.depth--
			return err
		}
	}
	r.depth--
	return nil
}

// enter counts a call of a macro, template, block or recursive loop; each
// needs a leave.
func (r *run) enter() error {
	if r.calls++; r.calls > r.env.opts.Limits.Depth {
		return failLimit("macros, includes or blocks call each other more than %d levels deep", r.env.opts.Limits.Depth)
	}
	return r.spend(1)
}

func (r *run) leave() { r.calls-- }

// loadCost is the price of asking the loader, which may read a file.
const loadCost = 100

// load finds and parses another template.
func (r *run) load(name string) (*template, error) {
	if t := r.loaded[name]; t != nil {
		return t, nil
	}
	if err := r.spend(loadCost); err != nil {
		return nil, err
	}
	if r.env.opts.Loader == nil {
		return nil, &failure{kind: KindNotFound, msg: name}
	}
	source, err := r.env.opts.Loader.Load(name)
	if err != nil {
		kind := KindRuntime
		if errors.Is(err, fs.ErrNotExist) {
			kind = KindNotFound
		}
		return nil, &failure{kind: kind, msg: "cannot load " + reprString(name) + ": " + err.Error(), cause: err}
	}
	t, err := r.env.parse(name, source)
	if err != nil {
		return nil, err
	}
	if r.loaded == nil {
		r.loaded = make(map[string]*template)
	}
	r.loaded[name] = t
	return t, nil
}
