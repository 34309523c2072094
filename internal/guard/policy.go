package guard

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/deployer-cli/deployer/stacks"
)

// Policy is the guard block of one environment.
type Policy struct {
	Approvers []string // patterns of ARNs; nobody else's approval counts
	Approvals int      // how many a launch needs
	Freezes   []Freeze
	Lease     LeasePolicy
	Shared    bool // approvals, locks and history are kept where other machines see them
}

// LeasePolicy says whether changing needs a lease, and of which kind.
type LeasePolicy struct {
	Required bool
	MFA      bool
	Max      time.Duration
}

// leaseMax is the longest lease where the block names none.
const leaseMax = time.Hour

// ParsePolicy reads the guard block of an environment. What cannot be read is a
// *stacks.Problem with its place.
func ParsePolicy(e *stacks.Environment) (Policy, error) {
	p := Policy{Shared: e.State.Bucket != "", Lease: LeasePolicy{Max: leaseMax}}
	for _, f := range e.Guard.Fields {
		var err error
		switch f.Key {
		case "approvers":
			for _, item := range f.Value.Items {
				p.Approvers = append(p.Approvers, item.Text)
			}
		case "approvals":
			p.Approvals, err = strconv.Atoi(f.Value.Text)
		case "freeze":
			p.Freezes, err = freezes(f.Value)
		case "lease":
			p.Lease, err = lease(f.Value)
		default:
			err = fmt.Errorf("key %s is not known", f.Key)
		}
		if err != nil {
			if problem, ok := err.(*stacks.Problem); ok { //nolint:errorlint // made here
				return p, problem
			}
			return p, &stacks.Problem{Pos: f.Value.Pos, What: "guard." + f.Key + " of " + e.Name + " cannot be used", Why: err.Error()}
		}
	}
	return p, nil
}

func freezes(v stacks.Value) ([]Freeze, error) {
	var out []Freeze
	for _, item := range v.Items {
		f, err := freeze(item)
		if err != nil {
			return nil, &stacks.Problem{Pos: item.Pos, What: "guard.freeze cannot be used", Why: err.Error()}
		}
		out = append(out, f)
	}
	return out, nil
}

func freeze(v stacks.Value) (Freeze, error) {
	if v.Kind != stacks.Map {
		return Interval(v.Text)
	}
	text := func(key string) string { f, _ := v.Get(key); return f.Text }
	takes, err := Period(text("for"))
	if err != nil {
		return Freeze{}, err
	}
	return Window(text("cron"), takes, text("tz"))
}

func lease(v stacks.Value) (LeasePolicy, error) {
	p := LeasePolicy{Max: leaseMax}
	for _, f := range v.Fields {
		switch f.Key {
		case "required":
			p.Required = f.Value.Text != "false"
		case "mfa":
			p.MFA, p.Required = true, true
		case "max":
			var err error
			if p.Max, err = Period(f.Value.Text); err != nil {
				return p, err
			}
		}
	}
	return p, nil
}

// Period reads a duration such as 90s, 30m, 24h or 2d.
func Period(text string) (time.Duration, error) { return stacks.Period(text) }

// policy is the guard block in force for an environment: as gathered, else as
// it stands in the environment itself, so that leaving it out opens nothing.
func (r *Request) policy(e *stacks.Environment) (Policy, error) {
	if p, ok := r.Policies[e.Name]; ok {
		return p, nil
	}
	return ParsePolicy(e)
}

// environments lists the environments of the steps, by name.
func (r *Request) environments() []*stacks.Environment {
	var out []*stacks.Environment
	for _, s := range r.Steps {
		if s.Environment != nil && !slices.ContainsFunc(out, func(e *stacks.Environment) bool { return e.Name == s.Environment.Name }) {
			out = append(out, s.Environment)
		}
	}
	slices.SortFunc(out, func(a, b *stacks.Environment) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// classOf is the class in force for the steps of an environment.
func (r *Request) classOf(e *stacks.Environment) stacks.Class {
	class := e.Class
	for i := range r.Steps {
		if s := &r.Steps[i]; s.Environment != nil && s.Environment.Name == e.Name {
			class = stacks.Strictest(class, s.Class())
		}
	}
	return class
}
