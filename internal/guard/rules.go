package guard

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/deployer-cli/deployer/stacks"
)

// Commands that the guard treats apart.
const (
	cmdDelete  = "delete"
	cmdPrune   = "prune"
	cmdCancel  = "cancel"  // stops what was cleared before, and starts nothing
	cmdRelease = "release" // guard release
)

// applying is the command that applies a plan of what is asked for here; other is
// that of commands that apply none.
func (r *Request) applying(other string) string {
	switch r.Command {
	case cmdDelete, cmdPrune:
		return r.Command
	}
	return other
}

// unforeseen is how long a run is taken for whose length nobody knows.
const unforeseen = time.Hour

// planning tells whether a request only makes or drops change sets. Where hooks
// of production run with it, or plans of production are dropped, it is more than that.
func (r *Request) planning() bool {
	if r.dropping() && r.Class() == stacks.Production {
		return false
	}
	return r.proposing() && (!r.Hooked || r.Class() != stacks.Production)
}

// proposing tells whether a request calls nothing but what makes or drops change
// sets.
func (r *Request) proposing() bool {
	return len(r.Steps) > 0 && !slices.ContainsFunc(r.Steps, func(s Step) bool {
		return len(s.Verbs) == 0 || slices.ContainsFunc(s.Verbs, func(v stacks.Verb) bool {
			return v != stacks.Propose && v != stacks.Discard && v != stacks.Upload
		})
	})
}

// standing gives what forbids a request whatever anybody types: locks, what the
// environment's guard block asks for, and in production releases and names.
func (r *Request) standing() []*Refusal {
	if r.dropping() {
		return r.dropStanding()
	}
	if r.planning() {
		return nil
	}
	var out []*Refusal
	if r.Skew.Abs() > skew && r.Class() == stacks.Production {
		out = append(out, &Refusal{
			Rule: "P7", Code: exitRefused, What: "nothing is changed by this clock",
			Why: fmt.Sprintf("it differs from that of AWS by %s, and freezes, approvals and leases are judged by it", r.Skew.Abs().Round(time.Second)),
			Tip: "set this machine's clock",
		})
	}
	for _, e := range r.environments() {
		p, err := r.policy(e)
		if err != nil {
			out = append(out, unreadable(e, err))
			continue
		}
		out = append(out, r.locked(e)...)
		out = append(out, r.frozen(e, p)...)
		out = append(out, r.leased(e, p)...)
		if r.classOf(e) == stacks.Production {
			out = append(out, r.released(e)...)
			out = append(out, r.proven(e)...)
			out = append(out, r.named(e)...)
		}
		out = append(out, r.approved(e, p)...)
	}
	return out
}

func unreadable(e *stacks.Environment, err error) *Refusal {
	return &Refusal{
		Rule: "P1", Code: exitRefused, What: e.Name + " is not touched", Why: "its guard block cannot be read: " + err.Error(),
		Tip: "mend guard: in its environment block",
	}
}

// locked refuses to change an environment that somebody else is changing.
func (r *Request) locked(e *stacks.Environment) []*Refusal {
	var out []*Refusal
	for _, l := range r.Locks {
		if l.Environment != e.Name || l.Run == r.Run || r.Command == cmdCancel {
			continue
		}
		out = append(out, l.Refusal())
	}
	return out
}

