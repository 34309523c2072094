package chaos_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deployer-cli/deployer/internal/capsule"
	"github.com/deployer-cli/deployer/internal/chaos"
	"github.com/deployer-cli/deployer/internal/event"
	"github.com/deployer-cli/deployer/internal/steady"
	"github.com/deployer-cli/deployer/stacks"
)

// apart is one stack that comes back at a time of its own, while users are well.
type apart struct {
	world1

	never bool
}

func (w *apart) Look(context.Context, *chaos.State) (map[stacks.Path]chaos.Sight, error) {
	if w.never || time.Since(w.start) < w.back {
		return map[stacks.Path]chaos.Sight{"dev/web": {}}, nil
	}
	at := w.start.Add(w.back)
	return map[stacks.Path]chaos.Sight{"dev/web": {ID: newID, Status: stacks.CreateComplete, Begun: at, Since: at}}, nil
}

func (w *apart) watch(t *testing.T) *chaos.State {
	t.Helper()
	readings := make(chan steady.Reading)
	ctx, cancel := context.WithTimeout(t.Context(), 24*time.Hour)
	defer cancel()
	go func() {
		for ctx.Err() == nil {
			select {
			case readings <- steady.Reading{Probe: "site", At: time.Now(), OK: true}:
			case <-ctx.Done():
			}
			_ = bubble{}.Wait(ctx, 5*time.Second)
		}
	}()
	probes := []steady.Probe{{Name: "site", Role: steady.Steady, Every: 5 * time.Second, Timeout: 3 * time.Second, StableFor: 30 * time.Second}}
	end, err := chaos.Watch(ctx, chaos.Watching{State: w.d.fold(), Probes: probes, Readings: readings, Every: 2 * time.Second}, w, w, bubble{}, event.Func(func(event.Event) {}))
	if err != nil {
		t.Fatal(err)
	}
	return end
}

// TestEndsOnceUsersAreBack: a break is closed when T7 is stamped. What comes back soon
// after is still compared; what stays away is a difference, and keeps nobody waiting.
func TestEndsOnceUsersAreBack(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name        string
		back        time.Duration
		never       bool
		from, until time.Duration
		differences []capsule.Difference
	}{
		{"with its users", time.Second, false, 30 * time.Second, time.Minute, []capsule.Difference{}},
		{"soon after", 5 * time.Minute, false, 5 * time.Minute, 6 * time.Minute, []capsule.Difference{}},
		{"never", 0, true, 10 * time.Minute, 12 * time.Minute, []capsule.Difference{{What: "the stack", Was: "dev-web"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(time.Until(at(120)))
				w := &apart{world1{d: broken(t), start: time.Now(), back: tt.back}, tt.never}
				end := w.watch(t)
				took := time.Since(w.start)
				got := end.Targets["dev/web"].Differences
				if took < tt.from || took > tt.until || end.Finished == nil || end.Equal() == tt.never || len(got) != len(tt.differences) || len(got) > 0 && got[0] != tt.differences[0] {
					t.Fatalf("ended after %s with %+v: %+v", took, end.Finished, got)
				}
				if !tt.never {
					return
				}
				// Recovered after its end: it is compared then.
				w.never, w.back = false, 0
				if end = w.watch(t); !end.Equal() || !end.Stamps[chaos.T8].Recorded() {
					t.Errorf("recovered later: %+v", end.Targets["dev/web"])
				}
			})
		})
	}
}

// TestComparedAfterACrash: what came back after the end is compared, also where whoever saw
// that died before he could.
func TestComparedAfterACrash(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(at(120)))
		w := &apart{world1{d: broken(t), start: time.Now()}, true}
		if end := w.watch(t); end.Finished == nil || len(end.Broken()) == 0 {
			t.Fatalf("%+v", end.Finished)
		}
		w.never = false
		w.d.now = int(time.Since(at(0)).Seconds())
		w.d.add(chaos.KindObserved, rebuilt(newID, stacks.CreateComplete, w.d.now))
		if st := w.d.fold(); len(st.Broken()) > 0 || !st.Uncompared() {
			t.Fatalf("%v", st.Broken())
		}
		if end := w.watch(t); !end.Equal() || end.Uncompared() {
			t.Errorf("%+v", end.Targets["dev/web"])
		}
	})
}
