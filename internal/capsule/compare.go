package capsule

import (
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/internal/cfntemplate"
	"github.com/deployer-cli/deployer/internal/cfnyaml"
	"github.com/deployer-cli/deployer/internal/reattach"
	"github.com/deployer-cli/deployer/stacks"
)

// Difference is one thing that is not as it was captured.
type Difference struct {
	What     string `json:"what"`               // such as "parameter Size", "output Url", "tag team"
	Was      string `json:"was"`                // "" where there was none, or where it is secret
	Is       string `json:"is"`                 // "" where there is none, or where it is secret
	Note     string `json:"note,omitempty"`     // such as "new id"
	Expected bool   `json:"expected,omitempty"` // comes with rebuilding: told, and no difference
}

// Equal tells whether nothing differs but what comes with rebuilding.
func Equal(differences []Difference) bool {
	return !slices.ContainsFunc(differences, func(d Difference) bool { return !d.Expected })
}

// Notes of expected differences.
const (
	noteNewID      = "new id"
	noteAside      = "it was kept, and a new one was made in its place"
	noteSnapshot   = "the snapshot that was left"
	noteNoSnapshot = "names no snapshot of what was deleted"
	noteUncompared = "secret: not compared"
	noteSecret     = "secret: another value"
)

// Compare tells what of a stack is not as it was captured, in a fixed order.
// renamed are the ids of everything that was rebuilt, as Rename gives them; nil
// stands for those of this stack alone. What merely has another id, or another
// value of a rebuilt resource's attribute, is told as expected.
func Compare(c Capsule, now Observation, renamed Renames) []Difference {
	if now.Live == nil {
		return []Difference{{What: "stack", Was: c.Name}}
	}
	if renamed == nil {
		renamed = Rename([]Capsule{c}, map[stacks.Path]Observation{c.Stack: now})
	}
	salt, _ := hex.DecodeString(c.Salt)
	m := &comparison{was: c, now: now, renamed: renamed.ordered(), salt: salt, template: templateOf(c.Template), snapshots: snapshotParameters(c.Break)}
	m.veil = stacks.NewVeil(slices.Collect(maps.Values(now.Secrets))...)
	m.place()
	m.templates()
	m.parameters()
	m.tags()
	m.outputs()
	m.settings()
	m.resources()
	return m.found
}

type comparison struct {
	was      Capsule
	now      Observation
	renamed  []renaming
	salt     []byte
	template *cfntemplate.Template // nil where it cannot be read
	found    []Difference
	veil     stacks.Veil // of what is secret now

	snapshots map[string]string // what the parameters that take snapshots are for
}

func (m *comparison) add(d Difference) {
	if m.veil.Names(d.Is) {
		d.Is = ""
	}
	m.found = append(m.found, d)
}

// value compares two values. attribute says that the value is one of a resource
// which CloudFormation made, so that it is another one for another resource.
func (m *comparison) value(what, was, is string, attribute bool) {
	switch {
	case was == is:
	case substitute(was, m.renamed) == is, attribute && was != "" && is != "" && kind(was) == kind(is):
		m.add(Difference{What: what, Was: was, Is: is, Note: noteNewID, Expected: true})
	default:
		m.add(Difference{What: what, Was: was, Is: is})
	}
}

// secret compares a secret by its hash; is is not known where given is false.
func (m *comparison) secret(what, hash, is string, given bool) {
	switch {
	case !given || hash == "":
		m.add(Difference{What: what, Note: noteUncompared, Expected: true})
	case seal(m.salt, what, is) != hash:
		m.add(Difference{What: what, Note: noteSecret})
	}
}

func (m *comparison) place() {
	m.value("name", m.was.Name, m.now.Live.Name, false)
	m.value("account", m.was.Account, m.now.Live.Account, false)
	m.value("region", m.was.Region, m.now.Live.Region, false)
	if m.was.StackID != m.now.Live.ID {
		m.add(Difference{What: "stack", Was: m.was.StackID, Is: m.now.Live.ID, Note: noteNewID, Expected: true})
	}
}

