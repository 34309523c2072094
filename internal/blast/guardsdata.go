package blast

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/internal/reattach"
	"github.com/deployer-cli/deployer/internal/restype"
	"github.com/deployer-cli/deployer/stacks"
)

// inside is G9.
func (k *scope) inside() []Finding {
	out := slices.Clone(k.f.Unfit)
	for _, r := range k.refused {
		out = append(out, Finding{Stack: stacks.Path(r.Name), Why: r.Why, Fix: r.Fix})
	}
	return out
}

// data is G10.
func (k *scope) data() []Finding {
	var out []Finding
	switch k.f.Kind {
	case DeleteStack:
		return k.deleted()
	case DriftParameter:
		for _, p := range k.f.Targets {
			changes, known := k.f.Changes[p]
			if !known {
				out = append(out, Finding{Stack: p, Why: "what the change would do is not known"})
			}
			out = append(out, k.changed(p, changes)...)
			out = append(out, k.below(p)...)
		}
		return out
	}
	return k.injected()
}

// deleted finds the holders of data that nothing covers or that AWS would not
// delete, and where there may be some that nobody saw.
func (k *scope) deleted() []Finding {
	var out []Finding
	for _, u := range k.units {
		for _, m := range u.members {
			for _, why := range m.missing() {
				out = append(out, Finding{Stack: u.root.Path(), Why: "what data it holds is not known: " + why, Fix: "let the caller read it"})
			}
		}
	}
	for _, s := range k.radius.Stacks {
		for _, h := range s.Holders {
			if h.Cover == Uncovered {
				out = append(out, loss(h))
			}
			if h.Stuck != "" {
				out = append(out, Finding{Stack: h.Stack, Why: fmt.Sprintf("%s (%s): %s", h.LogicalID, h.Type, h.Stuck), Fix: h.Fix})
			}
		}
	}
	return out
}

// loss says how to let go of a holder of data, or how to cover it.
func loss(h Holder) Finding {
	fix := fmt.Sprintf("if it may be lost, add to its file:  break: {data: {%s: expendable}}", h.LogicalID)
	if h.Policy == snapshot {
		fix += fmt.Sprintf("; or name the parameter that takes its snapshot:  break: {data: {%s: {snapshot_parameter: NAME}}}", h.LogicalID)
	}
	return Finding{Stack: h.Stack, Why: fmt.Sprintf("%s (%s): %s", h.LogicalID, h.Type, h.Why), Fix: fix}
}

// changed finds what a changed parameter would take for good: the holders of data
// that it may remove or replace, and whatever else it does: the old value would
// not bring that back.
func (k *scope) changed(p stacks.Path, changes []stacks.ResourceChange) []Finding {
	var out []Finding
	for _, c := range changes {
		if restype.HoldsStacks(c.Type) {
			out = append(out, Finding{
				Stack: p, Why: fmt.Sprintf("%s (%s) would be changed, and what that does to the stacks of its own cannot be foreseen", c.LogicalID, c.Type), Fix: "choose another parameter",
			})
			continue
		}
		harmless := c.Action == "add" || c.Action == "import" || c.Action == "modify" && (c.Replacement == "false" || c.Replacement == "")
		goes := c.Action == "remove" || c.Replacement == "true"
		_, known := restype.Lookup(c.Type)
		worthless := known && !c.Data && !restype.HoldsData(c.Type)
		if harmless || worthless && !goes || k.expendable(p, c.LogicalID) {
			continue
		}
		why := "with its data"
		if worthless {
			why = "and the old value would not bring it back"
		}
		out = append(out, Finding{
			Stack: p, Why: fmt.Sprintf("%s (%s) would be removed or replaced, %s", c.LogicalID, c.Type, why),
			Fix: fmt.Sprintf("choose another value, or add to its file:  break: {data: {%s: expendable}}", c.LogicalID),
		})
	}
	return out
}

// below finds the holders of data in the nested stacks of a stack that is changed:
// CloudFormation updates those, too, and how is not foreseen.
func (k *scope) below(p stacks.Path) []Finding {
	u := k.w.at(p)
	if u == nil {
		return nil // G9 says that it does not live
	}
	var out []Finding
	own, _ := ParseStack(u.root.Stack) // G2 refuses what cannot be read
	for i, m := range u.members {
		for _, why := range m.missing() {
			out = append(out, Finding{Stack: p, Why: "what data it holds is not known: " + why, Fix: "let the caller read it"})
		}
		prefix := k.w.prefix(u, m)
		for _, r := range m.Resources.Value {
			h, holds := m.holder(r, deletes, &covering{own, p, true, prefix})
			if i == 0 || !holds || h.Cover != Uncovered || r.Status == deleted {
				continue
			}
			out = append(out, Finding{
				Stack: p, Why: fmt.Sprintf("%s (%s) is in a nested stack, and whether the change replaces it cannot be foreseen", h.LogicalID, h.Type),
				Fix: fmt.Sprintf("drift a stack without nested ones, or add to its file:  break: {data: {%s: expendable}}", h.LogicalID),
			})
		}
	}
	return out
}

