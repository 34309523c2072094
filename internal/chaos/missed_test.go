package chaos_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deployer-cli/deployer/internal/capsule"
	"github.com/deployer-cli/deployer/internal/chaos"
	"github.com/deployer-cli/deployer/internal/event"
	"github.com/deployer-cli/deployer/internal/record"
	"github.com/deployer-cli/deployer/stacks"
)

// process is one of several that watch one break, of which nothing comes back.
type process struct {
	mu  *sync.Mutex
	d   *diary
	run string
}

// Write takes a while for notes: whoever writes one has looked before the others wrote.
func (p process) Write(_ context.Context, kind string, body any) error {
	if kind == chaos.KindNote {
		time.Sleep(time.Second)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	e, err := record.Next(&p.d.entries[len(p.d.entries)-1], time.Now(), p.run, kind, body)
	if err == nil {
		p.d.entries = append(p.d.entries, e)
	}
	return err
}

func (p process) Refold(context.Context) (*chaos.State, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return chaos.Fold(p.d.entries)
}

func (process) Equal(context.Context, *chaos.Target) ([]capsule.Difference, error) { return nil, nil }

func (process) Look(context.Context, *chaos.State) (map[stacks.Path]chaos.Sight, error) {
	return map[stacks.Path]chaos.Sight{"dev/web": {}}, nil
}

// TestMissedIsToldOnce: that the objective has passed is told to the world by one of all
// who watch, whoever notices it first, and by nobody who comes later.
func TestMissedIsToldOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(at(120)))
		d := broken(t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		var mu sync.Mutex
		var told atomic.Int64
		watch := func(run string) {
			p := process{&mu, d, run}
			s, err := p.Refold(ctx)
			if err != nil {
				t.Error(err)
				return
			}
			watching := chaos.Watching{State: s, Every: time.Minute, Run: run, Missed: func() { told.Add(1) }}
			if _, err := chaos.Watch(ctx, watching, p, p, bubble{}, event.Func(func(event.Event) {})); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: %v", run, err)
			}
		}
		var all sync.WaitGroup
		for i := range 3 {
			all.Go(func() { watch(fmt.Sprintf("r%d", i)) })
		}
		all.Go(func() {
			_ = bubble{}.Wait(ctx, 30*time.Minute)
			watch("late")
		})
		all.Wait()
		if s := d.fold(); told.Load() != 1 || s.MissedRun == "" || s.MissedRun == "late" {
			t.Errorf("told %d times; by %q, says the journal", told.Load(), s.MissedRun)
		}
	})
}
