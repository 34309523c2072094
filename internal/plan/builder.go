package plan

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/deployer-cli/deployer/internal/cfntemplate"
	"github.com/deployer-cli/deployer/stacks"
)

// Input is what a Builder plans with.
type Input struct {
	Snapshot    *Snapshot
	Environment *stacks.Environment // of the plan's head; nil for none
	Realm       stacks.Realm
	Account     string                     // of the plan's head, "" when not known
	Region      string                     // of the plan's head
	AccountOf   func(stacks.Access) string // the account behind an access; nil or "" when not known
	Adopt       bool                       // plan differences in deployer's own tags too
	Leave       func(*Step) string         // why a stack is left as it lives, whatever was decided, "" for not; nil: none is
	Salt        []byte                     // of the plan file's hashes of secret values; without it there are none
	Outside     func(stacks.Path) bool     // not under the PATH that was asked for; nil: nothing is

	// SameSecret tells from salted hashes whether a NoEcho parameter was last
	// given this value; known is false where nothing was written down. Nil: never
	// known. CloudFormation never shows such a value, so what is not known has to
	// be left to it: the step becomes an update that may find nothing to do.
	SameSecret func(path stacks.Path, key, value string) (same, known bool)
	// Uses lists who in the project takes a stack's outputs and exports; nil: not
	// known.
	Uses func(stacks.Path) []Use
	// Parse reads a template; nil: cfntemplate.Parse. A cache may stand here.
	Parse func(body []byte) (*cfntemplate.Template, error)
}

// Edges says what a stack depends on.
type Edges struct {
	After []stacks.Path // stacks of the project it goes after
	Reads []Read        // outputs its template takes with Fn::GetStackOutput
}

// Read is an output that a template takes from another stack of the project
// while CloudFormation works on it.
type Read struct {
	Stack stacks.Path
	Key   string
}

// Builder decides step by step. Stacks are added after those they depend on;
// adding one again decides anew, with what has landed since. It may be used by
// several goroutines.
type Builder struct {
	in     Input
	mu     sync.Mutex
	states map[stacks.Path]*state
	landed map[stacks.Path]*stacks.Live
	keys   map[string][]byte // made of secret values, which is slow
}

// state is what the builder knows of one stack.
type state struct {
	stack    *stacks.Stack
	desired  *stacks.Desired // nil for a delete
	edges    Edges
	seen     Observation
	step     Step
	decided  Step  // the step as it was decided, before Plan saw it beside others
	shaken   bool  // the last operation failed half-way: what lives need not be what the live template says
	old, new *side // nil where there is no such template, or it cannot be read
	effects  map[string]effect

	processed map[string]*side // what Saw was given
}

// NewBuilder returns a Builder without steps.
func NewBuilder(in Input) *Builder {
	if in.Parse == nil {
		in.Parse = cfntemplate.Parse
	}
	return &Builder{in: in, states: map[stacks.Path]*state{}, landed: map[stacks.Path]*stacks.Live{}, keys: map[string][]byte{}}
}

// Add decides what to do with a stack and says so.
func (b *Builder) Add(d *stacks.Desired, e Edges) Step {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.state(d.Stack, e)
	s.desired, s.step.Desired = d, d
	s.step.After = append(append(s.step.After, e.After...), d.After...)
	for _, r := range e.Reads {
		s.step.After = append(s.step.After, r.Stack)
	}
	s.step.After = stacks.SortPaths(s.step.After)
	b.states[d.Stack.Path] = s
	b.decide(s)
	if b.in.Leave != nil {
		if why := b.in.Leave(&s.step); why != "" {
			s.leave(why)
		}
	}
	s.step.Inputs, s.step.Secrets = b.inputs(s), b.secrets(s)
	s.decided = s.step
	return s.step
}

// Landed tells how a stack looks after its step, so that others can be decided
// anew.
func (b *Builder) Landed(path stacks.Path, live *stacks.Live) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.landed[path] = live
}

