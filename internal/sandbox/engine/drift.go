package engine

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/deployer-cli/deployer/internal/restype"
)

const (
	driftUnchecked = "NOT_CHECKED"
	driftSame      = "IN_SYNC"
	driftFound     = "DRIFTED"
	driftModified  = "MODIFIED"
	driftDeleted   = "DELETED"
)

// detection is one run of drift detection.
type detection struct {
	ID     string    `json:"i"`
	Stack  string    `json:"s"`
	Status string    `json:"u"`
	Drift  string    `json:"d,omitempty"`
	Count  int       `json:"n,omitempty"`
	Only   []string  `json:"o,omitempty"`
	At     time.Time `json:"a"`
}

const (
	detecting = "DETECTION_IN_PROGRESS"
	detected  = "DETECTION_COMPLETE"
)

func (s *session) detectStackDrift(in *DetectStackDriftInput) (*DetectStackDriftOutput, error) {
	st, err := s.driftStack(in.StackName)
	if err != nil {
		return nil, err
	}
	id := s.e.uuid("drift", st.ID, ordinal(s.counter("drift")))
	d := detection{ID: id, Stack: st.ID, Status: detecting, Only: in.LogicalResourceIds, At: s.now}
	s.put("detection", id, d)
	s.queue(s.now.Add(s.e.between(3*time.Second, 8*time.Second, "drift", id)), due{Kind: dueDrift, ID: id})
	return &DetectStackDriftOutput{StackDriftDetectionId: id}, nil
}

func (s *session) driftStack(name string) (*stack, error) {
	st := s.living(name)
	if st == nil {
		return nil, invalid("Stack [%s] does not exist", name)
	}
	switch st.Status {
	case createComplete, updateComplete, undoComplete, undoFailed, importComplete, importUndoComplete:
		return st, nil
	}
	return nil, invalid("Drift detection cannot be performed on stack [%s] while in %s state", st.ID, st.Status)
}

// finishDrift compares the resources of a stack with what they should be.
func (s *session) finishDrift(id string) {
	var d detection
	if !s.get("detection", id, &d) {
		return
	}
	st := s.stack(d.Stack)
	if st == nil {
		return
	}
	for _, r := range s.listed(st.ID) {
		if len(d.Only) > 0 && !slices.Contains(d.Only, r.ID) || !r.alive() {
			continue
		}
		if s.checkDrift(st, r) {
			d.Count++
		}
	}
	d.Status, d.Drift = detected, driftSame
	if d.Count > 0 {
		d.Drift = driftFound
	}
	st.Drift, st.DriftAt = d.Drift, s.now
	s.save(st)
	s.put("detection", id, d)
}

// checkDrift settles one resource's drift and reports whether there is any.
func (s *session) checkDrift(st *stack, r *resource) bool {
	r.Drift, r.DriftAt = driftSame, s.now
	switch {
	case r.Missing:
		r.Drift = driftDeleted
	case len(r.propertyDrift()) > 0:
		r.Drift = driftModified
	}
	if _, known := restype.Lookup(r.Type); !known {
		r.Drift = driftUnchecked
	}
	s.saveResource(st.ID, r)
	return r.Drift == driftModified || r.Drift == driftDeleted
}

// propertyDrift lists where the actual properties differ from the template's.
func (r *resource) propertyDrift() []PropertyDifference {
	var out []PropertyDifference
	for _, name := range slices.Sorted(maps.Keys(r.Actual)) {
		expected, actual := r.Props[name], r.Actual[name]
		if same(expected, actual) {
			continue
		}
		d := PropertyDifference{PropertyPath: "/" + name, ExpectedValue: valueText(expected), ActualValue: valueText(actual), DifferenceType: "NOT_EQUAL"}
		switch {
		case expected == nil:
			d.DifferenceType = "ADD"
		case actual == nil:
			d.DifferenceType = "REMOVE"
		}
		out = append(out, d)
	}
	return out
}

