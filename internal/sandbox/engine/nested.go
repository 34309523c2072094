package engine

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// childRequest reads the properties of a nested stack.
func (s *session) childRequest(st *stack, r *state) request {
	req := request{Capabilities: st.Now.Caps, Role: st.Now.Role, Notify: st.Now.Notify, Unchecked: true}
	req.URL, _ = r.Props["TemplateURL"].(string)
	if params, ok := r.Props["Parameters"].(map[string]any); ok {
		for _, name := range slices.Sorted(maps.Keys(params)) {
			value := childValue(params[name])
			req.Parameters = append(req.Parameters, Parameter{ParameterKey: name, ParameterValue: &value})
		}
	}
	req.Tags = slices.Clone(st.Now.Tags)
	if tags, ok := r.Props["Tags"].([]any); ok {
		for _, t := range tags {
			if m, ok := t.(map[string]any); ok {
				k, _ := m["Key"].(string)
				v, _ := m["Value"].(string)
				req.Tags = slices.DeleteFunc(req.Tags, func(t Tag) bool { return t.Key == k })
				req.Tags = append(req.Tags, Tag{Key: k, Value: v})
			}
		}
	}
	if topics, ok := r.Props["NotificationARNs"].([]any); ok {
		for _, t := range topics {
			if text, ok := t.(string); ok {
				req.Notify = append(slices.Clone(req.Notify), text)
			}
		}
	}
	return req
}

// childValue writes a parameter of a nested stack; lists are comma-joined.
func childValue(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case []any:
		parts := make([]string, len(v))
		for i, item := range v {
			parts[i] = childValue(item)
		}
		return strings.Join(parts, ",")
	}
	return fmt.Sprint(v)
}

// createChild starts the creation of a nested stack; its end wakes the node.
func (s *session) createChild(st *stack, op *operation, i int, r *resource) {
	const random = 12
	n := &op.Nodes[i]
	name := st.Name + "-" + r.ID + "-" + s.e.letters(random, upperAlnum, "child", st.ID, st.OpID, r.ID)
	req := s.childRequest(st, &r.state)
	req.Create = true
	child, cs := s.prepared(op, r.ID)
	if child == nil || child.Status != reviewInProgress {
		child = s.newStack(name)
	}
	r.Physical, r.Ref = "", ""
	child.Parent, child.ParentResource, child.Root = st.ID, r.ID, st.Root
	if child.Root == "" {
		child.Root = st.ID
	}
	t, _, err := s.target(child, req)
	if err != nil {
		s.failNode(st, op, i, reasonOf(err))
		return
	}
	child.Now = t
	minutes, _ := r.Props["TimeoutInMinutes"].(string)
	if m, err := strconv.Atoi(minutes); err == nil {
		child.Timeout = m
	}
	r.Physical = child.ID
	s.claim(st, r.ID, &r.state)
	if n.How == howReplace {
		s.setResource(st, r, updateInProgress, initiated)
	} else {
		s.setResource(st, r, createInProgress, initiated)
	}
	s.startCreateStack(child, prepare(launch{token: st.Token, noRollback: op.NoRollback}, child, cs))
}

// prepare takes what the change set of a nested stack has prepared.
func prepare(l launch, child *stack, cs *changeSet) launch {
	if cs != nil && cs.Stack == child.ID {
		child.ChangeSet, l.nested, l.imports = cs.ID, cs.Children, cs.Imports
	}
	return l
}

// updateChild starts the update of a nested stack, when there is one to do.
func (s *session) updateChild(st *stack, op *operation, i int, r *resource) {
	child := s.stack(r.Physical)
	if child == nil || !updatable(child.Status) {
		s.failNode(st, op, i, "Embedded stack "+r.Physical+" cannot be updated")
		return
	}
	t, _, err := s.target(child, s.childRequest(st, r.Next))
	if err != nil {
		s.failNode(st, op, i, reasonOf(err))
		return
	}
	if !s.changed(child, &t) {
		s.laterNode(st, op, i, s.soon(child, phaseForward))
		return
	}
	_, cs := s.prepared(op, r.ID)
	s.startUpdateStack(child, t, prepare(launch{token: st.Token, noRollback: op.NoRollback}, child, cs))
}

// howAsked marks a node that has begun the deletion of its nested stack.
const howAsked = "asked"

// childGoing sees to the deletion of a nested stack and reports whether the
// node must wait. An update under way ends first; a creation is cut short.
func (s *session) childGoing(st *stack, n *node, r *resource) bool {
	child := s.stack(r.Physical)
	if child == nil || child.Status == deleteComplete {
		return false
	}
	if s.childHeld(r) {
		s.later(child, s.op(child.ID), phaseCleanup, s.soon(child, phaseCleanup))
		return true
	}
	busy := s.op(child.ID) != nil && child.Status != createInProgress && child.Status != rollbackInProgress
	if busy || n.How == howAsked {
		return s.childBusy(r)
	}
	n.How = howAsked
	s.startDeleteStack(child, launch{token: st.Token})
	return true
}

