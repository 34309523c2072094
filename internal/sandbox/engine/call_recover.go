package engine

import (
	"slices"
	"strings"
)

func (s *session) cancelUpdateStack(in *CancelUpdateStackInput) (*CancelUpdateStackOutput, error) {
	st := s.living(in.StackName)
	if st == nil {
		return nil, invalid("Stack [%s] does not exist", in.StackName)
	}
	op := s.op(st.ID)
	if st.Status != updateInProgress || op == nil || op.Undoing {
		return nil, invalid("CancelUpdateStack cannot be called from current stack status")
	}
	if in.ClientRequestToken != "" {
		st.Token = in.ClientRequestToken
	}
	s.conclude(st, opFailed)
	s.begin(st, opRollback)
	s.setStatus(st, undoInProgress, userInitiated)
	s.cancelNodes(st, op)
	s.undo(st, op)
	return &CancelUpdateStackOutput{}, nil
}

func (s *session) continueUpdateRollback(in *ContinueUpdateRollbackInput) (*ContinueUpdateRollbackOutput, error) {
	st := s.living(in.StackName)
	if st == nil {
		return nil, invalid("Stack [%s] does not exist", in.StackName)
	}
	if st.Parent != "" {
		return nil, invalid("RollbackUpdatedStack cannot be invoked on child stacks")
	}
	if st.Status != undoFailed {
		return nil, invalid("RollbackUpdatedStack cannot be called from current stack status")
	}
	if truth(in.ForceRollback) && len(in.ResourcesToSkip) > 0 {
		return nil, invalid("You cannot specify both ForceRollback and ResourcesToSkip")
	}
	for _, id := range in.ResourcesToSkip {
		if strings.Contains(id, ".") {
			continue // of a nested stack
		}
		if r := s.resource(st.ID, id); r == nil || r.Status != updateFailed {
			return nil, invalid("The specified resources to skip are in an invalid state: %s. Only resources in the UPDATE_FAILED state can be skipped.", list(in.ResourcesToSkip))
		}
	}
	st.Token = in.ClientRequestToken
	s.resume(st, in.ResourcesToSkip, truth(in.ForceRollback))
	return &ContinueUpdateRollbackOutput{}, nil
}

// resume takes a roll-back that failed up again. Forced, it skips what failed.
func (s *session) resume(st *stack, skip []string, force bool) {
	skip = slices.Clone(skip)
	for _, r := range s.listed(st.ID) {
		if force && r.Status == updateFailed && r.Type != stackType {
			skip = append(skip, r.ID)
		}
	}
	s.begin(st, opContinue)
	s.setStatus(st, undoInProgress, userInitiated)
	s.undo(st, &operation{Kind: kindUpdate, Started: s.now, Was: undoFailed, Skip: skip, Force: force})
}

// below picks the resources of a nested stack out of a list such as
// "Child.Resource"; the nested stack goes by its logical id or its name.
func below(skip []string, child *stack) []string {
	var out []string
	for _, name := range skip {
		in, id, ok := strings.Cut(name, ".")
		if ok && (in == child.ParentResource || in == child.Name) {
			out = append(out, id)
		}
	}
	return out
}

func (s *session) rollbackStack(in *RollbackStackInput) (*RollbackStackOutput, error) {
	st := s.living(in.StackName)
	if st == nil {
		return nil, invalid("Stack with id %s does not exist", in.StackName)
	}
	op := &operation{Kind: kindUpdate, Started: s.now, Was: st.Status, Undoing: true, Keep: in.RetainExceptOnCreate}
	if st.Status != createFailed && st.Status != updateFailed {
		return nil, invalid("Stack:%s is in %s state and can not be rolled back.", st.ID, st.Status)
	}
	st.Token = in.ClientRequestToken
	s.begin(st, opRollback)
	if st.Status == createFailed {
		// Without a stable state to return to, the stack is deleted.
		op.Kind = kindDelete
		s.setStatus(st, deleteInProgress, userInitiated)
		s.later(st, op, phaseStart, s.soon(st, phaseStart))
	} else {
		s.setStatus(st, undoInProgress, userInitiated)
		s.undo(st, op)
	}
	return &RollbackStackOutput{StackId: st.ID, OperationId: st.OpID}, nil
}

func (s *session) updateTerminationProtection(in *UpdateTerminationProtectionInput) (*UpdateTerminationProtectionOutput, error) {
	st := s.find(in.StackName)
	if st == nil {
		return nil, invalid("Stack [%s] does not exist", in.StackName)
	}
	if st.Status == deleteComplete || st.Status == deleteInProgress {
		return nil, invalid("Stack:%s is in %s state and can not be updated.", st.ID, st.Status)
	}
	if st.Parent != "" {
		return nil, invalid("TerminationProtection cannot be modified on nested stacks")
	}
	if in.EnableTerminationProtection == nil {
		return nil, invalid("1 validation error detected: Value null at 'enableTerminationProtection' failed to satisfy constraint: Member must not be null")
	}
	st.Protected = *in.EnableTerminationProtection
	s.save(st)
	return &UpdateTerminationProtectionOutput{StackId: st.ID}, nil
}

func (s *session) setStackPolicy(in *SetStackPolicyInput) (*SetStackPolicyOutput, error) {
	st := s.living(in.StackName)
	if st == nil {
		return nil, invalid("Stack: %s does not exist", in.StackName)
	}
	text, err := s.policyText(in.StackPolicyBody, in.StackPolicyURL)
	if err != nil {
		return nil, err
	}
	if text != "" {
		st.Policy = s.saveBody(text)
		s.save(st)
	}
	return &SetStackPolicyOutput{}, nil
}

func (s *session) getStackPolicy(in *GetStackPolicyInput) (*GetStackPolicyOutput, error) {
	st := s.living(in.StackName)
	if st == nil {
		return nil, invalid("Stack: %s does not exist", in.StackName)
	}
	return &GetStackPolicyOutput{StackPolicyBody: s.body(st.Policy)}, nil
}