// templates compares what the templates say, not how they are laid out.
func (m *comparison) templates() {
	now := Kept(m.now.Template)
	m.document("template", m.was.Template.Original, now)
	if m.was.Template.Processed != "" && m.now.Processed != "" && m.was.Template.Original == now {
		m.document("processed template", m.was.Template.Processed, Kept(m.now.Processed))
	}
}

// document compares two documents, YAML or JSON; such as cannot be read, as
// texts.
func (m *comparison) document(what, was, is string) {
	if was == is {
		return
	}
	before, ok1 := plain(was)
	after, ok2 := plain(is)
	d := Difference{What: what, Was: digest(was), Is: digest(is)}
	if ok1 && ok2 {
		places := cfnyaml.Compare(before, after)
		if len(places) == 0 {
			return
		}
		d.Note = told(places)
	}
	m.add(d)
}

func plain(text string) (any, bool) {
	n, _, err := cfnyaml.Parse([]byte(text))
	if err != nil || n.Kind != cfnyaml.Map {
		return nil, false
	}
	return n.Long(), true
}

// told names the first places in which documents differ.
func told(places []cfnyaml.Difference) string {
	const most = 5
	var out []string
	for _, p := range places {
		sign := "~"
		if p.Added {
			sign = "+"
		} else if p.Removed {
			sign = "-"
		}
		out = append(out, sign+strings.Join(p.Path, "."))
	}
	if len(out) > most {
		out = append(out[:most], fmt.Sprintf("and %d more", len(places)-most))
	}
	return strings.Join(out, ", ")
}

// digest stands for a document that is too long to show.
func digest(text string) string {
	if text == "" {
		return ""
	}
	return "sha256:" + seal(nil, "", text)[:12]
}

func (m *comparison) parameters() {
	was, is := map[string]Parameter{}, map[string]stacks.LiveParameter{}
	for _, p := range m.was.Parameters {
		was[p.Key] = p
	}
	for _, p := range m.now.Live.Parameters {
		is[p.Key] = p
	}
	for _, key := range both(was, is) {
		what := "parameter " + key
		before, had := was[key]
		after, has := is[key]
		value, given := m.now.Secrets[key]
		switch {
		case !had:
			m.add(Difference{What: what, Is: after.Value, Note: "added"})
		case !has:
			m.add(Difference{What: what, Was: before.Value, Note: "missing"})
		case before.Secret && before.Default:
		case before.Secret && after.Value != hidden: // secret by its resolver, not by the template
			m.secret(what, before.Hash, after.Value, true)
		case before.Secret:
			m.secret(what, before.Hash, value, given)
		case m.snapshots[key] != "" && m.was.StackID != m.now.Live.ID:
			m.snapshot(key, before.Value, after.Value)
		default:
			m.value(what, before.Value, after.Value, false)
			m.value(what+" (resolved)", before.Resolved, after.Resolved, false)
		}
	}
}

// snapshot compares a parameter that takes the snapshot of what was deleted: it has
// to be another one now.
func (m *comparison) snapshot(key, was, is string) {
	d := Difference{What: "parameter " + key, Was: was, Is: is, Note: noteSnapshot, Expected: true}
	if is == "" || is == was {
		d.Note, d.Expected = noteNoSnapshot, false
	}
	m.add(d)
}

// snapshotParameters reads the parameters that take snapshots off a stack's break
// block; what they are of, by parameter.
func snapshotParameters(block string) map[string]string {
	out := map[string]string{}
	doc, _ := plain(block)
	top, _ := doc.(map[string]any)
	data, _ := top["data"].(map[string]any)
	for id, v := range data {
		holding, _ := v.(map[string]any)
		if p, ok := holding["snapshot_parameter"].(string); ok {
			out[p] = id
		}
	}
	return out
}

