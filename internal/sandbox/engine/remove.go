package engine

import (
	"slices"
	"strings"
	"time"
)

// deleteNodes makes a node for each given resource, users before what they
// use.
func deleteNodes(resources []*resource) []node {
	needs := map[string][]string{}
	var nodes []node
	for _, r := range resources {
		nodes = append(nodes, node{ID: r.ID, Do: doDelete})
		needs[r.ID] = r.Deps
		if r.Next != nil {
			needs[r.ID] = r.Next.Deps
		}
	}
	return order(nodes, reversed(needs))
}

// startDelete begins to delete all resources of a stack.
func (s *session) startDelete(st *stack, op *operation) {
	for _, o := range st.Outputs {
		if o.Export == "" {
			continue
		}
		if user, used := s.importer(st.account(), o.Export); used {
			s.done(st, deleteFailed, "Export "+o.Export+" cannot be deleted as it is in use by "+user, opFailed)
			return
		}
	}
	var left []*resource
	for _, r := range s.listed(st.ID) {
		if r.alive() {
			left = append(left, r)
		}
	}
	op.Nodes, op.Phase = deleteNodes(left), phaseDelete
	for _, r := range left {
		for _, old := range r.Old {
			op.Nodes = append(op.Nodes, node{ID: r.ID, Do: doClean, Old: old.Physical})
		}
	}
	op.Nodes = leftoversFirst(op.Nodes)
	s.saveOp(st.ID, op)
	s.pump(st)
}

func (s *session) finishDelete(st *stack, op *operation) {
	if len(op.FailDelete) > 0 {
		s.done(st, deleteFailed, op.failures(), opFailed)
		return
	}
	for _, o := range st.Outputs {
		if o.Export != "" {
			s.drop("export", place(st.account())+o.Export)
		}
	}
	s.setImports(st, nil)
	s.forget(st)
	st.Deleted = s.now
	st.ChangeSet = ""
	s.unregister(st)
	s.obsolete(st, "")
	s.done(st, deleteComplete, "", opSucceeded)
}

// remove performs the next step in deleting a resource.
func (s *session) remove(st *stack, op *operation, i int) {
	n := &op.Nodes[i]
	r := s.resource(st.ID, n.ID)
	if r == nil {
		n.State = nodeDone
		return
	}
	if n.State == nodeReady {
		s.removeStart(st, op, i, r)
		return
	}
	if r.Type == stackType && s.childGoing(st, n, r) {
		return
	}
	why := s.undeletable(st, n, r)
	if why == "" {
		if !op.Undoing {
			s.snapshot(st, r)
		}
		s.gone(st, r.ID, &r.state)
		s.tellRemoved(st, op, r, deleteComplete, "")
		n.State = nodeDone
		return
	}
	s.tellRemoved(st, op, r, deleteFailed, why)
	switch {
	case op.Force:
		s.abandon(st, r.ID, &r.state)
		s.tellRemoved(st, op, r, deleteSkipped, "")
		n.State = nodeDone
	case op.Phase == phaseCleanup && s.again(st, op, i):
		s.tellRemoved(st, op, r, deleteInProgress, "")
	default:
		n.State = nodeFailed
		op.FailDelete = append(op.FailDelete, n.ID)
	}
}

// undeletable is why a resource cannot be deleted now.
func (s *session) undeletable(st *stack, n *node, r *resource) string {
	if r.Type == stackType {
		if child := s.stack(r.Physical); child != nil && child.Status == deleteFailed {
			return "Embedded stack " + child.ID + " was not successfully deleted: " + child.Reason
		}
	}
	if text, code, failed := s.fault(st, r.Type, n); failed {
		return s.failure(st, r.Type, r.ID, text, code)
	}
	if a, found := s.provider(st, r.ID, &r.state, "Delete"); found && a.Fail {
		return s.customFailure(st, r.ID, a.Reason)
	}
	return s.blocked(st, r.ID, &r.state)
}

