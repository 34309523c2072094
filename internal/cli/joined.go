package cli

import (
	"context"
	"iter"

	"github.com/deployer-cli/deployer/internal/execute"
	"github.com/deployer-cli/deployer/internal/plan"
	"github.com/deployer-cli/deployer/stacks"
)

// joining gives the planner the last description of what was joined: it is newer
// than any listing, and need not be read again. Of what was not, it tells the planner
// whether the stack has been changed since.
type joining struct {
	execute.Watcher
	planner *planner
}

// Watch implements execute.Watcher.
func (w joining) Watch(ctx context.Context, op stacks.Operation) iter.Seq2[stacks.Progress, error] {
	return func(yield func(stacks.Progress, error) bool) {
		for p, err := range w.Watcher.Watch(ctx, op) {
			switch {
			case err != nil || !p.Done:
			case !op.Joined:
				w.planner.overtakes(op.Path, p.Overtaken)
			case p.Live != nil:
				w.planner.ended(op.Path, p.Live)
			}
			if !yield(p, err) {
				return
			}
		}
	}
}

// ended keeps how a stack was when what somebody else did to it ended. One that was
// deleted by that may stand there anew, and is looked for.
func (p *planner) ended(path stacks.Path, live *stacks.Live) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.joined == nil {
		p.joined, p.dead = map[stacks.Path]*stacks.Live{}, map[stacks.Path]string{}
	}
	if p.joined[path] = live; live.Status == stacks.DeleteComplete {
		delete(p.joined, path)
		p.dead[path] = live.ID
	}
}

// deadID is the id of a stack that was seen to be deleted, "" for none: whatever
// still shows it is a stale read.
func (p *planner) deadID(path stacks.Path) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dead[path]
}

// overtakes notes whether somebody has changed a stack since the operation of ours
// that ended last: then how it is says nothing about what we sent.
func (p *planner) overtakes(path stacks.Path, since bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.overtaken == nil {
		p.overtaken = map[stacks.Path]bool{}
	}
	p.overtaken[path] = since
}

func (p *planner) isOvertaken(path stacks.Path) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.overtaken[path]
}

// asJoined plans a stack by its last description from joining it, once; ok is false
// where there is none.
func (p *planner) asJoined(ctx context.Context, path stacks.Path) (step plan.Step, ok bool, err error) {
	p.mu.Lock()
	live := p.joined[path]
	delete(p.joined, path)
	p.mu.Unlock()
	if live == nil {
		return plan.Step{}, false, nil
	}
	sources := p.sources
	sources.Finder = described{live}
	fresh, err := plan.Observe(ctx, sources, []*stacks.Stack{p.sc.stacks[path]})
	if err != nil {
		return plan.Step{}, true, notRead(err)
	}
	seen, _ := fresh.Get(path)
	p.snapshot.Put(path, seen)
	step, err = p.decide(ctx, path)
	return step, true, err
}

// described is one stack that was described a moment ago.
type described struct{ live *stacks.Live }

// Find implements plan.Finder.
func (d described) Find(context.Context, map[string]stacks.Access) (map[string]*stacks.Live, error) {
	return map[string]*stacks.Live{d.live.Name: d.live}, nil
}
