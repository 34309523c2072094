package blast

import (
	"fmt"
	"slices"

	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/stacks"
)

// time is G6.
func (k *scope) time() []Finding {
	var out []Finding
	if k.f.Now.IsZero() {
		return []Finding{{Why: "what time it is is not known"}}
	}
	var frozen []*stacks.Environment // whose freezes bind
	for _, e := range k.environments() {
		p, err := ParsePolicy(e, k.f.Environments)
		if err != nil {
			out = append(out, Finding{Why: err.Error()})
			continue
		}
		for _, w := range p.Windows {
			if _, open := w.At(k.f.Now); !open {
				fix := "wait for it"
				if next := w.Next(k.f.Now); !next.IsZero() {
					fix = "wait until " + next.UTC().Format("2006-01-02 15:04 UTC")
				}
				out = append(out, Finding{Why: fmt.Sprintf("%s may be broken at %s, which it is not now", e.Name, w.Text), Fix: fix})
			}
		}
		frozen = append(append(frozen, e), around(e, k.f.Environments)...)
	}
	for i, e := range frozen {
		if !slices.Contains(frozen[:i], e) {
			out = append(out, k.frozen(e)...)
		}
	}
	switch l := k.f.Lever; {
	case !l.Read:
		out = append(out, Finding{Why: "whether the lever is engaged cannot be told: " + l.reason(), Fix: "deployer break lever show"})
	case l.Value.Engaged:
		out = append(out, Finding{Why: fmt.Sprintf("the lever is engaged by %s: %s", l.Value.By, l.Value.Reason), Fix: "ask whoever engaged it, then: deployer break lever release --reason TEXT"})
	}
	return out
}

// frozen tells which freezes of an environment's guard block are on.
func (k *scope) frozen(e *stacks.Environment) []Finding {
	p, err := guard.ParsePolicy(e)
	if err != nil {
		return []Finding{{Why: err.Error(), Fix: "mend guard: in its environment block"}}
	}
	var out []Finding
	for _, f := range p.Freezes {
		if until, on := f.At(k.f.Now); on {
			fix := "wait until it ends"
			if !until.IsZero() {
				fix = "wait until " + until.UTC().Format("2006-01-02 15:04 UTC")
			}
			out = append(out, Finding{Why: fmt.Sprintf("%s is frozen: %s", e.Name, f.Text), Fix: fix})
		}
	}
	return out
}

// busy is G7.
func (k *scope) busy() []Finding {
	var out []Finding
	if !k.f.Open.Read {
		out = append(out, Finding{Why: "whether another break is open cannot be told: " + k.f.Open.reason(), Fix: k.f.OpenFix})
	}
	for _, o := range k.f.Open.Value {
		if o.ID != k.f.Break || o.ID == "" {
			out = append(out, Finding{
				Why: fmt.Sprintf("%s of %s by %s is open since %s", o.ID, o.Environment, o.By, o.Since.UTC().Format("2006-01-02 15:04 UTC")),
				Fix: fmt.Sprintf("end it: deployer recover %s, or deployer break close %s --reason TEXT", o.ID, o.ID),
			})
		}
	}
	for _, u := range k.near() {
		for _, m := range u.members {
			if m.Live.Status.InProgress() {
				out = append(out, Finding{Stack: stacks.Path(m.Title()), Why: fmt.Sprintf("CloudFormation is at work on it: %s", m.Live.Status), Fix: "wait for it: deployer events --follow"})
			}
		}
	}
	return out
}

// near lists what goes, and who needs it: by configuration, by import, or because
// it would have to go first.
func (k *scope) near() []*unit {
	out := slices.Clone(k.units)
	add := func(u *unit) {
		if u != nil && !slices.Contains(out, u) {
			out = append(out, u)
		}
	}
	for _, u := range k.units {
		for _, p := range k.f.Dependents[u.root.Path()] {
			add(k.w.at(p))
		}
		for _, e := range u.exports() {
			known, _ := k.w.export(e)
			for _, name := range known.Importers.Value {
				add(k.w.named(name, u.root.Live))
			}
		}
	}
	return out
}

// steady is G8.
func (k *scope) steady(roles ...string) []Finding {
	var out []Finding
	if !k.f.Probes.Read {
		out = append(out, Finding{Why: "the probes were not read: " + k.f.Probes.reason()})
	}
	asked := false
	for _, p := range k.f.Probes.Value {
		asked = asked || p.Role == roleSteady
		known := p.Role == roleSteady || p.Role == roleGuard || p.Role == roleEvidence
		if known && !slices.Contains(roles, p.Role) || p.Role == roleEvidence || p.OK && !p.Unknown {
			continue
		}
		why := p.Why
		if p.Unknown {
			why = "it could not be asked: " + why
		}
		out = append(out, Finding{Why: fmt.Sprintf("probe %s: %s", p.Name, why), Fix: "mend what is wrong first: an exercise begins where everything is well"})
	}
	if !slices.Contains(roles, roleSteady) {
		return out
	}
	if k.f.Probes.Read && !asked {
		out = append(out, Finding{Why: "no steady probe says how users are", Fix: "declare one under probes: in the environment block"})
	}
	for _, u := range k.units {
		if s := u.root.Live.Status; !s.Healthy() && !s.InProgress() {
			out = append(out, Finding{Stack: u.root.Path(), Why: fmt.Sprintf("it is %s", s), Fix: fmt.Sprintf("deployer launch %s", u.root.Path())})
		}
	}
	return out
}