// revertChild brings a nested stack back, one step at a time, and reports
// whether the node must wait for it: the update under way is rolled back, one
// that is over is undone by another.
func (s *session) revertChild(st *stack, op *operation, i int, r *resource) bool {
	const patience = 3
	child := s.stack(r.Physical)
	if child == nil || r.Prior.Physical != r.Physical {
		return false
	}
	if cop := s.op(child.ID); cop != nil {
		if !cop.Undoing && cop.Phase != phaseCleanup && cop.Phase != phaseCleaned {
			s.cancelNodes(child, cop)
			child.Token = st.Token
			s.turnBack(child, cop, undoInProgress, "")
		}
		return true
	}
	if child.Status == undoFailed && op.Nodes[i].Tries == 0 {
		op.Nodes[i].Tries++
		child.Token = st.Token
		s.resume(child, below(op.Skip, child), op.Force)
		return true
	}
	t, _, err := s.target(child, s.childRequest(st, r.Prior))
	if err != nil || !updatable(child.Status) || !s.changed(child, &t) {
		return false
	}
	if op.Nodes[i].Tries++; op.Nodes[i].Tries >= patience {
		return false
	}
	s.startUpdateStack(child, t, launch{token: st.Token, free: true})
	return true
}

// releaseChildren lets the nested stacks that wait for this one's update
// finish theirs.
func (s *session) releaseChildren(st *stack) {
	for _, r := range s.listed(st.ID) {
		if r.Type == stackType && r.Physical != "" && s.childHeld(r) {
			child := s.stack(r.Physical)
			s.later(child, s.op(r.Physical), phaseCleanup, s.soon(child, phaseCleanup))
		}
	}
}

// childOver wakes the node of the parent that waits for a nested stack.
func (s *session) childOver(st *stack) {
	if st.Parent == "" {
		return
	}
	parent, op := s.stack(st.Parent), s.op(st.Parent)
	if parent == nil || op == nil {
		return
	}
	for i := range op.Nodes {
		if n := &op.Nodes[i]; n.ID == st.ParentResource && n.State == nodeRunning {
			s.laterNode(parent, op, i, s.e.between(200*time.Millisecond, 900*time.Millisecond, "child", st.ID, st.OpID, st.Status))
		}
	}
}

// parentBusy reports whether a parent may still roll its own update back.
func (s *session) parentBusy(st *stack) bool {
	op := s.op(st.Parent)
	if op == nil || op.Kind != kindUpdate {
		return false
	}
	switch op.Phase {
	case phaseForward, phaseMonitor, phaseFinish, phaseFail, phaseRollback:
		return true
	default:
		return false
	}
}

func (s *session) childBusy(r *resource) bool {
	child := s.stack(r.Physical)
	return child != nil && s.op(child.ID) != nil && !stable(child.Status)
}

func (s *session) childHeld(r *resource) bool {
	op := s.op(r.Physical)
	return op != nil && op.Phase == phaseHeld
}

// letGo lets a nested stack clean up with its parent.
func (s *session) letGo(st *stack, op *operation, i int) {
	n := &op.Nodes[i]
	r := s.resource(st.ID, n.ID)
	child := s.stack(r.Physical)
	cop := s.op(r.Physical)
	if cop != nil && cop.Phase == phaseHeld {
		n.State = nodeRunning
		s.later(child, cop, phaseCleanup, s.soon(child, phaseCleanup))
		return
	}
	if cop == nil {
		n.State = nodeDone
	}
}

// childSettled looks at a nested stack that a node waits for, fails the node
// when the stack failed and reports whether it is as it shall be.
func (s *session) childSettled(st *stack, op *operation, i int, r *resource) bool {
	child := s.stack(r.Physical)
	if child == nil {
		s.failNode(st, op, i, "Embedded stack "+r.Physical+" does not exist")
		return false
	}
	n := &op.Nodes[i]
	switch child.Status {
	case createComplete, updateComplete, updateCleanup, undoComplete:
		return true
	case createInProgress, updateInProgress:
		return false
	}
	reason := strings.TrimSuffix(strings.TrimSuffix(child.Reason, byUser), " ")
	if n.How == howUpdate {
		s.failNode(st, op, i, fmt.Sprintf("Embedded stack %s was not successfully updated. Currently in %s with reason: %s", child.ID, child.Status, reason))
		return false
	}
	s.failNode(st, op, i, fmt.Sprintf("Embedded stack %s was not successfully created: %s", child.ID, reason))
	return false
}

// childAttribute answers Fn::GetAtt on a nested stack.
func (s *session) childAttribute(r *resource, attr string) (any, error) {
	child := s.stack(r.Physical)
	name, ok := strings.CutPrefix(attr, "Outputs.")
	if child == nil || !ok {
		return nil, invalid("Resource type %s does not support attribute {%s}", r.Type, attr)
	}
	for _, o := range child.Outputs {
		if o.Key == name {
			return o.Value, nil
		}
	}
	return nil, invalid("Output '%s' not found in stack '%s'", name, child.ID)
}
