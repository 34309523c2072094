package cli

import (
	"context"
	"fmt"
	"slices"

	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/stacks"
)

// findBreakAnyhow finds one as findBreak does, to write into its journal. Where the files
// do not say where that is kept, the capsules tell: an entry that only this machine had
// would part its journal from the one that is shared. Where nothing tells it is a refusal.
func (s *session) findBreakAnyhow(ctx context.Context, arg string, openOnly bool) (*knownBreak, error) {
	k, err := s.findBreak(ctx, arg, openOnly)
	if err != nil || k.placed() {
		return k, err
	}
	return k, s.locate(ctx, k)
}

// placed tells whether the files say where the journal of a break is kept: those of an
// environment that may be broken do.
func (k *knownBreak) placed() bool {
	return k.place.env.Declared && k.place.env.Class == stacks.Development
}

// locate finds out where the journal of a break is whose environment the files do not
// describe as it was, and reads it there.
func (s *session) locate(ctx context.Context, k *knownBreak) error {
	at, err := s.kept(ctx, k)
	if err != nil || at.Bucket == "" || len(k.state.Order) == 0 {
		return err
	}
	e := *k.place.env
	e.State = at
	last := k.state.Order[len(k.state.Order)-1] // what goes along, maybe of another environment, comes before
	k.place = area{env: &e, access: k.state.Targets[last].Access}
	k.record.books = s.books(&e, k.place.access)
	k.state, err = k.record.fold(ctx)
	return err
}

// kept is where the journal of a break is shared: by its environment's block where that
// can be read, else by what was captured before anything was broken.
func (s *session) kept(ctx context.Context, k *knownBreak) (stacks.State, error) {
	now := declaredAs(s.project.Environments(), k.state.Environment)
	if now != nil && now.Class == stacks.Development {
		return now.State, nil
	}
	var why error
	from := *k.record
	for _, p := range k.state.Order {
		t := k.state.Targets[p]
		if t.Capsule.Hash == "" {
			continue
		}
		if now != nil && now.State.Bucket != "" { // most likely still the same, for a machine that has the journal only
			from.books = s.books(now, t.Access)
		}
		c, _, err := s.capsule(ctx, &from, t)
		if err != nil {
			why = err
			continue
		}
		if c.Environment.Name != k.state.Environment {
			continue // it went along
		}
		if at, ok := c.Environment.State(); ok {
			return at, nil
		}
		why = fmt.Errorf("the capsule of %s does not say", p)
	}
	switch {
	case why != nil:
		return stacks.State{}, unlocated(k, why.Error())
	case now != nil:
		return now.State, nil
	}
	return stacks.State{}, unlocated(k, "the environment's file does not say, and this machine has no capsule of it")
}

// nearest is a way to the bucket of an environment of which no stack can be read: that of
// its breaks here, else that of other stacks in its regions, none of production. There is
// one bucket of a name, so that the wrong way is an error, and never another journal.
func (s *session) nearest(ctx context.Context, e *stacks.Environment) stacks.Access {
	local := s.books(nil, stacks.Access{})
	ids, _ := local.List(ctx, e.Name)
	for _, id := range slices.Backward(ids) {
		state, err := (&breakRecord{local, e.Name, id, s.now}).fold(ctx)
		if err != nil {
			continue
		}
		for _, p := range state.Order {
			if p.Within(e.Path) {
				return state.Targets[p].Access
			}
		}
	}
	for _, st := range s.project.Stacks() {
		beside := st.Environment != nil && !st.Environment.SaysProduction()
		if beside && (len(e.Regions) == 0 || slices.Contains(e.Regions, st.Access.Region)) {
			return st.Access
		}
	}
	if len(e.Regions) > 0 {
		return stacks.Access{Region: e.Regions[0]}
	}
	return stacks.Access{}
}

// declaredAs is the environment of a name as its block says, nil where no block does.
func declaredAs(all []*stacks.Environment, name string) *stacks.Environment {
	for _, e := range all {
		if e.Declared && e.Name == name {
			return e
		}
	}
	return nil
}

// unlocated refuses to write where others may not see it.
func unlocated(k *knownBreak, why string) error {
	return &guard.Refusal{
		Rule: "journal", Code: exitRefused,
		What: fmt.Sprintf("nothing was written: where the journal of %s is kept cannot be known", k.record.id), Why: why,
		Tip: fmt.Sprintf("give the --var that the files of %s want, mend them, or do this from a checkout in which they can be read; "+
			"what stops it from here all the same is: deployer break lever engage --reason TEXT", k.record.env),
	}
}

// sameJournal refuses to bring back what was broken where the environment keeps its journal
// and its lock elsewhere by now than where the break was begun: whoever watches that would
// not see it. Where they are the same, as in a class that is not broken any more, they are used.
func (b *breaker) sameJournal(ctx context.Context, k *knownBreak) error {
	if k.placed() || b.app.home != "" { // capsules tell, and are made so
		return nil
	}
	at, err := b.s.kept(ctx, k)
	if err != nil {
		return err
	}
	switch now := k.place.env; {
	case at == now.State:
	case at.Bucket != "" && now.State.Bucket != "":
		return elsewhere(k.record.env, now, at, k.state)
	default:
		return &guard.Refusal{
			Rule: "journal", Code: exitRefused, What: fmt.Sprintf("nothing was written: %s, which is %s by now, keeps its journals and its lock elsewhere", k.record.env, k.place.env.Class),
			Why: fmt.Sprintf("those of %s are %s", k.record.id, placeOf(at)), Tip: "deployer recover " + k.record.id + " --from capsule",
		}
	}
	k.record.books = b.s.books(k.place.env, k.place.access)
	k.state, err = k.record.fold(ctx)
	return err
}

func placeOf(at stacks.State) string {
	if at.Bucket == "" {
		return "in the folder where it was begun"
	}
	return "in the bucket " + at.Bucket
}
