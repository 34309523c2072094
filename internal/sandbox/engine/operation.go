package engine

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// Kinds of operations.
const (
	kindCreate = "create"
	kindUpdate = "update"
	kindDelete = "delete"
)

// history is what DescribeEvents knows of an operation.
type history struct {
	Stack  string    `json:"s"`
	Type   string    `json:"t"`
	Status string    `json:"u"` // IN_PROGRESS, SUCCEEDED, FAILED
	Start  time.Time `json:"b"`
	End    time.Time `json:"e,omitzero"`
}

const (
	opRunning   = "IN_PROGRESS"
	opSucceeded = "SUCCEEDED"
	opFailed    = "FAILED"
)

// begin gives a stack's next events a new operation id.
func (s *session) begin(st *stack, opType string) {
	const shown = 5
	st.OpID = s.e.uuid("operation", st.ID, opType, ordinal(st.Events), strconv.Itoa(len(st.Last)), s.now.Format(stamp))
	st.Last = slices.Insert(st.Last, 0, lastOp{ID: st.OpID, Type: opType})
	st.Last = st.Last[:min(len(st.Last), shown)]
	s.put("history", st.OpID, history{Stack: st.ID, Type: opType, Status: opRunning, Start: s.now})
	s.save(st)
}

// conclude closes the operation the stack's events belong to.
func (s *session) conclude(st *stack, status string) {
	var h history
	if s.get("history", st.OpID, &h) && h.Status == opRunning {
		h.Status, h.End = status, s.now
		s.put("history", st.OpID, h)
	}
}

// done ends the running operation for good: no step of it is left.
func (s *session) done(st *stack, status, reason, outcome string) {
	if op := s.op(st.ID); op != nil {
		s.cancelDue(op)
		if op.ChangeSet != "" {
			s.executed(op.ChangeSet, !op.Undoing && outcome == opSucceeded)
		}
	}
	s.dropOp(st.ID)
	s.setStatus(st, status, reason)
	s.conclude(st, outcome)
	s.childOver(st)
}

func (s *session) cancelDue(op *operation) {
	s.dropDue(op.Due)
	s.dropDue(op.TimeoutDue)
	op.Due, op.TimeoutDue = "", ""
	for i := range op.Nodes {
		s.dropDue(op.Nodes[i].Due)
		op.Nodes[i].Due = ""
	}
}

// forget ends what resources remember of the operation.
func (s *session) forget(st *stack) {
	for _, r := range s.listed(st.ID) {
		if r.Prior != nil || r.Next != nil || r.Old != nil || r.Born || r.Touched || r.Imported || r.Signals != nil {
			r.Prior, r.Next, r.Old, r.Born, r.Touched, r.Imported, r.Signals = nil, nil, nil, false, false, false, nil
			s.saveResource(st.ID, r)
		}
	}
}

// stepOp performs the stack's own next step.
func (s *session) stepOp(st *stack, op *operation) {
	switch op.Phase {
	case phaseStart:
		if op.Kind == kindDelete {
			s.startDelete(st, op)
		} else {
			s.startForward(st, op)
		}
	case phaseMonitor:
		s.monitor(st, op)
	case phaseFinish:
		s.finishForward(st, op)
	case phaseFail:
		s.failForward(st, op)
	case phaseRollback:
		s.startRollback(st, op)
	case phaseUndone:
		s.finishRollback(st, op)
	case phaseCleanup:
		s.startCleanup(st, op)
	case phaseCleaned:
		s.finishCleanup(st, op)
	case phaseDeleted:
		s.finishDelete(st, op)
	case phaseForward, phaseHeld, phaseDelete:
	}
}

// stepNode performs the next step of one node.
func (s *session) stepNode(st *stack, op *operation, i int) {
	n := &op.Nodes[i]
	s.saveOp(st.ID, op)
	switch n.Do {
	case doApply:
		s.apply(st, op, i)
	case doRevert:
		s.revert(st, op, i)
	case doDelete:
		s.remove(st, op, i)
	case doClean:
		s.clean(st, op, i)
	case doHold:
		s.letGo(st, op, i)
	case doImport:
		s.takeOver(st, op, i)
	}
}

