package cfn

import (
	"context"
	"time"

	"github.com/deployer-cli/deployer/internal/awsconf"
	"github.com/deployer-cli/deployer/stacks"
)

// attend makes up its mind about one stack: s is how the look saw it, if it
// did. Only an error of reading comes back, and only for keeping account of it.
func (p *poller) attend(ctx context.Context, w *watcher, s seen, ok bool, watchers int) error {
	if !ok {
		p.ledger.calls.Add(1)
		var err error
		s, err = p.cloud.stack(ctx, w.op.Access, w.op.StackID)
		absent := isNotFound(err)
		if err != nil && !absent {
			return err
		}
		w.answers++
		if absent {
			w.miss()
			return nil
		}
	}
	w.missing = 0
	if w.foreseen {
		p.cloud.looks.Add(1)
	}
	v := judge(w.op, s)
	if v == waiting {
		w.runningAt = p.looked
		return p.progress(ctx, w, s, watchers)
	}
	return p.conclude(ctx, w, s, v, watchers)
}

// progress tells of a stack that is not done, with its events now and then: not those of
// one among many, since results wait for the look to end.
func (p *poller) progress(ctx context.Context, w *watcher, s seen, watchers int) error {
	if w.op.Joined {
		w.behindAt = time.Time{} // it goes on
	}
	var events []stacks.Event
	var err error
	if now := time.Now(); !now.Before(w.eventsDue) && !p.ledger.frugal() && !w.quick && watchers <= several {
		events, err = p.events(ctx, w)
		w.eventsDue = now.Add(max(p.interval*time.Duration(max(1, watchers/eventShare)), p.cloud.opts.PollInterval*eventEvery))
	}
	if !w.told || len(events) > 0 || s.live.Status != w.status || s.live.Reason != w.reason {
		w.tell(notice{Progress: stacks.Progress{Status: s.live.Status, Reason: s.live.Reason, Events: events, Live: &s.live}})
	}
	if awsconf.IsDenied(err) {
		return nil // the status is enough to go on
	}
	return err
}

// maxBlind is how often events may fail to be read before a result is told
// without them.
const maxBlind = 3

// maxBehind is how long a description and the events may lag behind each other
// before the one that is certain stands alone.
const maxBehind = 30 * time.Second

// conclude tells the end of an operation, once it is certain that it is its
// own: certain by the stack's description, or by the events.
func (p *poller) conclude(ctx context.Context, w *watcher, s seen, v verdict, watchers int) error {
	// Nobody reads the last events of one among many, and other results wait.
	if v == ended && !s.live.Status.Failed() && p.skippable(w, watchers) {
		p.finish(w, s, nil)
		return nil
	}
	events, err := p.events(ctx, w)
	if err != nil {
		return p.blindly(w, s, v, err)
	}
	w.blind = 0
	w.unread = append(w.unread, events...)
	proven, behind := w.proves(s, v)
	if behind && !w.op.Joined && p.cloud.opts.Realm == stacks.RealmEndpoint && s.live.Updated.IsZero() && s.live.Status == w.tail.stack {
		proven = true // an endpoint that does not tell when stacks were updated has no description of after it
	}
	if behind && w.behindAt.IsZero() {
		w.behindAt = time.Now()
	} else if !behind && w.op.Joined {
		w.behindAt = time.Time{}
	}
	if proven || behind && time.Since(w.behindAt) >= maxBehind {
		p.finish(w, s, w.unread)
	} else if len(w.unread) > 0 && w.tail.stack != "" { // the description is older than what goes on
		w.tell(notice{Progress: stacks.Progress{Status: w.tail.stack, Events: w.unread}})
		w.unread = nil
	}
	return nil
}

// proves tells whether the events confirm the verdict, and else whether it stands
// without them after a while.
func (w *watcher) proves(s seen, v verdict) (proven, behind bool) {
	proven, behind = w.tail.proves(w.op, s.live)
	same := w.tail.stack == s.live.Status
	switch {
	case v == ended: // certain; but the reason of a failure is among events that may come later
		proven = !s.live.Status.Failed() || same
	case w.op.Joined: // no event is known to be of it, but one of its end comes after we joined
		proven = same && !w.tail.at.Before(w.began)
		return proven, !proven && (same || w.tail.stack == "")
	case v != overtaken:
		return proven, behind
	}
	return proven, !proven
}

// blindly makes do without events where they cannot be read time and again:
// for a result that is certain anyway, or where they are not allowed.
func (p *poller) blindly(w *watcher, s seen, v verdict, err error) error {
	w.blind++
	if w.blind >= maxBlind && (v == ended || awsconf.IsDenied(err)) {
		p.finish(w, s, w.unread)
		return nil
	}
	if awsconf.IsDenied(err) {
		return nil
	}
	return err
}

// events reads what is new of w's operation, oldest first.
func (p *poller) events(ctx context.Context, w *watcher) ([]stacks.Event, error) {
	next := w.tail
	fresh, calls, err := next.read(p.cloud.eventPages(ctx, w.op.Access, w.op.StackID), w.op)
	p.ledger.calls.Add(int64(calls))
	if err != nil {
		return nil, err
	}
	w.answers++
	if next.settled() && len(fresh) > 0 {
		w.settledAt = time.Now()
	}
	w.tail = next
	return fresh, nil
}

// finish tells the end, and learns from it before whoever waits begins the next.
func (p *poller) finish(w *watcher, s seen, events []stacks.Event) {
	if s.live.Status.Succeeded(w.op.Verb) && !w.tail.since {
		p.learn(w, s.live.Status)
	}
	w.finish(s, events)
}

// finish tells the end: how the operation ended, and the stack as it is, which
// somebody may have changed after that.
func (w *watcher) finish(s seen, events []stacks.Event) {
	p := stacks.Progress{Status: s.live.Status, Reason: s.live.Reason, Events: events, Live: s.told(), Done: true}
	switch t := &w.tail; {
	case w.op.Joined:
	case t.end == "":
		p.Overtaken = !w.op.Accepted.IsZero() && changedSince(w.op, &s.live)
	case t.since:
		p.Overtaken, p.Status, p.Reason = true, t.end, ""
	}
	if p.Reason == "" && p.Status.Failed() {
		p.Reason = w.tail.reason
	}
	w.tell(notice{Progress: p})
}

// miss notes that the stack was not found by its id. A deleted stack is found
// for ninety days, so that this is a stale read, or a service that forgets.
func (w *watcher) miss() {
	if w.missing++; w.missing == 1 {
		w.missingAt = time.Now()
	}
	gone := w.missing >= 3 && time.Since(w.missingAt) >= maxNotFound
	if w.op.Verb == stacks.Delete {
		gone = w.missing >= 2
	}
	if gone {
		w.tell(notice{Progress: stacks.Progress{Status: stacks.DeleteComplete, Reason: "the stack is gone", Done: true}})
	}
}