// state begins a stack with what does not depend on the decision.
func (b *Builder) state(st *stacks.Stack, e Edges) *state {
	seen, _ := b.in.Snapshot.Get(st.Path)
	s := &state{stack: st, edges: e, seen: seen, effects: map[string]effect{}}
	s.step = Step{
		Stack: st.Path, Name: st.Name, Region: st.Access.Region, Status: stacks.Pending,
		Live: seen.Live, After: []stacks.Path{}, MayReplace: []string{}, Changes: []stacks.ResourceChange{},
	}
	if st.Environment != nil {
		s.step.Environment, s.step.Class = st.Environment.Name, st.Environment.Class
	}
	if b.in.AccountOf != nil {
		s.step.Account = b.in.AccountOf(st.Access)
	}
	if b.in.Outside != nil {
		s.step.Outside = b.in.Outside(st.Path)
	}
	if live := seen.Live; live != nil {
		s.step.StackID, s.step.Status = live.ID, live.Status
		s.step.Account, s.step.Region = cmp.Or(live.Account, s.step.Account), cmp.Or(live.Region, s.step.Region)
	}
	return s
}

// decide fills in the step.
func (b *Builder) decide(s *state) {
	if _, looked := b.in.Snapshot.Get(s.stack.Path); !looked {
		s.block(Update, "nobody looked how it lives", "")
		return
	}
	switch {
	case s.stack.Ignore:
		s.skip("ignored by its config")
		return
	case s.stack.Obsolete:
		s.skip("marked obsolete: prune deletes it")
		return
	}
	v := Decide(s.seen.found(s.desired))
	s.step.Action, s.step.Cause, s.step.Asks = v.Action, v.Cause, v.Asks
	if v.Blocked != "" {
		s.block(v.Action, v.Blocked, v.Hint)
		return
	}
	switch v.Action {
	case Create, Recreate:
		b.create(s)
	case Update:
		b.update(s, v)
	case Join, Delete, None, Skip:
	}
	if s.stack.Protect && s.step.Changing() && s.step.Blocked == "" {
		s.block(s.step.Action, "its config protects it (protect: true), and it would change: "+s.step.Cause, "take protect away to change it")
	}
}

// leave takes back what was decided: the stack stays as it lives.
func (s *state) leave(why string) {
	s.step.Action, s.step.Late, s.step.Cause, s.step.Blocked, s.step.Asks = None, false, why, "", ""
	s.step.Changes, s.step.MayReplace, s.step.Diff, s.step.NotAdopted, s.step.Resources = []stacks.ResourceChange{}, []string{}, nil, false, 0
}

func (s *state) skip(cause string) {
	s.step.Action, s.step.Cause = Skip, cause
}

// block says why the step cannot be done; there may be several reasons.
func (s *state) block(a Action, why, hint string) {
	if hint != "" {
		why += " (" + hint + ")"
	}
	if s.step.Blocked != "" {
		why = s.step.Blocked + "; " + why
	}
	s.step.Action, s.step.Blocked = a, why
	if s.step.Cause == "" {
		s.step.Cause = "cannot be done: " + why
	}
}

// create plans a stack that is not there, or is about to go.
func (b *Builder) create(s *state) {
	if !b.readNew(s) {
		return
	}
	s.step.Late = s.desired.Late()
	if waits := s.waits(); len(waits) > 0 {
		s.step.Cause += ", waits for " + strings.Join(waits, ", ")
	}
	if s.new == nil {
		return
	}
	if key, ok := s.neverGiven(); ok {
		s.block(s.step.Action, fmt.Sprintf("parameter %s keeps a live value and there is none", key), "give !previous a default")
		return
	}
	s.step.Changes = s.new.additions()
	s.step.Resources = len(s.step.Changes)
}

// neverGiven finds a parameter that is to keep a value it never had.
func (s *state) neverGiven() (string, bool) {
	for _, p := range s.desired.Parameters {
		if !p.Previous || p.Value != "" || p.Unknown {
			continue
		}
		decl, ok := s.new.template.Parameters[p.Key]
		if _, live := liveParameter(s.seen.Live, p.Key); ok && decl.Default == nil && (!live || s.step.Action != Update) {
			return p.Key, true
		}
	}
	return "", false
}

