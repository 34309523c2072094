package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/internal/chaos"
	"github.com/deployer-cli/deployer/internal/steady"
	"github.com/deployer-cli/deployer/stacks"
)

// upLooker implements probe.Stacks over the stacks of the project. What the
// project leaves out (ignore, obsolete) is not looked at.
type upLooker struct {
	s      *session
	sweeps *sharedSweeps
}

// Up looks all stacks up that a pattern names, each where it belongs. Of a project that
// is made of capsules, which has those alone that were broken, the others are as the
// break's journal knows them; what that does not know cannot be told.
func (u *upLooker) Up(ctx context.Context, glob string) (ok bool, why string, err error) {
	all, err := u.s.probable(ctx, glob)
	if err != nil {
		return false, "", err
	}
	var down []string
	for _, st := range all {
		lives, err := u.sweeps.lives(ctx, st.Access)
		if err != nil {
			return false, "", err
		}
		if what := standing(st, lives); what != "" {
			down = append(down, what)
		}
	}
	const most = 3
	switch {
	case len(all) == 0 && u.s.unpacked:
		return false, "", fmt.Errorf("neither the capsules nor the journal tell of a stack %s", glob)
	case len(all) == 0:
		return false, "the project has no stack " + glob, nil
	case len(down) > most:
		down = append(down[:most], fmt.Sprintf("and %d more", len(down)-most))
	}
	return len(down) == 0, strings.Join(down, ", "), nil
}

// probable are the stacks that a pattern names, each with how it is reached.
func (s *session) probable(ctx context.Context, glob string) ([]chaos.Probed, error) {
	var out []chaos.Probed
	for _, st := range s.project.Stacks() {
		if !st.Path.Matches(glob) || st.Ignore || st.Obsolete {
			continue
		}
		at, err := s.located(ctx, st)
		if err != nil {
			return nil, err
		}
		out = append(out, chaos.Probed{Stack: st.Path, Name: st.Name, Access: at.Access})
	}
	for _, p := range s.remembered {
		if p.Stack.Matches(glob) && !slices.ContainsFunc(out, func(o chaos.Probed) bool { return o.Stack == p.Stack }) {
			out = append(out, p)
		}
	}
	return out, nil
}

// probed are all stacks that probes look at, for the journal of a break.
func (s *session) probed(ctx context.Context, probes []steady.Probe) []chaos.Probed {
	var out []chaos.Probed
	for _, p := range probes {
		if p.Stacks == "" {
			continue
		}
		all, err := s.probable(ctx, p.Stacks)
		if err != nil {
			continue // whoever asks it has to find out then
		}
		for _, one := range all {
			if !slices.ContainsFunc(out, func(o chaos.Probed) bool { return o.Stack == one.Stack }) {
				out = append(out, one)
			}
		}
	}
	return out
}

// standing says what keeps a stack from serving, "" when nothing does.
func standing(st chaos.Probed, lives []stacks.Live) string {
	i := slices.IndexFunc(lives, func(l stacks.Live) bool { return l.Name == st.Name && l.Status.Exists() })
	switch {
	case i < 0:
		return string(st.Stack) + " is not there"
	case !lives[i].Status.Serves():
		return string(st.Stack) + " is " + string(lives[i].Status)
	}
	return ""
}
