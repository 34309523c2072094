package cli

import (
	"context"

	"github.com/hashicorp/go-multierror"

	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/stacks"
)

// twins finds what of the given stacks has, by the files alone, the name of a
// rival in the same account and region. Commands that write ask it before
// anything is called.
func (s *session) twins(sts []*stacks.Stack) error {
	var errs *multierror.Error
	for _, st := range sts {
		mine := guard.Accounts(st)
		for _, o := range guard.Rivals(st, s.project.Named(st.Name)) {
			if guard.Meet(mine, guard.Accounts(o)) == guard.Same {
				errs = multierror.Append(errs, guard.Twin(st, o, mine[0], ""))
			}
		}
	}
	return errs.ErrorOrNil()
}

// boundTwins is twins once STS told the stacks' accounts. Where the files do not
// tell the account of the rival STS is asked for that too; what cannot be
// told apart is refused.
func (s *session) boundTwins(ctx context.Context, sts []*stacks.Stack, accounts map[stacks.Access]string) error {
	var errs *multierror.Error
	for _, st := range sts {
		account := accounts[st.Access]
		for _, o := range guard.Rivals(st, s.project.Named(st.Name)) {
			theirs, unknown := guard.Accounts(o), ""
			if guard.Meet([]string{account}, theirs) == guard.Maybe {
				theirs, unknown = s.accountNow(ctx, o)
			}
			switch {
			case unknown != "":
				errs = multierror.Append(errs, guard.Twin(st, o, "", unknown))
			case guard.Meet([]string{account}, theirs) != guard.Apart:
				errs = multierror.Append(errs, guard.Twin(st, o, account, ""))
			}
		}
	}
	return errs.ErrorOrNil()
}

// accountNow asks STS for the account of a stack that the command does not
// concern, or says why it is not known.
func (s *session) accountNow(ctx context.Context, st *stacks.Stack) (accounts []string, unknown string) {
	st, err := s.located(ctx, st)
	if err != nil {
		return nil, err.Error()
	}
	account, err := s.cloud.Account(ctx, st.Access)
	if err != nil {
		return nil, err.Error()
	}
	if account == "" {
		return nil, "STS names none"
	}
	return []string{account}, ""
}
