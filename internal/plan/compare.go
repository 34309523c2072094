package plan

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/internal/cfntemplate"
	"github.com/deployer-cli/deployer/stacks"
)

// comparison collects what differs between a healthy stack and what is wanted.
type comparison struct {
	builder    *Builder
	state      *state
	diff       []Difference
	said       []string // causes, one per part
	unsure     []string // what cannot be compared on paper
	reads      []string // outputs of others that may change under the stack
	notAdopted bool
	tagged     bool // tags differ, and ride on the update
}

func (c *comparison) run() {
	c.parameters()
	c.template()
	c.settings()
	c.outputs()
	c.tags()
}

// causes gives why the stack changes, in plain words.
func (c *comparison) causes() []string {
	if c.tagged && len(c.said) == 0 && len(c.state.waits()) == 0 {
		return []string{"tags only"}
	}
	if c.tagged {
		return append(slices.Clone(c.said), "tags")
	}
	return c.said
}

func (c *comparison) differ(cause string, d Difference) {
	c.diff = append(c.diff, d)
	if cause != "" {
		c.said = append(c.said, cause)
	}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// parameters compares every parameter of the desired template, by its value or
// its default, with what the live stack has.
func (c *comparison) parameters() {
	s := c.state
	given := map[string]stacks.Parameter{}
	for _, p := range s.desired.Parameters {
		given[p.Key] = p
	}
	if s.new == nil {
		for _, key := range sortedKeys(given) {
			p := given[key]
			_, live := liveParameter(s.seen.Live, key)
			if !p.Previous || !live {
				c.parameter(cfntemplate.Parameter{Name: key, NoEcho: p.Secret}, p, true)
			}
		}
		return
	}
	for _, key := range s.new.template.ParameterNames {
		decl := s.new.template.Parameters[key]
		_, stated := given[key]
		c.parameter(decl, wanted(s, decl, given), stated)
	}
}

func (c *comparison) parameter(decl cfntemplate.Parameter, want stacks.Parameter, stated bool) {
	live, lives := liveParameter(c.state.seen.Live, decl.Name)
	d := Difference{Part: "parameter", Key: decl.Name, Old: live.Value, New: want.Value}
	if decl.NoEcho || want.Secret || live.Value == hidden {
		d.Old, d.New = hidden, hidden
	}
	if !lives {
		d.Old = ""
	}
	switch {
	case want.Unknown && !stated:
		c.differ(fmt.Sprintf("parameter %s: no value", decl.Name), d)
	case want.Unknown:
		c.late(want, d)
	case !lives:
		c.differ(fmt.Sprintf("parameter %s: new", decl.Name), d)
	case want.Previous:
		c.ssm(decl)
	case decl.NoEcho || live.Value == hidden:
		c.secret(decl.Name, want, d)
	case sameParameter(decl.Type, live.Value, want.Value):
		c.ssm(decl)
	case !stated:
		d.Why = "resets " + decl.Name + " to its default"
		c.differ(fmt.Sprintf("parameter %s: %s -> %s (resets it to its default)", decl.Name, shown(d.Old), shown(d.New)), d)
	case want.Secret:
		c.differ(fmt.Sprintf("parameter %s: changed (secret)", decl.Name), d)
	default:
		c.differ(fmt.Sprintf("parameter %s: %s -> %s", decl.Name, shown(d.Old), shown(d.New)), d)
	}
}

// late notes a value that other stacks decide. It is told as what the step
// waits for.
func (c *comparison) late(want stacks.Parameter, d Difference) {
	d.New, d.Why = cmp.Or(want.Hint, "a value known later"), "known later"
	if len(want.After) > 0 {
		d.Why = "known after " + joinPaths(want.After)
	}
	c.differ("", d)
}

// secret compares a value that CloudFormation does not show, by the hash of
// what was last given.
func (c *comparison) secret(key string, want stacks.Parameter, d Difference) {
	switch same, known := c.builder.sameSecret(c.state, want); {
	case !known:
		c.unsure = append(c.unsure, fmt.Sprintf("NoEcho parameter %s cannot be compared", key))
	case !same:
		c.differ(fmt.Sprintf("parameter %s: changed (secret)", key), d)
	}
}

// ssm doubts a parameter that names the same SSM parameter as before: what it
// holds may have changed.
func (c *comparison) ssm(decl cfntemplate.Parameter) {
	if isSSM(decl.Type) {
		c.unsure = append(c.unsure, fmt.Sprintf("parameter %s is read from SSM", decl.Name))
	}
}

// sameParameter compares two values of a type; blanks around the elements of a
// list say nothing.
func sameParameter(typ, a, b string) bool {
	if a == b {
		return true
	}
	if !isList(typ) {
		return false
	}
	x, _ := typed(typ, a).([]string)
	y, _ := typed(typ, b).([]string)
	return slices.Equal(x, y)
}

// shown keeps a value readable within a sentence.
func shown(v string) string {
	const most = 60
	if v == "" {
		return `""`
	}
	v = strings.ReplaceAll(v, "\n", " ")
	if r := []rune(v); len(r) > most {
		return string(r[:most]) + "…"
	}
	return v
}

func joinPaths(paths []stacks.Path) string {
	names := make([]string, 0, len(paths))
	for _, p := range paths {
		names = append(names, string(p))
	}
	return strings.Join(names, ", ")
}

// settings compares what stands beside template and parameters.
func (c *comparison) settings() {
	d, live := c.state.desired, c.state.seen.Live
	// Without a role of its own an update keeps the one the stack has.
	if d.ServiceRole != "" && d.ServiceRole != live.ServiceRole {
		c.set("role: "+shown(live.ServiceRole)+" -> "+shown(d.ServiceRole), Difference{Part: "role", Key: "cloudformation_service_role", Old: live.ServiceRole, New: d.ServiceRole})
	}
	have, want := sortedSet(live.Notifications), sortedSet(d.Notifications)
	if !slices.Equal(have, want) {
		c.set("notifications", Difference{Part: "notification", Key: "notifications", Old: strings.Join(have, ", "), New: strings.Join(want, ", ")})
	}
	if d.Policy != nil && !samePolicy(c.state.seen.Policy, d.Policy) {
		c.differ("stack policy", Difference{Part: "policy", Key: "stack_policy", Old: string(c.state.seen.Policy), New: string(d.Policy)})
	}
	// Protection is only ever taken off by a command of its own.
	if p := d.Stack.TerminationProtection; p != nil && *p && !live.TerminationProtection {
		c.differ("termination protection on", Difference{Part: "protection", Key: "termination_protection", Old: "false", New: "true"})
	}
}

// set notes a difference in a text that may hold values known later; those are
// told as what the step waits for.
func (c *comparison) set(cause string, d Difference) {
	if isLate(d.New) {
		cause, d.New, d.Why = "", unmarked(d.New), "known later"
	}
	c.differ(cause, d)
}

func sortedSet(items []string) []string {
	out := slices.Sorted(slices.Values(items))
	return slices.Compact(out)
}

func samePolicy(live, want []byte) bool {
	if len(live) == 0 {
		return false
	}
	var a, b any
	if json.Unmarshal(live, &a) != nil || json.Unmarshal(want, &b) != nil {
		return string(live) == string(want)
	}
	return same(a, b)
}

// tags compares the stack's tags. Since they travel to every resource, a
// difference in deployer's own alone is no change: they ride on the next one.
func (c *comparison) tags() {
	have, want := tagMap(c.state.seen.Live.Tags), tagMap(c.state.desired.Tags)
	var own, adopt []Difference
	for _, key := range sortedKeys(merged(have, want)) {
		o, before := have[key]
		n, after := want[key]
		if before && after && o == n {
			continue
		}
		d := Difference{Part: "tag", Key: key, Old: o, New: n}
		if isLate(n) {
			d.New, d.Why = unmarked(n), "known later"
		}
		if slices.Contains(c.state.desired.Secrets, n) {
			d.Old, d.New = coveredText(o), hidden
		}
		if strings.HasPrefix(key, stacks.TagPrefix) {
			adopt = append(adopt, d)
		} else {
			own = append(own, d)
		}
	}
	riding := len(own) > 0 || len(c.diff) > 0 || c.builder.in.Adopt
	if len(adopt) > 0 && !riding {
		c.notAdopted = true
		return
	}
	if len(own)+len(adopt) > 0 {
		c.tagged = true
		c.diff = append(c.diff, append(own, adopt...)...)
	}
}

// isLate knows the marks between which prepare writes what is known later in a
// text. They are part of what the two agree on, not worth a package.
func isLate(s string) bool { return strings.Contains(s, "⟪") && strings.Contains(s, "⟫") }

func unmarked(s string) string { return strings.NewReplacer("⟪", "", "⟫", "").Replace(s) }

// tagMap leaves out what AWS itself puts on stacks.
func tagMap(tags []stacks.Tag) map[string]string {
	m := make(map[string]string, len(tags))
	for _, t := range tags {
		if !strings.HasPrefix(t.Key, "aws:") {
			m[t.Key] = t.Value
		}
	}
	return m
}

func merged(a, b map[string]string) map[string]string {
	m := maps.Clone(a)
	maps.Copy(m, b)
	return m
}

// outputs looks at what the template reads from other stacks while
// CloudFormation works on it.
func (c *comparison) outputs() {
	for _, r := range c.state.edges.Reads {
		name := r.Key + " of " + string(r.Stack)
		producer := c.builder.states[r.Stack]
		if producer == nil {
			continue
		}
		before, had := outputOf(producer.seen.Live, r.Key)
		now, known := c.builder.known(r.Stack, r.Key)
		switch {
		case !known:
			c.reads = append(c.reads, name)
		case !had || before != now:
			c.differ(name+" changes", Difference{Part: "template", Key: "Fn::GetStackOutput " + name, Old: before, New: now})
		case newer(producer.seen.Live, c.state.seen.Live):
			// A run may have ended between the two.
			c.unsure = append(c.unsure, name+" may have changed since")
		}
	}
}

func newer(a, b *stacks.Live) bool { return a != nil && b != nil && a.Changed().After(b.Changed()) }

func outputOf(live *stacks.Live, key string) (string, bool) {
	if live == nil {
		return "", false
	}
	return live.Output(key)
}