func (s *session) removeStart(st *stack, op *operation, i int, r *resource) {
	n := &op.Nodes[i]
	if s.kept(op, r) {
		s.abandon(st, r.ID, &r.state)
		s.tellRemoved(st, op, r, deleteSkipped, "")
		n.State = nodeDone
		return
	}
	if r.Physical == "" {
		s.tellRemoved(st, op, r, deleteComplete, "")
		n.State = nodeDone
		return
	}
	n.State = nodeRunning
	s.tellRemoved(st, op, r, deleteInProgress, "")
	if r.Type == stackType && s.childGoing(st, n, r) {
		return
	}
	s.laterNode(st, op, i, s.removalTime(st, n, r.Type))
}

func (s *session) removalTime(st *stack, n *node, typeName string) time.Duration {
	_, _, d := s.e.cfg.Durations(typeName)
	return s.ask(st, typeName, n, "start").stretch(st.express(s.e.about(d, "time", st.ID, st.OpID, n.ID, n.Old, "delete")))
}

// kept reports whether a policy or the caller keeps a resource from deletion.
func (s *session) kept(op *operation, r *resource) bool {
	if slices.Contains(op.Retain, r.ID) || r.Imported && op.Undoing {
		return true
	}
	switch r.OnDelete {
	case "Retain":
		return !op.Undoing || !truth(op.Keep)
	case "RetainExceptOnCreate":
		return !op.Undoing
	}
	return false
}

// tellRemoved moves a resource along its deletion. In a clean-up such events
// have random ids and no properties, and in the end the stack forgets the
// resource.
func (s *session) tellRemoved(st *stack, op *operation, r *resource, status, reason string) {
	over := status == deleteComplete || status == deleteSkipped
	if op.Phase != phaseCleanup {
		r.Next = nil
		s.setResource(st, r, status, reason)
		if over && op.Undoing && r.Physical == "" {
			s.dropResource(st.ID, r.ID)
		}
		return
	}
	r.Status, r.Reason, r.Changed = status, reason, s.now
	s.saveResource(st.ID, r)
	s.tellLeftover(st, r.ID, leftover{state: r.state}, status, reason)
	if over {
		s.dropResource(st.ID, r.ID)
	}
}

// gone ends a physical resource.
func (s *session) gone(st *stack, id string, r *state) {
	s.release(st, id, r)
	if s.e.cfg.Gone != nil && s.err == nil && r.Type != stackType {
		s.fail(s.e.cfg.Gone(s.tx, s.made(st, id, r)))
	}
}

// snapshot leaves a snapshot of what is deleted, where its policy says so: of a
// database that is no member of a cluster also where there is none.
func (s *session) snapshot(st *stack, r *resource) {
	policy := r.OnDelete
	if _, member := r.Props["DBClusterIdentifier"]; policy == "" && (r.Type == "AWS::RDS::DBCluster" || r.Type == "AWS::RDS::DBInstance" && !member) {
		policy = policySnapshot
	}
	if policy != policySnapshot || s.e.cfg.Snapshot == nil || s.err != nil || r.Physical == "" {
		return
	}
	tail := s.e.letters(12, lowerAlnum, "snapshot", st.ID, r.ID, r.Physical)
	s.fail(s.e.cfg.Snapshot(s.tx, s.made(st, r.ID, &r.state), strings.ToLower(st.Name+"-snapshot-"+r.ID)+"-"+tail))
}

const policySnapshot = "Snapshot"

// abandon leaves a physical resource behind: it belongs to no stack any more,
// but its name stays taken.
func (s *session) abandon(st *stack, id string, r *state) {
	if r.Physical == "" {
		return
	}
	s.release(st, id, r)
	for _, name := range r.names() {
		s.put("physical", place(st.account())+key(name, r.Type, "", r.Physical), owner{ID: id, Type: r.Type})
	}
}

// attempts is how often a clean-up tries to delete.
const attempts = 3

// again queues another attempt of a clean-up.
func (s *session) again(st *stack, op *operation, i int) bool {
	n := &op.Nodes[i]
	n.Tries++
	n.How = ""
	if n.Tries >= attempts {
		return false
	}
	s.laterNode(st, op, i, 5*time.Second)
	return true
}

