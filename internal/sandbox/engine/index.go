package engine

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// summary is what listings need of a stack.
type summary struct {
	ID      string    `json:"i"`
	Name    string    `json:"n"`
	Status  string    `json:"s"`
	Reason  string    `json:"r,omitempty"`
	Desc    string    `json:"d,omitempty"`
	Created time.Time `json:"c"`
	Updated time.Time `json:"u,omitzero"`
	Deleted time.Time `json:"x,omitzero"`
	Parent  string    `json:"p,omitempty"`
	Root    string    `json:"o,omitempty"`
	Drift   string    `json:"f,omitempty"`
	DriftAt time.Time `json:"g,omitzero"`
	Last    []lastOp  `json:"l,omitempty"`
}

func place(a Account) string { return key(a.AccountID, a.Region, "") }

// summaryKey sorts the stacks of an account and region newest first.
func summaryKey(st *stack) string {
	return place(st.account()) + fmt.Sprintf("%016x", math.MaxUint64-st.Seq)
}

func summaryOf(st *stack) summary {
	return summary{
		ID: st.ID, Name: st.Name, Status: st.Status, Reason: st.Reason, Desc: st.Now.Description,
		Created: st.Created, Updated: st.Updated, Deleted: st.Deleted,
		Parent: st.Parent, Root: st.Root, Drift: st.Drift, DriftAt: st.DriftAt, Last: st.Last,
	}
}

// register enters a stack under its name.
func (s *session) register(st *stack) {
	where := place(st.account())
	var id string
	if !s.get("name", where+st.Name, &id) {
		s.put("meta", "stacks"+where, s.population(where)+1)
	}
	s.put("name", where+st.Name, st.ID)
}

// unregister frees a stack's name.
func (s *session) unregister(st *stack) {
	where := place(st.account())
	s.drop("name", where+st.Name)
	s.put("meta", "stacks"+where, s.population(where)-1)
}

// population counts the living stacks of an account and region.
func (s *session) population(where string) int {
	var n int
	s.get("meta", "stacks"+where, &n)
	return n
}

// find looks a stack up by name or id. By name only living stacks are found.
func (s *session) find(nameOrID string) *stack {
	if strings.HasPrefix(nameOrID, "arn:") {
		st := s.stack(nameOrID)
		if st == nil || st.Account != s.acct.AccountID || st.Region != s.acct.Region {
			return nil
		}
		return st
	}
	var id string
	if !s.get("name", place(s.acct)+nameOrID, &id) {
		return nil
	}
	return s.stack(id)
}

// living is find without deleted stacks.
func (s *session) living(nameOrID string) *stack {
	st := s.find(nameOrID)
	if st == nil || st.Status == deleteComplete {
		return nil
	}
	return st
}

type export struct {
	Stack string `json:"s"`
	Name  string `json:"n"` // of the stack
	Value string `json:"v"`
}

func (s *session) export(a Account, name string) (export, bool) {
	var e export
	ok := s.get("export", place(a)+name, &e)
	return e, ok
}

// importer names the first stack that imports an export, if any.
func (s *session) importer(a Account, name string) (user string, used bool) {
	prefix := place(a) + key(name, "")
	s.scan("import", prefix, "", func(k string, _ []byte) bool {
		user, used = strings.TrimPrefix(k, prefix), true
		return false
	})
	return user, used
}

// setImports makes the index say that a stack imports exactly these.
func (s *session) setImports(st *stack, names []string) {
	names = slices.Compact(slices.Sorted(slices.Values(names)))
	for _, old := range st.Imports {
		if !slices.Contains(names, old) {
			s.drop("import", place(st.account())+key(old, st.Name))
		}
	}
	for _, name := range names {
		if !slices.Contains(st.Imports, name) {
			s.put("import", place(st.account())+key(name, st.Name), st.ID)
		}
	}
	st.Imports = names
	s.save(st)
}

// setOutputs replaces a stack's outputs and keeps the exports in step.
func (s *session) setOutputs(st *stack, outputs []output) {
	for _, old := range st.Outputs {
		if old.Export != "" && !slices.ContainsFunc(outputs, func(o output) bool { return o.Export == old.Export }) {
			s.drop("export", place(st.account())+old.Export)
		}
	}
	for _, o := range outputs {
		if o.Export != "" {
			s.put("export", place(st.account())+o.Export, export{Stack: st.ID, Name: st.Name, Value: o.Value})
		}
	}
	st.Outputs = outputs
	s.save(st)
}

// owner says which resource of which stack a physical id belongs to.
type owner struct {
	Stack string `json:"s"`
	Name  string `json:"n"`
	ID    string `json:"i"`
	Type  string `json:"t"`
}

// owners lists the resources behind a physical id: kinds of resources may
// share a name.
func (s *session) owners(a Account, physical string) []owner {
	var found []owner
	s.scan("physical", place(a)+key(physical, ""), "", func(_ string, raw []byte) bool {
		var o owner
		s.fail(decode("physical", raw, &o))
		found = append(found, o)
		return s.err == nil
	})
	return found
}

// claim enters a resource's physical id, its aliases and what it refers to.
func (s *session) claim(st *stack, id string, r *state) {
	if r.Physical == "" {
		return
	}
	o := owner{Stack: st.ID, Name: st.Name, ID: id, Type: r.Type}
	for _, name := range r.names() {
		s.put("physical", place(st.account())+key(name, r.Type, st.ID, id), o)
	}
	for _, name := range s.referred(st.account(), r) {
		s.put("use", place(st.account())+key(name, st.ID, id), o)
	}
}

// release undoes claim.
func (s *session) release(st *stack, id string, r *state) {
	for _, name := range r.names() {
		s.drop("physical", place(st.account())+key(name, r.Type, st.ID, id))
	}
	for text := range texts(r.Props) {
		s.drop("use", place(st.account())+key(text, st.ID, id))
	}
}

// names are the strings by which other resources refer to this one.
func (r *state) names() []string {
	var names []string
	for _, n := range []string{r.Physical, r.Ref, r.Attrs["Arn"], r.Attrs["GroupId"], r.Attrs["AllocationId"]} {
		if n != "" && !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	return names
}

// referred lists the strings in a resource's properties that name a resource
// of the store.
func (s *session) referred(a Account, r *state) []string {
	var found []string
	for text := range texts(r.Props) {
		if text != r.Physical && len(s.owners(a, text)) > 0 {
			found = append(found, text)
		}
	}
	slices.Sort(found)
	return found
}

// texts collects every string inside a value, each once.
func texts(v any) map[string]bool {
	found := map[string]bool{}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case string:
			if v != "" {
				found[v] = true
			}
		case []any:
			for _, item := range v {
				walk(item)
			}
		case map[string]any:
			for _, item := range v {
				walk(item)
			}
		}
	}
	walk(v)
	return found
}

// users lists the resources of other stacks that refer to this one.
func (s *session) users(st *stack, r *state) []owner {
	return slices.DeleteFunc(s.everyUser(st, r), func(o owner) bool {
		u := s.resource(o.Stack, o.ID)
		return o.Stack == st.ID || u != nil && u.Missing
	})
}

// everyUser lists the resources of all stacks that refer to this one.
func (s *session) everyUser(st *stack, r *state) []owner {
	var found []owner
	for _, name := range r.names() {
		s.scan("use", place(st.account())+key(name, ""), "", func(_ string, raw []byte) bool {
			var o owner
			s.fail(decode("use", raw, &o))
			found = append(found, o)
			return s.err == nil
		})
	}
	return found
}
