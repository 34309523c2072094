package chaos

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/deployer-cli/deployer/internal/record"
	"github.com/deployer-cli/deployer/stacks"
)

// Watched is a probe and what is known of it.
type Watched struct {
	Probe
	Since    time.Time // of the state it is in
	Restored *Restored // the last that was written
}

// State is a break as its journal tells it.
type State struct {
	ID          string
	Environment string
	Plan        Plan
	Planned     time.Time
	Order       []stacks.Path // the plan's targets, each once, in the order of breaking
	Targets     map[stacks.Path]*Target
	Probes      map[string]*Watched
	Cleared     *Consent
	Stopped     *Stop
	StoppedAt   time.Time
	StoppedRun  string    // that wrote the first stop down
	Late        time.Time // when max_duration was over and deployer began to bring back what was broken, zero for never
	Finished    *Finish
	FinishedAt  time.Time
	FinishedRun string // that wrote the end down
	MissedRun   string // that wrote down that the objective has passed, "" while it has not
	People      []Person
	Notes       []Note
	Stamps      Stamps
	Commitment  string // of a blind break
	Revealed    bool
	Last        *record.Entry // the last one applied

	begun    []mark
	failures []failure
	said     []Person // of People: what counts
	overdue  []string // how the tokens of what deployer brought back after max_duration begin
}

// failure is one bad reading.
type failure struct {
	probe string
	role  string
	alarm bool
	at    time.Time
}

