package prepare

import (
	"github.com/hashicorp/go-multierror"

	"github.com/deployer-cli/deployer/stacks"
	"github.com/deployer-cli/deployer/templates"
)

// Check finds before anything starts what CloudFormation would refuse when a
// stack's turn has come: parameters that its template does not have, those that
// are missing, and literal values that break a constraint. What a resolver gave
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
	return m.errs.ErrorOrNil()
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