// frozen refuses to begin within a freeze, or what would run into one, unless
// somebody approved it for the freeze.
func (r *Request) frozen(e *stacks.Environment, p Policy) []*Refusal {
	if r.Command == cmdCancel {
		return nil
	}
	people, _ := r.tally(e, p)
	if slices.ContainsFunc(people, func(a Approval) bool { return a.Freeze }) {
		return nil
	}
	takes := r.Forecast
	if takes <= 0 {
		takes = unforeseen
	}
	var out []*Refusal
	for _, f := range p.Freezes {
		until, on := f.At(r.Now)
		if on {
			why := "a freeze is on: " + f.Text
			if !until.IsZero() {
				why += ", until " + stamp(until)
			}
			out = append(out, &Refusal{Rule: "P7", Code: exitRefused, What: e.Name + " is frozen", Why: why, Tip: freezeTip(until)})
			continue
		}
		if next := f.Next(r.Now); !next.IsZero() && next.Before(r.Now.Add(takes)) {
			out = append(out, &Refusal{
				Rule: "P7", Code: exitRefused, What: e.Name + " is about to be frozen",
				Why: fmt.Sprintf("a freeze begins at %s (%s), and this run is expected to take %s", stamp(next), f.Text, takes.Round(time.Second)),
				Tip: freezeTip(time.Time{}),
			})
		}
	}
	if len(out) == 0 || !slices.ContainsFunc(r.Approvals, func(a Approval) bool { return a.Freeze && a.Digest == r.Digest && a.Environment == e.Name }) {
		return out
	}
	if refusal := r.recorded(e.Name); refusal != nil { // for which that approval does not count
		out = append(out, refusal)
	}
	return out
}

func freezeTip(until time.Time) string {
	tip := "plan always works; what cannot wait needs a plan file and: deployer approve --plan F --during-freeze --reason TEXT"
	if !until.IsZero() {
		tip = "wait until " + stamp(until) + "; " + tip
	}
	return tip
}

// leased asks for a lease of the caller's own, where the environment wants one.
func (r *Request) leased(e *stacks.Environment, p Policy) []*Refusal {
	if !p.Lease.Required || r.Command == cmdCancel {
		return nil
	}
	why := "changing it needs a lease, and there is none"
	for _, l := range r.Leases {
		if l.Environment != e.Name {
			continue
		}
		reason := l.fits(r, p)
		if reason == "" {
			return nil
		}
		why = "changing it needs a lease, and the latest does not count: " + reason
	}
	tip := fmt.Sprintf("deployer unlock %s --for 15m --reason TEXT", e.Name)
	if !r.Terminal {
		tip += ", at a terminal; a lease is its holder's own, so that no pipeline has one: guard.lease.required is for environments that people change"
	}
	return []*Refusal{{Rule: "P10", Code: exitRefused, What: e.Name + " is not unlocked", Why: why, Tip: tip}}
}

// deletesForGood tells whether a step takes a stack of production away, and not
// only one that never came up, to make it again.
func (s *Step) deletesForGood() bool {
	return s.Environment != nil && s.Class() == stacks.Production && s.Deletes && (!s.NeverUp || !s.makes())
}

// makes tells whether a step may make its stack.
func (s *Step) makes() bool {
	return slices.Contains(s.Verbs, stacks.Create) || slices.Contains(s.Verbs, stacks.Propose)
}

// released asks for a plan and a release of every stack that is deleted.
func (r *Request) released(e *stacks.Environment) []*Refusal {
	var out []*Refusal
	for i := range r.Steps {
		s := &r.Steps[i]
		if s.Environment == nil || s.Environment.Name != e.Name || !s.deletesForGood() {
			continue
		}
		if r.Digest == "" {
			out = append(out, &Refusal{
				Rule: "P9", Code: exitRefused, What: fmt.Sprintf("%s is not deleted", s.Path),
				Why: "it is production, where only an approved plan deletes",
				Tip: fmt.Sprintf("deployer guard release %s --reason TEXT, then deployer plan %s --%s --out F, have it approved, and deployer %s --plan F --digest D", s.Path, s.Path, r.applying("delete"), r.applying("delete")),
			})
			continue
		}
		if why := r.release(s); why != "" {
			out = append(out, &Refusal{
				Rule: "P9", Code: exitRefused, What: fmt.Sprintf("%s is not deleted", s.Path), Why: why,
				Tip: fmt.Sprintf("deployer guard release %s --reason TEXT", s.Path),
			})
		}
	}
	return out
}

// release tells why no release covers a step, "" when one does.
func (r *Request) release(s *Step) string {
	why := "it was not released"
	for _, l := range r.Releases {
		switch {
		case l.Stack != s.Path || l.Environment != s.Environment.Name:
			continue
		case s.StackID == "" || l.StackID != s.StackID:
			why = "what was released under this name was another stack"
		case l.Over(r.Now) != "":
			why = "its release does not count: " + l.Over(r.Now)
		default:
			return ""
		}
	}
	return why
}

