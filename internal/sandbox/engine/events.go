package engine

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"
)

// record is one event as stored.
type record struct {
	ID       string    `json:"i"`
	Op       string    `json:"o,omitempty"`
	Logical  string    `json:"l"`
	Physical string    `json:"p,omitempty"`
	Type     string    `json:"y"`
	At       time.Time `json:"a"`
	Status   string    `json:"s"`
	Reason   string    `json:"r,omitempty"`
	Props    string    `json:"q,omitempty"`
	Token    string    `json:"t,omitempty"`
	Detailed string    `json:"d,omitempty"`
}

// stamp is how event ids write a time.
const stamp = "2006-01-02T15:04:05.000Z"

// setStatus moves a stack to a status and tells of it.
func (s *session) setStatus(st *stack, status, reason string) {
	st.Status, st.Reason, st.Detailed = status, reason, ""
	s.append(st, record{
		ID: s.e.uuid("event", st.ID, ordinal(st.Events)), Logical: st.Name, Physical: st.ID, Type: stackType,
		Status: status, Reason: reason,
	})
}

// setResource moves a resource to a status and tells of it.
func (s *session) setResource(st *stack, r *resource, status, reason string) {
	r.Status, r.Reason, r.Changed = status, reason, s.now
	s.saveResource(st.ID, r)
	props := r.Props
	if r.Next != nil {
		props = r.Next.Props
	}
	if props == nil {
		props = map[string]any{}
	}
	s.append(st, record{
		ID:      r.ID + "-" + status + "-" + s.now.Format(stamp),
		Logical: r.ID, Physical: r.Physical, Type: r.Type, Status: status, Reason: reason,
		Props: propsJSON(st.Now.masked(props)), Detailed: r.Detailed,
	})
}

// tellLeftover tells of the deletion of what a resource used to be. Such
// events have random ids and no properties.
func (s *session) tellLeftover(st *stack, logical string, old leftover, status, reason string) {
	s.append(st, record{
		ID:      logical + "-" + s.e.uuid("event", st.ID, ordinal(st.Events)),
		Logical: logical, Physical: old.Physical, Type: old.Type, Status: status, Reason: reason,
	})
}

func (s *session) append(st *stack, ev record) {
	ev.At, ev.Op, ev.Token = s.now, st.OpID, st.Token
	st.Events++
	s.put("event", key(st.ID, fmt.Sprintf("%016x", math.MaxUint64-st.Events)), ev)
	s.save(st)
	if s.e.cfg.Event != nil && len(st.Now.Notify) > 0 && s.err == nil {
		s.fail(s.e.cfg.Event(s.tx, st.account(), st.Now.Notify, ev.event(st)))
	}
}

func (ev *record) event(st *stack) StackEvent {
	physical := ev.Physical
	return StackEvent{
		StackId: st.ID, StackName: st.Name, EventId: ev.ID, OperationId: ev.Op,
		LogicalResourceId: ev.Logical, PhysicalResourceId: &physical, ResourceType: ev.Type,
		Timestamp: ev.At, ResourceStatus: ev.Status, ResourceStatusReason: ev.Reason,
		ResourceProperties: ev.Props, ClientRequestToken: ev.Token, DetailedStatus: ev.Detailed,
	}
}

// mask stands for what a NoEcho parameter hides.
const mask = "****"

// masked hides the values of NoEcho parameters in properties.
func (t *target) masked(props map[string]any) map[string]any {
	var secrets []string
	for _, p := range t.Params {
		if value := cmp.Or(p.Resolved, p.Value); p.NoEcho && value != "" {
			secrets = append(secrets, value, mask)
		}
	}
	if len(secrets) == 0 {
		return props
	}
	hide := strings.NewReplacer(secrets...)
	var walk func(v any) any
	walk = func(v any) any {
		switch v := v.(type) {
		case string:
			return hide.Replace(v)
		case []any:
			out := make([]any, len(v))
			for i, item := range v {
				out[i] = walk(item)
			}
			return out
		case map[string]any:
			out := make(map[string]any, len(v))
			for k, item := range v {
				out[k] = walk(item)
			}
			return out
		}
		return v
	}
	hidden, _ := walk(props).(map[string]any)
	return hidden
}

// propsJSON writes properties as events and contexts show them.
func propsJSON(props map[string]any) string {
	if props == nil {
		return ""
	}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if enc.Encode(props) != nil {
		return "{}"
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// handlerMessage frames what a resource handler says, as AWS does. A message
// that is framed already, or that CloudFormation says itself, stays as it is.
func (s *session) handlerMessage(st *stack, id, message, code string) string {
	if code == "" {
		if message != "" {
			return message
		}
		code = "InternalFailure"
	}
	if message == "" {
		message = "Internal Failure"
	}
	if strings.Contains(message, "HandlerErrorCode") {
		return message
	}
	token := s.e.uuid("request", st.ID, st.OpID, id, ordinal(st.Events))
	return fmt.Sprintf("Resource handler returned message: %q (RequestToken: %s, HandlerErrorCode: %s)", message, token, code)
}

// serviceError is how a service's own refusal reads inside a handler message.
func (s *session) serviceError(st *stack, id, service string, status int, message string) string {
	request := s.e.uuid("service", st.ID, st.OpID, id, ordinal(st.Events))
	return fmt.Sprintf("%s (Service: %s, Status Code: %d, Request ID: %s)", message, service, status, request)
}
