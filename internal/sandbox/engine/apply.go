package engine

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// apply performs the next step in making a resource what it shall be: start,
// begin when something new is made, finish.
func (s *session) apply(st *stack, op *operation, i int) {
	switch n := &op.Nodes[i]; n.State {
	case nodeReady:
		s.applyStart(st, op, i)
	case nodeStarted:
		s.applyBegin(st, op, i)
	case nodeRunning:
		s.applyFinish(st, op, i)
	}
}

func (s *session) applyStart(st *stack, op *operation, i int) {
	n := &op.Nodes[i]
	c, err := s.scope(st, &st.Now)
	if err != nil {
		s.failNode(st, op, i, reasonOf(err))
		return
	}
	next, err := s.desired(st, c, n.ID)
	r := s.resource(st.ID, n.ID)
	switch {
	case r == nil || !r.alive() || r.Status == createFailed || op.Revert && r.Missing:
		s.enter(st, op, i, r, next)
		if err != nil { // what could not be evaluated is not missing
			s.failNode(st, op, i, reasonOf(err))
			return
		}
		s.startCreate(st, op, i)
	case err != nil:
		if r.Prior == nil && !r.Born {
			before := r.state
			r.Prior = &before
		}
		n.How = howUpdate
		s.failNode(st, op, i, reasonOf(err))
	default:
		s.startUpdate(st, op, i, r, next)
	}
}

// enter lists a resource that is about to be made; what an earlier attempt left
// waits for the clean-up.
func (s *session) enter(st *stack, op *operation, i int, r *resource, next *state) {
	n := &op.Nodes[i]
	fresh := &resource{ID: n.ID, state: state{Type: next.Type, OnDelete: next.OnDelete}, Next: next, Born: true}
	if r != nil && r.alive() {
		fresh.Old = r.Old
		switch {
		case r.Missing: // there is nothing left to delete, and it is missing until it is made
			s.release(st, r.ID, &r.state)
			fresh.Missing = true
		case r.Physical != "":
			fresh.Old = append(fresh.Old, leftover{state: r.state})
		}
	}
	n.How, n.State = howCreate, nodeStarted
	s.setResource(st, fresh, createInProgress, "")
}

func (s *session) startCreate(st *stack, op *operation, i int) {
	n := &op.Nodes[i]
	r := s.resource(st.ID, n.ID)
	if text, early := validate(n.ID, r.Next); text != "" {
		if early {
			r.Detailed = validationFailed
			op.Invalid = append(op.Invalid, n.ID)
		}
		s.failNode(st, op, i, text)
		return
	}
	s.laterNode(st, op, i, s.e.between(700*time.Millisecond, 1300*time.Millisecond, "begin", st.ID, st.OpID, n.ID))
}

// startUpdate leaves a resource as it is or begins to change it.
func (s *session) startUpdate(st *stack, op *operation, i int, r *resource, next *state) {
	n := &op.Nodes[i]
	before := r.state
	how, changed := difference(&before, next)
	if r.Prior == nil && !r.Born {
		r.Prior = &before
	}
	if how == howNothing && r.Status != updateFailed && (!op.Revert || !r.drifting()) {
		r.Deps, r.OnDelete, r.OnReplace, r.Extra, r.Tags = next.Deps, next.OnDelete, next.OnReplace, next.Extra, next.Tags
		s.saveResource(st.ID, r)
		n.How, n.State = howNothing, nodeDone
		return
	}
	n.How, r.Detailed = how, ""
	if how != howReplace {
		n.How = howUpdate
	}
	if why := s.refusal(st, op, r, next, n.How); why != "" {
		s.failNode(st, op, i, why)
		return
	}
	r.Next = next
	if text, early := validate(n.ID, next); text != "" {
		if early {
			r.Detailed = validationFailed
			op.Invalid = append(op.Invalid, n.ID)
		}
		s.setResource(st, r, updateInProgress, "")
		s.failNode(st, op, i, text)
		return
	}
	if n.How == howReplace {
		s.startReplace(st, op, i, changed)
		return
	}
	s.startInPlace(st, op, i)
}

// startReplace begins to make a new physical resource in place of the old.
func (s *session) startReplace(st *stack, op *operation, i int, changed []string) {
	n := &op.Nodes[i]
	r := s.resource(st.ID, n.ID)
	if why := customNamed(changed, r.Next); why != "" {
		s.failNode(st, op, i, why)
		return
	}
	s.setResource(st, r, updateInProgress, replacing)
	n.State = nodeStarted
	s.laterNode(st, op, i, s.e.between(700*time.Millisecond, 1300*time.Millisecond, "begin", st.ID, st.OpID, n.ID))
}

