package blast

import (
	"fmt"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/internal/spell"
	"github.com/deployer-cli/deployer/stacks"
)

// Guards asks all guards but G14 and G16, which run as they come: none of them
// keeps another from being asked. Going, refused and r are what MustGo and
// Measure made of the same facts.
func Guards(f *Facts, going []Going, refused []Refusal, r Radius) []Verdict {
	return newWorld(f).guards(going, refused, r)
}

func (w *world) guards(going []Going, refused []Refusal, r Radius) []Verdict {
	k := w.scope(going)
	k.refused, k.radius = refused, r
	out := []Verdict{
		verdict("G1", exitRefused, false, k.class()),
		verdict("G2", exitRefused, true, k.allowed()),
		verdict("G3", exitRefused, true, k.account()),
		verdict("G4", exitRefused, true, k.tags()),
		verdict("G5", exitRefused, true, k.protected()),
		verdict("G6", exitRefused, true, k.time()),
		verdict("G7", exitOpen, true, k.busy()),
		verdict("G8", exitSteady, true, k.steady(roleSteady, roleGuard)),
		verdict("G9", exitRefused, true, k.inside()),
		verdict("G10", exitRefused, true, k.data()),
		verdict("G11", exitRefused, false, k.stands()),
		verdict("G12", exitRefused, true, k.restorable()),
		verdict("G13", exitRefused, false, k.counts()),
		verdict("G15", exitRefused, true, k.permitted()),
	}
	if e := k.f.Environment; e != nil && Kept(e) {
		unfixed(out)
	}
	return out
}

// Kept tells whether an environment is of a class that is never broken.
func Kept(e *stacks.Environment) bool {
	return e.Class == stacks.Production || e.Class == stacks.Persistent
}

// unfixed leaves only G1 its fix: where that refuses for good nobody is told to mend
// the rest.
func unfixed(verdicts []Verdict) {
	for i := range verdicts {
		if v := &verdicts[i]; v.Guard != "G1" {
			v.Fix = ""
			for j := range v.Findings {
				v.Findings[j].Fix = ""
			}
		}
	}
}

// verdict is what a guard comes to.
func verdict(id string, code int, again bool, found []Finding) Verdict {
	v := Verdict{Guard: id, Title: Title(id), OK: len(found) == 0, Again: again, Findings: found}
	if v.OK {
		return v
	}
	v.Code = code
	var whys, fixes []string
	for _, f := range found {
		why := f.Why
		if f.Stack != "" {
			why = string(f.Stack) + ": " + why
		}
		whys = append(whys, why)
		if f.Fix != "" && !slices.Contains(fixes, f.Fix) {
			fixes = append(fixes, f.Fix)
		}
	}
	v.Why, v.Fix = strings.Join(whys, "; "), strings.Join(fixes, "; ")
	return v
}

// scope is what the guards look at: the stacks that would be touched.
type scope struct {
	w       *world
	f       *Facts
	units   []*unit // what goes, and chosen targets that cannot, where they live
	refused []Refusal
	radius  Radius
}

func (w *world) scope(going []Going) *scope {
	k := &scope{w: w, f: w.f}
	for _, g := range going {
		if u := w.at(g.Path); u != nil {
			k.units = append(k.units, u)
		}
	}
	for _, p := range w.f.Targets {
		if u := w.at(p); u != nil && !slices.Contains(k.units, u) {
			k.units = append(k.units, u)
		}
	}
	return k
}

// environments lists those of what goes, the targets' first.
func (k *scope) environments() []*stacks.Environment {
	var out []*stacks.Environment
	add := func(e *stacks.Environment) {
		if e != nil && !slices.ContainsFunc(out, func(o *stacks.Environment) bool { return o.Name == e.Name }) {
			out = append(out, e)
		}
	}
	add(k.f.Environment)
	for _, u := range k.units {
		if u.root.Stack != nil {
			add(u.root.Stack.Environment)
		}
	}
	return out
}

// class is G1.
func (k *scope) class() []Finding {
	var out []Finding
	if k.f.Environment == nil {
		return []Finding{{Why: "the environment is not known"}}
	}
	if len(k.f.Targets) == 0 {
		out = append(out, Finding{Why: "nothing was chosen", Fix: "name a stack: deployer break " + k.f.Environment.Name + "/STACK"})
	}
	for _, e := range k.environments() {
		if why, fix := undeveloped(e, e.Path); why != "" {
			out = append(out, Finding{Why: why, Fix: fix})
		}
	}
	for _, u := range k.units {
		if st := u.root.Stack; st != nil && st.Environment != nil && st.Environment.Class == stacks.Development && stacks.HasProductionWord(string(st.Path.Group())) {
			out = append(out, Finding{Stack: st.Path, Why: "its group's name says production", Fix: "break a stack whose path does not say production"})
		}
	}
	return out
}

// allowed is G2.
func (k *scope) allowed() []Finding {
	var out []Finding
	for _, e := range k.environments() {
		switch p, err := ParsePolicy(e, k.f.Environments); {
		case err != nil:
			out = append(out, Finding{Why: err.Error(), Fix: "mend break: in its environment block"})
		case p.Never:
			out = append(out, Finding{Why: fmt.Sprintf("break.allow of %s, or around it, is never", e.Name)})
		case !p.Allow:
			out = append(out, Finding{Why: fmt.Sprintf("break.allow of %s is not true", e.Name), Fix: "if it may be broken, add to its environment block:  break: {allow: true}"})
		}
	}
	for _, u := range k.units {
		st := u.root.Stack
		if st == nil {
			continue // G9 refuses it
		}
		switch p, err := ParseStack(st); {
		case err != nil:
			out = append(out, Finding{Stack: st.Path, Why: err.Error(), Fix: "mend break: in its file or its group's"})
		case p.Never:
			out = append(out, Finding{Stack: st.Path, Why: "its files say break: {allow: never}", Fix: "leave it out: --exclude " + string(st.Path)})
		}
		out = append(out, k.strangers(u)...)
	}
	return out
}

