package engine

import (
	"slices"
	"strings"
	"time"
)

const (
	noChanges = "The submitted information didn't contain changes. Submit different information to create a change set."

	execUnavailable = "UNAVAILABLE"
	execAvailable   = "AVAILABLE"
	execRunning     = "EXECUTE_IN_PROGRESS"
	execComplete    = "EXECUTE_COMPLETE"
	execFailed      = "EXECUTE_FAILED"
	execObsolete    = "OBSOLETE"

	changeSetPending = "CREATE_PENDING"
	changeSetFailed  = "FAILED"
)

type changeSet struct {
	ID          string            `json:"id"`
	Name        string            `json:"name"`
	Stack       string            `json:"stack"`
	StackName   string            `json:"stackName"`
	Type        string            `json:"type"`
	Status      string            `json:"status"`
	Exec        string            `json:"exec"`
	Reason      string            `json:"reason,omitempty"`
	Description string            `json:"description,omitempty"`
	Created     time.Time         `json:"created"`
	Next        target            `json:"next"`
	Changes     []planned         `json:"changes,omitempty"`
	Warning     string            `json:"warning,omitempty"` // shown with property values only
	OnFailure   string            `json:"onFailure,omitempty"`
	Deployment  string            `json:"deployment,omitempty"` // DeploymentMode
	NoRollback  bool              `json:"noRollback,omitempty"`
	Mode        string            `json:"mode,omitempty"`
	Nested      *bool             `json:"nested,omitempty"`
	Import      *bool             `json:"import,omitempty"`
	Imports     map[string]string `json:"imports,omitempty"`  // physical id by logical id
	Children    map[string]string `json:"children,omitempty"` // nested change sets by logical id
	Parent      string            `json:"parent,omitempty"`
	Root        string            `json:"root,omitempty"`
	Token       string            `json:"token,omitempty"`
	Hash        string            `json:"hash,omitempty"`
	Due         string            `json:"due,omitempty"`
}

func (s *session) loadChangeSet(id string) *changeSet {
	cs := &changeSet{}
	if !s.get("changeset", id, cs) {
		return nil
	}
	return cs
}

func (s *session) saveChangeSet(cs *changeSet) { s.put("changeset", cs.ID, cs) }

// changeSet finds a change set by id, or by name and stack.
func (s *session) changeSet(stackName, name string) (*changeSet, error) {
	if strings.HasPrefix(name, "arn:") {
		if cs := s.loadChangeSet(name); cs != nil {
			return cs, nil
		}
		return nil, refuse(codeNoChangeSet, "ChangeSet [%s] does not exist", name)
	}
	if stackName == "" {
		return nil, invalid("StackName must be specified if ChangeSetName is not specified as an ARN.")
	}
	st := s.find(stackName)
	if st == nil {
		return nil, invalid("Stack [%s] does not exist", stackName)
	}
	var id string
	if s.get("csname", key(st.ID, name), &id) {
		if cs := s.loadChangeSet(id); cs != nil {
			return cs, nil
		}
	}
	return nil, refuse(codeNoChangeSet, "ChangeSet [%s] does not exist", name)
}

