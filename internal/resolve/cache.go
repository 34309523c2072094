package resolve

import (
	"context"
	"errors"
	"sync"

	"github.com/deployer-cli/deployer/stacks"
)

// source names one value of the world outside.
type source struct {
	kind   string
	access stacks.Access
	name   string
	key    string
}

// answer is a value on its way, or there.
type answer struct {
	done   chan struct{}
	text   string
	secret bool
	err    error
}

// cache asks for every source once, however many ask at the same time. Errors
// are not kept: the next one to ask tries again.
type cache struct {
	mu      sync.Mutex
	answers map[source]*answer
}

// get answers from the cache, or by fetch. Who waits for another's fetch
// stops waiting when its own context ends.
func (c *cache) get(ctx context.Context, from source, fetch func(context.Context) (string, bool, error)) (string, bool, error) {
	for {
		a, mine := c.claim(from)
		if mine {
			a.text, a.secret, a.err = fetch(ctx)
			if a.err != nil {
				c.drop(from)
			}
			close(a.done)
			return a.text, a.secret, a.err
		}
		select {
		case <-a.done:
		case <-ctx.Done():
			return "", false, context.Cause(ctx)
		}
		if a.err == nil || ctx.Err() != nil {
			return a.text, a.secret, a.err
		}
		if !isEnd(a.err) {
			return "", false, a.err
		}
		// The one who asked gave up; that is not our answer.
	}
}

// claim returns the answer to from, and whether the caller has to fetch it.
func (c *cache) claim(from source) (*answer, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if a, ok := c.answers[from]; ok {
		return a, false
	}
	if c.answers == nil {
		c.answers = map[source]*answer{}
	}
	a := &answer{done: make(chan struct{})}
	c.answers[from] = a
	return a, true
}

func (c *cache) drop(from source) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.answers, from)
}

// isEnd tells whether an error only says that somebody stopped waiting.
func isEnd(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
