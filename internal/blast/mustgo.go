package blast

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/internal/dag"
	"github.com/deployer-cli/deployer/internal/restype"
	"github.com/deployer-cli/deployer/stacks"
)

// MustGo lists what has to go for the targets to go: they themselves, everything
// that imports their exports, and everything that sits in or on their resources,
// transitively, each after those that have to go before it. What cannot go is
// refused; nothing that is not of a development environment is ever listed to go.
// Kinds of break that delete no stack take none with them.
func MustGo(f *Facts) ([]Going, []Refusal) {
	c := newWorld(f).closure()
	return c.going, c.refused
}

// Unasked names the exports of what would go whose importers have to be looked
// up. After that, ask again: those who import may export too.
func Unasked(f *Facts) []string {
	w := newWorld(f)
	var out []string
	for _, u := range w.reach().units {
		for _, o := range u.exports() {
			if e, ok := w.export(o); !ok || !e.Importers.Read && e.Importers.Why == "" {
				out = append(out, o.Name)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// closure is what goes, as it is found.
type closure struct {
	w       *world
	units   []*unit                 // in the order of going
	why     map[*unit][]string      // by unit, sorted
	after   *dag.Graph[stacks.Path] // an edge leads from a stack to one that has to be gone before it
	chosen  map[*unit]bool
	going   []Going
	refused []Refusal
	there   map[string]*world // of the other regions, by name, as they were asked about
}

// closure is what the targets reach, in the order of going.
func (w *world) closure() *closure {
	c := w.reach()
	c.order()
	return c
}

// reach follows importers and what sits on what, from the targets. What was not read yet
// is taken for the worst, so it may reach too far, and in circles.
func (w *world) reach() *closure {
	c := &closure{w: w, why: map[*unit][]string{}, after: &dag.Graph[stacks.Path]{}, chosen: map[*unit]bool{}, there: map[string]*world{}}
	if !w.f.Stacks.Read {
		c.refuse("the live stacks", "they could not be read: "+w.f.Stacks.reason(), "let the caller describe all stacks of the account and region")
		return c
	}
	for _, p := range stacks.SortPaths(slices.Clone(w.f.Targets)) {
		c.target(p)
	}
	for done := 0; done < len(c.units); done++ { //nolint:intrange // grows while it is walked
		if w.f.Kind == DeleteStack {
			c.needs(c.units[done])
		} else {
			c.hurts(c.units[done])
		}
	}
	return c
}

func (c *closure) refuse(name, why, fix string) {
	r := Refusal{Name: name, Why: why, Fix: fix}
	if !slices.Contains(c.refused, r) {
		c.refused = append(c.refused, r)
	}
}

func (c *closure) target(p stacks.Path) {
	u := c.w.at(p)
	if u == nil {
		if nested := c.w.nested(p); nested != "" {
			c.refuse(string(p), "it is a nested stack of "+nested+", and goes with that one alone", "break the stack that it is nested in")
			return
		}
		c.refuse(string(p), "it does not live: there is nothing to break", "deployer launch "+string(p))
		return
	}
	if why, fix := unfit(u.root); why != "" {
		c.refuse(string(p), why, fix)
		return
	}
	c.chosen[u] = true
	c.add(u, "it was chosen")
}

// nested finds the parent's name where a path is that of a nested stack.
func (w *world) nested(p stacks.Path) string {
	for _, u := range w.units {
		for _, m := range u.members[1:] {
			if m.Stack != nil && m.Stack.Path == p {
				return u.root.Title()
			}
		}
	}
	return ""
}

func (c *closure) add(u *unit, why string) {
	if _, ok := c.why[u]; !ok {
		c.units = append(c.units, u)
		c.after.Add(u.root.Path())
	}
	if !slices.Contains(c.why[u], why) {
		c.why[u] = append(c.why[u], why)
	}
}

// needs adds what has to go before a unit.
func (c *closure) needs(base *unit) {
	title := base.root.Title()
	for _, m := range base.members {
		if missing := m.missing(); len(missing) > 0 {
			c.refuse(title, "what is in it is not known: "+strings.Join(missing, ", "), "let the caller read its resources and its template")
		}
		for _, r := range m.Resources.Value {
			if restype.HoldsStacks(r.Type) && m.goes(r) {
				c.refuse(title, fmt.Sprintf("its %s (%s) holds stacks of its own, which would go and are in no plan", r.LogicalID, r.Type), "leave it out, or keep it (DeletionPolicy: Retain)")
			}
		}
	}
	uses, doubts := c.w.users(base)
	c.doubt(doubts)
	for _, use := range uses {
		c.before(use.by, base, use.why)
	}
	c.elsewhere(base)
}

func (c *closure) doubt(all []Refusal) {
	for _, r := range all {
		c.refuse(r.Name, r.Why, r.Fix)
	}
}

// hurts refuses, of a unit that stays and is broken in part, the users that no break
// may reach. All others are shown as those who lose something.
func (c *closure) hurts(base *unit) {
	c.elsewhere(base)
	uses, doubts := c.w.users(base)
	c.doubt(doubts)
	for _, use := range uses {
		if reason, fix := unfit(use.by.root); reason != "" && use.by != base {
			c.refuse(use.by.root.Title(), fmt.Sprintf("it would lose what it uses (%s), and %s", use.why, reason), fix)
		}
	}
}

// use is a stack that lives by what another has.
type use struct {
	by  *unit
	why string
}

// users lists who imports the exports of a unit, and who sits on what of it is broken.
// What cannot be told is refused.
func (w *world) users(base *unit) (uses []use, doubts []Refusal) {
	title := base.root.Title()
	for _, o := range base.exports() {
		e, ok := w.export(o)
		if !ok || !e.Importers.Read {
			doubts = append(doubts, Refusal{title, fmt.Sprintf("who imports its export %s is not known: %s", o.Name, e.Importers.reason()), "let the caller list imports (cloudformation:ListImports)"})
			continue
		}
		for _, name := range e.Importers.Value {
			user := w.named(name, base.root.Live)
			if user == nil {
				doubts = append(doubts, Refusal{name, fmt.Sprintf("it imports %s of %s and was not read", o.Name, title), "let the caller read every stack of the account and region"})
				continue
			}
			uses = append(uses, use{user, fmt.Sprintf("it imports %s of %s", o.Name, title)})
		}
	}
	boxes := w.broken(base)
	for _, user := range w.units {
		if user == base || len(boxes) == 0 {
			continue
		}
		why, doubt := w.sits(boxes, user, beside)
		switch {
		case why != "":
			uses = append(uses, use{user, fmt.Sprintf("%s of %s", why, title)})
		case doubt.Why != "":
			doubts = append(doubts, Refusal{user.root.Title(), doubt.Why, doubt.Fix + "; or leave out what it may use"})
		}
	}
	return uses, doubts
}

// broken lists what of a unit others may sit on and is broken.
func (w *world) broken(u *unit) []container {
	return slices.DeleteFunc(u.containers(), func(c container) bool { return !w.f.breaks(u.root.Path(), c.LogicalID) })
}

// breaks tells whether a resource of a stack is broken: all of one that is deleted, of
// others what is injected or changed.
func (f *Facts) breaks(p stacks.Path, id string) bool {
	switch f.Kind {
	case DeleteStack:
		return true
	case DriftParameter:
		return slices.ContainsFunc(f.Changes[p], func(c stacks.ResourceChange) bool { return c.LogicalID == id })
	}
	return slices.ContainsFunc(f.Injections, func(i stacks.Injection) bool { return i.Stack == p && i.LogicalID == id })
}

// before notes that user has to go before base, or refuses it.
func (c *closure) before(user, base *unit, why string) {
	if user == base {
		return
	}
	if _, going := c.why[user]; !going {
		if c.w.f.Only {
			c.refuse(user.root.Title(), "it would have to go first: "+why, "leave --only out, and it goes too")
			return
		}
		if i := slices.IndexFunc(c.w.f.Choice.Exclude, user.root.Path().Matches); i >= 0 {
			c.refuse(user.root.Title(), fmt.Sprintf("--exclude %s keeps it, and it would have to go first: %s", c.w.f.Choice.Exclude[i], why), fmt.Sprintf("exclude %s too, or leave that exclusion out", base.root.Title()))
			return
		}
		if reason, fix := unfit(user.root); reason != "" {
			c.refuse(user.root.Title(), "it would have to go first ("+why+"), but "+reason, fix)
			return
		}
	}
	c.add(user, why)
	c.after.Connect(base.root.Path(), user.root.Path())
}

// exports lists the exported outputs of a unit.
func (u *unit) exports() []stacks.Export {
	var out []stacks.Export
	for _, m := range u.members {
		for _, o := range m.Live.Outputs {
			if o.Export != "" {
				out = append(out, stacks.Export{Name: o.Export, Value: o.Value, StackID: m.Live.ID})
			}
		}
	}
	return out
}

// export finds what is known of an export.
func (w *world) export(e stacks.Export) (Export, bool) {
	if !w.f.Exports.Read {
		return Export{Importers: Known[[]string]{Why: w.f.Exports.reason()}}, false
	}
	for _, known := range w.f.Exports.Value {
		if known.Name == e.Name && known.StackID == e.StackID {
			return known, true
		}
	}
	return Export{}, false
}

// setInstance is how CloudFormation calls the stacks of a StackSet:
// StackSet-<name>-<uuid>.
var setInstance = regexp.MustCompile(`^StackSet-.+-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// unfit says why a stack may never go in a break, whatever its environment
// allows, and what to do about it: "" for one that may.
func unfit(s *Seen) (why, fix string) {
	switch {
	case s.Live.ParentID != "":
		return "it is a nested stack, and goes with its parent alone", "break the stack that it is nested in"
	case setInstance.MatchString(s.Live.Name):
		return "it is an instance of a StackSet, which would only bring it back, or be left broken", "leave it out"
	case s.Stack == nil:
		return "no file of the project describes it, so nobody says that it may go or could put it back", "give it a file in the project, or leave out what it uses"
	}
	if why, fix := undeveloped(s.Stack.Environment, s.Stack.Path); why != "" {
		return why, fix
	}
	if class, ok := s.Live.Tag(stacks.TagClass); ok && stacks.Class(class) != stacks.Development {
		return fmt.Sprintf("the live stack is tagged %s=%s", stacks.TagClass, class), "find out which is true: the files say development"
	}
	return "", ""
}

// undeveloped says why an environment is not a development one, written down.
func undeveloped(e *stacks.Environment, path stacks.Path) (why, fix string) {
	switch {
	case e == nil:
		return "its environment is not known", ""
	case !e.Declared || e.Class == stacks.Undeclared:
		return fmt.Sprintf("the environment %s is not declared", e.Name),
			fmt.Sprintf("if it may be broken, add to its config.yaml:  environment: {class: development, break: {allow: true}}  and run: deployer launch %s --adopt", e.Name)
	case e.Class != stacks.Development:
		return fmt.Sprintf("the environment %s is %s", e.Name, e.Class), "break an environment of class development"
	case stacks.HasProductionWord(e.Name) || stacks.HasProductionWord(string(path.Group())):
		return "its name says production: " + string(path), "break an environment whose name does not say production"
	}
	return "", ""
}

// order puts what goes into the order of deletion. Dependents by configuration go
// before what they need as far as that is possible.
func (c *closure) order() {
	for _, base := range c.units {
		for _, user := range c.units {
			if user != base && base.employs(user) {
				c.after.Connect(base.root.Path(), user.root.Path())
			}
		}
	}
	order, ok := c.after.Topological()
	if !ok {
		for _, p := range c.after.Cycle() {
			if c.unsure() {
				break // it is refused for what was not read, which may be all that makes the circle
			}
			c.refuse(string(p), "it and others hold each other: none of them can go first", "leave it out, or undo one of the references between them")
		}
		c.units, c.going = nil, nil
		return
	}
	graph := c.softened()
	if softer, fine := graph.Topological(); fine {
		order = softer
	} else {
		graph = c.after
	}
	byPath := make(map[stacks.Path]*unit, len(c.units))
	for _, u := range c.units {
		byPath[u.root.Path()] = u
	}
	c.after, c.units = graph, nil
	for _, p := range order {
		u := byPath[p]
		slices.Sort(c.why[u])
		g := Going{Path: p, Name: u.root.Live.Name, StackID: u.root.Live.ID, Target: c.chosen[u], Why: c.why[u], Before: []string{}}
		for later := range graph.Dependents(p) {
			g.Before = append(g.Before, byPath[later].root.Live.ID)
		}
		slices.Sort(g.Before)
		c.units = append(c.units, u)
		c.going = append(c.going, g)
	}
}

// unsure tells whether the importers of anything that goes were not read: texts then
// takes everybody for one.
func (c *closure) unsure() bool {
	return slices.ContainsFunc(c.units, func(u *unit) bool {
		return slices.ContainsFunc(u.exports(), func(o stacks.Export) bool { e, _ := c.w.export(o); return !e.Importers.Read })
	})
}

// employs tells whether CloudFormation deletes a unit by a role that stands in
// this one, and so could not after it.
func (u *unit) employs(user *unit) bool {
	role := user.root.Live.ServiceRole
	return role != "" && slices.ContainsFunc(u.containers(), func(c container) bool {
		return c.Type == "AWS::IAM::Role" && c.among([]string{role})
	})
}

// softened adds to what has to be what is better: whoever needs something by
// configuration goes before it.
func (c *closure) softened() *dag.Graph[stacks.Path] {
	out := &dag.Graph[stacks.Path]{}
	for _, p := range c.after.Keys() {
		out.Add(p)
		for d := range c.after.Dependencies(p) {
			out.Connect(p, d)
		}
		for _, d := range c.w.f.Dependents[p] {
			if d != p && c.after.Has(d) {
				out.Connect(p, d)
			}
		}
	}
	return out
}
