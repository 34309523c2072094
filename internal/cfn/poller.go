package cfn

import (
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/deployer-cli/deployer/internal/awsconf"
	"github.com/deployer-cli/deployer/stacks"
)

const (
	defaultPollInterval = 250 * time.Millisecond
	defaultPollMax      = 5 * time.Second
	defaultPatience     = 2 * time.Minute

	rarest      = 30 * time.Second // between two looks, whatever happens
	again       = 10 * time.Second // after one that failed, so that what is mended is soon seen
	early       = 0.8              // of the time that a stack is expected to take: from then on it is looked at closely,
	late        = 1.2              // until then,
	closely     = 100              // and this many times within it
	uneven      = 10               // of the time between two looks, the part that chance decides
	slowest     = 2                // times PollMax between two looks, to save calls
	extras      = 0.5              // of what watching may cost, up to which more is read than results need
	thrifty     = 0.75             // of it, from which on looks become rarer
	readers     = 8                // stacks looked at more closely at the same time
	generous    = 50               // operations up to which calls are not counted
	ending      = 5 * time.Second  // what a stack takes to end at the most, usually, once its resources have
	alone       = 2                // stacks that are watched whatever it costs: they cannot cost much
	few         = 5                // stacks that are looked at more often than they need be
	several     = 20               // operations up to which everything is read
	spare       = 300              // calls that watching may cost beyond that,
	perStack    = 2                // and so many more per operation,
	perCall     = 10 * time.Second // and one more in every such time
	firstPages  = 2                // what a sweep is taken to cost before the first
	eventEvery  = 4                // times PollInterval between two looks at the same stack's progress, at least
	eventShare  = 2                // stacks for each of PollInterval between two looks at the same one's progress
	maxNotFound = 30 * time.Second // how long a stack may be missing before it is gone
)

// ledger counts what watching has cost one spot, over the life of the Cloud.
type ledger struct {
	opened            time.Time
	operations, calls atomic.Int64
}

// spent is how much of what watching may cost is used up. A chain of stacks, one
// after the other, may cost more: there it is time that counts, and no limit of
// AWS's is near.
func (l *ledger) spent() float64 {
	if l.operations.Load() <= generous {
		return 0
	}
	return l.used()
}

func (l *ledger) used() float64 {
	allowed := spare + perStack*float64(l.operations.Load()) + time.Since(l.opened).Seconds()/perCall.Seconds()
	return float64(l.calls.Load()) / allowed
}

// frugal tells whether only what is needed for a result may be read.
func (l *ledger) frugal() bool { return l.operations.Load() > several && l.used() >= extras }

// poller looks at the running stacks of one spot for all who watch them. Its fields
// belong to its goroutine, but for watchers, which the Cloud's lock
// guards.
type poller struct {
	cloud  *Cloud
	spot   spot
	ledger *ledger
	cancel context.CancelFunc
	wake   chan struct{} // somebody joined

	watchers map[*watcher]struct{}

	interval time.Duration
	lookAt   time.Time
	dice     *rand.Rand
	looked   time.Time                   // when the look began that goes on, or the last
	pages    int                         // what the last sweep cost
	lists    stacks.Access               // what the last sweep was made with
	noSweep  map[stacks.Access]bool      // those that may not list stacks
	noGone   map[stacks.Access]bool      // those that may not list deleted ones
	swept    bool                        // this look listed the stacks
	bad      map[stacks.Access]time.Time // those whose last look failed, and since when their credentials are bad
}

// newPoller is called with the Cloud's lock held.
func newPoller(c *Cloud, at spot, cancel context.CancelFunc) *poller {
	l, ok := c.ledgers[at]
	if !ok {
		l = &ledger{opened: time.Now()}
		c.ledgers[at] = l
	}
	return &poller{
		cloud: c, spot: at, ledger: l, cancel: cancel,
		wake: make(chan struct{}, 1), watchers: make(map[*watcher]struct{}),
		interval: c.opts.PollInterval, pages: firstPages, dice: diceOf(c.opts.Run, at),
		noSweep: make(map[stacks.Access]bool), noGone: make(map[stacks.Access]bool), bad: make(map[stacks.Access]time.Time),
	}
}

// run looks again and again until there is nobody left to tell.
func (p *poller) run(ctx context.Context) {
	if next, all := p.schedule(p.cloud.watching(p)); all {
		p.interval = next
	}
	p.lookAt = time.Now().Add(p.jittered(p.interval))
	timer := time.NewTimer(time.Until(p.lookAt))
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.wake: // look soon, but not at once: the newcomer has only just begun
			p.soon(p.greet())
		case <-timer.C:
			p.interval = p.look(ctx)
			p.lookAt = time.Now().Add(p.jittered(p.interval))
		}
		timer.Reset(time.Until(p.lookAt))
	}
}