func (k *scope) expendable(p stacks.Path, id string) bool {
	u := k.w.at(p)
	if u == nil || u.root.Stack == nil {
		return false
	}
	own, err := ParseStack(u.root.Stack)
	return err == nil && own.Data[id].Expendable
}

// stands is G11.
func (k *scope) stands() []Finding {
	var out []Finding
	if !k.f.Stands.Read {
		out = append(out, Finding{Why: "what deployer itself stands on is not known: " + k.f.Stands.reason()})
	}
	others, blind := k.abroad()
	out = append(out, blind...)
	all := slices.Concat(k.f.Stands.Value, k.stay(), others)
	for _, u := range k.units {
		for _, m := range u.members {
			aliases := m.aliases()
			for _, r := range m.Resources.Value {
				if r.PhysicalID == "" || !k.touches(u.root.Path(), r.LogicalID) {
					continue
				}
				c := container{Resource: r, names: names(r.PhysicalID, aliases[r.LogicalID])}
				out = append(out, c.carries(u.root.Path(), all)...)
			}
		}
	}
	return out
}

// stay lists what the live stacks that stay stand on: their service roles and the
// topics they tell.
func (k *scope) stay() []Stand {
	var out []Stand
	for _, u := range k.w.units {
		if slices.Contains(k.units, u) {
			continue
		}
		for _, m := range u.members {
			out = append(out, m.standsOn("")...)
		}
	}
	return out
}

// carries finds what stands on a resource.
func (c *container) carries(p stacks.Path, all []Stand) []Finding {
	var out []Finding
	for _, s := range all {
		found := Finding{Stack: p, Why: fmt.Sprintf("its %s (%s) is %s", c.LogicalID, c.Type, s.What), Fix: "leave it out, or move that to a stack that is never broken"}
		if c.among(s.Names) && !slices.Contains(out, found) {
			out = append(out, found)
		}
	}
	return out
}

// touches tells whether the break does anything to a resource: all of them where
// the stack is deleted, or changed.
func (k *scope) touches(p stacks.Path, id string) bool {
	if k.f.Kind == DeleteStack || k.f.Kind == DriftParameter || len(k.f.Injections) == 0 {
		return true
	}
	return slices.ContainsFunc(k.f.Injections, func(i stacks.Injection) bool { return i.Stack == p && i.LogicalID == id })
}

// restorable is G12, as far as it can be told before anything is written.
func (k *scope) restorable() []Finding {
	var out []Finding
	for _, u := range k.units {
		p := u.root.Path()
		secrets := k.f.Secrets[p]
		if !secrets.Read {
			out = append(out, Finding{Stack: p, Why: "whether its secrets can be had again cannot be told: " + secrets.reason()})
		}
		for _, s := range secrets.Value {
			switch {
			case s.Rendered:
				out = append(out, Finding{
					Stack: p, Why: "a secret is rendered into its template, and no capsule keeps a secret",
					Fix: "hand it over as a NoEcho parameter instead",
				})
			case s.Literal:
				out = append(out, Finding{
					Stack: p, Why: fmt.Sprintf("the secret %s stands in its file as it is, and no capsule keeps a secret", s.Parameter),
					Fix: fmt.Sprintf("move %s to a secret store and name it there: !ssm, or !aws_secrets_manager", s.Parameter),
				})
			case !s.Obtainable:
				out = append(out, Finding{Stack: p, Why: fmt.Sprintf("the secret %s cannot be had now: %s", s.Parameter, s.Why), Fix: "see to it that its resolver gives it: deployer generate " + string(p)})
			}
		}
	}
	return slices.Concat(out, k.secretNames(), k.inUse())
}

// secretNames finds what would have to be written down by a name with a secret in it:
// what is kept and taken in again, and what is broken by itself.
func (k *scope) secretNames() []Finding {
	var out []Finding
	refuse := func(p stacks.Path, id string) {
		out = append(out, Finding{
			Stack: p, Why: "a secret stands in the name of " + id + ", and no capsule and no journal keeps a secret", Fix: "name it otherwise, without what is secret",
		})
	}
	if k.f.Kind != DeleteStack {
		for _, i := range k.f.Injections {
			if k.f.Veil.Names(i.PhysicalID) || k.f.Veil.Names(string(i.Before)) {
				refuse(i.Stack, i.LogicalID)
			}
		}
		return out
	}
	for _, u := range k.units {
		for _, m := range u.members {
			for _, r := range m.Resources.Value {
				if k.f.Veil.Names(r.PhysicalID) && reattach.Keeps(m.deletionPolicy(r)) {
					refuse(u.root.Path(), r.LogicalID)
				}
			}
		}
	}
	return out
}

// capsuled is G12, right before a call: what it takes to put a stack back is kept,
// and was read back.
func (k *scope) capsuled(step *Step) []Finding {
	c := k.f.Capsules[step.Stack]
	switch {
	case !c.Written:
		return []Finding{{Stack: step.Stack, Why: "its capsule is not there: " + unsaid(c.Why)}}
	case c.StackID != step.StackID:
		return []Finding{{Stack: step.Stack, Why: "its capsule is of another stack: " + c.StackID}}
	case c.Hash == "" || c.Hash != c.Back:
		return []Finding{{Stack: step.Stack, Why: "its capsule does not read back as it was written"}}
	}
	return nil
}

