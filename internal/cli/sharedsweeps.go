package cli

import (
	"context"
	"sync"

	"github.com/deployer-cli/deployer/stacks"
)

// sharedSweeps lists stacks for all who ask at about the same time with one
// sweep. Nobody gets an answer from before they asked: who comes while a sweep is
// under way shares the next one.
type sharedSweeps struct {
	sweep func(context.Context, stacks.Access) ([]stacks.Live, error)

	mu     sync.Mutex
	places map[stacks.Access]*sweepPlace
}

type sweepPlace struct{ running, waiting *sweepRound }

// sweepRound is one sweep, made by the first who asked for it.
type sweepRound struct {
	before *sweepRound   // that has to end first
	done   chan struct{} // closed when the rest is set
	lives  []stacks.Live
	err    error
	left   bool // whoever made it left before it was done
}

// lives lists the stacks that a reaches, as they were after the call.
func (s *sharedSweeps) lives(ctx context.Context, a stacks.Access) ([]stacks.Live, error) {
	for {
		r, mine := s.join(a)
		if mine {
			s.make(ctx, a, r)
			return r.lives, r.err
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-r.done:
		}
		if !r.left {
			return r.lives, r.err
		}
	}
}

func (s *sharedSweeps) join(a stacks.Access) (r *sweepRound, mine bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.places == nil {
		s.places = map[stacks.Access]*sweepPlace{}
	}
	p := s.places[a]
	if p == nil {
		p = &sweepPlace{}
		s.places[a] = p
	}
	if p.waiting != nil {
		return p.waiting, false
	}
	p.waiting = &sweepRound{before: p.running, done: make(chan struct{})}
	return p.waiting, true
}

// make waits for the round before and sweeps.
func (s *sharedSweeps) make(ctx context.Context, a stacks.Access, r *sweepRound) {
	defer close(r.done)
	if r.before != nil {
		select {
		case <-ctx.Done():
		case <-r.before.done:
		}
		r.before = nil
	}
	gone := ctx.Err() != nil
	s.mu.Lock()
	s.places[a].waiting = nil
	if !gone {
		s.places[a].running = r
	}
	s.mu.Unlock()
	if gone {
		r.err, r.left = context.Cause(ctx), true
		return
	}
	r.lives, r.err = s.sweep(ctx, a)
	r.left = r.err != nil && ctx.Err() != nil
}