// jittered makes d a little shorter, by chance, so that runs which began together, and
// places of one run, do not all ask at the same moments.
func (p *poller) jittered(d time.Duration) time.Duration {
	return d - time.Duration(p.dice.Float64()*float64(min(d/uneven, p.cloud.opts.PollInterval/2)))
}

// diceOf are the same for the same run and place.
func diceOf(run string, at spot) *rand.Rand {
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%s %+v", run, at)
	return rand.New(rand.NewPCG(h.Sum64(), 0)) //nolint:gosec // chance, not secrecy
}

// greet tells when to look after somebody joined.
func (p *poller) greet() time.Duration {
	watchers := p.cloud.watching(p)
	next, all := p.schedule(watchers)
	if all {
		return next
	}
	return p.floor(len(watchers))
}

// soon moves the next look to d from now, unless it comes sooner anyway.
func (p *poller) soon(d time.Duration) {
	if at := time.Now().Add(d); at.Before(p.lookAt) {
		p.interval, p.lookAt = d, at
	}
}

// floor is the shortest interval for n watchers: the dearer a look, the rarer.
func (p *poller) floor(n int) time.Duration {
	most, spent := p.cloud.opts.PollMax, p.ledger.spent()
	if n <= alone {
		spent = 0 // a chain, in which each stack is waited for
	}
	if spent >= 1 {
		return min(rarest, time.Duration(min(spent, slowest)*float64(most)))
	}
	least := min(most, p.cloud.opts.PollInterval*time.Duration(max(1, min(n, p.pages))))
	if over := (spent - thrifty) / (1 - thrifty); over > 0 {
		least += time.Duration(over * float64(most-least))
	}
	return least
}

// look reads the status of every watched stack, tells the watchers, and returns
// how long to wait until the next look.
func (p *poller) look(ctx context.Context) time.Duration {
	watchers := slices.DeleteFunc(p.cloud.watching(p), func(w *watcher) bool { return w.done })
	slices.SortFunc(watchers, func(a, b *watcher) int { return cmp.Compare(a.op.StackID, b.op.StackID) })
	if len(watchers) == 0 {
		return p.interval
	}
	p.looked = time.Now()
	due := p.due(watchers)
	for _, w := range due {
		w.lookedAt = p.looked
	}
	found, whole, err := p.read(ctx, due)
	changed, worked, failed := p.consider(ctx, due, found, whole)
	if err != nil {
		failed[p.lists] = err
	}
	if p.swept {
		worked[p.lists] = true
	}
	if len(failed) > 0 && ctx.Err() != nil {
		return p.interval // it failed because everybody left
	}
	p.trouble(worked, failed, watchers)
	next, all := p.schedule(watchers)
	floor := p.floor(len(watchers))
	switch {
	case len(failed) > 0 && all:
		return min(again, max(min(p.interval, next), floor)*2)
	case len(failed) > 0:
		return min(again, max(p.interval, floor)*2)
	case all:
		return next
	case changed:
		return min(next, floor)
	}
	return min(next, p.aim(max(floor, min(p.cloud.opts.PollMax, time.Duration(float64(p.interval)*slower(len(watchers))))), floor, watchers))
}

// due leaves out those whose end is not to be expected yet, where each is looked at
// by its id.
func (p *poller) due(watchers []*watcher) []*watcher {
	if len(watchers) > p.pages {
		return watchers
	}
	soon := p.looked.Add(p.cloud.opts.PollInterval / 2)
	return slices.DeleteFunc(slices.Clone(watchers), func(w *watcher) bool {
		_, bad := p.bad[w.op.Access] // of which has to be seen whether it gets better
		return w.due.After(soon) && !bad
	})
}

// slower is how much longer the next interval is where nothing happened: by a
// tenth of the time waited so far, by half of that for few stacks.
func slower(watchers int) float64 {
	if watchers <= few {
		return 1.05
	}
	return 1.1
}

// aim makes the next look come sooner where a stack is about to end, as far as
// is known of it: it begins a little before that and stays for a while, and is
// the closer the quicker the stack. One of few whose resources have all ended is
// looked at as often as may be.
func (p *poller) aim(interval, floor time.Duration, watchers []*watcher) time.Duration {
	now := time.Now()
	for _, w := range watchers {
		if !w.done && !w.foreseen && len(watchers) <= few && w.tail.settled() && now.Sub(w.settledAt) < ending {
			return floor
		}
		if w.done || w.foreseen || w.op.Expected == 0 {
			continue
		}
		from := w.began.Add(time.Duration(float64(w.op.Expected) * early))
		until := w.began.Add(time.Duration(float64(w.op.Expected) * late))
		near := max(floor, w.op.Expected/closely)
		switch {
		case now.Before(from):
			interval = min(interval, max(near, from.Sub(now)))
		case now.Before(until):
			interval = min(interval, near)
		}
	}
	return interval
}