func unsaid(why string) string {
	if why == "" {
		return "nobody said why"
	}
	return why
}

// counts is G13.
func (k *scope) counts() []Finding {
	var out []Finding
	for _, e := range k.environments() {
		p, err := ParsePolicy(e, k.f.Environments)
		if err != nil {
			out = append(out, Finding{Why: err.Error()})
			continue
		}
		if n := len(k.f.Targets); n > p.MaxTargets {
			out = append(out, Finding{Why: fmt.Sprintf("%d stacks are chosen, break.max_targets of %s is %d", n, e.Name, p.MaxTargets), Fix: "choose fewer"})
		}
		if n := len(k.units); p.MaxTotal > 0 && n > p.MaxTotal {
			out = append(out, Finding{Why: fmt.Sprintf("%d stacks go in all, break.max_total of %s is %d", n, e.Name, p.MaxTotal), Fix: "choose what takes less with it"})
		}
		if drawn := k.f.Choice.Random > 0 || k.f.Choice.Percent > 0; drawn && (k.f.OutOf <= 0 || len(k.f.Targets)*100 > p.MaxPercent*k.f.OutOf) {
			out = append(out, Finding{Why: fmt.Sprintf("%d of %d stacks are drawn, break.max_percent of %s is %d", len(k.f.Targets), k.f.OutOf, e.Name, p.MaxPercent), Fix: "draw fewer"})
		}
		out = append(out, k.cooling(e, p.Cooldown)...)
	}
	return out
}

// cooling finds the stacks of an environment that were broken too lately.
func (k *scope) cooling(e *stacks.Environment, cooldown time.Duration) []Finding {
	if cooldown <= 0 {
		return nil
	}
	if !k.f.Past.Read {
		return []Finding{{Why: "when its stacks were broken last is not known: " + k.f.Past.reason()}}
	}
	var out []Finding
	for _, u := range k.units {
		if u.root.Stack == nil || u.root.Stack.Environment == nil || u.root.Stack.Environment.Name != e.Name {
			continue
		}
		for _, b := range k.w.past(u.root.Path()) {
			if until := b.At.Add(cooldown); b.Break != k.f.Break && k.f.Now.Before(until) {
				out = append(out, Finding{
					Stack: b.Stack, Why: fmt.Sprintf("it was broken at %s, break.cooldown of %s is %s", b.At.UTC().Format("2006-01-02 15:04 UTC"), e.Name, cooldown),
					Fix: "wait until " + until.UTC().Format("2006-01-02 15:04 UTC"),
				})
				break
			}
		}
	}
	return out
}

// permitted is G15.
func (k *scope) permitted() []Finding {
	var out []Finding
	for _, e := range k.environments() {
		p, err := ParsePolicy(e, k.f.Environments)
		if err != nil {
			out = append(out, Finding{Why: err.Error()})
			continue
		}
		if !p.Permit {
			continue
		}
		why := "break.permit of " + e.Name + " is required, and there is none"
		if !k.f.Permits.Read {
			why = "break.permit of " + e.Name + " is required, and cannot be read: " + k.f.Permits.reason()
		}
		fits := false
		for _, permit := range k.f.Permits.Value {
			if permit.Environment != e.Name {
				continue // what one team agreed to binds no other
			}
			short := k.short(permit)
			fits = fits || short == ""
			why = "the permit " + permit.ID + " does not cover it: " + short
		}
		if !fits || !k.f.Permits.Read {
			out = append(out, Finding{Why: why, Fix: fmt.Sprintf("deployer break permit create %s --caller PATTERN", e.Name)})
		}
	}
	return out
}

// short says what a permit does not cover, "" when it covers everything.
func (k *scope) short(p Permit) string {
	switch {
	case p.Revoked:
		return "it was revoked"
	case p.Until.IsZero() || !k.f.Now.Before(p.Until):
		return "it expired at " + p.Until.UTC().Format("2006-01-02 15:04 UTC")
	case len(p.Kinds) > 0 && !slices.Contains(p.Kinds, k.f.Kind):
		return "it is for " + strings.Join(p.Kinds, ", ")
	case k.f.Caller.ARN == "" || !slices.ContainsFunc(p.Callers, func(pattern string) bool { return guard.Wild(pattern, k.f.Caller.ARN) }):
		return "it is not for " + unknown(k.f.Caller.ARN)
	}
	for _, u := range k.units {
		path := u.root.Path()
		if st := u.root.Stack; st != nil && st.Environment != nil && st.Environment.Name != p.Environment {
			continue // that one's own permit has to cover it
		}
		if len(p.Include) > 0 && !slices.ContainsFunc(p.Include, path.Matches) || slices.ContainsFunc(p.Exclude, path.Matches) || slices.ContainsFunc(p.Exclude, func(g string) bool { return stacks.CheckGlob(g) != nil }) {
			return "it leaves out " + string(path)
		}
	}
	return ""
}
