package engine

import (
	"maps"
	"slices"
	"time"
)

// Outside is a resource of a living stack as the other services see it.
type Outside struct {
	Stack      string // name
	StackID    string
	LogicalID  string
	Type       string
	Physical   string
	Status     string
	Changed    time.Time      // when its stack last did something to it
	Template   map[string]any // the properties that its stack gave it
	Properties map[string]any // as they are now
	Attributes map[string]string
	Missing    bool // deleted behind its stack's back
}

// Lookup finds the resource of one of the given types behind a physical id, an
// ARN, or another name that other resources know it by; without types, of any.
func (e *Engine) Lookup(tx Tx, acct Account, name string, types ...string) (Outside, bool, error) {
	s := newSession(e, tx, time.Time{})
	for _, o := range s.owners(acct, name) {
		if len(types) > 0 && !slices.Contains(types, o.Type) {
			continue
		}
		if out, ok := s.outside(o); ok {
			return out, true, s.err
		}
	}
	return Outside{}, false, s.err
}

// Members lists the resources of the given types that stacks of an account and
// region have, by their physical ids; without types, of all.
func (e *Engine) Members(tx Tx, acct Account, types ...string) ([]Outside, error) {
	s := newSession(e, tx, time.Time{})
	var out []Outside
	for _, o := range s.everyOwner(acct) {
		if len(types) > 0 && !slices.Contains(types, o.Type) {
			continue
		}
		if r, ok := s.outside(o); ok && !slices.ContainsFunc(out, func(x Outside) bool { return x.StackID == r.StackID && x.LogicalID == r.LogicalID }) {
			out = append(out, r)
		}
	}
	return out, s.err
}

// everyOwner lists the owners of all names of an account and region; a resource
// with several names comes several times.
func (s *session) everyOwner(a Account) []owner {
	var found []owner
	s.scan("physical", place(a), "", func(_ string, raw []byte) bool {
		var o owner
		s.fail(decode("physical", raw, &o))
		found = append(found, o)
		return s.err == nil
	})
	return found
}

// ResourcesOf lists the resources of a living stack, by name or id.
func (e *Engine) ResourcesOf(tx Tx, acct Account, stackName string) ([]Outside, error) {
	s := newSession(e, tx, time.Time{})
	s.acct = acct
	st := s.living(stackName)
	if st == nil {
		return nil, s.err
	}
	var out []Outside
	for _, r := range s.listed(st.ID) {
		if r.alive() && (r.Physical != "" || r.Missing) {
			out = append(out, r.outside(st))
		}
	}
	return out, s.err
}

func (s *session) outside(o owner) (Outside, bool) {
	st := s.stack(o.Stack)
	if o.Stack == "" || st == nil {
		return Outside{}, false
	}
	r := s.resource(st.ID, o.ID)
	if r == nil || !r.alive() || r.Physical == "" {
		return Outside{}, false
	}
	return r.outside(st), true
}

func (r *resource) outside(st *stack) Outside {
	now := maps.Clone(r.Props)
	if now == nil {
		now = map[string]any{}
	}
	for _, over := range []map[string]any{r.Actual, r.Aside} {
		for k, v := range over {
			if v == nil {
				delete(now, k)
				continue
			}
			now[k] = v
		}
	}
	return Outside{
		Stack: st.Name, StackID: st.ID, LogicalID: r.ID, Type: r.Type, Physical: r.Physical, Status: r.Status, Changed: r.Changed,
		Template: r.Props, Properties: now, Attributes: r.Attrs, Missing: r.Missing,
	}
}

// Alter changes properties of a resource behind its stack's back, nil to remove
// one. As in CloudFormation only properties that the template gives can drift;
// others are remembered until the resource is replaced or its template gives them.
func (e *Engine) Alter(tx Tx, at time.Time, o Outside, properties map[string]any) error {
	s := newSession(e, tx, at)
	r := s.resource(o.StackID, o.LogicalID)
	if r == nil || !r.alive() {
		return invalid("Resource %s does not exist for stack %s", o.LogicalID, o.Stack)
	}
	given, _ := scalars(properties).(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		if expected, ours := r.Props[name]; ours {
			r.Actual = altered(r.Actual, name, given[name], same(expected, given[name]))
			continue
		}
		r.Aside = altered(r.Aside, name, given[name], given[name] == nil)
	}
	s.saveResource(o.StackID, r)
	return s.flush()
}

// altered sets one member of a map, or takes it out where it says nothing new.
func altered(m map[string]any, name string, value any, plain bool) map[string]any {
	if plain {
		delete(m, name)
		return m
	}
	if m == nil {
		m = map[string]any{}
	}
	m[name] = value
	return m
}

// Remove deletes a resource behind its stack's back, as another client of its
// service would. What others use, in its own stack too, is not deleted: why then
// says in the service's words what AWS would answer.
func (e *Engine) Remove(tx Tx, at time.Time, o Outside) (why string, err error) {
	s := newSession(e, tx, at)
	st, r := s.stack(o.StackID), s.resource(o.StackID, o.LogicalID)
	if st == nil || r == nil || !r.alive() || r.Missing {
		return "", invalid("Resource %s does not exist for stack %s", o.LogicalID, o.Stack)
	}
	if why := s.inUse(st, r); why != "" {
		return why, s.err
	}
	if s.e.cfg.Gone != nil && s.err == nil && r.Type != stackType {
		s.fail(s.e.cfg.Gone(s.tx, s.made(st, r.ID, &r.state)))
	}
	r.Missing = true
	s.saveResource(st.ID, r)
	return "", s.flush()
}

// inUse is why a service would not delete a resource. Unlike a deletion by its
// stack, which goes in order, the stack's own resources count.
func (s *session) inUse(st *stack, r *resource) string {
	if s.e.cfg.Holds != nil && s.err == nil {
		why, err := s.e.cfg.Holds(s.tx, s.made(st, r.ID, &r.state))
		s.fail(err)
		if why != "" {
			return why
		}
	}
	service, text, by := blocking(r.Type)
	if text == "" {
		return ""
	}
	for _, user := range s.everyUser(st, &r.state) {
		if !by(user.Type) || user.Stack == st.ID && user.ID == r.ID {
			continue
		}
		if u := s.resource(user.Stack, user.ID); u == nil || !u.alive() || u.Missing {
			continue
		}
		return s.serviceError(st, r.ID, service, 400, replaceID(text, r.Physical))
	}
	return ""
}