// read gets the watched stacks, by id, by the ways that cost fewer calls.
// whole tells that what was not found is not in any listing. Whatever was read
// before an error counts.
func (p *poller) read(ctx context.Context, watchers []*watcher) (found map[string]seen, whole bool, err error) {
	wanted := make(map[string]bool, len(watchers))
	for _, w := range watchers {
		wanted[w.op.StackID] = true
	}
	found, p.swept = make(map[string]seen, len(wanted)), false
	if len(wanted) <= p.pages || !p.lister(watchers) {
		return found, true, nil // each is looked at by its id
	}
	pages := 0
	err = p.cloud.sweep(ctx, p.lists, func(page []seen, _ bool) bool {
		pages++
		for _, s := range page {
			if wanted[s.live.ID] {
				found[s.live.ID] = s
			}
		}
		return len(found) < len(wanted) // the newest come first, and those are watched
	})
	p.ledger.calls.Add(int64(max(pages, 1)))
	if err == nil {
		p.pages, p.swept = pages, true
		p.gone(ctx, watchers, found)
		return found, true, nil
	}
	if awsconf.IsDenied(err) {
		p.noSweep[p.lists] = true // by id may be allowed
		return found, true, nil
	}
	return found, false, err
}

// lister picks the access to list with: the last one as long as that works, else
// another that may, for whoever may list sees everything. It is false where none may.
func (p *poller) lister(watchers []*watcher) bool {
	var good, may []stacks.Access
	for _, w := range watchers {
		if a := w.op.Access; !p.noSweep[a] {
			may = append(may, a)
			if _, bad := p.bad[a]; !bad {
				good = append(good, a)
			}
		}
	}
	switch {
	case slices.Contains(good, p.lists):
	case len(good) > 0:
		p.lists = good[0]
	case len(may) > 0:
		p.lists = may[0]
	}
	return len(may) > 0
}

// consider lets every watcher make up its mind, several at the same time. It tells
// whether anything changed, which accesses were good for reading something, and the
// last error of reading with each.
func (p *poller) consider(ctx context.Context, watchers []*watcher, found map[string]seen, whole bool) (changed bool, worked map[stacks.Access]bool, failed map[stacks.Access]error) {
	var mu sync.Mutex
	worked, failed = map[stacks.Access]bool{}, map[stacks.Access]error{}
	slots := make(chan struct{}, readers)
	var wg sync.WaitGroup
	for _, w := range watchers {
		s, ok := found[w.op.StackID]
		if !ok && !whole {
			continue // the listing broke off: nothing is known
		}
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			before, answers := w.status, w.answers
			err := p.attend(ctx, w, s, ok, len(watchers))
			mu.Lock()
			defer mu.Unlock()
			changed = changed || w.status != before
			worked[w.op.Access] = worked[w.op.Access] || w.answers > answers
			if err != nil {
				failed[w.op.Access] = err
			}
		})
	}
	wg.Wait()
	return changed, worked, failed
}

// trouble keeps account of looks that failed, by access. Only credentials that stay
// bad end the watches that need them; one that was good again meanwhile begins anew,
// whatever becomes of the others.
func (p *poller) trouble(worked map[stacks.Access]bool, failed map[stacks.Access]error, watchers []*watcher) {
	tell := p.cloud.opts.Trouble
	if tell == nil {
		tell = func(stacks.Access, error) {}
	}
	if len(failed) == 0 {
		for a := range p.bad {
			tell(a, nil)
		}
		clear(p.bad)
		return
	}
	for a := range p.bad {
		if worked[a] && failed[a] == nil {
			tell(a, nil)
			delete(p.bad, a)
		}
	}
	for a, err := range failed {
		since, known := p.bad[a]
		if !known {
			tell(a, err)
		}
		switch {
		case !awsconf.IsCredentials(err) && !awsconf.IsDenied(err):
			since = time.Time{}
		case since.IsZero():
			since = time.Now()
		}
		p.bad[a] = since
		if !since.IsZero() && time.Since(since) >= p.cloud.opts.Patience {
			lose(watchers, a, err)
		}
	}
}

// lose ends the watches that need an access whose credentials stay bad.
func lose(watchers []*watcher, a stacks.Access, err error) {
	for _, w := range watchers {
		if !w.done && w.op.Access == a {
			w.tell(notice{err: &stacks.UnknownError{
				What: "what becomes of stack " + w.op.Name + " is not known", Cause: err,
				Tip: "it goes on in AWS; renew the credentials and run the command again, which picks it up",

				Everywhere: awsconf.IsCredentials(err),
			}})
		}
	}
}