func (m *comparison) tags() {
	was, is := map[string]Tag{}, map[string]string{}
	for _, t := range m.was.Tags {
		was[t.Key] = t
	}
	for _, t := range m.now.Live.Tags {
		is[t.Key] = t.Value
	}
	for _, key := range both(was, is) {
		what := "tag " + key
		before, had := was[key]
		after, has := is[key]
		switch {
		case !had:
			m.add(Difference{What: what, Is: after, Note: "added"})
		case !has:
			m.add(Difference{What: what, Was: before.Value, Note: "missing"})
		case before.Secret:
			m.secret(what, before.Hash, after, true)
		default:
			m.value(what, before.Value, after, false)
		}
	}
}

func (m *comparison) outputs() {
	was, is := map[string]Output{}, map[string]stacks.Output{}
	for _, o := range m.was.Outputs {
		was[o.Key] = o
	}
	for _, o := range m.now.Live.Outputs {
		is[o.Key] = o
	}
	for _, key := range both(was, is) {
		what := "output " + key
		before, had := was[key]
		after, has := is[key]
		switch {
		case !had:
			m.add(Difference{What: what, Is: after.Value, Note: "added"})
			continue
		case !has:
			m.add(Difference{What: what, Was: before.Value, Note: "missing"})
			continue
		case before.Secret && !attribute(m.template, key):
			m.secret(what, before.Hash, after.Value, true)
		case before.Secret:
			m.secret(what, "", "", false)
		default:
			m.value(what, before.Value, after.Value, attribute(m.template, key))
		}
		m.value("export of output "+key, before.Export, after.Export, false)
	}
}

func (m *comparison) settings() {
	live := m.now.Live
	m.document("stack policy", m.was.Policy, m.now.Policy)
	if m.was.TerminationProtection != live.TerminationProtection {
		m.add(Difference{What: "termination protection", Was: onOff(m.was.TerminationProtection), Is: onOff(live.TerminationProtection)})
	}
	m.value("service role", m.was.ServiceRole, live.ServiceRole, false)
	m.value("notifications", strings.Join(m.was.Notifications, ","), strings.Join(sorted(live.Notifications), ","), false)
}

func onOff(b bool) string {
	if b {
		return "on"
	}
	return "off"
}

// resources tells which resources are missing, of another type, or new.
func (m *comparison) resources() {
	was, is := map[string]Resource{}, map[string]stacks.Resource{}
	for _, r := range m.was.Resources {
		was[r.LogicalID] = r
	}
	for _, r := range m.now.Resources {
		is[r.LogicalID] = r
	}
	for _, id := range both(was, is) {
		what := "resource " + id
		before, had := was[id]
		after, has := is[id]
		switch {
		case !had:
			m.add(Difference{What: what, Is: after.PhysicalID, Note: "added"})
		case !has:
			m.add(Difference{What: what, Was: before.PhysicalID, Note: "missing"})
		case before.Type != after.Type:
			m.add(Difference{What: what, Was: before.Type, Is: after.Type, Note: "another type"})
		case before.Secret:
			if seal(m.salt, what, after.PhysicalID) != before.Hash {
				m.add(Difference{What: what, Note: noteNewID, Expected: true})
			}
		case before.PhysicalID != after.PhysicalID && reattach.Keeps(before.DeletionPolicy):
			m.add(Difference{What: what, Was: before.PhysicalID, Is: after.PhysicalID, Note: noteAside})
		case before.PhysicalID != after.PhysicalID:
			m.add(Difference{What: what, Was: before.PhysicalID, Is: after.PhysicalID, Note: noteNewID, Expected: true})
		}
	}
}

// both are the keys of two maps, sorted.
func both[A, B any](a map[string]A, b map[string]B) []string {
	all := map[string]bool{}
	for k := range a {
		all[k] = true
	}
	for k := range b {
		all[k] = true
	}
	return sortedKeys(all)
}

// attribute tells whether an output's value is an id or an attribute of a
// resource, by the template that it was captured with.
func attribute(t *cfntemplate.Template, key string) bool {
	if t == nil {
		return false
	}
	refs, attributes := cfntemplate.Refs(t.Outputs[key].Value)
	if len(attributes) > 0 {
		return true
	}
	return slices.ContainsFunc(refs, func(name string) bool {
		_, resource := t.Resources[name]
		return resource || name == "AWS::StackId"
	})
}
