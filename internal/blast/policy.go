package blast

import (
	"fmt"
	"strconv"
	"time"

	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/stacks"
)

// Policy is the break block of an environment, tightened by those of the
// environments around it.
type Policy struct {
	Allow         bool
	Never         bool
	MaxTargets    int            // chosen targets
	MaxTotal      int            // everything that goes; 0 for no bound
	MaxPercent    int            // of what a random choice chooses from
	Cooldown      time.Duration  // per stack; 0 for none
	MaxDuration   time.Duration  // 0 for none
	RTO           time.Duration  // 0 for none
	Windows       []guard.Freeze // open while they are on; all have to be open
	Permit        bool
	SharedAccount bool
}

// The bounds where a break block names none, break.md section 1.
const (
	defaultTargets = 3
	defaultPercent = 50
)

// StackPolicy is the break block of a stack.
type StackPolicy struct {
	Never   bool
	RTO     time.Duration // 0 for the environment's
	Runbook string
	Probes  []string
	Data    map[string]Holding // by logical id
}

// Holding says how a holder of data is covered, as the stack's file names it.
type Holding struct {
	Expendable        bool
	SnapshotParameter string
}

// ParsePolicy reads the break block of an environment, tightened by those of the
// environments around it, which all names. What cannot be read is a
// *stacks.Problem with its place.
func ParsePolicy(e *stacks.Environment, all []*stacks.Environment) (Policy, error) {
	p, err := parsePolicy(e)
	if err != nil {
		return Policy{}, err
	}
	if p.MaxTargets == 0 {
		p.MaxTargets = defaultTargets
	}
	if p.MaxPercent == 0 {
		p.MaxPercent = defaultPercent
	}
	for _, outer := range around(e, all) {
		if outer.Class != stacks.Development {
			p.Never = true // a group inside of what is never broken
		}
		o, err := parsePolicy(outer)
		if err != nil {
			return Policy{}, err
		}
		p.tighten(o)
	}
	return p, nil
}

// around lists the declared environments that an environment lies in.
func around(e *stacks.Environment, all []*stacks.Environment) []*stacks.Environment {
	var out []*stacks.Environment
	for _, outer := range all {
		if outer != nil && outer != e && outer.Path != e.Path && outer.Declared && e.Path.Within(outer.Path) {
			out = append(out, outer)
		}
	}
	return out
}

// tighten applies the restrictions of an environment around this one. What that
// one allows opens nothing here.
func (p *Policy) tighten(outer Policy) {
	p.Never = p.Never || outer.Never
	p.Permit = p.Permit || outer.Permit
	p.MaxTargets = tighter(p.MaxTargets, outer.MaxTargets)
	p.MaxTotal = tighter(p.MaxTotal, outer.MaxTotal)
	p.MaxPercent = tighter(p.MaxPercent, outer.MaxPercent)
	p.MaxDuration = tighter(p.MaxDuration, outer.MaxDuration)
	p.RTO = tighter(p.RTO, outer.RTO)
	p.Cooldown = max(p.Cooldown, outer.Cooldown)
	p.Windows = append(p.Windows, outer.Windows...)
}

// tighter gives the smaller bound; 0 is none.
func tighter[N int | time.Duration](a, b N) N {
	if a == 0 || b == 0 {
		return max(a, b)
	}
	return min(a, b)
}

func parsePolicy(e *stacks.Environment) (Policy, error) {
	var p Policy
	if e.Break.Kind != stacks.Map && e.Break.Kind != stacks.Null {
		return p, unusable(e.Break.Pos, "break of "+e.Name, fmt.Errorf("it is %s", e.Break.Kind))
	}
	for _, f := range e.Break.Fields {
		if err := p.read(f.Key, f.Value); err != nil {
			return Policy{}, unusable(f.Value.Pos, "break."+f.Key+" of "+e.Name, err)
		}
	}
	return p, nil
}

func unusable(pos stacks.Pos, what string, err error) error {
	return &stacks.Problem{Pos: pos, What: what + " cannot be used", Why: err.Error()}
}