// named refuses to lose what holds data, or what others rely on, unless it was
// named when it was planned.
func (r *Request) named(e *stacks.Environment) []*Refusal {
	lost := map[string]string{}
	maps.Copy(lost, r.Separate)
	for _, holder := range r.DataLoss {
		if lost[holder] == "" {
			lost[holder] = "holds data"
		}
	}
	var out []*Refusal
	for _, name := range slices.Sorted(maps.Keys(lost)) {
		stack, _, _ := strings.Cut(name, "::")
		if !r.owns(e, stack) || slices.Contains(r.Allowed, name) || slices.Contains(r.Allowed, stack) {
			continue
		}
		out = append(out, &Refusal{
			Rule: "P8", Code: exitRefused, What: name + " is not given up", Why: "it " + lost[name] + ", and nobody named it",
			Tip: "if it is to go, plan again with --allow-replace " + name + " or --allow-delete " + name,
		})
	}
	return out
}

// owns tells whether a stack belongs to an environment, as far as that is known.
func (r *Request) owns(e *stacks.Environment, stack string) bool {
	i := slices.IndexFunc(r.Steps, func(s Step) bool { return string(s.Path) == stack })
	return i < 0 || r.Steps[i].Environment == nil || r.Steps[i].Environment.Name == e.Name
}

// needed is how many approvals a request needs in an environment, and for what.
func (r *Request) needed(e *stacks.Environment, p Policy) (n int, why string) {
	if r.Command == cmdCancel || r.Command == cmdRelease {
		return 0, ""
	}
	n, why = p.Approvals, fmt.Sprintf("guard.approvals is %d", p.Approvals)
	if n > 0 || r.classOf(e) != stacks.Production {
		return n, why
	}
	if slices.ContainsFunc(r.DataLoss, func(h string) bool { stack, _, _ := strings.Cut(h, "::"); return r.owns(e, stack) }) {
		return 1, "what holds data is deleted or replaced"
	}
	for i := range r.Steps {
		if s := &r.Steps[i]; s.Environment != nil && s.Environment.Name == e.Name && s.deletesForGood() {
			return 1, "a stack of production is deleted"
		}
	}
	return 0, ""
}

// approved asks for as many approvals as it takes.
func (r *Request) approved(e *stacks.Environment, p Policy) []*Refusal {
	n, why := r.needed(e, p)
	if n == 0 {
		return nil
	}
	what := fmt.Sprintf("%s needs %d approval", e.Name, n)
	if n != 1 {
		what += "s"
	}
	switch {
	case p.Approvals > 0 && !p.Shared:
		return []*Refusal{{
			Rule: "P6", Code: exitConfig, What: what, Why: "approvals kept on one machine gate nothing", Tip: "add state: {bucket: …} to its environment block",
		}}
	case r.Digest == "":
		return []*Refusal{{
			Rule: "P6", Code: exitUnconfirmed, What: what, Why: why + ", and an approval is for a plan file",
			Tip: "deployer plan PATH --out F, then: deployer approve --plan F, by somebody else, then: deployer " + r.applying("launch") + " --plan F --digest D",
		}}
	case !p.Shared && !r.Terminal:
		return []*Refusal{{
			Rule: "P6", Code: exitUnconfirmed, What: what, Why: "approvals kept on one machine gate nothing without a terminal",
			Tip: "add state: {bucket: …} to its environment block",
		}}
	}
	if refusal := r.recorded(e.Name); refusal != nil {
		return []*Refusal{refusal}
	}
	people, because := r.tally(e, p)
	if len(people) >= n {
		return nil
	}
	why = fmt.Sprintf("%s, and it has %d", why, len(people))
	if len(because) > 0 {
		why += "; " + strings.Join(because, "; ")
	}
	tip := "have somebody whom guard.approvers names run: deployer approve --plan F"
	if len(p.Approvers) == 0 {
		tip = "name who may approve in guard.approvers, as patterns of their ARNs"
	}
	return []*Refusal{{Rule: "P6", Code: exitUnconfirmed, What: what, Why: why, Tip: tip}}
}
