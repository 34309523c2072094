package engine

import "strings"

// describeEvents shows events with the operations they belong to.
func (s *session) describeEvents(in *DescribeEventsInput) (*DescribeEventsOutput, error) {
	st, only, err := s.eventsScope(in)
	if err != nil {
		return nil, err
	}
	known := map[string]history{}
	failedOnly := in.Filters != nil && truth(in.Filters.FailedEvents)
	out := &DescribeEventsOutput{OperationEvents: []OperationEvent{}}
	next, err := s.page("event", key(st.ID, ""), in.NextToken, func(_ string, raw []byte) bool {
		var ev record
		s.fail(decode("event", raw, &ev))
		if only != "" && ev.Op != only || failedOnly && !strings.HasSuffix(ev.Status, "_FAILED") {
			return false
		}
		h, ok := known[ev.Op]
		if !ok {
			s.get("history", ev.Op, &h)
			known[ev.Op] = h
		}
		out.OperationEvents = append(out.OperationEvents, ev.operationEvent(st, h))
		return true
	})
	out.NextToken = next
	return out, err
}

// eventsScope finds the stack and perhaps the one operation to show.
func (s *session) eventsScope(in *DescribeEventsInput) (*stack, string, error) {
	switch {
	case in.OperationId != "":
		var h history
		if !s.get("history", in.OperationId, &h) {
			return nil, "", invalid("Operation [%s] does not exist", in.OperationId)
		}
		return s.stack(h.Stack), in.OperationId, nil
	case in.ChangeSetName != "":
		cs, err := s.changeSet(in.StackName, in.ChangeSetName)
		if err != nil {
			return nil, "", err
		}
		return s.stack(cs.Stack), "", nil
	case in.StackName != "":
		if st := s.find(in.StackName); st != nil {
			return st, "", nil
		}
		return nil, "", invalid("Stack [%s] does not exist", in.StackName)
	}
	return nil, "", invalid("One of StackName, ChangeSetName or OperationId must be specified")
}

func (ev *record) operationEvent(st *stack, h history) OperationEvent {
	physical := ev.Physical
	out := OperationEvent{
		EventId: ev.ID, StackId: st.ID, OperationId: ev.Op, OperationType: h.Type, OperationStatus: h.Status, EventType: "STACK_EVENT",
		LogicalResourceId: ev.Logical, PhysicalResourceId: &physical, ResourceType: ev.Type, Timestamp: ev.At,
		StartTime: h.Start, EndTime: h.End, ResourceStatus: ev.Status, ResourceStatusReason: ev.Reason,
		ResourceProperties: ev.Props, ClientRequestToken: ev.Token, DetailedStatus: ev.Detailed,
	}
	switch {
	case ev.Detailed == validationFailed:
		out.EventType, out.ValidationName, out.ValidationStatus = "VALIDATION_ERROR", "PROPERTY_VALIDATION", "FAILED"
		out.ValidationFailureMode, out.ValidationStatusReason, out.ValidationPath = "FAIL", ev.Reason, "/Resources/"+ev.Logical
	case strings.HasSuffix(ev.Status, "_FAILED") && ev.Type != stackType:
		out.EventType = "PROVISIONING_ERROR"
	}
	return out
}
