package guard

import (
	"fmt"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/stacks"
)

// cmdBreak destroys on purpose. Its steps pass this wall beside all other rules,
// whatever whoever planned them found: neither of the two trusts the other.
const cmdBreak = "break"

// breaking lists what forbids a step of a break.
func (s *Step) breaking(r *Request) []*Refusal {
	var out []*Refusal
	no := func(rule, why, tip string, args ...any) {
		out = append(out, &Refusal{Rule: rule, Code: exitRefused, What: fmt.Sprintf("%s is not broken", s.Path), Why: fmt.Sprintf(why, args...), Tip: tip})
	}
	e := s.Environment // never nil here
	switch {
	case !e.Declared || e.Class == stacks.Undeclared:
		no("G1", "its environment %s is not declared", fmt.Sprintf("if it may be broken, add to its config.yaml:  environment: {class: development, break: {allow: true}}  and run: deployer launch %s --adopt", e.Name), e.Name)
	case e.Class != stacks.Development:
		no("G1", "its environment %s is %s", "only an environment of class development is broken", e.Name, e.Class)
	case s.Class() != stacks.Development:
		no("G1", "its live stack is %s", "find out which is true: the files say development", s.Class())
	case s.named():
		no("G1", "its name says production", "")
	}
	if allow, ok := e.Break.Get("allow"); !ok || allow.Kind != stacks.Bool || allow.Text != "true" {
		no("G2", "break.allow of %s is not true", "if it may be broken, add to its environment block:  break: {allow: true}", e.Name)
	}
	if s.StackID == "" || s.Account == "" || s.Region == "" {
		no("G3", "which stack it is, in which account and region, is not known", "")
	}
	if why := r.productionAccount(s); why != "" {
		no("G3", "%s", "break in an account of its own; where the team has only one, add break: {shared_account: acknowledged} to the environment block", why)
	}
	for _, want := range s.ownTags(r) {
		if is := soleTag(s.LiveTags, want.Key); want.Value == "" || is != want.Value {
			no("G4", "its live tag %s is %q, the files say %q", fmt.Sprintf("where the tags are missing: deployer launch %s --adopt", s.Path), want.Key, is, want.Value)
		}
	}
	if len(s.Verbs) == 0 || slices.ContainsFunc(s.Verbs, func(v stacks.Verb) bool { return !breaks(v) }) || s.Again || len(s.Asks) > 0 {
		no("G14", "a break deletes, updates or injects, and undoes what it injected; this would do something else", "")
	}
	if s.Deletes != slices.Contains(s.Verbs, stacks.Delete) {
		no("G14", "it would be deleted and not counted, or counted and not deleted", "")
	}
	return out
}

// breaks tells whether a break may use a verb.
func breaks(v stacks.Verb) bool {
	switch v {
	case stacks.Delete, stacks.Update, stacks.Inject, stacks.Restore:
		return true
	default:
		return false
	}
}

// ownTags are the tags that a live stack has to carry.
func (s *Step) ownTags(r *Request) []stacks.Tag {
	return []stacks.Tag{
		{Key: stacks.TagClass, Value: string(stacks.Development)},
		{Key: stacks.TagEnvironment, Value: s.Environment.Name},
		{Key: stacks.TagStack, Value: string(s.Path)},
		{Key: stacks.TagProject, Value: r.Project},
	}
}

// soleTag gives the value of a tag, "" when it is missing or stands there twice.
func soleTag(tags []stacks.Tag, key string) string {
	value, n := "", 0
	for _, t := range tags {
		if t.Key == key {
			value = t.Value
			n++
		}
	}
	if n != 1 {
		return ""
	}
	return value
}

// productionAccount says why a step may lie in the account of production, "" when
// it does not, or the file says that the team has only one.
func (r *Request) productionAccount(s *Step) string {
	if shared, _ := s.Environment.Break.Get("shared_account"); shared.Kind == stacks.Text && shared.Text == "acknowledged" {
		return ""
	}
	if len(r.Environments) == 0 {
		return "the environments of the project are not known"
	}
	for _, e := range r.Environments {
		switch {
		case e == nil:
			return "an environment of the project could not be read"
		case !e.SaysProduction() && e.Class.Strength() < stacks.Production.Strength():
		case len(e.Accounts) == 0:
			return fmt.Sprintf("in which account %s lives is not written down, it may be this one", e.Name)
		case slices.Contains(e.Accounts, s.Account):
			return fmt.Sprintf("account %s is that of the production environment %s", s.Account, e.Name)
		}
	}
	return ""
}

// consent refuses a break that nobody agreed to: --yes, and a run without a
// terminal that carries no plan with its digest. What comes through a pipe is no
// answer.
func (r *Request) consent() *Refusal {
	const tip = "run it at a terminal and type the phrase, or: deployer break plan PATH --out F, then deployer break run --plan F --digest D"
	switch {
	case r.Command != cmdBreak:
		return nil
	case r.Yes:
		return &Refusal{Rule: "G14", Code: exitUnconfirmed, What: "break takes no --yes", Why: "somebody has to read what goes", Tip: tip}
	case !r.Terminal && r.Digest == "":
		return &Refusal{Rule: "G14", Code: exitUnconfirmed, What: "nothing is broken from here", Why: "there is no terminal to type the phrase at, and no plan with its digest", Tip: tip}
	}
	return nil
}

// breakPhrase is what has to be typed for a break: the environments, and the
// number of stacks that are deleted, or touched where none is.
func (r *Request) breakPhrase(environments []string) string {
	n := r.deletedStacks()
	if n == 0 {
		n = len(r.Steps)
	}
	return fmt.Sprintf("%s %d", strings.Join(environments, " "), n)
}
