package engine

import (
	"slices"
)

func (s *session) createStack(in *CreateStackInput) (*CreateStackOutput, error) {
	if err := checkName(in.StackName); err != nil {
		return nil, err
	}
	existing := s.living(in.StackName)
	if op, again, err := s.repeated(existing, "CreateStack", in.ClientRequestToken, in); again || err != nil {
		if err != nil {
			return nil, err
		}
		return &CreateStackOutput{StackId: existing.ID, OperationId: op}, nil
	}
	if err := checkFailure(in.DisableRollback, in.OnFailure); err != nil {
		return nil, err
	}
	policy, err := s.policyText(in.StackPolicyBody, in.StackPolicyURL)
	if err != nil {
		return nil, err
	}
	if existing != nil && existing.Status != reviewInProgress {
		return nil, refuse(codeExists, "Stack [%s] already exists", in.StackName)
	}
	if err := s.room(); err != nil {
		return nil, err
	}
	st := existing
	if st == nil {
		st = s.newStack(in.StackName)
	}
	t, _, err := s.target(st, request{
		Body: in.TemplateBody, URL: in.TemplateURL, Parameters: in.Parameters, Capabilities: in.Capabilities, Role: in.RoleARN,
		Notify: in.NotificationARNs, Monitor: in.RollbackConfiguration, Tags: in.Tags, ResourceTypes: in.ResourceTypes, Create: true,
	})
	if err != nil {
		return nil, err
	}
	st.Now, st.Policy = t, s.saveBody(policy)
	if in.EnableTerminationProtection != nil { // a stack under review may be protected already
		st.Protected = *in.EnableTerminationProtection
	}
	if in.TimeoutInMinutes != nil {
		if *in.TimeoutInMinutes < 1 {
			return nil, invalid("1 validation error detected: Value '%d' at 'timeoutInMinutes' failed to satisfy constraint: Member must have value greater than or equal to 1", *in.TimeoutInMinutes)
		}
		st.Timeout = *in.TimeoutInMinutes
	}
	st.Express = mode(in.DeploymentConfig)
	s.obsolete(st, "")
	s.startCreateStack(st, launch{
		token: in.ClientRequestToken, noRollback: truth(in.DisableRollback) || noRollback(in.DeploymentConfig),
		onFailure: in.OnFailure, keep: in.RetainExceptOnCreate,
	})
	s.accept(st, "CreateStack", in.ClientRequestToken, in)
	return &CreateStackOutput{StackId: st.ID, OperationId: st.OpID}, nil
}

func mode(c *DeploymentConfig) string {
	if c == nil {
		return ""
	}
	return c.Mode
}

func noRollback(c *DeploymentConfig) bool { return c != nil && truth(c.DisableRollback) }

func checkFailure(disable *bool, onFailure string) error {
	if onFailure == "" {
		return nil
	}
	if disable != nil {
		return invalid("You cannot specify both DisableRollback and OnFailure")
	}
	if !slices.Contains([]string{"ROLLBACK", "DELETE", "DO_NOTHING"}, onFailure) {
		return invalid("1 validation error detected: Value '%s' at 'onFailure' failed to satisfy constraint: Member must satisfy enum value set: [ROLLBACK, DELETE, DO_NOTHING]", onFailure)
	}
	return nil
}

// limit is the quota of stacks.
func (e *Engine) limit() int {
	const usual = 2000
	if e.cfg.Limit > 0 {
		return e.cfg.Limit
	}
	return usual
}

// room refuses a stack beyond the quota.
func (s *session) room() error {
	if s.population(place(s.acct)) >= s.e.limit() {
		return refuse(codeLimit, "Limit for stack has been exceeded")
	}
	return nil
}

// notUpdatable refuses an update in the stack's status.
func notUpdatable(st *stack) error {
	if st.Status == createFailed && st.OnFailure != "" {
		return invalid("This stack cannot be updated from [CREATE_FAILED] state because it contains [on-failure: %s]. Please use disable-rollback option instead during stack creation.", st.OnFailure)
	}
	if !updatable(st.Status) {
		return invalid("Stack:%s is in %s state and can not be updated.", st.ID, st.Status)
	}
	return nil
}

