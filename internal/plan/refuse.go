package plan

import "github.com/deployer-cli/deployer/stacks"

// Refuse makes a step of a stack that cannot be made ready: it fails with the
// reason when its turn comes, what waits for it is left out, and the rest goes
// on. It is for rehearsals, where what a stack is made of may be out of reach.
func (b *Builder) Refuse(st *stacks.Stack, e Edges, why string) Step {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.state(st, e)
	s.desired = &stacks.Desired{Stack: st}
	s.step.Desired = s.desired
	s.step.After = stacks.SortPaths(append(s.step.After, e.After...))
	b.states[st.Path] = s
	s.block(Create, why, "")
	s.decided = s.step
	return s.step
}
