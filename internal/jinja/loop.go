package jinja

import (
	"errors"
	"slices"
)

func (x *forStmt) exec(r *run, s *scope) error {
	seq, err := r.eval(x.seq, s)
	if err != nil {
		return err
	}
	return x.run(r, s, seq, 0)
}

// run goes through seq; depth counts the calls of a recursive loop.
func (x *forStmt) run(r *run, s *scope, seq any, depth int) error {
	items, err := r.iterate(seq)
	if err != nil {
		return x.wrap(s, err)
	}
	if x.test != nil {
		items = &filteredItems{items: items, loop: x, run: r, scope: s}
		seq = nil
	}
	state := &loopState{r: r, seq: seq, items: items, index0: -1, depth0: depth, stmt: x, scope: s}
	for {
		more, err := x.step(r, s, state)
		if err != nil {
			return x.wrap(s, err)
		}
		if !more {
			break
		}
	}
	if !state.completed {
		return r.exec(x.els, s.inner())
	}
	return nil
}

// step does one iteration; false means the loop has ended.
func (x *forStmt) step(r *run, s *scope, state *loopState) (bool, error) {
	item, ok, err := state.advance()
	if !ok || err != nil {
		return false, err
	}
	body := s.inner()
	if x.usesLoop {
		body.set("loop", state)
	}
	if err := x.target.assign(r, body, item); err != nil {
		return false, err
	}
	depth := r.depth
	switch err := r.exec(x.body, body); {
	case err == nil:
		state.completed = true
		return true, nil
	case errors.Is(err, errContinue):
		r.depth = depth
		return true, nil
	case errors.Is(err, errBreak):
		r.depth = depth
		return false, nil
	default:
		return false, err
	}
}

// filteredItems are the items for which a loop's own condition holds. It
// does not see the loop variable.
type filteredItems struct {
	items iterator
	loop  *forStmt
	run   *run
	scope *scope
}

func (f *filteredItems) next() (any, bool, error) {
	for {
		item, ok, err := f.items.next()
		if !ok || err != nil {
			return nil, false, err
		}
		if err := f.run.spend(1); err != nil {
			return nil, false, err
		}
		s := f.scope.inner()
		if err := f.loop.target.assign(f.run, s, item); err != nil {
			return nil, false, err
		}
		v, err := f.run.eval(f.loop.test, s)
		if err != nil {
			return nil, false, err
		}
		if yes, err := f.run.truth(v); yes || err != nil {
			return item, yes, err
		}
	}
}

// loopState is the variable "loop".
type loopState struct {
	r      *run
	seq    any // what is gone through, if its length says how many items come
	items  iterator
	ahead  []any // items read before their turn
	index0 int
	size   int // with sized
	sized  bool
	depth0 int
	stmt   *forStmt
	scope  *scope

	// completed says that a body ran to its end. If none did, be it for a
	// break, Jinja2 runs the else part.
	completed bool

	before, current any
	changed         *[]any // what changed() was last called with
	failed          error  // met while looking ahead
}

// advance goes to the next item.
func (l *loopState) advance() (any, bool, error) {
	if l.failed != nil {
		return nil, false, l.failed
	}
	var item any
	if len(l.ahead) > 0 {
		item = l.ahead[0]
		l.ahead = l.ahead[1:]
	} else {
		var ok bool
		var err error
		if item, ok, err = l.items.next(); !ok || err != nil {
			return nil, false, err
		}
	}
	l.index0++
	l.before, l.current = l.current, item
	return item, true, l.r.spend(1)
}

// peek reads until n items wait, and tells whether they do.
func (l *loopState) peek(n int) bool {
	for len(l.ahead) < n && l.failed == nil {
		item, ok, err := l.items.next()
		if err == nil && ok {
			err = l.r.spend(1)
		}
		if err != nil {
			l.failed = err
		}
		if !ok {
			return false
		}
		l.ahead = append(l.ahead, item)
	}
	return l.failed == nil
}

func (l *loopState) length() int {
	if l.sized {
		return l.size
	}
	if n, ok := length(l.seq); ok {
		l.size = n
	} else {
		for l.peek(len(l.ahead) + 1) {
		}
		l.size = l.index0 + 1 + len(l.ahead)
	}
	l.sized = true
	return l.size
}

func (l *loopState) attribute(name string) (any, bool) {
	switch name {
	case "index":
		return int64(l.index0 + 1), true
	case "index0":
		return int64(l.index0), true
	case "first":
		return l.index0 == 0, true
	case "last":
		return !l.peek(1), true
	case "length":
		return int64(l.length()), true
	case "revindex":
		return int64(l.length() - l.index0), true
	case "revindex0":
		return int64(l.length() - l.index0 - 1), true
	case "depth":
		return int64(l.depth0 + 1), true
	case "depth0":
		return int64(l.depth0), true
	case "previtem":
		if l.index0 == 0 {
			return &undefined{hint: "there is no previous item"}, true
		}
		return l.before, true
	case "nextitem":
		if !l.peek(1) {
			return &undefined{hint: "there is no next item"}, true
		}
		return l.ahead[0], true
	case "cycle":
		return &function{"cycle", l.cycle}, true
	case "changed":
		return &function{"changed", l.hasChanged}, true
	}
	return nil, false
}

func (l *loopState) cycle(_ *run, a arguments) (any, error) {
	if len(a.pos) == 0 {
		return nil, fail("no items for cycling given")
	}
	return a.pos[l.index0%len(a.pos)], nil
}

func (l *loopState) hasChanged(r *run, a arguments) (any, error) {
	if l.changed != nil {
		same, err := r.equalItems(*l.changed, a.pos)
		if same || err != nil {
			return false, err
		}
	}
	values := slices.Clone(a.pos)
	l.changed = &values
	return true, nil
}

// call is loop(items) in a recursive loop.
func (l *loopState) call(r *run, a arguments) (any, error) {
	if !l.stmt.recursive {
		return nil, fail("The loop must have the 'recursive' marker to be called recursively.")
	}
	if len(a.pos) != 1 || len(a.named) > 0 {
		return nil, fail("loop() takes 1 argument (%d given)", len(a.pos)+len(a.named))
	}
	if err := r.enter(); err != nil {
		return nil, err
	}
	defer r.leave()
	return r.capture(func() error { return l.stmt.run(r, l.scope, a.pos[0], l.depth0+1) })
}
