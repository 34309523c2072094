package engine

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
	skip := in.ResourcesToSkip
	for _, id := range skip {
		r := s.resource(st.ID, id)
		if r == nil || r.Status != updateFailed {
			return nil, invalid("The specified resources to skip are in an invalid state: %s. Only resources in the UPDATE_FAILED state can be skipped.", list(skip))
		}
	}
	if truth(in.ForceRollback) {
		for _, r := range s.listed(st.ID) {
			if r.Status == updateFailed {
				skip = append(skip, r.ID)
			}
		}
	}
	st.Token = in.ClientRequestToken
	s.begin(st, opContinue)
	s.setStatus(st, undoInProgress, userInitiated)
	s.undo(st, &operation{Kind: kindUpdate, Started: s.now, Was: undoFailed, Skip: skip})
	return &ContinueUpdateRollbackOutput{}, nil
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