// strangers finds what break.data of a stack names and its template does not: somebody
// misspelt what may be lost, or how it is covered.
func (k *scope) strangers(u *unit) []Finding {
	data, _ := u.root.Stack.Break.Get("data")
	if len(data.Fields) == 0 {
		return nil
	}
	var known []string
	for _, m := range u.members {
		t := m.parsed()
		if t == nil || !m.Resources.Read {
			return nil // G10 says so
		}
		for id := range t.Resources {
			known = append(known, k.w.prefix(u, m)+id)
		}
		for _, r := range m.Resources.Value {
			known = append(known, k.w.prefix(u, m)+r.LogicalID)
		}
	}
	var out []Finding
	for _, f := range data.Fields {
		if slices.Contains(known, f.Key) {
			continue
		}
		one := Finding{Stack: u.root.Path(), Why: fmt.Sprintf("%s: break.data names %s, and the live stack has no such resource", f.Pos, f.Key), Fix: "launch it first, or take that out"}
		if meant, ok := spell.Nearest(f.Key, max(2, len(f.Key)/3), slices.Values(known)); ok && meant != "" {
			one.Fix = "did you mean " + meant + "?"
		}
		out = append(out, one)
	}
	return out
}

// account is G3.
func (k *scope) account() []Finding {
	var out []Finding
	if k.f.Account == "" || k.f.Region == "" || k.f.Caller.ARN == "" {
		out = append(out, Finding{Why: "who the caller is, in which account and region, is not known", Fix: "see: deployer whoami"})
	}
	for _, e := range k.environments() {
		if len(e.Accounts) > 0 && !slices.Contains(e.Accounts, k.f.Account) {
			out = append(out, Finding{
				Why: fmt.Sprintf("these credentials are for account %s, %s may live in %s", unknown(k.f.Account), e.Name, strings.Join(e.Accounts, ", ")),
				Fix: "use the credentials of that account (AWS_PROFILE, or profile: in its config)",
			})
		}
		if len(e.Regions) > 0 && !slices.Contains(e.Regions, k.f.Region) {
			out = append(out, Finding{Why: fmt.Sprintf("this is %s, %s may live in %s", unknown(k.f.Region), e.Name, strings.Join(e.Regions, ", ")), Fix: "mend region: in its config"})
		}
	}
	for _, u := range k.units {
		if live := u.root.Live; live.Account != k.f.Account || live.Region != k.f.Region {
			out = append(out, Finding{Stack: u.root.Path(), Why: fmt.Sprintf("it lives in %s %s, not in %s %s", live.Account, live.Region, unknown(k.f.Account), unknown(k.f.Region))})
		}
	}
	return append(out, k.shared()...)
}

func unknown(s string) string {
	if s == "" {
		return "nobody knows which"
	}
	return s
}

// shared refuses the account of a production environment, unless the file says
// that the team has only one.
func (k *scope) shared() []Finding {
	acknowledged := true
	for _, e := range k.environments() {
		p, err := ParsePolicy(e, k.f.Environments)
		acknowledged = acknowledged && err == nil && p.SharedAccount
	}
	if acknowledged {
		return nil // G4 is asked for every stack of the plan
	}
	var out []Finding
	const fix = "break in an account of its own; where the team has only one, add break: {shared_account: acknowledged} to the environment block"
	for _, e := range k.f.Environments {
		switch {
		case e == nil:
			out = append(out, Finding{Why: "an environment of the project could not be read"})
		case !e.SaysProduction() && e.Class.Strength() < stacks.Production.Strength():
		case len(e.Accounts) == 0:
			out = append(out, Finding{Why: fmt.Sprintf("in which account %s lives is not written down, it may be this one", e.Name), Fix: "declare the environment " + e.Name + " with its accounts, or: " + fix})
		case slices.Contains(e.Accounts, k.f.Account):
			out = append(out, Finding{Why: fmt.Sprintf("account %s is that of the production environment %s", k.f.Account, e.Name), Fix: fix})
		}
	}
	if len(k.f.Environments) == 0 {
		out = append(out, Finding{Why: "the environments of the project are not known"})
	}
	return out
}

// tags is G4.
func (k *scope) tags() []Finding {
	var out []Finding
	for _, u := range k.units {
		st := u.root.Stack
		if st == nil || st.Environment == nil {
			continue // G9 and G1 refuse it
		}
		for _, want := range []stacks.Tag{
			{Key: stacks.TagClass, Value: string(stacks.Development)},
			{Key: stacks.TagEnvironment, Value: st.Environment.Name},
			{Key: stacks.TagStack, Value: string(st.Path)},
			{Key: stacks.TagProject, Value: k.f.Project},
		} {
			switch is, tagged := u.root.Live.Tag(want.Key); {
			case !tagged:
				out = append(out, Finding{Stack: st.Path, Why: "the live stack has no tag " + want.Key, Fix: fmt.Sprintf("deployer launch %s --adopt", st.Path)})
			case is != want.Value || is == "":
				out = append(out, Finding{Stack: st.Path, Why: fmt.Sprintf("the live stack is tagged %s=%s, the files say %q", want.Key, is, want.Value), Fix: "find out whose stack it is; nothing is broken where files and tags disagree"})
			}
		}
	}
	return out
}