// startInPlace begins to change the physical resource itself.
func (s *session) startInPlace(st *stack, op *operation, i int) {
	n := &op.Nodes[i]
	r := s.resource(st.ID, n.ID)
	r.Touched = true
	s.setResource(st, r, updateInProgress, "")
	n.State = nodeRunning
	if r.Type == stackType {
		s.updateChild(st, op, i, r)
		return
	}
	a := s.ask(st, r.Type, n, "start")
	if a.Fail {
		s.failNode(st, op, i, s.failure(st, resourceType(r), n.ID, a.Message, a.HandlerCode))
		return
	}
	s.run(st, op, i, a)
}

// refusal is why the stack policy or the kind of resource forbids a change.
func (s *session) refusal(st *stack, op *operation, r *resource, next *state, how string) string {
	action := "Update:Modify"
	if how == howReplace {
		action = "Update:Replace"
	}
	if next.Type != r.Type {
		return "Update of resource type is not permitted. The new template modifies resource type of the following resources: [" + r.ID + "]"
	}
	return s.denied(st, op, action, r.ID, r.Type)
}

// customNamed refuses to replace a resource whose chosen name stays: the new
// one would need the name of the old.
func customNamed(changed []string, next *state) string {
	property, name := chosenName(next)
	if name == "" {
		return ""
	}
	if slices.Contains(changed, property) {
		return ""
	}
	return "CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename " + name + " and update the stack again."
}

// applyBegin makes the new physical resource.
func (s *session) applyBegin(st *stack, op *operation, i int) {
	n := &op.Nodes[i]
	r := s.resource(st.ID, n.ID)
	a := s.ask(st, r.Next.Type, n, "start")
	if a.Fail {
		s.failNode(st, op, i, s.failure(st, resourceType(r), n.ID, a.Message, a.HandlerCode))
		return
	}
	if why := s.badReference(st, r.Next); why != "" {
		s.failNode(st, op, i, why)
		return
	}
	next := *r.Next
	named := s.identify(st, n.ID, &next, st.OpID)
	if why := s.provide(st, n.ID, &next, "Create"); why != "" {
		s.failNode(st, op, i, why)
		return
	}
	if named {
		if why := s.conflict(st, n.ID, &next); why != "" {
			s.failNode(st, op, i, why)
			return
		}
	}
	// A name given up and taken again within one update is the same thing still.
	r.Old = slices.DeleteFunc(r.Old, func(o leftover) bool { return o.Physical == next.Physical })
	if n.How == howReplace {
		r.Old = append(r.Old, leftover{state: r.state})
	}
	r.Touched, r.state, r.Next = true, next, nil
	r.Actual, r.Aside, r.Drift = nil, nil, ""
	n.State = nodeRunning
	if next.Type == stackType {
		s.createChild(st, op, i, r)
		return
	}
	s.keepIDs(st, r)
	s.claim(st, r.ID, &r.state)
	status := createInProgress
	if n.How == howReplace {
		status = updateInProgress
	}
	s.setResource(st, r, status, initiated)
	s.run(st, op, i, a)
}

// keepIDs stores the attributes by which others refer to a resource.
func (s *session) keepIDs(st *stack, r *resource) {
	for _, name := range []string{"Arn", "GroupId", "AllocationId"} {
		v, ok := s.attribute(st, &r.state, name)
		if text, isText := v.(string); ok && isText {
			if r.Attrs == nil {
				r.Attrs = map[string]string{}
			}
			r.Attrs[name] = text
		}
	}
}

// run lets a resource take its time, more of it when a fault says so.
func (s *session) run(st *stack, op *operation, i int, a FaultAnswer) {
	n := &op.Nodes[i]
	r := s.resource(st.ID, n.ID)
	create, update, _ := s.e.cfg.Durations(r.Type)
	d := create
	if n.How == howUpdate {
		d = update
	}
	if wait, ok := s.signalWait(st, r, create); ok && n.How != howUpdate {
		d = wait
	}
	d = a.stretch(st.express(s.e.about(d, "time", st.ID, st.OpID, n.ID, n.How)))
	if optimistic(r.Type) && n.Do == doApply && n.How != howUpdate && st.Express != modeExpress {
		s.configure(st, op, i, d)
		return
	}
	s.laterNode(st, op, i, d)
}

