package cfn

import (
	"context"
	"iter"
	"time"

	"github.com/deployer-cli/deployer/internal/awsconf"
	"github.com/deployer-cli/deployer/stacks"
)

// Watch tells what becomes of an operation that CloudFormation accepted, until
// its end, an error, or the end of ctx.
//
// All watchers of one account and region share one poller; what costs a call is
// made once for all of them, with the credentials of any that may. A watcher that reads slowly misses nothing but intermediate
// statuses. Nothing that fails to be read ends a watch, but credentials that
// nobody renews: then the outcome is a *stacks.UnknownError.
func (c *Cloud) Watch(ctx context.Context, op stacks.Operation) iter.Seq2[stacks.Progress, error] {
	if op.StackID == "" {
		op.StackID = op.Name // all that is known of it
	}
	return func(yield func(stacks.Progress, error) bool) {
		began := time.Now()
		w := &watcher{op: op, box: make(chan notice, 1), began: began, runningAt: began, lookedAt: began}
		p := c.join(ctx, w)
		defer c.leave(p, w)
		for {
			select {
			case <-ctx.Done():
				yield(stacks.Progress{}, context.Cause(ctx))
				return
			case n := <-w.box:
				if !yield(n.Progress, n.err) || n.Done || n.err != nil {
					return
				}
			}
		}
	}
}

// notice is what a watcher is told.
type notice struct {
	stacks.Progress
	err error
}

// watcher is one operation that somebody watches. But for the box it belongs to
// the poller.
type watcher struct {
	op  stacks.Operation
	box chan notice // holds the latest; the poller is the only one to put

	began     time.Time // when we began to watch
	told      bool      // something was told already
	status    stacks.Status
	reason    string
	done      bool
	answers   int       // reads with its access that were answered
	missing   int       // looks in a row that did not find the stack
	missingAt time.Time // the first of them
	tail      tail
	settledAt time.Time      // when the last event was read of resources that have all ended
	unread    []stacks.Event // read, and not told yet
	behindAt  time.Time      // since when the description lags behind the events
	eventsDue time.Time      // when progress is worth another look at the events
	blind     int            // times in a row that the events could not be read
	runningAt time.Time      // when it was last seen not to have ended
	lookedAt  time.Time      // when it was looked at last, or began
	foreseen  bool           // it is known how long operations like it take,
	quick     bool           // and that this is soon over,
	crowded   bool           // it was one of many at some time
	due       time.Time      // so that it need not be looked at before
}

// tell puts the latest into the box. What was not read yet is merged into it,
// so that this never waits.
func (w *watcher) tell(n notice) {
	select {
	case old := <-w.box:
		n.Events = append(old.Events, n.Events...)
	default:
	}
	w.box <- n
	w.told, w.status, w.reason, w.done = true, n.Status, n.Reason, n.Done || n.err != nil
}

// spot is where stacks are listed together: an account and region, as the stack's
// id tells; of a stack whose id is not known, what its access leads to.
type spot struct {
	account, region string
	access          stacks.Access
}

func spotOf(op stacks.Operation) spot {
	if region, account := placeOf(op.StackID); account != "" {
		return spot{account: account, region: region}
	}
	return spot{access: op.Access}
}

// join adds w to the poller of its spot, starting one where there is none.
func (c *Cloud) join(ctx context.Context, w *watcher) *poller {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := spotOf(w.op)
	p, ok := c.pollers[at]
	if !ok {
		ctx, cancel := context.WithCancel(awsconf.Brief(context.WithoutCancel(ctx))) // the poller looks again
		p = newPoller(c, at, cancel)
		c.pollers[at] = p
		go p.run(ctx)
	}
	p.watchers[w] = struct{}{}
	p.ledger.operations.Add(1)
	select {
	case p.wake <- struct{}{}:
	default:
	}
	return p
}

// leave takes w away; a poller without watchers ends.
func (c *Cloud) leave(p *poller, w *watcher) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(p.watchers, w)
	if len(p.watchers) == 0 {
		p.cancel()
		if c.pollers[p.spot] == p {
			delete(c.pollers, p.spot)
		}
	}
}

// watching lists the poller's watchers that still wait for something.
func (c *Cloud) watching(p *poller) []*watcher {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make([]*watcher, 0, len(p.watchers))
	for w := range p.watchers {
		out = append(out, w)
	}
	return out
}