func (s *session) createChangeSet(in *CreateChangeSetInput) (*CreateChangeSetOutput, error) {
	if err := checkName(in.StackName); err != nil {
		return nil, err
	}
	if !namePattern.MatchString(in.ChangeSetName) {
		return nil, invalid("1 validation error detected: Value '%s' at 'changeSetName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*", in.ChangeSetName)
	}
	kind := in.ChangeSetType
	if kind == "" {
		kind = "UPDATE"
	}
	if in.DeploymentMode != "" && in.DeploymentMode != revertDrift {
		return nil, invalid("1 validation error detected: Value '%s' at 'deploymentMode' failed to satisfy constraint: Member must satisfy enum value set: [REVERT_DRIFT]", in.DeploymentMode)
	}
	st, err := s.changeSetStack(in, kind)
	if err != nil {
		return nil, err
	}
	var taken string
	if s.get("csname", key(st.ID, in.ChangeSetName), &taken) {
		old := s.loadChangeSet(taken)
		if old != nil && in.ClientToken != "" && old.Token == in.ClientToken && old.Hash == requestHash(in) {
			return &CreateChangeSetOutput{Id: taken, StackId: st.ID}, nil
		}
		return nil, refuse(codeExists, "ChangeSet %s already exists", taken)
	}
	req := request{
		Body: in.TemplateBody, URL: in.TemplateURL, Previous: truth(in.UsePreviousTemplate), Parameters: in.Parameters,
		Capabilities: in.Capabilities, Role: in.RoleARN, Notify: in.NotificationARNs, Monitor: in.RollbackConfiguration,
		Tags: in.Tags, ResourceTypes: in.ResourceTypes, Unchecked: true, Create: kind == "CREATE",
	}
	t, imports, err := s.changeSetTarget(st, req, in, kind)
	if err != nil {
		return nil, err
	}
	if st.Status == "" {
		s.register(st)
		s.begin(st, opReview)
		s.setStatus(st, reviewInProgress, userInitiated)
	}
	id := s.changeSetID(st, in.ChangeSetName)
	cs := &changeSet{
		ID: id, Name: in.ChangeSetName, Stack: st.ID, StackName: st.Name, Type: kind, Status: changeSetPending, Exec: execUnavailable,
		Description: in.Description, Created: s.now, Next: t, OnFailure: in.OnStackFailure, NoRollback: noRollback(in.DeploymentConfig),
		Mode: mode(in.DeploymentConfig), Nested: in.IncludeNestedStacks, Import: in.ImportExistingResources,
		Deployment: in.DeploymentMode, Token: in.ClientToken, Hash: requestHash(in), Imports: imports,
	}
	wait := s.e.between(2*time.Second, 5*time.Second, "changeset", id)
	cs.Due = s.queue(s.now.Add(wait), due{Kind: dueChangeSet, ID: id, Stack: st.ID})
	s.saveChangeSet(cs)
	s.put("csname", key(st.ID, cs.Name), id)
	return &CreateChangeSetOutput{Id: id, StackId: st.ID}, nil
}

// changeSetTarget checks the template and values of a change set.
func (s *session) changeSetTarget(st *stack, req request, in *CreateChangeSetInput, kind string) (target, map[string]string, error) {
	switch {
	case kind == "IMPORT":
		return s.importTarget(st, req, in.ResourcesToImport)
	case len(in.ResourcesToImport) > 0:
		return target{}, nil, invalid("ResourcesToImport can only be specified when the change set type is IMPORT")
	case req.Create:
		t, _, err := s.target(st, req)
		return t, nil, err
	}
	t, err := s.updateTarget(st, req)
	return t, nil, err
}

// changeSetStack finds or makes the stack a change set is for.
func (s *session) changeSetStack(in *CreateChangeSetInput, kind string) (*stack, error) {
	st := s.find(in.StackName)
	switch kind {
	case "CREATE":
		if st != nil && st.Status != reviewInProgress {
			return nil, invalid("Stack [%s] already exists and cannot be created again with the changeSet [%s].", in.StackName, in.ChangeSetName)
		}
		if st == nil {
			if strings.HasPrefix(in.StackName, "arn:") {
				return nil, invalid("Stack [%s] does not exist", in.StackName)
			}
			if err := s.room(); err != nil {
				return nil, err
			}
			st = s.newStack(in.StackName)
		}
		return st, nil
	case "UPDATE":
		if st == nil {
			return nil, invalid("Stack [%s] does not exist", in.StackName)
		}
		return st, notUpdatable(st)
	case "IMPORT":
		if st != nil && st.Status != reviewInProgress {
			return st, notUpdatable(st)
		}
		in := *in
		in.ChangeSetType = "CREATE"
		return s.changeSetStack(&in, "CREATE")
	}
	return nil, invalid("1 validation error detected: Value '%s' at 'changeSetType' failed to satisfy constraint: Member must satisfy enum value set: [CREATE, UPDATE, IMPORT]", kind)
}

