package engine

import (
	"encoding/json"
	"regexp"
	"strings"
	"time"

	"github.com/deployer-cli/deployer/internal/restype"
)

// phaseName is what faults call a node's work.
func (n *node) phaseName() string {
	switch {
	case n.Do == doDelete || n.Do == doClean:
		return "delete"
	case n.Do == doRevert:
		return "rollback"
	case n.How == howCreate:
		return "create"
	case n.Do == doImport:
		return "import"
	}
	return "update"
}

func (s *session) ask(st *stack, typeName string, n *node, step string) FaultAnswer {
	if s.e.cfg.Fault == nil || s.err != nil {
		return FaultAnswer{}
	}
	a, err := s.e.cfg.Fault(s.tx, FaultQuery{
		Account: st.account(), At: s.now, Stack: st.Name, StackID: st.ID, LogicalID: n.ID, Type: typeName,
		Phase: n.phaseName(), Step: step,
	})
	s.fail(err)
	return a
}

// fault tells whether a fault strikes the end of a step, and what it says.
func (s *session) fault(st *stack, typeName string, n *node) (text, code string, failed bool) {
	a := s.ask(st, typeName, n, "end")
	return a.Message, a.HandlerCode, a.Fail
}

// stretch is a duration as a fault makes it.
func (a FaultAnswer) stretch(d time.Duration) time.Duration {
	if a.Slow > 0 {
		d = time.Duration(float64(d) * a.Slow)
	}
	return (d + a.Delay).Truncate(time.Millisecond)
}

// chosenName is the property and the value by which a template names a
// resource itself.
func chosenName(r *state) (property, name string) {
	t, ok := restype.Lookup(r.Type)
	if !ok {
		return "", ""
	}
	property = nameProperty(t)
	name, _ = r.Props[property].(string)
	return property, name
}

// conflict is why a resource of a chosen name cannot be made.
func (s *session) conflict(st *stack, id string, r *state) string {
	_, name := chosenName(r)
	for _, o := range s.owners(st.account(), r.Physical) {
		if o.Type != r.Type || o.Stack == st.ID && o.ID == id {
			continue
		}
		if o.Stack != "" {
			return name + " already exists in stack " + o.Stack
		}
		return name + " already exists"
	}
	if s.e.cfg.Exists == nil {
		return ""
	}
	taken, err := s.e.cfg.Exists(s.tx, st.account(), r.Type, r.Physical)
	s.fail(err)
	if taken {
		return name + " already exists"
	}
	return ""
}

var resolvePattern = regexp.MustCompile(`\{\{resolve:([^}]+)\}\}`)

// badReference is why a dynamic reference of a resource cannot be resolved.
func (s *session) badReference(st *stack, r *state) string {
	for text := range texts(r.Props) {
		for _, m := range resolvePattern.FindAllStringSubmatch(text, -1) {
			if _, err := s.dynamic(st, m[1]); err != nil {
				return reasonOf(err)
			}
		}
	}
	return ""
}

func (s *session) dynamic(st *stack, reference string) (string, error) {
	if s.e.cfg.Dynamic == nil {
		return "", invalid("Could not resolve reference {{resolve:%s}}", reference)
	}
	return s.e.cfg.Dynamic(s.tx, st.account(), reference)
}

// resolved is a value with its dynamic references replaced.
func (s *session) resolved(st *stack, v any) any {
	switch v := v.(type) {
	case string:
		if !strings.Contains(v, "{{resolve:") {
			return v
		}
		return resolvePattern.ReplaceAllStringFunc(v, func(m string) string {
			value, err := s.dynamic(st, m[len("{{resolve:"):len(m)-2])
			if err != nil {
				return m
			}
			return value
		})
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = s.resolved(st, item)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, item := range v {
			out[k] = s.resolved(st, item)
		}
		return out
	}
	return v
}

func (s *session) made(st *stack, id string, r *state) Made {
	props, _ := s.resolved(st, r.Props).(map[string]any)
	return Made{
		Account: st.account(), StackID: st.ID, LogicalID: id, Type: r.Type, Physical: r.Physical,
		Properties: props, Attributes: r.Attrs, At: s.now,
	}
}

// announce lets the other services show what a stack made.
func (s *session) announce(st *stack, r *resource) {
	if s.e.cfg.Made != nil && s.err == nil && r.Type != stackType {
		s.fail(s.e.cfg.Made(s.tx, s.made(st, r.ID, &r.state)))
	}
}

// blocked is why AWS would not delete a resource: others use it.
func (s *session) blocked(st *stack, id string, r *state) string {
	if s.e.cfg.Holds != nil && s.err == nil {
		why, err := s.e.cfg.Holds(s.tx, s.made(st, id, r))
		s.fail(err)
		if why != "" {
			return s.handlerMessage(st, id, why, "GeneralServiceException")
		}
	}
	service, text, by := blocking(r.Type)
	if text == "" {
		return ""
	}
	for _, user := range s.users(st, r) {
		if by(user.Type) {
			return s.handlerMessage(st, id, s.serviceError(st, id, service, 400, replaceID(text, r.Physical)), "InvalidRequest")
		}
	}
	return ""
}

func replaceID(text, id string) string { return strings.ReplaceAll(text, "<id>", id) }

// creationPolicy is the part of a creation policy that waits for signals.
type creationPolicy struct {
	ResourceSignal *struct{ Count, Timeout string }
}

// wanted is how many signals a resource waits for, and how long.
func wanted(r *resource) (count int, wait time.Duration) {
	if r.Type == waitType {
		count = atoi(r.Props["Count"], 1)
		seconds := atoi(r.Props["Timeout"], 0)
		return count, time.Duration(seconds) * time.Second
	}
	text := r.Extra["CreationPolicy"]
	if r.Next != nil {
		text = r.Next.Extra["CreationPolicy"]
	}
	var p creationPolicy
	if text == "" || json.Unmarshal([]byte(text), &p) != nil || p.ResourceSignal == nil {
		return 0, 0
	}
	count = atoi(p.ResourceSignal.Count, 1)
	return count, duration(p.ResourceSignal.Timeout, 5*time.Minute)
}