// startCleanup deletes what an update replaced or removed, or what a
// roll-back leaves over.
func (s *session) startCleanup(st *stack, op *operation) {
	c, err := s.scope(st, &st.Now)
	if err != nil {
		s.fail(err)
		return
	}
	var gone []*resource
	var nodes []node
	needs := map[string][]string{}
	for _, r := range s.listed(st.ID) {
		needs[r.ID] = r.Deps
		removed := r.alive() && !c.active(r.ID)
		if op.Undoing {
			removed = r.alive() && r.Born
		}
		if removed {
			gone = append(gone, r)
		} else if r.Type == stackType && s.childHeld(r) {
			nodes = append(nodes, node{ID: r.ID, Do: doHold})
		}
	}
	for _, n := range deleteNodes(gone) {
		n.Needs = nil
		nodes = append(nodes, n)
	}
	for _, r := range s.listed(st.ID) {
		for _, old := range r.Old {
			nodes = append(nodes, node{ID: r.ID, Do: doClean, Old: old.Physical})
			needs[r.ID] = append(needs[r.ID], old.Deps...)
		}
	}
	op.Nodes, op.Phase = leftoversFirst(order(nodes, reversed(needs))), phaseCleanup
	s.saveOp(st.ID, op)
	s.pump(st)
}

// leftoversFirst makes the deletion of a resource wait for that of what it
// used to be.
func leftoversFirst(nodes []node) []node {
	for i := range nodes {
		for j := range nodes {
			if nodes[i].Do == doDelete && nodes[j].Do == doClean && nodes[i].ID == nodes[j].ID {
				nodes[i].Needs = append(nodes[i].Needs, j)
			}
		}
	}
	return nodes
}

func (s *session) finishCleanup(st *stack, op *operation) {
	s.forget(st)
	st.Fallback, st.FallbackOut = nil, nil
	status := updateComplete
	if op.Undoing {
		status = undoComplete
	}
	s.done(st, status, "", opSucceeded)
}

// clean performs the next step in deleting what a resource used to be.
func (s *session) clean(st *stack, op *operation, i int) {
	n := &op.Nodes[i]
	r := s.resource(st.ID, n.ID)
	at := -1
	if r != nil {
		at = slices.IndexFunc(r.Old, func(o leftover) bool { return o.Physical == n.Old })
	}
	if at < 0 {
		n.State = nodeDone
		return
	}
	old := r.Old[at]
	if n.State == nodeReady {
		s.cleanStart(st, op, i, old)
		return
	}
	if old.Type == stackType && s.childGoing(st, n, &resource{state: old.state}) {
		return
	}
	why := s.blocked(st, r.ID, &old.state)
	if text, code, failed := s.fault(st, old.Type, n); failed {
		why = s.failure(st, old.Type, r.ID, text, code)
	}
	if why != "" {
		s.tellLeftover(st, r.ID, old, deleteFailed, why)
		if s.again(st, op, i) {
			s.tellLeftover(st, r.ID, old, deleteInProgress, "")
			return
		}
		s.abandon(st, r.ID, &old.state)
		n.State = nodeFailed
		return
	}
	s.gone(st, r.ID, &old.state)
	s.claim(st, r.ID, &r.state)
	s.tellLeftover(st, r.ID, old, deleteComplete, "")
	n.State = nodeDone
}

func (s *session) cleanStart(st *stack, op *operation, i int, old leftover) {
	n := &op.Nodes[i]
	if old.OnReplace == "Retain" && !op.Undoing {
		s.abandon(st, n.ID, &old.state)
		s.tellLeftover(st, n.ID, old, deleteSkipped, "")
		n.State = nodeDone
		return
	}
	n.State = nodeRunning
	s.tellLeftover(st, n.ID, old, deleteInProgress, "")
	if old.Type == stackType && s.childGoing(st, n, &resource{state: old.state}) {
		return
	}
	s.laterNode(st, op, i, s.removalTime(st, n, old.Type))
}
