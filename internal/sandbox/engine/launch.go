package engine

import (
	"encoding/json"
	"time"
)

// launch is how an operation is to run.
type launch struct {
	token      string
	noRollback bool
	onFailure  string
	keep       *bool // RetainExceptOnCreate
	policy     string
	changeSet  string
	imports    map[string]string
	nested     map[string]string
	revert     bool // drift counts as a change
	free       bool // a nested stack's clean-up does not wait for its parent
}

// newStack makes the record of a stack that has not begun.
func (s *session) newStack(name string) *stack {
	seq := s.counter("stack")
	id := s.e.uuid("stack", s.acct.AccountID, s.acct.Region, name, ordinal(seq))
	return &stack{
		ID:   "arn:" + partition(s.acct.Region) + ":cloudformation:" + s.acct.Region + ":" + s.acct.AccountID + ":stack/" + name + "/" + id,
		Name: name, Account: s.acct.AccountID, Region: s.acct.Region, Seq: seq, Created: s.now,
	}
}

// startCreateStack accepts the creation of a stack.
func (s *session) startCreateStack(st *stack, l launch) {
	s.register(st)
	st.Token, st.NoRollback, st.OnFailure, st.RetainExcept = l.token, l.noRollback, l.onFailure, l.keep
	s.begin(st, opCreate)
	s.setStatus(st, createInProgress, userInitiated)
	op := &operation{Kind: kindCreate, Started: s.now, NoRollback: l.noRollback, OnFailure: l.onFailure, Keep: l.keep, ChangeSet: l.changeSet, Imports: l.imports, Nested: l.nested}
	s.later(st, op, phaseStart, s.soon(st, phaseStart))
	if st.Timeout > 0 {
		op.TimeoutDue = s.queue(s.now.Add(time.Duration(st.Timeout)*time.Minute), due{Kind: dueTimeout, Stack: st.ID})
	}
}

// startUpdateStack accepts the update of a stack.
func (s *session) startUpdateStack(st *stack, t target, l launch) {
	if st.Fallback == nil {
		before := st.Now
		st.Fallback, st.FallbackOut = &before, st.Outputs
	}
	op := &operation{
		Kind: kindUpdate, Started: s.now, Was: st.Status, NoRollback: l.noRollback, Keep: l.keep,
		Policy: l.policy, ChangeSet: l.changeSet, Free: l.free, Imports: l.imports, Nested: l.nested, Revert: l.revert,
	}
	st.Token, st.Now, st.Updated, st.RetainExcept = l.token, t, s.now, l.keep
	st.Drift, st.DriftAt = "", time.Time{}
	s.begin(st, opUpdate)
	s.setStatus(st, updateInProgress, userInitiated)
	s.later(st, op, phaseStart, s.soon(st, phaseStart))
}

// startDeleteStack accepts the deletion of a stack, whatever it is doing.
func (s *session) startDeleteStack(st *stack, l launch) {
	if st.Status == deleteInProgress || st.Status == deleteComplete {
		return
	}
	op := &operation{Kind: kindDelete, Started: s.now, Was: st.Status}
	if old := s.op(st.ID); old != nil {
		s.cancelNodes(st, old)
		s.cancelDue(old)
		s.conclude(st, opFailed)
		op.Undoing = old.Undoing && old.Kind == kindCreate
	}
	st.Token = l.token
	s.begin(st, opDelete)
	s.setStatus(st, deleteInProgress, userInitiated)
	s.later(st, op, phaseStart, s.soon(st, phaseStart))
}

// repeated answers a request that was accepted before: the same token and the
// same request get the same answer, the same token with another request is
// refused.
func (s *session) repeated(st *stack, name, token string, in any) (opID string, again bool, err error) {
	if st == nil || token == "" || st.Accepted.Token != token || st.Accepted.Action != name {
		return "", false, nil
	}
	if st.Accepted.Hash != requestHash(in) {
		return "", false, refuse(codeToken, "The client request token %s was already used with other parameters", token)
	}
	return st.Accepted.Op, true, nil
}

// accept remembers a request for repeated.
func (s *session) accept(st *stack, name, token string, in any) {
	st.Accepted = accepted{Action: name, Token: token, Hash: requestHash(in), Op: st.OpID}
	s.save(st)
}

func requestHash(in any) string {
	raw, err := json.Marshal(in)
	if err != nil {
		return ""
	}
	return hashText(string(raw))
}

func truth(b *bool) bool { return b != nil && *b }
