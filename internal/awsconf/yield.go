package awsconf

import "context"

// yield is what a caller gives up while it waits, and takes back before it goes on.
// Nil gives up nothing.
type yield struct {
	rest func()
	back func(context.Context) error
}

type yieldKey struct{}

// Yielding returns a context whose calls call rest when they begin to wait for the
// pace, or for another attempt after AWS refused one, and back before they send
// anything after that. Both may be called at any time and by several goroutines, and
// more often than needed; what back returns ends the call. What is looked at again
// anyway (Brief) yields nothing.
func Yielding(ctx context.Context, rest func(), back func(context.Context) error) context.Context {
	return context.WithValue(ctx, yieldKey{}, &yield{rest, back})
}

func yieldOf(ctx context.Context) *yield {
	if brief, _ := ctx.Value(briefKey{}).(bool); brief {
		return nil
	}
	y, _ := ctx.Value(yieldKey{}).(*yield)
	return y
}

func (y *yield) idle() {
	if y != nil {
		y.rest()
	}
}

func (y *yield) resume(ctx context.Context) error {
	if y == nil {
		return nil
	}
	return y.back(ctx)
}
