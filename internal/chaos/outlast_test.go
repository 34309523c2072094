package chaos_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deployer-cli/deployer/internal/capsule"
	"github.com/deployer-cli/deployer/internal/chaos"
	"github.com/deployer-cli/deployer/internal/event"
	"github.com/deployer-cli/deployer/internal/steady"
	"github.com/deployer-cli/deployer/stacks"
)

// remote is a stack that is back, and a shared journal that cannot be asked for a while.
type remote struct {
	world1
	from, until time.Duration
	why         error
	slow        time.Duration // it is to say so
}

func (w *remote) silent() error {
	if since := time.Since(w.start); since >= w.from && since < w.until {
		_ = bubble{}.Wait(context.Background(), w.slow)
		return w.why
	}
	return nil
}

func (w *remote) Write(ctx context.Context, kind string, body any) error {
	if err := w.silent(); err != nil {
		return err
	}
	return w.world1.Write(ctx, kind, body)
}

func (w *remote) Refold(ctx context.Context) (*chaos.State, error) {
	if err := w.silent(); err != nil {
		return nil, err
	}
	return w.world1.Refold(ctx)
}

// TestOutlastsTheJournal: a bucket that does not answer, or credentials that have expired,
// end no watch; a journal that makes no sense does.
func TestOutlastsTheJournal(t *testing.T) {
	t.Parallel()
	expired := &stacks.UnknownError{What: "the AWS credentials have expired", Cause: errors.New("ExpiredToken")}
	for _, tt := range []struct {
		name string
		why  error
		ends bool
	}{
		{"expired", expired, true},
		{"damaged", &chaos.JournalError{Why: "it was changed"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(time.Until(at(120)))
				w := &remote{world1{d: broken(t), start: time.Now()}, 5 * time.Second, 3 * time.Minute, tt.why, 0}
				readings := make(chan steady.Reading)
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				go func() {
					for ctx.Err() == nil {
						// One of them changes what is known while nothing can be written down.
						ok := time.Since(w.start).Round(time.Second) != time.Minute
						select {
						case readings <- steady.Reading{Probe: "site", At: time.Now(), OK: ok}:
						case <-ctx.Done():
						}
						_ = bubble{}.Wait(ctx, 5*time.Second)
					}
				}()
				told := 0
				probes := []steady.Probe{{Name: "site", Role: steady.Steady, Every: 5 * time.Second, Timeout: 3 * time.Second, StableFor: 30 * time.Second}}
				watching := chaos.Watching{State: w.d.fold(), Probes: probes, Readings: readings, Every: 2 * time.Second}
				end, err := chaos.Watch(ctx, watching, w, w, bubble{}, event.Func(func(e event.Event) {
					if strings.Contains(e.Reason, "the break's journal cannot be reached now") {
						told++
					}
				}))
				if (err == nil) != tt.ends || tt.ends && (told != 1 || end.Finished == nil || !end.Equal()) {
					t.Errorf("told %d times: %v", told, err)
				}
			})
		})
	}
}

// TestLeavingIsNoTrouble: that somebody leaves while the journal is asked is not told as
// something of the journal.
func TestLeavingIsNoTrouble(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(at(120)))
		ctx, leave := context.WithCancelCause(t.Context())
		left := errors.New("left")
		w := &cutOff{remote: remote{world1: world1{d: broken(t), start: time.Now()}}, leave: func() { leave(left) }}
		watching := chaos.Watching{State: w.d.fold(), Readings: make(chan steady.Reading), Every: 2 * time.Second}
		_, err := chaos.Watch(ctx, watching, w, w, bubble{}, event.Func(func(e event.Event) {
			if strings.Contains(e.Reason, "journal") {
				t.Errorf("told: %s", e.Reason)
			}
		}))
		if !errors.Is(err, left) {
			t.Errorf("it ended with %v", err)
		}
	})
}

// cutOff is a journal that is being asked when somebody leaves.
type cutOff struct {
	remote
	leave func()
}

func (w *cutOff) Refold(context.Context) (*chaos.State, error) {
	w.leave()
	return nil, &stacks.UnknownError{What: "reading the journal was interrupted", Cause: context.Canceled}
}

// unlike is a stack that is back, and cannot be compared.
type unlike struct{ world1 }

func (w *unlike) Equal(context.Context, *chaos.Target) ([]capsule.Difference, error) {
	return nil, &stacks.UnknownError{What: "how the stack is", Cause: errors.New("no route to host")}
}

// TestOutlastsNothingElse: what else is not known ends the watch, and is not told as
// something of the journal.
func TestOutlastsNothingElse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(at(120)))
		w := &unlike{world1{d: broken(t), start: time.Now()}}
		readings := make(chan steady.Reading)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
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
		watching := chaos.Watching{State: w.d.fold(), Probes: probes, Readings: readings, Every: 2 * time.Second}
		_, err := chaos.Watch(ctx, watching, w, w, bubble{}, event.Func(func(e event.Event) {
			if strings.Contains(e.Reason, "journal") {
				t.Errorf("told: %s", e.Reason)
			}
		}))
		if _, unknown := errors.AsType[*stacks.UnknownError](err); !unknown {
			t.Errorf("it ended with %v", err)
		}
	})
}

