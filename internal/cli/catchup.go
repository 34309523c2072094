package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/deployer-cli/deployer/internal/cfn"
	"github.com/deployer-cli/deployer/internal/flow"
	"github.com/deployer-cli/deployer/internal/journal"
	"github.com/deployer-cli/deployer/internal/plan"
	"github.com/deployer-cli/deployer/stacks"
)

const (
	recently   = 5 * time.Minute  // what was begun longer ago is shown by every read
	uncertain  = 30 * time.Second // the same of what may never have been begun
	lookAgain  = time.Second      // before the first look at what reads do not show; doubled each time
	lookings   = 6                // of them
	atOnce     = 8                // stacks that are looked at
	journalled = 15 * time.Minute // journals that were written to since are read: the clock of a realm is not that of files
)

// catchUp makes sure that the stacks are seen as the journals say that earlier
// runs left them: an operation that was accepted a moment ago need not be shown
// by a listing yet. It is then read by id, until it is.
func (p *planner) catchUp(ctx context.Context) error {
	if p.s.realm == stacks.RealmSandbox {
		return nil // its time need not go like ours, and it tells what is
	}
	began, err := journal.Operations(p.s.state("journal"), time.Now().Add(-journalled))
	if err != nil {
		return nil //nolint:nilerr // what cannot be read only says less
	}
	var behind []stacks.Path
	for path := range began {
		if p.behind(path, began[path]) {
			behind = append(behind, path)
		}
	}
	wait := lookAgain
	for n := 0; len(behind) > 0 && n < lookings; n++ {
		if n == 1 {
			p.s.warn([]string{fmt.Sprintf("AWS does not show yet what run %s did to %s: waiting for that", began[behind[0]].Run, someOf(behind))})
		}
		if n > 0 {
			if err := flow.Pause(ctx, wait); err != nil {
				return err
			}
			wait *= 2
		}
		gone, err := p.look(ctx, behind, func(path stacks.Path) string { return began[path].StackID })
		if err != nil {
			return err
		}
		behind = slices.DeleteFunc(behind, func(path stacks.Path) bool { return gone[path] || !p.behind(path, began[path]) })
	}
	return nil
}

// behind tells whether a stack is seen as it was before the operation.
func (p *planner) behind(path stacks.Path, last journal.Last) bool {
	st, ours := p.sc.stacks[path]
	seen, looked := p.snapshot.Get(path)
	age := time.Since(last.Time)
	if !ours || !looked || last.Name != st.Name || last.Account != p.accounts[st.Access] || last.Region != st.Access.Region || age > recently {
		return false
	}
	live := seen.Live
	if !last.Known { // whether there is anything to be shown is not known
		return last.Verb == stacks.Create && p.deletes && live == nil && age < uncertain
	}
	switch same := live != nil && live.ID == last.StackID; last.Verb {
	case stacks.Create:
		return live == nil
	case stacks.Delete:
		return same && live.Status.Exists() && !live.Status.InProgress() && live.Status != stacks.DeleteFailed
	default:
		told := live != nil && (p.s.realm != stacks.RealmEndpoint || !live.Updated.IsZero())
		return same && told && !live.Status.InProgress() && live.Changed().Before(last.Accepted)
	}
}

// lately tells whether somebody began something with a stack in the last minutes, as
// far as the journals and its events know. What cannot be read may have been.
func (p *planner) lately(ctx context.Context, st *stacks.Stack, live *stacks.Live) bool {
	began, err := journal.Operations(p.s.state("journal"), time.Now().Add(-journalled))
	if err != nil {
		return true
	}
	if last, ok := began[st.Path]; ok && last.Run != p.s.run && last.Name == st.Name && time.Since(last.Time) < recently {
		return true
	}
	for e, err := range p.s.cfn.Events(ctx, st.Access, live.ID, cfn.EventOptions{Limit: 1}) {
		return err != nil || p.s.now().Sub(e.Time) < recently
	}
	return false
}

// absent looks by name for those of the stacks that the listing did not show: that
// they are not there is what a deletion ends with, and no listing proves it.
func (p *planner) absent(ctx context.Context, paths []stacks.Path) error {
	unseen := slices.DeleteFunc(slices.Clone(paths), func(path stacks.Path) bool {
		seen, looked := p.snapshot.Get(path)
		return !looked || seen.Live != nil
	})
	_, err := p.look(ctx, unseen, func(stacks.Path) string { return "" })
	return err
}

// look reads stacks one by one, by the ids that are known of them, else by name.
// Gone are those that have been deleted, by what their ids say.
func (p *planner) look(ctx context.Context, paths []stacks.Path, id func(stacks.Path) string) (gone map[stacks.Path]bool, err error) {
	errs, ended := make([]error, len(paths)), make([]bool, len(paths))
	flow.Each(ctx, atOnce, len(paths), func(i int) {
		st := p.sc.stacks[paths[i]]
		one := &single{cfn: p.s.cfn, name: st.Name, id: id(paths[i]), dead: p.deadID(paths[i]), forgets: p.s.realm == stacks.RealmEndpoint}
		sources := p.sources
		sources.Finder = one
		fresh, err := plan.Observe(ctx, sources, []*stacks.Stack{st})
		if err != nil {
			errs[i] = err
			return
		}
		seen, _ := fresh.Get(st.Path)
		p.snapshot.Put(st.Path, seen)
		ended[i] = one.gone
	})
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	gone = map[stacks.Path]bool{}
	for i, path := range paths {
		gone[path] = ended[i]
	}
	return gone, errors.Join(errs...)
}

// someOf tells a few of many stacks.
func someOf(paths []stacks.Path) string {
	sorted := stacks.SortPaths(slices.Clone(paths))
	if len(sorted) == 1 {
		return string(sorted[0])
	}
	return fmt.Sprintf("%s and %d more", sorted[0], len(sorted)-1)
}

// single gives one stack: by the id that is known of it, since what is read by id is
// about that stack and no other, and by name where there is none any more.
type single struct {
	cfn     *cfn.Cloud
	name    string
	id      string // "" where none is known
	dead    string // the id of one that is known to be deleted
	forgets bool   // this AWS does not know what it deleted
	gone    bool   // the stack of that id was deleted
}

// Find implements plan.Finder.
func (o *single) Find(ctx context.Context, names map[string]stacks.Access) (map[string]*stacks.Live, error) {
	for _, key := range []string{o.id, o.name} {
		if key == "" || key == o.dead {
			o.gone = o.gone || key != ""
			continue
		}
		live, err := o.cfn.Stack(ctx, names[o.name], key)
		_, absent := errors.AsType[*stacks.NotFoundError](err)
		switch deleted := err == nil && (live.Status == stacks.DeleteComplete || live.ID == o.dead); {
		case absent, deleted:
			o.gone = o.gone || deleted || key == o.id && o.forgets
		case err != nil:
			return nil, err
		default:
			return map[string]*stacks.Live{o.name: &live}, nil
		}
	}
	return nil, nil
}
