package engine

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

func atoi(v any, otherwise int) int {
	text, _ := v.(string)
	n, err := strconv.Atoi(text)
	if err != nil {
		return otherwise
	}
	return n
}

var isoDuration = regexp.MustCompile(`^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$`)

// duration reads an ISO 8601 duration such as PT15M.
func duration(text string, otherwise time.Duration) time.Duration {
	m := isoDuration.FindStringSubmatch(text)
	if m == nil {
		return otherwise
	}
	var d time.Duration
	for i, unit := range []time.Duration{24 * time.Hour, time.Hour, time.Minute, time.Second} {
		n, err := strconv.Atoi(m[i+1])
		if err == nil {
			d += time.Duration(min(n, int(longestSignal/unit)+1)) * unit
		}
	}
	return min(d, longestSignal)
}

// longestSignal is the longest that CloudFormation waits for signals:
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-cloudformation-waitcondition.html
const longestSignal = 12 * time.Hour

// boot is how long a machine takes from its start until it signals.
const boot = 2 * time.Minute

// signalWait tells how long a resource waits for its signals: until its machines
// have started and send them, or for as long as it may when nobody will.
func (s *session) signalWait(st *stack, r *resource, create time.Duration) (time.Duration, bool) {
	count, wait := wanted(r)
	if count > 0 && s.signalsItself(st) {
		wait = min(wait, create+boot)
	}
	return wait, count > 0
}

// signalsItself tells whether what a stack starts sends the signals that the
// stack waits for, as far as its template says: nothing runs in the sandbox.
func (s *session) signalsItself(st *stack) bool {
	tpl, err := s.template(st.Now.active())
	return err == nil && slices.ContainsFunc(tpl.ResourceNames, func(id string) bool {
		r := tpl.Resources[id]
		return says(r.Properties, "cfn-signal") || says(r.Metadata, "cfn-signal")
	})
}

// says tells whether a text anywhere in v contains a word.
func says(v any, word string) bool {
	switch v := v.(type) {
	case string:
		return strings.Contains(v, word)
	case []any:
		return slices.ContainsFunc(v, func(item any) bool { return says(item, word) })
	case map[string]any:
		for _, item := range v {
			if says(item, word) {
				return true
			}
		}
	}
	return false
}

// unsignalled is why a resource fails for want of signals, at the end of its
// time.
func (s *session) unsignalled(st *stack, r *resource, n *node) string {
	count, _ := wanted(r)
	if count == 0 || n.How == howUpdate {
		return ""
	}
	good, bad := tally(r.Signals)
	switch {
	case good >= count, bad == 0 && s.signalsItself(st):
		return ""
	case r.Type == waitType && bad > 0:
		return "WaitCondition received failed message: 'signalled' for uniqueId: " + r.Signals[len(r.Signals)-1].ID
	case r.Type == waitType:
		return fmt.Sprintf("WaitCondition timed out. Received %d conditions when expecting %d", good, count)
	case bad > 0:
		return fmt.Sprintf("Received %d FAILURE signal(s) out of %d. Unable to satisfy 100%% MinSuccessfulInstancesPercent requirement", bad, count)
	}
	return fmt.Sprintf("Failed to receive %d resource signal(s) within the specified duration", count-good)
}

func tally(signals []signal) (good, bad int) {
	for _, sig := range signals {
		if sig.OK {
			good++
		} else {
			bad++
		}
	}
	return good, bad
}

// signalResource accepts one signal.
func (s *session) signalResource(in *SignalResourceInput) (*SignalResourceOutput, error) {
	st := s.living(in.StackName)
	if st == nil {
		return nil, invalid("Stack %s does not exist", in.StackName)
	}
	r := s.resource(st.ID, in.LogicalResourceId)
	if r == nil {
		return nil, invalid("Resource %s does not exist for stack %s", in.LogicalResourceId, in.StackName)
	}
	if r.Status != createInProgress && r.Status != updateInProgress {
		return nil, invalid("Resource %s is in %s state and can not be signaled.", r.ID, r.Status)
	}
	for _, sig := range r.Signals {
		if sig.ID == in.UniqueId {
			return &SignalResourceOutput{}, nil
		}
	}
	r.Signals = append(r.Signals, signal{ID: in.UniqueId, OK: strings.EqualFold(in.Status, "SUCCESS")})
	s.saveResource(st.ID, r)
	s.hurry(st, r)
	return &SignalResourceOutput{}, nil
}

// hurry ends a resource's wait when its signals have decided.
func (s *session) hurry(st *stack, r *resource) {
	count, _ := wanted(r)
	good, bad := tally(r.Signals)
	op := s.op(st.ID)
	if op == nil || good < count && bad == 0 {
		return
	}
	for i := range op.Nodes {
		if n := &op.Nodes[i]; n.ID == r.ID && n.Do == doApply && n.State == nodeRunning {
			s.laterNode(st, op, i, time.Second)
		}
	}
}