func (s *session) applyFinish(st *stack, op *operation, i int) {
	n := &op.Nodes[i]
	r := s.resource(st.ID, n.ID)
	if r.Type == stackType && !s.childSettled(st, op, i, r) {
		return
	}
	if n.Rest > 0 {
		s.configured(st, op, i)
		return
	}
	text, code, failed := s.fault(st, r.Type, n)
	if failed {
		s.failNode(st, op, i, s.failure(st, r.Type, n.ID, text, code))
		return
	}
	if n.How == howUpdate && r.Missing { // somebody deleted it behind the stack's back
		s.failNode(st, op, i, s.failure(st, r.Type, n.ID, "Resource of type '"+r.Type+"' with identifier '"+r.Physical+"' was not found.", "NotFound"))
		return
	}
	if why := s.unsignalled(st, r, n); why != "" {
		s.failNode(st, op, i, why)
		return
	}
	if n.How == howUpdate {
		if why := s.badReference(st, r.Next); why != "" {
			s.failNode(st, op, i, why)
			return
		}
		why, other := s.updateCustom(st, r)
		if why != "" {
			s.failNode(st, op, i, why)
			return
		}
		s.takeNext(st, r)
		if other {
			s.setResource(st, r, updateInProgress, providerMadeNew)
		}
	}
	n.State, r.Missing = nodeDone, false
	status := updateComplete
	if n.How == howCreate {
		status = createComplete
	}
	s.setResource(st, r, status, s.afterwards(st, r.Type))
	s.announce(st, r)
	s.tellConfigured(st, op)
}

// updateCustom asks the provider of a custom resource for its update. Another
// physical id makes the old one a leftover.
func (s *session) updateCustom(st *stack, r *resource) (why string, other bool) {
	next := *r.Next
	next.Physical = r.Physical
	if why := s.provide(st, r.ID, &next, "Update"); why != "" || !next.Answered {
		return why, false
	}
	if other = next.Physical != r.Physical; other {
		r.Old = append(r.Old, leftover{state: r.state})
	}
	r.Next = &next
	return "", other
}

const providerMadeNew = "Requested update required the provider to create a new physical resource"

// resourceType is the type of what a step makes, or has.
func resourceType(r *resource) string {
	if r.Next != nil {
		return r.Next.Type
	}
	return r.Type
}

// takeNext makes an updated resource what it was updated to.
func (s *session) takeNext(st *stack, r *resource) {
	s.release(st, r.ID, &r.state)
	next := *r.Next
	if !next.Answered {
		next.Physical, next.Attrs = r.Physical, r.Attrs
	}
	next.Ref = generator{s: s, st: st, id: r.ID, r: &next}.refNow()
	r.state, r.Next = next, nil
	r.Actual, r.Drift = nil, ""
	maps.DeleteFunc(r.Aside, func(name string, _ any) bool { return r.Props[name] != nil })
	s.claim(st, r.ID, &r.state)
}

// failNode ends a node that could not do its work. Unless failures are
// preserved it cancels whatever else is under way.
func (s *session) failNode(st *stack, op *operation, i int, reason string) {
	n := &op.Nodes[i]
	s.dropDue(n.Due)
	n.Due, n.State = "", nodeFailed
	r := s.resource(st.ID, n.ID)
	if r == nil {
		op.Why = reason
		return
	}
	status := updateFailed
	switch n.How {
	case howCreate:
		status = createFailed
		op.FailCreate = append(op.FailCreate, n.ID)
	case howImport:
		status = importFailed
		op.FailImport = append(op.FailImport, n.ID)
	default:
		op.FailUpdate = append(op.FailUpdate, n.ID)
	}
	s.setResource(st, r, status, strings.TrimSpace(reason))
	r.Detailed, r.Next = "", nil
	s.saveOp(st.ID, op)
	if op.Phase == phaseForward && !op.NoRollback {
		s.cancelNodes(st, op)
	}
}

// cancelNodes stops what runs; what waits never starts.
func (s *session) cancelNodes(st *stack, op *operation) {
	for i := range op.Nodes {
		n := &op.Nodes[i]
		if !n.active() {
			continue
		}
		s.dropDue(n.Due)
		n.Due = ""
		if n.State == nodeReady {
			n.State = nodeWaiting
			continue
		}
		n.State = nodeCancelled
		r := s.resource(st.ID, n.ID)
		r.Next = nil
		switch n.How {
		case howCreate:
			op.FailCreate = append(op.FailCreate, n.ID)
			s.setResource(st, r, createFailed, "Resource creation cancelled")
			continue
		case howImport:
			op.FailImport = append(op.FailImport, n.ID)
			s.setResource(st, r, importFailed, "Resource import cancelled")
			continue
		}
		op.FailUpdate = append(op.FailUpdate, n.ID)
		s.setResource(st, r, updateFailed, "Resource update cancelled")
	}
	s.saveOp(st.ID, op)
}
