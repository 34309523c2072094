package engine

import (
	"maps"
	"slices"
	"strings"
)

// nestSets makes a change set for each nested stack that a change set would make
// or change, and says why that failed. A nested stack in which nothing changes
// drops out.
func (s *session) nestSets(st *stack, cs *changeSet, p *planner) (why string) {
	if !truth(cs.Nested) {
		return ""
	}
	cs.Children = map[string]string{}
	for i := range p.changes {
		c := &p.changes[i].Change
		if c.ResourceType != stackType || c.Action != "Add" && c.Action != "Modify" || c.Replacement == "True" {
			continue
		}
		child, reason := s.nestSet(st, cs, p.next[c.LogicalResourceId], c)
		if reason != "" {
			return reason
		}
		if child != nil {
			c.ChangeSetId, cs.Children[c.LogicalResourceId] = child.ID, child.ID
		}
	}
	p.changes = slices.DeleteFunc(p.changes, func(c planned) bool {
		automatic := len(c.Details) == 1 && c.Details[0].ChangeSource == "Automatic"
		return c.Change.ResourceType == stackType && c.Change.Action == "Modify" && automatic && c.Change.ChangeSetId == ""
	})
	return ""
}

// nestSet makes the change set of one nested stack; nil when there is nothing to
// change, or when its parameters are not known yet.
func (s *session) nestSet(st *stack, cs *changeSet, next *state, c *ResourceChange) (child *changeSet, why string) {
	const random = 12
	seen := *st
	seen.Now = cs.Next
	req := s.childRequest(&seen, next)
	kind, nested := "UPDATE", s.stack(c.PhysicalResourceId)
	if c.Action == "Add" || nested == nil {
		kind, req.Create = "CREATE", true
		nested = s.newStack(st.Name + "-" + c.LogicalResourceId + "-" + s.e.letters(random, upperAlnum, "child", cs.ID, c.LogicalResourceId))
		nested.Parent, nested.ParentResource, nested.Root = st.ID, c.LogicalResourceId, st.Root
		if nested.Root == "" {
			nested.Root = st.ID
		}
	}
	child = &changeSet{
		Name: cs.Name + "-" + c.LogicalResourceId + "-" + s.e.letters(random, upperAlnum, "nested", cs.ID, c.LogicalResourceId), Stack: nested.ID, StackName: nested.Name, Type: kind,
		Status: changeSetPending, Exec: execUnavailable, Created: s.now, Nested: cs.Nested, Parent: cs.ID, Root: cs.Root, Import: cs.Import,
	}
	if child.Root == "" {
		child.Root = cs.ID
	}
	child.ID = s.changeSetID(nested, child.Name)
	t, _, err := s.target(nested, req)
	if err != nil {
		if says(next.Props, unknown) {
			return nil, ""
		}
		return nil, "Nested change set " + child.ID + " was not successfully created: " + reasonOf(err) + "."
	}
	child.Next = t
	p, empty := s.work(nested, child)
	if empty && kind == "UPDATE" && p != nil {
		return nil, ""
	}
	if child.Status == changeSetFailed {
		return nil, "Nested change set " + child.ID + " was not successfully created: " + child.Reason
	}
	if kind == "CREATE" {
		s.register(nested)
		s.begin(nested, opReview)
		s.setStatus(nested, reviewInProgress, userInitiated)
	}
	s.saveChangeSet(child)
	s.put("csname", key(nested.ID, child.Name), child.ID)
	return child, ""
}

func (s *session) changeSetID(st *stack, name string) string {
	arn, _, _ := strings.Cut(st.ID, ":stack/")
	return arn + ":changeSet/" + name + "/" + s.e.uuid("changeset", st.ID, name, ordinal(s.counter("changeset")))
}

// dropNested deletes the change sets under one, with the stacks that only they
// need.
func (s *session) dropNested(cs *changeSet) {
	for _, id := range slices.Sorted(maps.Keys(cs.Children)) {
		child := s.loadChangeSet(cs.Children[id])
		if child == nil {
			continue
		}
		s.dropNested(child)
		s.drop("csname", key(child.Stack, child.Name))
		s.drop("changeset", child.ID)
		if st := s.stack(child.Stack); st != nil && st.Status == reviewInProgress {
			s.deleteReview(st, "")
		}
	}
}

// planned is the nested stack that a change set has prepared for a resource.
func (s *session) prepared(op *operation, id string) (*stack, *changeSet) {
	if op.Nested[id] == "" {
		return nil, nil
	}
	cs := s.loadChangeSet(op.Nested[id])
	if cs == nil {
		return nil, nil
	}
	return s.stack(cs.Stack), cs
}

// runNested marks the change sets under one as running.
func (s *session) runNested(cs *changeSet, exec string) {
	for _, id := range slices.Sorted(maps.Keys(cs.Children)) {
		child := s.loadChangeSet(cs.Children[id])
		if child == nil {
			continue
		}
		child.Exec = exec
		s.drop("csname", key(child.Stack, child.Name))
		s.saveChangeSet(child)
		s.runNested(child, exec)
	}
}