func (s *session) updateStack(in *UpdateStackInput) (*UpdateStackOutput, error) {
	if err := checkName(in.StackName); err != nil {
		return nil, err
	}
	st := s.find(in.StackName)
	if st == nil {
		return nil, invalid("Stack with id %s does not exist", in.StackName)
	}
	if op, again, err := s.repeated(st, "UpdateStack", in.ClientRequestToken, in); again || err != nil {
		if err != nil {
			return nil, err
		}
		return &UpdateStackOutput{StackId: st.ID, OperationId: op}, nil
	}
	if err := notUpdatable(st); err != nil {
		return nil, err
	}
	policy, err := s.policyText(in.StackPolicyBody, in.StackPolicyURL)
	if err != nil {
		return nil, err
	}
	during, err := s.policyText(in.StackPolicyDuringUpdateBody, in.StackPolicyDuringUpdateURL)
	if err != nil {
		return nil, err
	}
	t, err := s.updateTarget(st, request{
		Body: in.TemplateBody, URL: in.TemplateURL, Previous: truth(in.UsePreviousTemplate), Parameters: in.Parameters,
		Capabilities: in.Capabilities, Role: in.RoleARN, Notify: in.NotificationARNs, Monitor: in.RollbackConfiguration,
		Tags: in.Tags, ResourceTypes: in.ResourceTypes,
	})
	if err != nil {
		return nil, err
	}
	if !s.changed(st, &t) && st.Status != createFailed && st.Status != updateFailed {
		return nil, invalid("No updates are to be performed.")
	}
	if policy != "" {
		st.Policy = s.saveBody(policy)
	}
	st.Express = mode(in.DeploymentConfig)
	s.obsolete(st, "")
	s.startUpdateStack(st, t, launch{
		token: in.ClientRequestToken, noRollback: truth(in.DisableRollback) || noRollback(in.DeploymentConfig),
		keep: in.RetainExceptOnCreate, policy: s.saveBody(during),
	})
	s.accept(st, "UpdateStack", in.ClientRequestToken, in)
	return &UpdateStackOutput{StackId: st.ID, OperationId: st.OpID}, nil
}

// updateTarget is target for a stack that exists: what a request leaves out
// stays as it was, and no resource may change its type.
func (s *session) updateTarget(st *stack, req request) (target, error) {
	t, tpl, err := s.target(st, req)
	if err != nil {
		return t, err
	}
	if req.Tags == nil {
		t.Tags = st.Now.Tags
	}
	if req.Notify == nil {
		t.Notify = st.Now.Notify
	}
	if req.Monitor == nil {
		t.Monitor = st.Now.Monitor
	}
	if req.Role == "" {
		t.Role = st.Now.Role
	}
	if err := s.transform(st, &t); err != nil {
		return t, s.err // told by the operation, not by the call
	}
	if t.Out != "" {
		if tpl, err = s.template(t.Out); err != nil {
			return t, err
		}
		if tpl, _, err = s.effective(st, tpl, &t); err != nil {
			return t, err
		}
	}
	var changed []string
	for _, id := range tpl.ResourceNames {
		if r := s.resource(st.ID, id); r != nil && r.alive() && r.Type != tpl.Resources[id].Type {
			changed = append(changed, id)
		}
	}
	if len(changed) > 0 {
		return t, invalid("Update of resource type is not permitted. The new template modifies resource type of the following resources: %s", list(changed))
	}
	return t, nil
}

func (s *session) deleteStack(in *DeleteStackInput) (*DeleteStackOutput, error) {
	if err := checkName(in.StackName); err != nil {
		return nil, err
	}
	out := &DeleteStackOutput{}
	st := s.living(in.StackName)
	if st == nil || st.Status == deleteInProgress {
		return out, nil
	}
	root := st
	if st.Root != "" {
		if r := s.stack(st.Root); r != nil {
			root = r
		}
	}
	if root.Protected {
		return nil, invalid("Stack [%s] cannot be deleted while TerminationProtection is enabled", st.Name)
	}
	if err := s.deletable(st, in); err != nil {
		return nil, err
	}
	if st.Status == reviewInProgress {
		s.deleteReview(st, in.ClientRequestToken)
		return out, nil
	}
	st.DeletionMode = in.DeletionMode
	if in.DeploymentConfig != nil {
		st.Express = in.DeploymentConfig.Mode
	}
	s.startDeleteStack(st, launch{token: in.ClientRequestToken})
	op := s.op(st.ID)
	op.Retain, op.Force = in.RetainResources, in.DeletionMode == "FORCE_DELETE_STACK"
	s.saveOp(st.ID, op)
	return out, nil
}

// deletable refuses a deletion in the wrong state of things.
func (s *session) deletable(st *stack, in *DeleteStackInput) error {
	switch st.Status {
	case updateInProgress, updateCleanup, undoInProgress, undoCleanup, importInProgress, importUndoInProgress:
		return invalid("Stack [%s] cannot be deleted while in status %s", st.ID, st.Status)
	}
	if len(in.RetainResources) > 0 {
		if st.Status != deleteFailed {
			return invalid("Invalid operation on stack [%s]. When you delete a stack, specify which resources to retain only when the stack is in the DELETE_FAILED state.", st.ID)
		}
		for _, id := range in.RetainResources {
			if r := s.resource(st.ID, id); r == nil || r.Status == deleteComplete {
				return invalid("The specified resources to retain must be in a valid state. Do not specify resources that are in the DELETE_COMPLETE state.")
			}
		}
	}
	for _, o := range st.Outputs {
		if o.Export == "" {
			continue
		}
		if user, used := s.importer(st.account(), o.Export); used {
			return invalid("Export %s cannot be deleted as it is in use by %s", o.Export, user)
		}
	}
	return nil
}

// deleteReview deletes a stack that never began.
func (s *session) deleteReview(st *stack, token string) {
	st.Token = token
	s.begin(st, opDelete)
	s.setStatus(st, deleteInProgress, userInitiated)
	op := &operation{Kind: kindDelete, Started: s.now, Was: reviewInProgress}
	s.saveOp(st.ID, op)
	s.finishDelete(st, op)
}