func (r *resource) driftShown(st *stack) StackResourceDrift {
	d := StackResourceDrift{
		StackId: st.ID, LogicalResourceId: r.ID, PhysicalResourceId: r.Physical, ResourceType: r.Type,
		StackResourceDriftStatus: r.Drift, Timestamp: r.DriftAt, ExpectedProperties: propsJSON(st.Now.masked(r.Props)),
		PropertyDifferences: orEmpty(r.propertyDrift()),
	}
	if r.Drift == driftDeleted {
		return d
	}
	actual := maps.Clone(r.Props)
	for k, v := range r.Actual {
		if v == nil {
			delete(actual, k)
			continue
		}
		actual[k] = v
	}
	d.ActualProperties = propsJSON(st.Now.masked(actual))
	return d
}

func (s *session) describeStackDriftDetectionStatus(in *DescribeStackDriftDetectionStatusInput) (*DescribeStackDriftDetectionStatusOutput, error) {
	var d detection
	if !s.get("detection", in.StackDriftDetectionId, &d) {
		return nil, invalid("Drift detection with id %s does not exist", in.StackDriftDetectionId)
	}
	out := &DescribeStackDriftDetectionStatusOutput{
		StackId: d.Stack, StackDriftDetectionId: d.ID, DetectionStatus: d.Status, StackDriftStatus: d.Drift, Timestamp: d.At,
	}
	if d.Status == detected {
		out.DriftedStackResourceCount = new(d.Count)
	}
	return out, nil
}

func (s *session) describeStackResourceDrifts(in *DescribeStackResourceDriftsInput) (*DescribeStackResourceDriftsOutput, error) {
	st := s.living(in.StackName)
	if st == nil {
		return nil, invalid("Stack [%s] does not exist", in.StackName)
	}
	var found []*resource
	for _, r := range s.listed(st.ID) {
		if r.Drift == "" || len(in.StackResourceDriftStatusFilters) > 0 && !slices.Contains(in.StackResourceDriftStatusFilters, r.Drift) {
			continue
		}
		found = append(found, r)
	}
	shown, next, err := pages(found, in.NextToken, func(r *resource) string { return r.ID })
	if err != nil {
		return nil, err
	}
	out := &DescribeStackResourceDriftsOutput{StackResourceDrifts: []StackResourceDrift{}, NextToken: next}
	for _, r := range shown {
		out.StackResourceDrifts = append(out.StackResourceDrifts, r.driftShown(st))
	}
	return out, nil
}

func (s *session) detectStackResourceDrift(in *DetectStackResourceDriftInput) (*DetectStackResourceDriftOutput, error) {
	st, err := s.driftStack(in.StackName)
	if err != nil {
		return nil, err
	}
	r := s.resource(st.ID, in.LogicalResourceId)
	if r == nil || !r.alive() {
		return nil, invalid("Resource %s does not exist for stack %s", in.LogicalResourceId, in.StackName)
	}
	s.checkDrift(st, r)
	d := r.driftShown(st)
	return &DetectStackResourceDriftOutput{StackResourceDrift: &d}, nil
}

// Drift changes or, with nil properties, deletes a resource behind its
// stack's back. A nil property is removed.
func (e *Engine) Drift(tx Tx, at time.Time, acct Account, stackName, logicalID string, properties map[string]any) error {
	s := newSession(e, tx, at)
	s.acct = acct
	st := s.living(stackName)
	if st == nil {
		return invalid("Stack with id %s does not exist", stackName)
	}
	r := s.resource(st.ID, logicalID)
	if r == nil || !r.alive() {
		return invalid("Resource %s does not exist for stack %s", logicalID, strings.TrimSpace(stackName))
	}
	r.Missing = properties == nil
	if properties != nil {
		actual, _ := scalars(properties).(map[string]any)
		if r.Actual == nil {
			r.Actual = map[string]any{}
		}
		maps.Copy(r.Actual, actual)
	}
	s.saveResource(st.ID, r)
	return s.flush()
}
