package prepare

import (
	"strings"

	"github.com/hashicorp/go-multierror"

	"github.com/deployer-cli/deployer/stacks"
	"github.com/deployer-cli/deployer/templates"
)

// Check finds before anything starts what CloudFormation would refuse when a
// stack's turn has come: parameters that its template does not have, those that
// are missing, literal values that break a constraint, and references in the
// template that lead nowhere. What a resolver gave
// is left to CloudFormation, for it is not the project's files that are wrong.
// The error is a *multierror.Error of *stacks.Problem.
func (p *Preparer) Check(d *stacks.Desired) error {
	if d.BodyLate {
		return nil
	}
	t, err := p.ports.Parser.Parse(d.Body)
	if err != nil {
		return nil //nolint:nilerr // Prepare has told of it, or the template is not there yet
	}
	m := &making{stack: d.Stack}
	for _, f := range templates.CheckParameters(t, d.Parameters) {
		given, ok := fieldOf(d.Stack, f.Key)
		if ok && f.Broken && given.Value.HasCall() {
			continue
		}
		m.fail(m.wrong(given.Pos, "parameter "+f.Key, f.Why, f.Tip))
	}
	for _, e := range t.Check() {
		if certain(e.Message) {
			m.fail(m.wrong(d.Stack.Template.Pos, "template "+d.Stack.Template.Path, e.Message, "see: deployer validate "+string(d.Stack.Path)))
		}
	}
	return m.errs.ErrorOrNil()
}

// certain tells whether a complaint about a template does not depend on what
// CloudFormation knows today: types and attributes are added all the time, but
// a reference to nothing stays one.
func certain(complaint string) bool {
	for _, begin := range [...]string{
		"Template format error: Unresolved", "Unresolved resource dependencies", "Circular dependency",
		"Template format error: Number of", "Template error: unresolved condition",
	} {
		if strings.HasPrefix(complaint, begin) {
			return true
		}
	}
	return false
}

// CheckAll checks stacks and tells everything at once.
func (p *Preparer) CheckAll(ds []*stacks.Desired) error {
	var all *multierror.Error
	for _, d := range ds {
		if err := p.Check(d); err != nil {
			all = multierror.Append(all, err)
		}
	}
	return all.ErrorOrNil()
}

// fieldOf gives the parameter as the config has it; the last one counts.
func fieldOf(st *stacks.Stack, key string) (found stacks.Field, ok bool) {
	for _, f := range st.Parameters {
		if f.Key == key {
			found, ok = f, true
		}
	}
	return found, ok
}