// readNew parses the desired template; false means that the step is decided.
// Where the template waits for values, its placeholders mean nothing yet.
func (b *Builder) readNew(s *state) bool {
	if s.desired.BodyLate {
		return true
	}
	t, err := b.in.Parse(s.desired.Body)
	if err != nil {
		s.block(s.step.Action, "its template is refused: "+err.Error(), "")
		return false
	}
	s.new = newSide(t, b.newEnv(s, t))
	return true
}

// update compares desired with live.
func (b *Builder) update(s *state, v Verdict) {
	s.begin()
	if !b.readNew(s) {
		return
	}
	if s.new != nil {
		if key, ok := s.neverGiven(); ok {
			s.block(Update, fmt.Sprintf("parameter %s keeps a live value and there is none", key), "give !previous a default")
			return
		}
	}
	b.readOld(s)
	s.shaken = v.Must
	if s.old != nil && s.new != nil {
		if why := s.typeChanged(); why != "" {
			s.block(Update, why, "give the resource another logical id")
			return
		}
	}
	c := &comparison{builder: b, state: s}
	c.run()
	s.step.Diff = c.diff
	s.step.NotAdopted = c.notAdopted
	b.predict(s, c)
	s.step.Late = s.desired.Late() || len(c.reads) > 0
	b.conclude(s, v, c)
}

// begin gives the parameters that are to stay as they are, and that the live stack
// does not have yet, their default: CloudFormation refuses to keep what never was.
func (s *state) begin() {
	fresh := func(p stacks.Parameter) bool {
		_, lives := liveParameter(s.seen.Live, p.Key)
		return p.Previous && !lives
	}
	if !slices.ContainsFunc(s.desired.Parameters, fresh) {
		return
	}
	d := *s.desired
	d.Parameters = nil
	for _, p := range s.desired.Parameters {
		switch {
		case !fresh(p):
			d.Parameters = append(d.Parameters, p)
		case p.Value != "" || p.Unknown:
			p.Previous = false
			d.Parameters = append(d.Parameters, p)
		}
	}
	s.desired, s.step.Desired = &d, &d
}

// readOld parses the live template. One that cannot be read differs.
func (b *Builder) readOld(s *state) {
	if s.seen.Template == nil {
		return
	}
	if s.new != nil && bytes.Equal(s.seen.Template, s.desired.Body) {
		s.old = newSide(s.new.template, b.oldEnv(s, s.new.template))
	} else if t, err := b.in.Parse(s.seen.Template); err == nil {
		s.old = newSide(t, b.oldEnv(s, t))
	}
}

// conclude turns what the comparison found into an action and a cause.
func (b *Builder) conclude(s *state, v Verdict, c *comparison) {
	var causes []string
	if v.Cause != "" {
		causes = append(causes, v.Cause)
	}
	causes = append(causes, c.causes()...)
	if waits := slices.Concat(s.waits(), c.reads); len(waits) > 0 {
		causes = append(causes, "waits for "+strings.Join(waits, ", "))
	}
	if len(causes) == 0 && len(c.unsure) > 0 {
		causes = append(causes, c.unsure[0]+"; CloudFormation decides")
	}
	s.step.Action = Update
	if len(causes) == 0 {
		s.step.Action = None
		s.step.Cause = "nothing changed"
		return
	}
	s.step.Cause = strings.Join(causes, "; ")
	if n := len(s.step.Changes); n > 0 {
		s.step.Resources = n
	} else if s.new != nil {
		s.step.Resources = len(s.new.additions())
	}
}

// waits names the values that are known only later.
func (s *state) waits() []string {
	var out []string
	covered := map[stacks.Path]bool{}
	for _, p := range s.desired.Parameters {
		if p.Unknown {
			out = append(out, cmp.Or(p.Hint, "parameter "+p.Key))
			for _, a := range p.After {
				covered[a] = true
			}
		}
	}
	for _, a := range s.desired.After {
		if !covered[a] {
			out = append(out, string(a))
		}
	}
	if len(out) == 0 && s.desired.BodyLate {
		out = append(out, "values in its template")
	}
	slices.Sort(out)
	return slices.Compact(out)
}
