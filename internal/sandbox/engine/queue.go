package engine

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// due is one entry of the queue.
type due struct {
	Kind  string `json:"k"`
	Stack string `json:"s"`
	Node  int    `json:"n,omitempty"`
	ID    string `json:"i,omitempty"`
}

const (
	dueNode      = "node"
	dueOp        = "op"
	dueTimeout   = "timeout"
	dueChangeSet = "changeset"
	dueDrift     = "drift"
)

// queue puts a step into the queue and returns its key, for dropping it.
func (s *session) queue(at time.Time, d due) string {
	at = at.UTC().Truncate(time.Millisecond)
	if at.Before(s.now) {
		at = s.now
	}
	k := fmt.Sprintf("%020d.%016d", at.UnixMilli(), s.counter("due"))
	s.put("due", k, d)
	return k
}

func (s *session) dropDue(k string) {
	if k != "" {
		s.drop("due", k)
	}
}

func (s *session) nextDue() (at time.Time, k string, d due, ok bool) {
	s.scan("due", "", "", func(found string, raw []byte) bool {
		k = found
		s.fail(decode("due", raw, &d))
		ok = true
		return false
	})
	if !ok || s.err != nil {
		return time.Time{}, "", due{}, false
	}
	stamp, _, _ := strings.Cut(k, ".")
	ms, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		s.fail(fmt.Errorf("queue key %q: %w", k, err))
		return time.Time{}, "", due{}, false
	}
	return time.UnixMilli(ms).UTC(), k, d, true
}

// perform takes one entry off the queue and does its step.
func (s *session) perform(d due) {
	switch d.Kind {
	case dueChangeSet:
		s.finishChangeSet(d.ID)
		return
	case dueDrift:
		s.finishDrift(d.ID)
		return
	}
	st, op := s.stack(d.Stack), s.op(d.Stack)
	if st == nil || op == nil {
		return
	}
	s.acct = st.account()
	switch d.Kind {
	case dueNode:
		if d.Node < len(op.Nodes) {
			op.Nodes[d.Node].Due = ""
			s.stepNode(st, op, d.Node)
			s.pump(st)
		}
	case dueOp:
		op.Due = ""
		s.stepOp(st, op)
	case dueTimeout:
		op.TimeoutDue = ""
		s.timeout(st, op)
	}
}

// later queues the stack's own next step, in phase p.
func (s *session) later(st *stack, op *operation, p phase, after time.Duration) {
	op.Phase = p
	s.dropDue(op.Due)
	op.Due = s.queue(s.now.Add(after), due{Kind: dueOp, Stack: st.ID})
	s.saveOp(st.ID, op)
}

// laterNode queues the next step of a node.
func (s *session) laterNode(st *stack, op *operation, i int, after time.Duration) {
	n := &op.Nodes[i]
	s.dropDue(n.Due)
	n.Due = s.queue(s.now.Add(after), due{Kind: dueNode, Stack: st.ID, Node: i})
	s.saveOp(st.ID, op)
}
