package engine

import "time"

const (
	checking = "Eventual consistency check initiated"
	settling = "Resource configuration applied. Stabilization continues."

	modeExpress = "EXPRESS"
)

// optimistic reports whether dependants of a type start as soon as its
// configuration is applied, before it is consistent everywhere.
func optimistic(typeName string) bool {
	switch typeName {
	case "AWS::EC2::RouteTable", "AWS::EC2::InternetGateway", "AWS::EC2::EIP":
		return true
	}
	return false
}

// express shortens the work on a resource to the application of its configuration,
// in a deployment that asks for no more.
func (st *stack) express(d time.Duration) time.Duration {
	const share = 5
	if st.Express != modeExpress {
		return d
	}
	return max(d/share, min(d, time.Second)).Truncate(time.Millisecond)
}

// afterwards is what a resource's last event says when it is still settling.
func (s *session) afterwards(st *stack, typeName string) string {
	const slow = 5 * time.Second
	if create, _, _ := s.e.cfg.Durations(typeName); st.Express == modeExpress && create > slow {
		return settling
	}
	return ""
}

// configure queues the moment at which a new resource is configured, and keeps the
// rest of its time for later.
func (s *session) configure(st *stack, op *operation, i int, d time.Duration) {
	const share = 5
	n := &op.Nodes[i]
	first := (d / share).Truncate(time.Millisecond)
	n.Rest = d - first
	s.laterNode(st, op, i, first)
}

// configured tells that a resource is configured, and that the stack is when all
// its resources are.
func (s *session) configured(st *stack, op *operation, i int) {
	n := &op.Nodes[i]
	rest := n.Rest
	n.Rest, n.Configured = 0, true
	r := s.resource(st.ID, n.ID)
	r.Detailed = configurationComplete
	s.setResource(st, r, r.Status, checking)
	r.Detailed = ""
	s.laterNode(st, op, i, rest)
	s.tellConfigured(st, op)
}

// tellConfigured tells, once, that nothing but consistency is waited for.
func (s *session) tellConfigured(st *stack, op *operation) {
	waiting := false
	for _, n := range op.Nodes {
		switch {
		case n.State == nodeDone:
		case n.State == nodeRunning && n.Configured:
			waiting = true
		default:
			return
		}
	}
	if !waiting || op.Configured || op.Phase != phaseForward {
		return
	}
	op.Configured = true
	st.Detailed = configurationComplete
	s.append(st, record{
		ID: s.e.uuid("event", st.ID, ordinal(st.Events)), Logical: st.Name, Physical: st.ID, Type: stackType,
		Status: st.Status, Detailed: configurationComplete,
	})
}
