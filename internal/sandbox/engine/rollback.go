package engine

import (
	"fmt"
	"slices"
	"strings"
)

// failForward decides what follows a deployment that failed.
func (s *session) failForward(st *stack, op *operation) {
	reason := op.Why
	if len(op.Invalid) > 0 {
		reason = "Validation failed for following resources: " + list(op.Invalid)
	}
	end := ""
	if reason == "" {
		reason, end = strings.TrimSuffix(op.failures(), ". "), ". "
	}
	if op.Kind == kindImport {
		s.turnBack(st, op, importUndoInProgress, reason+end)
		return
	}
	preserve := op.NoRollback || op.OnFailure == "DO_NOTHING"
	switch {
	case preserve && op.Kind == kindCreate:
		s.done(st, createFailed, reason+end, opFailed)
	case preserve:
		s.releaseChildren(st)
		s.done(st, updateFailed, reason+end, opFailed)
	case op.Kind == kindCreate && op.OnFailure == "DELETE":
		s.conclude(st, opFailed)
		s.begin(st, opDelete)
		op.Kind, op.Undoing, op.Nodes = kindDelete, true, nil
		s.setStatus(st, deleteInProgress, reason+". Delete requested by user.")
		s.later(st, op, phaseStart, s.soon(st, phaseStart))
		s.childOver(st)
	case op.Kind == kindCreate:
		s.turnBack(st, op, rollbackInProgress, reason+"."+byUser)
	default:
		s.turnBack(st, op, undoInProgress, reason+end)
	}
}

// turnBack makes a deployment roll back; that is an operation of its own.
func (s *session) turnBack(st *stack, op *operation, status, reason string) {
	s.conclude(st, opFailed)
	s.begin(st, opRollback)
	s.setStatus(st, status, reason)
	s.undo(st, op)
	s.childOver(st)
}

// undo queues the roll-back of an operation.
func (s *session) undo(st *stack, op *operation) {
	s.cancelDue(op)
	op.Undoing, op.Nodes, op.Why = true, nil, ""
	op.FailCreate, op.FailUpdate, op.FailDelete, op.FailImport, op.Invalid = nil, nil, nil, nil, nil
	if op.Kind != kindCreate && st.Fallback != nil {
		st.Now = *st.Fallback
		s.save(st)
	}
	s.later(st, op, phaseRollback, s.soon(st, phaseRollback))
}

func (s *session) startRollback(st *stack, op *operation) {
	if op.Kind == kindImport {
		s.later(st, op, phaseUndone, s.soon(st, phaseUndone))
		return
	}
	if op.Kind == kindCreate {
		var made []*resource
		for _, r := range s.listed(st.ID) {
			if r.alive() {
				made = append(made, r)
			}
		}
		op.Nodes = deleteNodes(made)
	} else {
		op.Nodes = s.revertNodes(st)
	}
	op.Phase = phaseRollback
	s.saveOp(st.ID, op)
	s.pump(st)
}

// revertNodes makes a node for each resource the update touched, and restores
// the others without a word.
func (s *session) revertNodes(st *stack) []node {
	var nodes []node
	needs := map[string][]string{}
	for _, r := range s.listed(st.ID) {
		switch {
		case r.Prior == nil:
		case r.Touched || r.Status == updateFailed:
			nodes = append(nodes, node{ID: r.ID, Do: doRevert, How: howUpdate})
			needs[r.ID] = r.Prior.Deps
		default:
			r.state, r.Prior, r.Next = *r.Prior, nil, nil
			s.saveResource(st.ID, r)
		}
	}
	return order(nodes, func(id string) []string { return needs[id] })
}

func (s *session) finishRollback(st *stack, op *operation) {
	if op.Kind == kindImport {
		s.finishImportUndo(st)
		return
	}
	if op.Kind == kindCreate {
		if len(op.FailDelete) > 0 {
			s.done(st, rollbackFailed, op.failures(), opFailed)
			return
		}
		s.setImports(st, nil)
		s.forget(st)
		s.done(st, rollbackComplete, "", opSucceeded)
		return
	}
	if len(op.FailUpdate) > 0 {
		s.releaseChildren(st)
		s.done(st, undoFailed, op.failures(), opFailed)
		return
	}
	s.setOutputs(st, st.FallbackOut)
	if imports, err := s.importsOf(st, &st.Now); err == nil {
		s.setImports(st, imports)
	}
	s.setStatus(st, undoCleanup, "")
	s.later(st, op, phaseCleanup, s.soon(st, phaseCleanup))
}

// revert performs the next step in bringing a resource back.
func (s *session) revert(st *stack, op *operation, i int) {
	n := &op.Nodes[i]
	r := s.resource(st.ID, n.ID)
	if r == nil || r.Prior == nil {
		n.State = nodeDone
		return
	}
	if n.State == nodeReady {
		s.startRevert(st, op, i, r)
		return
	}
	if r.Type == stackType {
		if s.childBusy(r) || s.revertChild(st, op, i, r) {
			return
		}
		if child := s.stack(r.Physical); child != nil && child.Status == undoFailed {
			s.failNode(st, op, i, fmt.Sprintf("Embedded stack %s was not successfully updated. Currently in %s with reason: %s", child.ID, child.Status, child.Reason))
			return
		}
	}
	if text, code, failed := s.fault(st, r.Prior.Type, n); failed {
		s.failNode(st, op, i, s.failure(st, r.Prior.Type, n.ID, text, code))
		return
	}
	if a, found := s.provider(st, n.ID, r.Prior, "Update"); found && a.Fail {
		s.failNode(st, op, i, s.customFailure(st, n.ID, a.Reason))
		return
	}
	s.restored(st, op, i, r)
}

// startRevert begins to bring a resource back, where there is anything to do.
func (s *session) startRevert(st *stack, op *operation, i int, r *resource) {
	n := &op.Nodes[i]
	if slices.Contains(op.Skip, n.ID) || !r.Touched {
		s.restored(st, op, i, r)
		return
	}
	n.State, r.Next = nodeRunning, r.Prior
	s.setResource(st, r, updateInProgress, "")
	if r.Type == stackType && s.revertChild(st, op, i, r) {
		return
	}
	a := s.ask(st, r.Type, n, "start")
	if r.Physical != r.Prior.Physical {
		s.laterNode(st, op, i, a.stretch(s.soon(st, phase(n.ID))))
		return
	}
	s.run(st, op, i, a)
}

// restored makes a resource what it was before the update.
func (s *session) restored(st *stack, op *operation, i int, r *resource) {
	prior := *r.Prior
	if r.Physical != prior.Physical {
		r.Old = slices.DeleteFunc(r.Old, func(o leftover) bool { return o.Physical == prior.Physical })
		if r.Physical != "" {
			r.Old = append(r.Old, leftover{state: r.state})
		}
		r.state = prior
	} else {
		s.release(st, r.ID, &r.state)
		r.state = prior
		s.claim(st, r.ID, &r.state)
	}
	r.Prior, r.Next, r.Touched = nil, nil, false
	op.Nodes[i].State = nodeDone
	s.setResource(st, r, updateComplete, "")
	s.announce(st, r)
}

// timeout ends a creation that takes too long.
func (s *session) timeout(st *stack, op *operation) {
	if op.Kind != kindCreate || op.Undoing || op.Phase != phaseForward && op.Phase != phaseStart && op.Phase != phaseMonitor {
		return
	}
	op.Why = fmt.Sprintf("Stack creation time exceeded the specified timeout of %d minutes", st.Timeout)
	s.cancelNodes(st, op)
	s.later(st, op, phaseFail, s.soon(st, phaseFail))
}
