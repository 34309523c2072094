package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/deployer-cli/deployer/internal/blast"
	"github.com/deployer-cli/deployer/internal/chaos"
	"github.com/deployer-cli/deployer/stacks"
)

// past tells the guards which breaks are open, and how earlier ones went.
func (b *breaker) past(ctx context.Context, f *blast.Facts) {
	places, err := b.s.breakable(ctx)
	if err != nil {
		f.Open, f.Past = blast.Known[[]blast.Open]{Why: err.Error()}, blast.Known[[]blast.Past]{Why: err.Error()}
		return
	}
	all, err := b.s.breaks(ctx, places)
	if err != nil {
		f.Open, f.Past = blast.Known[[]blast.Open]{Why: err.Error()}, blast.Known[[]blast.Past]{Why: err.Error()}
		return
	}
	var open []blast.Open
	past := []blast.Past{}
	for _, k := range all {
		if k.aside != nil {
			continue
		}
		if k.err != nil && b.beyond(ctx, &k, f.Account) {
			continue
		}
		if k.err != nil {
			f.Open, f.OpenFix = blast.Known[[]blast.Open]{Why: k.err.Error()}, hintOf(k.err)
			f.Past = blast.Known[[]blast.Past]{Why: f.Open.Why}
			return
		}
		if st := k.state; st.ID != b.id {
			if st.Open() {
				open = append(open, blast.Open{ID: st.ID, Environment: st.Environment, By: st.Plan.By, Since: st.Planned, Stacks: st.Order})
			}
			past = append(past, pastOf(st)...)
		}
	}
	f.Open = blast.Known[[]blast.Open]{Value: open, Read: true}
	f.Past = blast.Known[[]blast.Past]{Value: past, Read: true}
}

// pastOf lists what was broken in an earlier break, and what became of it.
func pastOf(st *chaos.State) []blast.Past {
	if !st.Touched() {
		return nil
	}
	var out []blast.Past
	took, _ := st.RecoveryTime()
	for _, p := range st.Order {
		t := st.Targets[p]
		if t.Status == chaos.StatusPlanned || t.Status == chaos.StatusRefused {
			continue // it stayed as it was
		}
		out = append(out, blast.Past{
			Break: st.ID, Kind: st.Plan.Kind, Stack: p, At: st.Planned, Recovered: t.Status == chaos.StatusRestored, Seconds: took.Seconds(), Objective: st.Objective().Seconds(),
		})
	}
	return out
}

// beyond tells whether a break that cannot be read, or those that cannot be listed, are
// none of this one's business, and says so once: nothing of theirs is in the account
// that is broken. A journal that is damaged is a break that may be open, wherever it is.
func (b *breaker) beyond(ctx context.Context, k *knownBreak, account string) bool {
	if _, damaged := errors.AsType[*damagedError](k.err); damaged || account == "" || k.place.env.Name == b.place.env.Name || b.s.reaches(ctx, k.place.env, account) {
		return false
	}
	if _, told := b.warned.LoadOrStore(k.err.Error(), true); !told {
		fmt.Fprintf(b.app.talk(), "%s %v; it is in another account, and does not keep this break\n", b.app.err.Warn("warning:"), k.err)
	}
	return true
}

// reaches tells whether anything of an environment is, or may be, in an account.
func (s *session) reaches(ctx context.Context, e *stacks.Environment, account string) bool {
	if len(e.Accounts) > 0 {
		return slices.Contains(e.Accounts, account)
	}
	var asked []stacks.Access
	for _, st := range s.project.Stacks() {
		if st.Environment == nil || st.Environment.Name != e.Name {
			continue
		}
		at, err := s.located(ctx, st)
		if err != nil {
			return true
		}
		if slices.Contains(asked, at.Access) {
			continue
		}
		asked = append(asked, at.Access)
		if is, err := s.cloud.Account(ctx, at.Access); err != nil || is == account {
			return true
		}
	}
	return len(asked) == 0
}

// unlistedError says that the breaks of an environment cannot be listed.
type unlistedError struct {
	env   *stacks.Environment
	cause error
}

func (e *unlistedError) Error() string {
	return fmt.Sprintf("the breaks of %s cannot be listed: %v", e.env.Name, e.cause)
}

// Unwrap gives the cause.
func (e *unlistedError) Unwrap() error { return e.cause }

// Hint tells where they are.
func (e *unlistedError) Hint() string {
	hint := cmp.Or(hintOf(e.cause), "let the caller list it (s3:ListBucket)")
	if e.env.State.Bucket == "" {
		return hint
	}
	return fmt.Sprintf("they are in the bucket %s, which state: of %s names: %s", e.env.State.Bucket, e.env.Name, hint)
}

// tellUnlisted warns that there may be more breaks than those that are known.
func (s *session) tellUnlisted(all []knownBreak) {
	for _, k := range all {
		if _, unlisted := errors.AsType[*unlistedError](k.err); unlisted {
			fmt.Fprintf(s.app.talk(), "%s %v\n", s.app.err.Warn("warning:"), k.err)
		}
	}
}
