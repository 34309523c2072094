package cfn

import (
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/deployer-cli/deployer/stacks"
)

// verdict is what a stack's description says about an operation.
type verdict uint8

const (
	waiting   verdict = iota // not done
	uncertain                // done, but maybe before the operation began: reads can be stale
	overtaken                // done, but maybe by what somebody did after the operation
	ended                    // done, and it was this operation
)

// apart is how much later than the acceptance of an operation the time may be that
// the description gives for it.
const apart = 5 * time.Second

// judge says whether a stack, as it was seen, has come to the end of op.
func judge(op stacks.Operation, s seen) verdict {
	status := s.live.Status
	switch {
	case status == "" || status.InProgress() || status == stacks.ReviewInProgress:
		return waiting
	case status == stacks.DeleteComplete:
		return ended
	case op.Joined:
		return judgeJoined(op, &s.live)
	case op.OperationID != "" && slices.Contains(s.operations, op.OperationID):
		return judgeSince(op, &s.live)
	}
	switch op.Verb {
	case stacks.Create:
		return judgeSince(op, &s.live) // there was no stack with this id before
	case stacks.Delete:
		if status == stacks.DeleteFailed {
			return uncertain
		}
		return waiting // it still looks as before
	case stacks.Update, stacks.Cancel, stacks.Continue:
		if !strings.HasPrefix(string(status), "UPDATE_") {
			return waiting // as before
		}
		if op.Verb == stacks.Continue && status == stacks.UpdateRollbackComplete {
			return judgeSince(op, &s.live)
		}
	default:
	}
	return uncertain
}

// judgeJoined judges what somebody else began, of which only the description is
// known that showed it under way: what is read of before that is stale.
func judgeJoined(op stacks.Operation, live *stacks.Live) verdict {
	switch failed := live.Status == stacks.UpdateRollbackFailed || live.Status == stacks.UpdateFailed; {
	case op.Verb == stacks.Delete && live.Status != stacks.DeleteFailed, live.Changed().Before(op.Accepted):
		return waiting
	case op.Verb == stacks.Create:
		return ended // there was nothing before it
	case op.Verb == stacks.Delete, failed, live.Updated.IsZero():
		return uncertain // it may have looked like this before as well
	}
	return ended
}

// judgeSince judges a description that shows the end of op or what came after it.
func judgeSince(op stacks.Operation, live *stacks.Live) verdict {
	if changedSince(op, live) {
		return overtaken
	}
	return ended
}

// changedSince tells whether the stack seems to have been changed after op.
func changedSince(op stacks.Operation, live *stacks.Live) bool {
	return live.Updated.After(op.Accepted.Add(apart))
}

// maxFirstPages bounds how far back the first look at a stack's events goes.
const maxFirstPages = 20

// slack is how far the clocks of events and of descriptions may be apart.
const slack = time.Minute

// tail is what has been read of a stack's events. Reads can be stale, so that
// what is read later need not be newer.
type tail struct {
	last   string          // id of the newest
	known  map[string]bool // ids of those of the operation
	began  time.Time       // of the first with the operation's token or id, zero before one was read
	tokens bool            // any carried a token at all
	stack  stacks.Status   // of the newest event of the stack itself
	at     time.Time       // when that was
	end    stacks.Status   // with which the operation ended, "" before that was read
	endAt  time.Time       // when it did
	since  bool            // somebody has changed the stack after that
	reason string          // the last one given for a failure of the stack
	open   map[string]bool // resources by logical id: whether they are under way
}

// settled tells whether everything that was begun has ended, so that the stack
// itself may end any moment.
func (t *tail) settled() bool {
	for _, underWay := range t.open {
		if underWay {
			return false
		}
	}
	return len(t.open) > 0
}