// finishChangeSet works a change set out, against the store as it is now.
func (s *session) finishChangeSet(id string) {
	cs := s.loadChangeSet(id)
	if cs == nil || cs.Status != changeSetPending {
		return
	}
	st := s.stack(cs.Stack)
	if st == nil {
		return
	}
	s.acct = st.account()
	cs.Due = ""
	s.work(st, cs)
	s.saveChangeSet(cs)
}

// work works a change set out and reports whether nothing changes.
func (s *session) work(st *stack, cs *changeSet) (p *planner, empty bool) {
	p, err := s.planned(st, &cs.Next, cs.Deployment == revertDrift)
	why := ""
	if err == nil {
		why = s.importing(st, cs, p)
	}
	if err == nil && why == "" {
		why = s.nestSets(st, cs, p)
	}
	switch {
	case err != nil:
		cs.Status, cs.Reason = changeSetFailed, reasonOf(err)
	case why != "":
		cs.Status, cs.Reason = changeSetFailed, why
		s.dropNested(cs)
		cs.Children = nil
	case len(p.changes) == 0 && !p.outputsChange() && cs.Type != "CREATE":
		cs.Status, cs.Reason, empty = changeSetFailed, noChanges, true
		if tpl, err := s.template(cs.Next.Body); err == nil && len(tpl.Transforms) > 0 {
			cs.Reason = "No updates are to be performed."
		}
	default:
		cs.Status, cs.Exec, cs.Changes, cs.Warning = createComplete, execAvailable, p.changes, p.warning
	}
	return p, empty
}

func (s *session) describeChangeSet(in *DescribeChangeSetInput) (*DescribeChangeSetOutput, error) {
	cs, err := s.changeSet(in.StackName, in.ChangeSetName)
	if err != nil {
		return nil, err
	}
	out := &DescribeChangeSetOutput{
		ChangeSetName: cs.Name, ChangeSetId: cs.ID, StackId: cs.Stack, StackName: cs.StackName, Description: cs.Description,
		Parameters: cs.Next.shown(), CreationTime: cs.Created, ExecutionStatus: cs.Exec, Status: cs.Status, StatusReason: cs.Reason,
		NotificationARNs: orEmpty(cs.Next.Notify), RollbackConfiguration: &RollbackConfiguration{}, Capabilities: orEmpty(cs.Next.Caps),
		Tags: cs.Next.Tags, Changes: []Change{}, IncludeNestedStacks: new(truth(cs.Nested)), ImportExistingResources: cs.Import,
		OnStackFailure: cs.OnFailure, ParentChangeSetId: cs.Parent, RootChangeSetId: cs.Root,
	}
	if cs.Deployment != "" {
		out.DeploymentMode, out.StackDriftStatus = cs.Deployment, driftSame
		if slices.ContainsFunc(cs.Changes, func(c planned) bool { return c.Change.ResourceDriftStatus != "" }) {
			out.StackDriftStatus = driftFound
		}
	}
	if truth(in.IncludePropertyValues) && out.StatusReason == "" {
		out.StatusReason = cs.Warning
	}
	if cs.Next.Monitor != nil {
		out.RollbackConfiguration = cs.Next.Monitor
	}
	if cs.Mode != "" || cs.NoRollback {
		out.DeploymentConfig = &DeploymentConfig{Mode: cs.Mode, DisableRollback: new(cs.NoRollback)}
	}
	shown, next, err := pages(cs.Changes, in.NextToken, func(p planned) string { return p.Change.LogicalResourceId })
	if err != nil {
		return nil, err
	}
	out.NextToken = next
	for _, p := range shown {
		out.Changes = append(out.Changes, p.shown(truth(in.IncludePropertyValues)))
	}
	return out, nil
}

