package cli

import (
	"context"
	"fmt"
	"sync"

	"github.com/deployer-cli/deployer/internal/jinja"
	"github.com/deployer-cli/deployer/stacks"
)

// varsDict is what --var and --var-file give.
type varsDict = *jinja.Dict

// outputs answers resolvers that ask for another stack's output. What it
// answers depends on the phase: nothing is known while the graph is made; while
// planning, what the plan does not change; while running, what has landed.
type outputs struct {
	mu     sync.RWMutex
	landed map[stacks.Path]*stacks.Live
	known  func(producer stacks.Path, key string) (value string, ok bool) // while planning; nil otherwise
	live   func(ctx context.Context, producer *stacks.Stack) (*stacks.Live, error)
}

func newOutputs() *outputs { return &outputs{landed: map[stacks.Path]*stacks.Live{}} }

// land says how a stack looks now.
func (o *outputs) land(p stacks.Path, live *stacks.Live) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.landed[p] = live
}

// landedAs gives how a stack looks after its step, nil before it.
func (o *outputs) landedAs(p stacks.Path) *stacks.Live {
	o.mu.RLock()
	defer o.mu.RUnlock()
	return o.landed[p]
}

// has tells whether a stack has landed.
func (o *outputs) has(p stacks.Path) bool {
	o.mu.RLock()
	defer o.mu.RUnlock()
	_, ok := o.landed[p]
	return ok
}

// Output implements resolve.Outputs.
func (o *outputs) Output(ctx context.Context, consumer, producer *stacks.Stack, key string) (stacks.Value, error) {
	o.mu.RLock()
	live, landed := o.landed[producer.Path]
	known, read := o.known, o.live
	o.mu.RUnlock()
	if !landed && known != nil {
		if value, ok := known(producer.Path, key); ok {
			return stacks.String(value), nil
		}
	}
	if !landed && read != nil {
		var err error
		if live, err = read(ctx, producer); err != nil {
			return stacks.Value{}, err
		}
		landed = live != nil
	}
	if !landed {
		return stacks.Later(fmt.Sprintf("%s of %s", key, producer.Path), producer.Path), nil
	}
	value, ok := live.Output(key)
	if !ok {
		return stacks.Value{}, &stacks.Problem{
			Pos:  consumer.Pos,
			What: fmt.Sprintf("%s needs the output %s of %s", consumer.Path, key, producer.Path),
			Why:  fmt.Sprintf("the live stack %s has no such output", live.Name),
			Tip:  "look at: deployer list outputs " + string(producer.Path),
		}
	}
	return stacks.String(value), nil
}