// read takes in the events that are new since the last time, and returns those
// of op, oldest first.
func (t *tail) read(pages iter.Seq2[[]stacks.Event, error], op stacks.Operation) (fresh []stacks.Event, calls int, err error) {
	newest := ""
	for page, err := range pages {
		calls++
		if err != nil {
			return nil, calls, err
		}
		if calls == 1 && len(page) > 0 {
			newest = page[0].ID
		}
		n, more := t.news(page, op)
		fresh = append(fresh, page[:n]...)
		if !more || t.last == "" && calls == maxFirstPages {
			break
		}
	}
	slices.Reverse(fresh)
	fresh = slices.DeleteFunc(fresh, func(e stacks.Event) bool {
		return t.known[e.ID] || !owned(e, op) && e.Time.Before(op.Accepted)
	})
	if t.last == "" || len(fresh) > 0 {
		t.last = newest // else the page was an old one, or nothing happened
	}
	if t.known == nil {
		t.known = make(map[string]bool)
	}
	return slices.DeleteFunc(fresh, func(e stacks.Event) bool { return !t.note(e, op) }), calls, nil
}

// news counts the events at the head of a page, newest first, that are neither
// known already nor from before op; more tells that the next page may have some.
func (t *tail) news(page []stacks.Event, op stacks.Operation) (n int, more bool) {
	for i, e := range page {
		switch {
		case e.ID == t.last && e.ID != "", t.known[e.ID], before(e, op):
			return i, false
		case begins(e, op):
			return i + 1, false
		}
	}
	return len(page), true
}

// before tells whether e, and all that is older, lies before op for certain.
func before(e stacks.Event, op stacks.Operation) bool {
	return !owned(e, op) && e.Time.Before(op.Accepted.Add(-slack))
}

// note remembers what e says, and tells whether it is about op: what others do to
// the stack after its end is not.
func (t *tail) note(e stacks.Event, op stacks.Operation) bool {
	t.known[e.ID] = true
	t.tokens = t.tokens || e.Token != ""
	mine := owned(e, op)
	if t.end != "" && !mine && !e.Time.Before(t.endAt) {
		t.since = true
		if e.OfStack() {
			t.stack, t.at = stacks.Status(e.Status), e.Time
		}
		return false
	}
	if mine && (t.began.IsZero() || e.Time.Before(t.began)) {
		t.began = e.Time
	}
	if !e.OfStack() {
		if t.open == nil {
			t.open = make(map[string]bool)
		}
		t.open[e.LogicalID] = strings.HasSuffix(e.Status, "_IN_PROGRESS")
		return true
	}
	if e.Time.Before(t.at) {
		return true
	}
	t.stack, t.at = stacks.Status(e.Status), e.Time
	switch {
	case t.began.IsZero() || e.Time.Before(t.began):
	case t.stack.InProgress(), t.stack == stacks.ReviewInProgress:
		t.end = ""
	default: // somebody else's, where they cancelled it
		t.end, t.endAt = t.stack, e.Time
	}
	if e.Reason != "" && strings.Contains(e.Status, "ROLLBACK_IN_PROGRESS") || strings.HasSuffix(e.Status, "_FAILED") {
		t.reason = e.Reason
	}
	return true
}

// begins tells whether e is where an operation begins that somebody else
// started, at a time that we do not know.
func begins(e stacks.Event, op stacks.Operation) bool {
	return op.Accepted.IsZero() && e.OfStack() && e.Reason == "User Initiated"
}

func owned(e stacks.Event, op stacks.Operation) bool {
	return op.Token != "" && e.Token == op.Token || op.OperationID != "" && e.Operation == op.OperationID
}

// proves tells whether the events show that op has ended, and live is of after
// that; behind, that they show its end and live is still a description of before.
func (t *tail) proves(op stacks.Operation, live stacks.Live) (proven, behind bool) {
	if !t.since && (t.stack != live.Status || t.stack.InProgress()) {
		return false, false
	}
	at, ours := t.at, !t.began.IsZero()
	if ours {
		at = t.endAt
	}
	since := !at.Before(op.Accepted)
	if ours && t.end == "" || !ours && (t.tokens || !since) {
		return false, false
	}
	if op.Verb == stacks.Cancel && !since { // what came before it was the update's own
		return false, false
	}
	if op.Verb != stacks.Update && (op.Verb != stacks.Execute || live.Status == stacks.CreateComplete) {
		return true, false
	}
	// An update may end in the same status as the one before it, so that the
	// description has to be of after its beginning.
	behind = live.Changed().Before(op.Accepted)
	return !behind, behind
}
