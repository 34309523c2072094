package probe

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/deployer-cli/deployer/internal/flow"
	"github.com/deployer-cli/deployer/internal/steady"
)

// mercy is how long a look that has timed out is still waited for, so that what
// it started is gone when its reading is told.
const mercy = 500 * time.Millisecond

// finding is what a look found.
type finding struct {
	why     string // "" when all is well
	unknown bool
	changed time.Time
}

func good() finding { return finding{} }

func bad(format string, args ...any) finding { return finding{why: fmt.Sprintf(format, args...)} }

// blind is when nothing could be seen, for a reason of our own.
func blind(format string, args ...any) finding {
	return finding{why: fmt.Sprintf(format, args...), unknown: true}
}

// Once looks once. It takes no longer than p.Timeout, and a little to kill what
// was started, whatever the ports do: what gives no answer by then has failed,
// where it is AWS that gave none the reading is Unknown. So is one that ctx cuts
// short.
func Once(ctx context.Context, p steady.Probe, ports Ports) steady.Reading {
	r := steady.Reading{Probe: p.Name, At: ports.Clock.Now().UTC().Round(0)} // as it is read back from a journal
	begun := time.Now()
	bounded, cancel := context.WithTimeout(ctx, p.Timeout)
	defer cancel()
	answer := make(chan finding, 1)
	go func() { answer <- look(bounded, p, ports) }()
	f, ok := finding{}, true
	select {
	case f = <-answer:
	case <-bounded.Done():
		ok = false
	}
	r.Took = time.Since(begun)
	if !ok || f.why != "" && bounded.Err() != nil {
		f = silence(ctx, p)
	}
	if !ok {
		await(answer)
	}
	r.OK, r.Why, r.Unknown, r.Changed = f.why == "", f.why, f.unknown, f.changed
	return r
}

// silence is what is found where no answer came.
func silence(ctx context.Context, p steady.Probe) finding {
	switch {
	case ctx.Err() != nil:
		return blind("the look was cut short")
	case p.Alarm != "" || p.Stacks != "":
		return blind("AWS gave no answer within %s", p.Timeout)
	case len(p.Command) > 0:
		return bad("it was not done within %s", p.Timeout)
	}
	return bad("no answer within %s", p.Timeout)
}

func await(answer <-chan finding) {
	timer := time.NewTimer(mercy)
	defer timer.Stop()
	select {
	case <-answer:
	case <-timer.C:
	}
}

func look(ctx context.Context, p steady.Probe, ports Ports) finding {
	switch {
	case p.HTTP != nil && ports.Client != nil:
		return overHTTP(ctx, *p.HTTP, ports.Client)
	case p.TCP != "" && ports.Dial != nil:
		return overTCP(ctx, p.TCP, ports.Dial)
	case len(p.Command) > 0 && ports.Runner != nil:
		return byCommand(ctx, p.Command, ports.Runner)
	case p.Alarm != "" && ports.Alarms != nil:
		return ofAlarm(ctx, p.Alarm, ports.Alarms)
	case p.Stacks != "" && ports.Stacks != nil:
		return ofStacks(ctx, p.Stacks, ports.Stacks)
	}
	return blind("a probe of kind %s cannot be looked at here", p.Kind())
}

// Run looks at every probe on its own schedule, by the realm's clock, until ctx
// ends, and hands each reading to out: one after the other, never two at once,
// but not in the order of At. out must not block. The first look at each begins
// at once. A look that takes longer than Every delays the next one of its own
// probe and nothing else. When Run returns nothing is left running.
func Run(ctx context.Context, probes []steady.Probe, ports Ports, out func(steady.Reading)) {
	var mu sync.Mutex
	told := func(r steady.Reading) {
		mu.Lock()
		defer mu.Unlock()
		if ctx.Err() == nil {
			out(r)
		}
	}
	var wg sync.WaitGroup
	for _, p := range probes {
		wg.Go(func() { repeat(ctx, p, ports, told) })
	}
	wg.Wait()
}

// pace is between two looks where a clock does not wait: an error of its own
// must not become a busy loop.
const pace = 100 * time.Millisecond

func repeat(ctx context.Context, p steady.Probe, ports Ports, out func(steady.Reading)) {
	for ctx.Err() == nil {
		r := Once(ctx, p, ports)
		out(r)
		rest := r.At.Add(p.Every).Sub(ports.Clock.Now())
		if rest <= 0 {
			continue
		}
		if err := ports.Clock.Wait(ctx, min(rest, p.Every)); err != nil && flow.Pause(ctx, pace) != nil {
			return
		}
	}
}
