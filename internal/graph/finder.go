package graph

import (
	"iter"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/internal/cfntemplate"
	"github.com/deployer-cli/deployer/internal/resolve"
	"github.com/deployer-cli/deployer/stacks"
)

// finder knows what every stack of the project makes, and finds who makes what
// another needs. It does not change once it is made.
type finder struct {
	stacks   map[stacks.Path]*Source
	exists   func(stacks.Path) bool
	account  func(*stacks.Stack) string
	refs     *resolve.Set // knows what resolver calls refer to
	facts    map[*cfntemplate.Template]*facts
	named    map[string][]*stacks.Stack
	byName   map[place][]maker // CloudFormation's stack names
	byExport map[place][]maker
	bySSM    map[place][]maker
	alike    map[place]string // letters of export names to the names, for hints
}

// place is a name in a region, where names of stacks, exports and SSM
// parameters are unique within an account, as seen from a group: what is made
// somewhere below that group.
type place struct {
	region, name string
	group        stacks.Path
}

// maker is a stack that makes something.
type maker struct {
	stack   *stacks.Stack
	account string
	key     string // the output that is exported
	certain bool   // it does not hang on a condition that is not known
}

// finds is what one stack needs.
type finds struct {
	edges     []Edge
	missing   []Missing
	ambiguous []Ambiguous
	problems  []concern
}

func newFinder(sources []Source, opts Options) *finder {
	f := &finder{
		stacks:   make(map[stacks.Path]*Source, len(sources)),
		exists:   opts.Exists,
		account:  opts.Account,
		facts:    map[*cfntemplate.Template]*facts{},
		named:    make(map[string][]*stacks.Stack, len(sources)),
		byName:   make(map[place][]maker, len(sources)),
		byExport: map[place][]maker{},
		bySSM:    map[place][]maker{},
	}
	if f.exists == nil {
		f.exists = func(stacks.Path) bool { return false }
	}
	if f.account == nil {
		f.account = accountOf
	}
	f.refs = resolve.New(resolve.Ports{Project: f})
	for i := range sources {
		f.add(&sources[i])
	}
	f.alike = make(map[place]string, len(f.byExport))
	for p := range f.byExport {
		key := place{region: p.region, name: letters(p.name)}
		if near, ok := f.alike[key]; !ok || p.name < near {
			f.alike[key] = p.name
		}
	}
	return f
}

// accountOf tells a stack's account from its role, or from the only account
// that its environment declares.
func accountOf(st *stacks.Stack) string {
	if account := accountIn(st.Access.Role); account != "" {
		return account
	}
	if st.Environment != nil && len(st.Environment.Accounts) == 1 {
		return st.Environment.Accounts[0]
	}
	return ""
}

// accountIn takes the account out of an ARN.
func accountIn(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" {
		return ""
	}
	return parts[4]
}

// add notes what a stack makes.
func (f *finder) add(s *Source) {
	f.stacks[s.Stack.Path] = s
	m := maker{stack: s.Stack, account: f.account(s.Stack), certain: true}
	region := s.Stack.Access.Region
	f.named[s.Stack.Name] = append(f.named[s.Stack.Name], s.Stack)
	note(f.byName, region, s.Stack.Name, m)
	if s.Template == nil {
		return
	}
	known, ok := f.facts[s.Template]
	if !ok {
		known = factsOf(s.Template)
		f.facts[s.Template] = known
	}
	if len(known.exports) == 0 && len(known.makes) == 0 {
		return
	}
	r := newReading(s, known, m.account)
	for _, e := range known.exports {
		if name, ok := r.text(e.name); ok && r.holds(e.when) {
			m.key, m.certain = e.key, r.certain(e.when)
			note(f.byExport, region, name, m)
		}
	}
	m.key = ""
	for _, p := range known.makes {
		if name, ok := r.text(p.name); ok && r.holds(p.when) {
			m.certain = r.certain(p.when)
			note(f.bySSM, region, name, m)
		}
	}
}

// note enters a maker under each of its groups, the top one included.
func note(to map[place][]maker, region, name string, m maker) {
	for group := range groups(m.stack.Path) {
		at := place{region, name, group}
		to[at] = append(to[at], m)
	}
}

// groups gives the groups that a stack lies in, nearest first; the last is "".
func groups(p stacks.Path) iter.Seq[stacks.Path] {
	return func(yield func(stacks.Path) bool) {
		for p != "" {
			if p = p.Group(); !yield(p) {
				return
			}
		}
	}
}

// seeker is who looks for something, and where.
type seeker struct {
	stack   *stacks.Stack
	access  stacks.Access // with which the thing would be read
	account string
}

func (f *finder) seeker(st *stacks.Stack) seeker {
	return seeker{stack: st, access: st.Access, account: f.account(st)}
}

// makers gives the stacks that make what the seeker names. Accounts that are
// not known count as the same where profile and role are; of several makers
// those in the nearest group count. A project that has the same stacks once per
// environment, told apart by nothing but the shell's credentials, is the common
// case. Stacks that the project leaves out count only where there is no other.
func (f *finder) makers(in map[place][]maker, name string, who seeker) []maker {
	for _, leftOut := range []bool{false, true} {
		for group := range groups(who.stack.Path) {
			var found []maker
			for _, m := range in[place{who.access.Region, name, group}] {
				if sameAccount(m, who) && leftOut == (m.stack.Obsolete || m.stack.Ignore) {
					found = append(found, m)
				}
			}
			if len(found) > 0 {
				return surest(found)
			}
		}
	}
	return nil
}

// surest leaves out those that may make it where others do for sure.
func surest(found []maker) []maker {
	sure := slices.DeleteFunc(slices.Clone(found), func(m maker) bool { return !m.certain })
	if len(sure) > 0 {
		return sure
	}
	return found
}

func sameAccount(m maker, who seeker) bool {
	if m.account != "" && who.account != "" {
		return m.account == who.account
	}
	return m.stack.Access.Profile == who.access.Profile && m.stack.Access.Role == who.access.Role
}

// common counts the groups that two paths share.
func common(a, b stacks.Path) int {
	as, bs := strings.Split(string(a.Group()), "/"), strings.Split(string(b.Group()), "/")
	n := 0
	for n < len(as) && n < len(bs) && as[n] == bs[n] {
		n++
	}
	return n
}
