package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/internal/ui"
	"github.com/deployer-cli/deployer/stacks"
)

// environments gives the project's environments that have stacks, each with a
// way to reach it.
func (s *session) environments() ([]area, error) { return areas(s.project.Stacks()) }

// environment finds one by its name.
func (s *session) environment(name string) (area, error) {
	all, err := s.environments()
	if err != nil {
		return area{}, err
	}
	name = strings.TrimSuffix(name, "/")
	names := make([]string, 0, len(all))
	for _, a := range all {
		if a.env.Name == name {
			return a, nil
		}
		names = append(names, a.env.Name)
	}
	hint := didYouMean(name, names)
	if hint == "" {
		hint = "there is: " + strings.Join(names, ", ")
	}
	return area{}, &usageError{fmt.Sprintf("no environment is called %s", name), hint}
}

// standAt opens the project, connects with the caller's own credentials, and
// shows the banner of one environment.
func (a *app) standAt(ctx context.Context, name string) (*session, area, error) {
	s, err := a.open(name)
	if err != nil {
		return nil, area{}, err
	}
	place, err := s.environment(name)
	if err != nil {
		return nil, area{}, s.failed(err)
	}
	if err := s.connect(); err != nil {
		return nil, area{}, s.failed(err)
	}
	if err := s.ownBanner(ctx, place); err != nil {
		return nil, area{}, s.failed(err)
	}
	return s, place, nil
}

// ownBanner shows an environment's banner without taking the project's role:
// whoever approves need not be able to. The account is the one that the
// environment is bound to, else that of the caller's own credentials.
func (s *session) ownBanner(ctx context.Context, a area) error {
	i := slices.IndexFunc(s.project.Stacks(), func(st *stacks.Stack) bool { return st.Environment == a.env })
	if i < 0 {
		return nil
	}
	st := s.project.Stacks()[i]
	who, err := s.caller(ctx, a.access)
	if err != nil {
		s.showBanner(st, "unknown")
		return err
	}
	account := who.Account
	if len(a.env.Accounts) > 0 {
		account = strings.Join(a.env.Accounts, " or ")
	}
	s.showBanner(st, account)
	return nil
}

// me tells who gives something for an environment, and in which folder.
func (s *session) me(ctx context.Context, a area) (guard.Identity, error) {
	return s.caller(ctx, a.access)
}

// typed asks for a phrase at a terminal; what is needed without one is in tip.
func (a *app) typed(ctx context.Context, q guard.Question, tip string) error {
	if !a.env.person() || a.globals.output != "text" {
		return &guard.Refusal{Rule: "confirmation", Code: exitUnconfirmed, What: "nobody said yes", Why: "there is no terminal to ask at", Tip: tip}
	}
	text, err := a.line(ctx, q)
	if err != nil {
		return err
	}
	if strings.TrimSpace(text) != q.Want {
		return &guard.Refusal{Rule: "confirmation", Code: exitUnconfirmed, What: "not confirmed", Why: fmt.Sprintf("what was typed is not %q", q.Want)}
	}
	return nil
}

// line asks one question and returns what was typed, "" at the end of the input.
func (a *app) line(ctx context.Context, q guard.Question) (string, error) {
	if a.prompter == nil {
		a.prompter = ui.NewPrompter(a.talk(), a.env.Stdin, a.err)
	}
	text, err := a.prompter.Ask(ctx, q)
	if err == ui.ErrNoAnswer { //nolint:errorlint // returned as it is
		return "", nil
	}
	return text, err
}