// shown is a change with or without its values.
func (p planned) shown(values bool) Change {
	c := p.Change
	c.Details = []ResourceChangeDetail{}
	if c.Scope == nil {
		c.Scope = []string{}
	}
	for _, d := range p.Details {
		if d.WithValues && !values {
			continue
		}
		detail := d.ResourceChangeDetail
		t := *detail.Target
		if !values {
			t = ResourceTargetDefinition{Attribute: t.Attribute, Name: t.Name, RequiresRecreation: t.RequiresRecreation}
		}
		detail.Target = &t
		c.Details = append(c.Details, detail)
	}
	if !values {
		c.BeforeContext, c.AfterContext = "", ""
	}
	return Change{Type: "Resource", ResourceChange: &c}
}

func (s *session) executeChangeSet(in *ExecuteChangeSetInput) (*ExecuteChangeSetOutput, error) {
	cs, err := s.changeSet(in.StackName, in.ChangeSetName)
	if err != nil {
		return nil, err
	}
	st := s.stack(cs.Stack)
	out := &ExecuteChangeSetOutput{}
	if _, again, err := s.repeated(st, "ExecuteChangeSet", in.ClientRequestToken, in); again || err != nil {
		return out, err
	}
	if cs.Parent != "" {
		return nil, invalid("ChangeSet [%s] is nested and can only be executed with its root ChangeSet [%s]", cs.ID, cs.Root)
	}
	if cs.Status != createComplete {
		return nil, refuse(codeChangeSet, "ChangeSet [%s] cannot be executed in its current status of [%s]", cs.ID, cs.Status)
	}
	if cs.Exec != execAvailable {
		return nil, refuse(codeChangeSet, "ChangeSet [%s] cannot be executed in its current execution status of [%s]", cs.ID, cs.Exec)
	}
	if in.DisableRollback != nil && cs.OnFailure != "" {
		return nil, invalid("You cannot specify both DisableRollback and OnStackFailure")
	}
	tpl, err := s.template(cs.Next.Body)
	if err != nil {
		return nil, err
	}
	if err := checkCapabilities(tpl, cs.Next.Caps); err != nil {
		return nil, err
	}
	if cs.Type != "CREATE" && st.Status != reviewInProgress {
		if err := notUpdatable(st); err != nil {
			return nil, err
		}
	}
	s.obsolete(st, cs.ID)
	s.drop("csname", key(st.ID, cs.Name))
	cs.Exec = execRunning
	s.saveChangeSet(cs)
	s.runNested(cs, execRunning)
	l := launch{
		token: in.ClientRequestToken, noRollback: truth(in.DisableRollback) || cs.NoRollback, onFailure: cs.OnFailure,
		keep: in.RetainExceptOnCreate, changeSet: cs.ID, imports: cs.Imports,
		nested: cs.Children, revert: cs.Deployment == revertDrift,
	}
	st.ChangeSet, st.Updated, st.Express = cs.ID, s.now, cs.Mode
	switch cs.Type {
	case "CREATE":
		st.Now = cs.Next
		s.startCreateStack(st, l)
	case "IMPORT":
		s.startImportStack(st, cs.Next, l)
	default:
		l.noRollback = l.noRollback || cs.OnFailure == "DO_NOTHING"
		s.startUpdateStack(st, cs.Next, l)
	}
	s.accept(st, "ExecuteChangeSet", in.ClientRequestToken, in)
	return out, nil
}

// executed marks a change set when the stack is done with it.
func (s *session) executed(id string, ok bool) {
	cs := s.loadChangeSet(id)
	if cs == nil {
		return
	}
	cs.Exec = execFailed
	if ok {
		cs.Exec = execComplete
	}
	s.saveChangeSet(cs)
	s.runNested(cs, cs.Exec)
}
