package awsconf

import (
	"context"
	"sync/atomic"
)

// yield is what a caller gives up while it waits, and takes back before it goes on.
// Nil gives up nothing.
type yield struct {
	rest func(change bool)
	back func(context.Context) error

	rests, taken atomic.Int64 // how often it gave up what it has to take back, and up to which of them it has
}

type yieldKey struct{}

// Yielding returns a context whose calls call rest when they begin to wait for the
// pace, or for another attempt after AWS refused one, and back before they send
// anything after that. Both may be called at any time and by several goroutines, and
// more often than needed; what back returns ends the call. What is looked at again
// anyway (Brief) yields nothing. Change tells that it is a change of a stack that
// waits, and not something that is read, or asked of another service.
func Yielding(ctx context.Context, rest func(change bool), back func(context.Context) error) context.Context {
	return context.WithValue(ctx, yieldKey{}, &yield{rest: rest, back: back})
}

func yieldOf(ctx context.Context) *yield {
	if brief, _ := ctx.Value(briefKey{}).(bool); brief {
		return nil
	}
	y, _ := ctx.Value(yieldKey{}).(*yield)
	return y
}

func (y *yield) idle(change bool) {
	if y != nil {
		y.rests.Add(1)
		y.rest(change)
	}
}

// resume takes back what was given up. The call's place under way is another's
// meanwhile: who is waited for may need it to end. Where it fails there is no place.
func (y *yield) resume(ctx context.Context, p *pacer) error {
	if y == nil {
		return nil
	}
	rests := y.rests.Load() // another call may rest while this one comes back
	rested := rests != y.taken.Load()
	if rested {
		p.stepAside()
	}
	err := y.back(ctx)
	switch {
	case err == nil && rested:
		y.taken.Store(rests)
		return p.stepBack(ctx)
	case err != nil && !rested:
		p.stepAside()
	}
	return err
}
