package engine

// obsolete ends the open change sets of a stack, except the one that is
// executed. Another operation makes them obsolete, an execution deletes them.
func (s *session) obsolete(st *stack, executed string) {
	var ids []string
	s.scan("csname", key(st.ID, ""), "", func(_ string, raw []byte) bool {
		var id string
		s.fail(decode("csname", raw, &id))
		ids = append(ids, id)
		return s.err == nil
	})
	for _, id := range ids {
		cs := s.loadChangeSet(id)
		if cs == nil || id == executed {
			continue
		}
		s.dropDue(cs.Due)
		s.dropNested(cs)
		if executed != "" || st.Status == deleteInProgress {
			s.drop("csname", key(st.ID, cs.Name))
			s.drop("changeset", id)
			continue
		}
		cs.Due, cs.Exec = "", execObsolete
		s.saveChangeSet(cs)
	}
}

func (s *session) deleteChangeSet(in *DeleteChangeSetInput) (*DeleteChangeSetOutput, error) {
	out := &DeleteChangeSetOutput{}
	cs, err := s.changeSet(in.StackName, in.ChangeSetName)
	if err != nil {
		if e, ok := asRefusal(err).(*Error); ok && e.Code == codeNoChangeSet { //nolint:errorlint // asRefusal gives this type
			return out, nil
		}
		return nil, err
	}
	if cs.Exec == execRunning {
		return nil, refuse(codeChangeSet, "ChangeSet [%s] cannot be deleted in its current execution status of [%s]", cs.ID, cs.Exec)
	}
	if cs.Parent != "" {
		return nil, invalid("ChangeSet [%s] is nested and can only be deleted with its root ChangeSet [%s]", cs.ID, cs.Root)
	}
	s.dropDue(cs.Due)
	s.dropNested(cs)
	s.drop("csname", key(cs.Stack, cs.Name))
	s.drop("changeset", cs.ID)
	return out, nil
}

func (s *session) listChangeSets(in *ListChangeSetsInput) (*ListChangeSetsOutput, error) {
	st := s.find(in.StackName)
	if st == nil {
		return nil, invalid("Stack [%s] does not exist", in.StackName)
	}
	out := &ListChangeSetsOutput{Summaries: []ChangeSetSummary{}}
	next, err := s.page("csname", key(st.ID, ""), in.NextToken, func(_ string, raw []byte) bool {
		var id string
		s.fail(decode("csname", raw, &id))
		cs := s.loadChangeSet(id)
		if cs == nil {
			return false
		}
		out.Summaries = append(out.Summaries, ChangeSetSummary{
			StackId: cs.Stack, StackName: cs.StackName, ChangeSetId: cs.ID, ChangeSetName: cs.Name, ExecutionStatus: cs.Exec,
			Status: cs.Status, StatusReason: cs.Reason, CreationTime: cs.Created, Description: cs.Description,
			IncludeNestedStacks: new(truth(cs.Nested)), ImportExistingResources: cs.Import,
			ParentChangeSetId: cs.Parent, RootChangeSetId: cs.Root,
		})
		return true
	})
	out.NextToken = next
	return out, err
}