// Fold reads a break's journal. An entry that is out of its chain, of a kind
// nobody knows, or with a body that cannot be read is an error: what cannot be
// read must not be gone on from.
func Fold(entries []record.Entry) (*State, error) {
	s := &State{Targets: map[stacks.Path]*Target{}, Probes: map[string]*Watched{}}
	if len(entries) == 0 {
		return nil, &JournalError{Why: "it is empty"}
	}
	for _, e := range entries {
		if err := s.Apply(e); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// JournalError says that a break's journal makes no sense.
type JournalError struct {
	Seq int // the entry, 0 for the whole
	Why string
}

// Error names the entry and says what is wrong.
func (e *JournalError) Error() string {
	if e.Seq == 0 {
		return "the break's journal cannot be used: " + e.Why
	}
	return fmt.Sprintf("the break's journal cannot be used: entry %d: %s", e.Seq, e.Why)
}

// Apply takes in the next entry. After an error s is as it was.
func (s *State) Apply(e record.Entry) error {
	if err := record.Follows(s.Last, e); err != nil {
		return err
	}
	if (e.Kind == KindPlan) != (s.Last == nil) {
		return &JournalError{e.Seq, "a journal begins with its one plan"}
	}
	over := s.Finished != nil
	take, known := takers()[e.Kind]
	if !known {
		return &JournalError{e.Seq, fmt.Sprintf("a newer deployer wrote it: kind %q is not known", e.Kind)}
	}
	if err := take(s, e); err != nil {
		return err
	}
	s.Last = &e
	s.settle(over)
	return nil
}

// taker takes in the body of one kind of entry.
type taker func(*State, record.Entry) error

func takers() map[string]taker {
	return map[string]taker{
		KindPlan:      body((*State).takePlan),
		KindClearance: body(func(s *State, _ record.Entry, b Consent) error { s.Cleared = &b; return nil }),
		KindCapsule:   body((*State).takeCapsule),
		KindIntent:    body((*State).takeIntent),
		KindAccepted:  body((*State).takeAccepted),
		KindObserved:  body((*State).takeObserved),
		KindProbe:     body((*State).takeProbe),
		KindPerson:    body((*State).takePerson),
		KindNote:      body((*State).takeNote),
		KindStop:      body((*State).takeStop),
		KindRestored:  body((*State).takeRestored),
		KindEqual:     body((*State).takeEqual),
		KindFinish:    body((*State).takeFinish),
		KindSeal:      body(func(s *State, _ record.Entry, b Seal) error { s.Commitment = b.Commitment; return nil }),
		KindReveal:    body(func(s *State, _ record.Entry, _ Reveal) error { s.Revealed = true; return nil }),
	}
}

func body[B any](take func(*State, record.Entry, B) error) taker {
	return func(s *State, e record.Entry) error {
		var b B
		if err := e.Into(&b); err != nil {
			return &JournalError{e.Seq, err.Error()}
		}
		return take(s, e, b)
	}
}

func (s *State) takePlan(e record.Entry, p Plan) error {
	targets := map[stacks.Path]*Target{}
	var order []stacks.Path
	for _, step := range p.Steps {
		t := targets[step.Stack]
		if t == nil {
			t = &Target{Stack: step.Stack, Name: step.Name, StackID: step.StackID, Access: step.Access, Status: StatusPlanned}
			targets[step.Stack] = t
			order = append(order, step.Stack)
		}
		switch {
		case step.Stack == "" || step.StackID == "":
			return &JournalError{e.Seq, "a step names no live stack"}
		case t.StackID != step.StackID:
			return &JournalError{e.Seq, fmt.Sprintf("two stacks are called %s", step.Stack)}
		case t.Deed(step.LogicalID()) != nil:
			return &JournalError{e.Seq, fmt.Sprintf("%s is broken twice", step.Stack)}
		}
		t.Deeds = append(t.Deeds, &Deed{Step: step, Status: StatusPlanned})
	}
	s.ID, s.Environment, s.Plan, s.Planned = p.ID, p.Environment, p, e.Time
	s.Targets, s.Order = targets, order
	return nil
}

// target finds the plan's target of an entry.
func (s *State) target(e record.Entry, path stacks.Path) (*Target, error) {
	if t := s.Targets[path]; t != nil {
		return t, nil
	}
	return nil, &JournalError{e.Seq, fmt.Sprintf("%s is not in the plan", path)}
}

func (s *State) takeCapsule(e record.Entry, c Capsule) error {
	t, err := s.target(e, c.Stack)
	if err != nil {
		return err
	}
	t.Capsule = c
	return nil
}

func (s *State) takeIntent(e record.Entry, i Intent) error {
	if i.Token == "" {
		return &JournalError{e.Seq, "an intent without a token"}
	}
	if i.For == ToRecover {
		s.begun = append(s.begun, mark{e.Time, "deployer recover began with " + string(i.Stack)})
		if i.Overdue != "" {
			s.overdue = append(s.overdue, i.Overdue)
		}
		return nil
	}
	t, err := s.target(e, i.Stack)
	if err != nil {
		return err
	}
	d := t.Deed(logicalID(i.Injection))
	if d == nil || d.Verb != i.Verb || i.StackID != t.StackID {
		return &JournalError{e.Seq, fmt.Sprintf("an intent for %s that is not in the plan", i.Stack)}
	}
	if i.Injection != nil && len(i.Injection.Before) > 0 && d.Accepted.IsZero() { // how it was right before the call
		d.Injection = i.Injection
	}
	d.Tokens = append(d.Tokens, i.Token)
	if d.Status == StatusPlanned {
		d.Status, d.Intended = StatusIntended, e.Time
	}
	t.sum()
	return nil
}

func (s *State) takeAccepted(e record.Entry, a Accepted) error {
	t := s.Targets[a.Stack]
	if t == nil {
		return nil // of a recovery, which may begin further down
	}
	for _, d := range t.Deeds {
		if !slices.Contains(d.Tokens, a.Token) {
			continue
		}
		if d.Accepted.IsZero() || a.At.Before(d.Accepted) {
			d.Accepted = or(a.At, e.Time)
		}
		if d.Status == StatusIntended || d.Status == StatusPlanned {
			d.Status = StatusAccepted
		}
	}
	t.sum()
	return nil
}

func (s *State) takeObserved(e record.Entry, o Observed) error {
	t, err := s.target(e, o.Stack)
	if err != nil {
		return err
	}
	o.At = or(o.At, e.Time)
	if o.NewID != "" {
		if o.NewID == t.StackID {
			return &JournalError{e.Seq, fmt.Sprintf("the new stack of %s is the old one", o.Stack)}
		}
		o.By = s.hand(o.By, o.Token)
		t.rebuilt(o)
		return nil
	}
	if o.StackID != t.StackID {
		return &JournalError{e.Seq, fmt.Sprintf("%s is not the stack %s that was planned", o.StackID, o.Stack)}
	}
	d := t.Deed(o.LogicalID)
	if d == nil {
		return &JournalError{e.Seq, fmt.Sprintf("%s of %s is not in the plan", o.LogicalID, o.Stack)}
	}
	d.seen(o)
	if d.Status == StatusRestored && o.By != "" {
		t.By = s.hand(o.By, o.Token)
	}
	t.sum()
	return nil
}

// hand is by whose hand something is back, by the token of the operation that brought
// it: what this break's own process brought back after max_duration is not the team's,
// and a launch of the team's is, however late.
func (s *State) hand(by By, token string) By {
	if by == ByDeployer && slices.ContainsFunc(s.overdue, func(begins string) bool { return strings.HasPrefix(token, begins) }) {
		return ByDeployerLate
	}
	return by
}

func (s *State) takeProbe(e record.Entry, p Probe) error {
	p.At = or(p.At, e.Time)
	w := s.Probes[p.Probe]
	if w == nil {
		w = &Watched{Since: p.At}
		s.Probes[p.Probe] = w
	}
	if w.OK != p.OK || w.Unknown != p.Unknown {
		w.Since = p.At
	}
	w.Probe = p
	if !p.OK && !p.Unknown && s.Finished == nil {
		s.failures = append(s.failures, failure{probe: p.Probe, role: p.Role, alarm: p.Alarm, at: p.At})
	}
	return nil
}

func (s *State) takePerson(e record.Entry, p Person) error {
	p.At = or(p.At, e.Time)
	s.People = append(s.People, p)
	if s.Finished == nil || !p.At.After(s.FinishedAt) { // who says so afterwards says when it was
		s.said = append(s.said, p)
	}
	return nil
}

func (s *State) takeNote(e record.Entry, n Note) error {
	n.At = or(n.At, e.Time)
	if n.Kind == NoteMissed && n.Owner == Deployer {
		if s.MissedRun != "" {
			return nil // several watched
		}
		s.MissedRun = e.Run
	}
	s.Notes = append(s.Notes, n)
	return nil
}

func (s *State) takeStop(e record.Entry, b Stop) error {
	if s.Stopped == nil { // the first is why
		s.Stopped, s.StoppedAt, s.StoppedRun = &b, e.Time, e.Run
	}
	if b.By == ByDeadline && s.Late.IsZero() && s.Finished == nil {
		s.Late = e.Time
	}
	return nil
}

func (s *State) takeRestored(e record.Entry, r Restored) error {
	r.At = or(r.At, e.Time)
	r.Verified = or(r.Verified, r.At)
	if r.Probe != "" {
		w := s.Probes[r.Probe]
		if w == nil {
			w = &Watched{Probe: Probe{Probe: r.Probe, OK: true, At: r.At}, Since: r.At}
			s.Probes[r.Probe] = w
		}
		w.Restored = &r
		return nil
	}
	t, err := s.target(e, r.Stack)
	if err != nil {
		return err
	}
	if r.NewID != "" && r.NewID != t.StackID {
		t.rebuilt(Observed{NewID: r.NewID, Status: stacks.CreateComplete, By: r.By, At: r.At})
		return nil
	}
	for _, d := range t.Deeds {
		if d.Status.Broken() {
			d.to(StatusRestored, Observed{At: r.At})
		}
	}
	if r.By != "" {
		t.By = r.By
	}
	t.sum()
	return nil
}

func (s *State) takeEqual(e record.Entry, q Equal) error {
	t, err := s.target(e, q.Stack)
	if err != nil {
		return err
	}
	if t.Compared.IsZero() || t.Compared.Before(t.Back) || !slices.Equal(t.Differences, q.Differences) { // several watched: the first counts
		t.Differences, t.Compared = q.Differences, e.Time
	}
	return nil
}

func (s *State) takeFinish(e record.Entry, f Finish) error {
	if s.Finished == nil {
		s.Finished, s.FinishedAt, s.FinishedRun = &f, e.Time, e.Run
	}
	return nil
}

func or(a, b time.Time) time.Time {
	if a.IsZero() {
		return b
	}
	return a
}