// hidden is a stack that is back, and cannot be looked at for a while.
type hidden struct{ remote }

func (w *hidden) Refold(ctx context.Context) (*chaos.State, error) { return w.world1.Refold(ctx) }

func (w *hidden) Write(ctx context.Context, kind string, body any) error {
	return w.world1.Write(ctx, kind, body)
}

func (w *hidden) Look(ctx context.Context, s *chaos.State) (map[stacks.Path]chaos.Sight, error) {
	if err := w.silent(); err != nil {
		return nil, err
	}
	return w.world1.Look(ctx, s)
}

// TestAloneItDoesNotGoOnBlind: a watch that has no credentials, or no journal, ends after
// two minutes where nobody is there, and goes on where somebody is, or something is still
// to be sent or brought back. A network that is gone is nothing that it ends for, and a
// look that took long counts from when it has failed.
func TestAloneItDoesNotGoOnBlind(t *testing.T) {
	t.Parallel()
	expired := &stacks.UnknownError{What: "the AWS credentials have expired", Cause: errors.New("ExpiredToken")}
	for _, tt := range []struct {
		name   string
		alone  bool
		slow   time.Duration // every look
		until  time.Duration
		within time.Duration // it ends with what it does not know, 0 for never
	}{
		{"for ever", true, 0, 24 * time.Hour, 3 * time.Minute},
		{"for a minute", true, 0, time.Minute, 0},
		{"in one look", true, 3 * time.Minute, 3 * time.Minute, 0},
		{"somebody is there", false, 0, 30 * time.Minute, 0},
	} {
		for _, what := range []string{"journal", "stacks", "network"} {
			tt := tt // of this kind
			if what == "network" {
				tt.until, tt.within = min(tt.until, time.Hour), 0
			}
			t.Run(tt.name+", "+what, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					time.Sleep(time.Until(at(120)))
					r := remote{world1{d: broken(t), start: time.Now()}, 5 * time.Second, tt.until, expired, tt.slow}
					var w interface {
						chaos.Looker
						chaos.Book
					} = &r
					if what != "journal" {
						w = &hidden{r}
					}
					readings := make(chan steady.Reading)
					ctx, cancel := context.WithTimeout(t.Context(), 2*time.Hour)
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
					watching := chaos.Watching{State: r.d.fold(), Probes: probes, Readings: readings, Every: 2 * time.Second, Alone: func() bool { return tt.alone }, Barred: func(error) bool { return what == "stacks" }}
					told := 0
					end, err := chaos.Watch(ctx, watching, w, w, bubble{}, event.Func(func(e event.Event) {
						if e.Kind == event.Warning && strings.Contains(e.Reason, "now: ") {
							told++
						}
					}))
					if told > 1 {
						t.Errorf("told %d times", told)
					}
					_, unknown := errors.AsType[*stacks.UnknownError](err)
					if unknown != (tt.within > 0) || unknown && time.Since(r.start) > tt.within || !unknown && (err != nil || end.Finished == nil) {
						t.Errorf("after %s: %v", time.Since(r.start), err)
					}
				})
			})
		}
	}
}

// TestProbesOfAnyName: a probe is told when it changes, however it is called.
func TestProbesOfAnyName(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"site", "stacks", "journal", "late", "coming", "awaiting", "T0", "T6", "empty dev/web"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(time.Until(at(120)))
				plan := plan(step("dev/web", oldID))
				plan.Probes = []string{name}
				d := (&diary{t: t}).add(chaos.KindPlan, plan).add(chaos.KindClearance, chaos.Consent{Run: "r1", How: "typed"}).after(10).
					add(chaos.KindIntent, intent("t1")).add(chaos.KindAccepted, accepted("t1", 11)).after(50).
					add(chaos.KindObserved, chaos.Observed{Stack: "dev/web", StackID: oldID, Status: stacks.DeleteComplete, At: at(60)})
				w := &apart{world1{d: d, start: time.Now()}, true}
				readings := make(chan steady.Reading)
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute)
				defer cancel()
				go func() {
					for ctx.Err() == nil {
						select {
						case readings <- steady.Reading{Probe: name, At: time.Now(), Why: "refused"}:
						case <-ctx.Done():
						}
						_ = bubble{}.Wait(ctx, 5*time.Second)
					}
				}()
				told, late := 0, 0
				probes := []steady.Probe{{Name: name, Role: steady.Steady, Every: 5 * time.Second, Timeout: 3 * time.Second, StableFor: 30 * time.Second}}
				watching := chaos.Watching{State: w.d.fold(), Probes: probes, Readings: readings, Every: 2 * time.Second, Run: "r1", Missed: func() { late++ }}
				_, err := chaos.Watch(ctx, watching, w, w, bubble{}, event.Func(func(e event.Event) {
					if e.Kind == event.Probe && e.Resource == name {
						told++
					}
				}))
				if !errors.Is(err, context.DeadlineExceeded) || told != 1 || late != 1 {
					t.Errorf("told %d times, late %d times: %v", told, late, err)
				}
			})
		})
	}
}