func (p *Policy) read(key string, v stacks.Value) (err error) {
	switch key {
	case "allow":
		p.Allow, p.Never, err = allowed(v)
	case "max_targets":
		p.MaxTargets, err = count(v)
	case "max_total":
		p.MaxTotal, err = count(v)
	case "max_percent":
		p.MaxPercent, err = count(v)
	case "cooldown":
		p.Cooldown, err = guard.Period(v.Text)
	case "max_duration":
		p.MaxDuration, err = guard.Period(v.Text)
	case "rto":
		p.RTO, err = guard.Period(v.Text)
	case "window":
		var w guard.Freeze
		w, err = window(v)
		p.Windows = append(p.Windows, w)
	case "permit":
		p.Permit, err = true, only(v, "required")
	case "shared_account":
		p.SharedAccount, err = true, only(v, "acknowledged")
	default:
		err = fmt.Errorf("key %s is not known", key)
	}
	return err
}

// allowed reads true, false or never. Only the boolean true allows.
func allowed(v stacks.Value) (allow, never bool, err error) {
	switch {
	case v.Kind == stacks.Bool:
		return v.Text == "true", false, nil
	case v.Kind == stacks.Text && v.Text == "never":
		return false, true, nil
	}
	return false, true, fmt.Errorf("it must be true, false or never, and is %s %q", v.Kind, v.Text)
}

// count reads a number from 1.
func count(v stacks.Value) (int, error) {
	n, err := strconv.Atoi(v.Text)
	if v.Kind != stacks.Int || err != nil || n < 1 {
		return 0, fmt.Errorf("%q is no number from 1", v.Text)
	}
	return n, nil
}

func only(v stacks.Value, word string) error {
	if v.Kind != stacks.Text || v.Text != word {
		return fmt.Errorf("it can only be %s", word)
	}
	return nil
}

func window(v stacks.Value) (guard.Freeze, error) {
	text := func(key string) string { f, _ := v.Get(key); return f.Text }
	takes, err := guard.Period(text("for"))
	if err != nil {
		return guard.Freeze{}, err
	}
	return guard.Window(text("cron"), takes, text("tz"))
}

// ParseStack reads the break block of a stack, which holds those of its groups.
// What cannot be read is a *stacks.Problem with its place.
func ParseStack(st *stacks.Stack) (StackPolicy, error) {
	var p StackPolicy
	if st.Break.Kind != stacks.Map && st.Break.Kind != stacks.Null {
		return p, unusable(st.Break.Pos, "break of "+string(st.Path), fmt.Errorf("it is %s", st.Break.Kind))
	}
	for _, f := range st.Break.Fields {
		if err := p.read(f.Key, f.Value); err != nil {
			return StackPolicy{}, unusable(f.Value.Pos, "break."+f.Key+" of "+string(st.Path), err)
		}
	}
	return p, nil
}

func (p *StackPolicy) read(key string, v stacks.Value) (err error) {
	switch key {
	case "allow":
		var allow bool
		allow, _, err = allowed(v)
		p.Never = !allow
	case "rto":
		p.RTO, err = guard.Period(v.Text)
	case "runbook":
		p.Runbook = v.Text
	case "probes":
		for _, item := range v.Items {
			p.Probes = append(p.Probes, item.Text)
		}
	case "data":
		p.Data, err = holdings(v)
	default:
		err = fmt.Errorf("key %s is not known", key)
	}
	return err
}

func holdings(v stacks.Value) (map[string]Holding, error) {
	out := map[string]Holding{}
	for _, f := range v.Fields {
		h := Holding{}
		switch parameter, ok := f.Value.Get("snapshot_parameter"); {
		case ok && parameter.Kind == stacks.Text && parameter.Text != "":
			h.SnapshotParameter = parameter.Text
		case f.Value.Kind == stacks.Text && f.Value.Text == "expendable":
			h.Expendable = true
		default:
			return nil, fmt.Errorf("%s must be expendable or {snapshot_parameter: NAME}", f.Key)
		}
		out[f.Key] = h
	}
	return out, nil
}
