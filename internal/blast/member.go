package blast

import (
	"maps"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/internal/cfntemplate"
	"github.com/deployer-cli/deployer/internal/reattach"
	"github.com/deployer-cli/deployer/stacks"
)

// member is one stack of a unit. Its template is parsed when it is asked for: of
// most stacks the types of their resources say enough.
type member struct {
	*Seen
	w       *world
	props   map[string]holding // by logical id, as asked for
	unread  []string           // what of its contents could not be read, for the reader
	loose   []string           // every text in which it may name something
	loosely bool               // loose was gathered

	opened   bool
	template *cfntemplate.Template // nil when unread or not understood
	env      *cfntemplate.Env
	blind    string // why there is no template

	reattached *reattach.Plan // nil while not asked for
}

// holding is what one resource's properties come to.
type holding struct {
	texts   []string
	unknown bool          // some of it is not known
	missing []unseenValue // dynamic references that nobody resolved
	opaque  []unseenValue // values that may name anything
}

// unseenValue is a property whose value is not known.
type unseenValue struct{ where, what string }

func (w *world) member(s *Seen) *member {
	m := &member{Seen: s, w: w, props: map[string]holding{}}
	if !s.Resources.Read {
		m.unread = append(m.unread, "its resources: "+s.Resources.reason())
	}
	return m
}

// parsed gives the template, with what it is evaluated in made ready; nil when it
// is not there, and blind says why.
func (m *member) parsed() *cfntemplate.Template {
	if m.opened {
		return m.template
	}
	m.opened = true
	if !m.Template.Read {
		m.blind = "its template: " + m.Template.reason()
		return nil
	}
	t, err := cfntemplate.Parse([]byte(m.Template.Value))
	if err != nil {
		m.blind = "its template: " + err.Error()
		return nil
	}
	m.env = m.w.env(m.Seen, t)
	if expanded, err := cfntemplate.Expand(t, m.env); err == nil {
		t = expanded
	}
	m.template = t
	if holds, err := t.EvalConditions(m.env); err == nil {
		m.env.Conditions = holds
	}
	return t
}

// missing lists everything of a stack that could not be read.
func (m *member) missing() []string {
	if m.parsed() == nil {
		return append(slices.Clone(m.unread), m.blind)
	}
	return m.unread
}

// holds gives what the properties of a resource come to.
func (m *member) holds(r stacks.Resource) holding {
	if h, ok := m.props[r.LogicalID]; ok {
		return h
	}
	h := holding{}
	for part := range strings.SplitSeq(r.PhysicalID, "|") {
		h.texts = append(h.texts, part)
	}
	var properties any
	declared := false
	if t := m.parsed(); t != nil {
		var entry cfntemplate.Resource
		entry, declared = t.Resources[r.LogicalID]
		properties = entry.Properties
	}
	if !declared {
		h.unknown = true
	} else if v, err := m.template.Eval(properties, m.env); err != nil {
		h.unknown = true
	} else {
		h.gather("", v, m.Resolved)
	}
	m.props[r.LogicalID] = h
	return h
}

// gather collects every text in the value of a property.
func (h *holding) gather(where string, v any, resolved map[string]string) {
	switch v := v.(type) {
	case string:
		text, missing := resolve(v, resolved)
		h.texts = append(h.texts, text)
		for _, reference := range missing {
			h.missing = append(h.missing, unseenValue{where, reference})
		}
	case []string:
		for _, item := range v {
			h.gather(where, item, resolved)
		}
	case []any:
		for _, item := range v {
			h.gather(where, item, resolved)
		}
	case map[string]any:
		for _, of := range slices.Sorted(maps.Keys(v)) {
			h.gather(strings.TrimPrefix(where+"."+of, "."), v[of], resolved)
		}
	case cfntemplate.Unknown:
		h.unknown = true
		if opaque(where, v.Why) {
			h.opaque = append(h.opaque, unseenValue{where, v.Why})
		}
	}
}

// opaque tells whether a value that is not known, of a property, may name a resource of
// another stack. A secret, or a branch that is not known, does only where names stand.
func opaque(where, why string) bool {
	switch {
	case why == whySSM, why == whyExport, why == whyOutput, strings.HasPrefix(why, "what ") && strings.HasSuffix(why, " gives"):
		return true
	case why == whyHidden, strings.HasPrefix(why, whyCondition):
		return slices.ContainsFunc([]string{"Id", "Ids", "Arn", "ARN", "Arns", "ARNs", "Name", "Names", "Identifier", "Role", "Roles", "Subnets", "SecurityGroups", "Cluster"},
			func(end string) bool { return strings.HasSuffix(where, end) })
	}
	return false
}

// The beginning and the end of a dynamic reference.
const (
	resolveOpens  = "{{resolve:"
	resolveCloses = "}}"
)

// resolve puts the values of dynamic references into a text. Those to secrets name
// nothing that a stack could sit on.
func resolve(text string, resolved map[string]string) (out string, missing []string) {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(text, resolveOpens)
		b.WriteString(before)
		if !ok {
			return b.String(), missing
		}
		reference, after, closed := strings.Cut(rest, resolveCloses)
		if !closed {
			b.WriteString(rest)
			return b.String(), missing
		}
		if value, known := resolved[reference]; known {
			b.WriteString(value)
		} else if strings.HasPrefix(reference, "ssm:") {
			missing = append(missing, reference)
		}
		text = after
	}
}

// texts gives every text in which a stack may name a resource of another: its
// parameters, its template, what it imports, its physical ids.
func (m *member) texts(f *Facts) []string {
	if m.loosely {
		return m.loose
	}
	m.loosely = true
	for _, p := range m.Live.Parameters {
		m.loose = append(m.loose, p.Value, p.Resolved)
	}
	for _, r := range m.Resources.Value {
		m.loose = append(m.loose, r.PhysicalID)
	}
	m.loose = append(m.loose, m.Template.Value)
	for _, value := range m.Resolved {
		m.loose = append(m.loose, value)
	}
	for _, e := range f.Exports.Value {
		if !e.Importers.Read || slices.Contains(e.Importers.Value, m.Live.Name) {
			m.loose = append(m.loose, e.Value)
		}
	}
	return m.loose
}