// pump starts every node whose turn it is, and ends the phase when none is
// left.
func (s *session) pump(st *stack) {
	op := s.op(st.ID)
	if op == nil || s.err != nil || op.Due != "" || !op.inNodes() {
		return
	}
	busy := false
	halted := op.Phase == phaseForward && op.failed() && !op.NoRollback
	for i := range op.Nodes {
		n := &op.Nodes[i]
		if n.State == nodeWaiting && !halted && op.turn(n) {
			n.State = nodeReady
			s.laterNode(st, op, i, s.e.between(0, 300*time.Millisecond, "turn", st.ID, st.OpID, n.ID, n.Do))
		}
		busy = busy || n.active()
	}
	if !busy {
		s.phaseOver(st, op)
	}
}

// inNodes reports whether the phase is one in which nodes run.
func (op *operation) inNodes() bool {
	switch op.Phase {
	case phaseForward, phaseRollback, phaseCleanup, phaseDelete:
		return true
	default:
		return false
	}
}

// turn reports whether all a node needs is done. In a clean-up failures do
// not hold others back.
func (op *operation) turn(n *node) bool {
	for _, j := range n.Needs {
		state := op.Nodes[j].State
		if over := state == nodeDone || op.Phase == phaseForward && state == nodeRunning && op.Nodes[j].Configured || op.Phase == phaseCleanup && state == nodeFailed; !over {
			return false
		}
	}
	return true
}

func (op *operation) failed() bool {
	return op.Why != "" || len(op.FailCreate)+len(op.FailUpdate)+len(op.FailImport)+len(op.Invalid) > 0
}

// phaseOver queues what comes after the nodes of a phase.
func (s *session) phaseOver(st *stack, op *operation) {
	next := map[phase]phase{
		phaseForward: phaseFinish, phaseRollback: phaseUndone, phaseCleanup: phaseCleaned, phaseDelete: phaseDeleted,
	}[op.Phase]
	if op.Phase == phaseForward {
		switch {
		case op.failed():
			next = phaseFail
		case len(st.monitored()) > 0 || st.window() > 0:
			op.MonitorTill = s.now.Add(st.window())
			next = phaseMonitor
		}
	}
	s.later(st, op, next, s.soon(st, next))
}

// soon is the short time CloudFormation takes between its own steps.
func (s *session) soon(st *stack, p phase) time.Duration {
	return s.e.between(time.Second, 2500*time.Millisecond, "soon", st.ID, st.OpID, string(p))
}

// order links nodes: each must wait for what needs says, by logical id.
func order(nodes []node, needs func(id string) []string) []node {
	at := map[string][]int{}
	for i, n := range nodes {
		at[n.ID] = append(at[n.ID], i)
	}
	for i := range nodes {
		nodes[i].Needs = nil
		for _, id := range needs(nodes[i].ID) {
			if id != nodes[i].ID {
				nodes[i].Needs = append(nodes[i].Needs, at[id]...)
			}
		}
		slices.Sort(nodes[i].Needs)
		nodes[i].Needs = slices.Compact(nodes[i].Needs)
	}
	return nodes
}

// reversed turns "needs" into "is needed by".
func reversed(needs map[string][]string) func(id string) []string {
	back := map[string][]string{}
	for id, list := range needs {
		for _, needed := range list {
			back[needed] = append(back[needed], id)
		}
	}
	return func(id string) []string { return back[id] }
}

// list writes logical ids as status reasons do.
func list(ids []string) string {
	sorted := slices.Compact(slices.Sorted(slices.Values(ids)))
	return "[" + strings.Join(sorted, ", ") + "]"
}

// failures says which resources failed, in CloudFormation's words.
func (op *operation) failures() string {
	var b strings.Builder
	if len(op.FailCreate) > 0 {
		b.WriteString("The following resource(s) failed to create: " + list(op.FailCreate) + ". ")
	}
	if len(op.FailUpdate) > 0 {
		b.WriteString("The following resource(s) failed to update: " + list(op.FailUpdate) + ". ")
	}
	if len(op.FailImport) > 0 {
		b.WriteString("The following resource(s) failed to import: " + list(op.FailImport) + ". ")
	}
	if len(op.FailDelete) > 0 {
		b.WriteString("The following resource(s) failed to delete: " + list(op.FailDelete) + ". ")
	}
	return b.String()
}
