package cli

import (
	"context"
	"encoding/json"

	"github.com/deployer-cli/deployer/internal/chaos"
	"github.com/deployer-cli/deployer/internal/event"
	"github.com/deployer-cli/deployer/internal/execute"
	"github.com/deployer-cli/deployer/internal/notify"
	"github.com/deployer-cli/deployer/stacks"
)

// announce tells people and programs outside about a moment of the exercise. What
// cannot be told never stops a break. That one is planned they hear before it begins;
// nothing waits longer for who does not listen.
func (b *breaker) announce(ctx context.Context, what string) {
	state, err := b.record.fold(ctx)
	if err != nil {
		return
	}
	told := b.s.announceOf(ctx, &knownBreak{place: b.place, record: b.record, state: state}, what)
	if told != nil && what == event.Planned {
		within(ctx, told, beforehand)
	}
}

// announceOf announces for a break whose journal was read. What it gives is closed when
// all were told, nil where there is nobody.
func (s *session) announceOf(ctx context.Context, k *knownBreak, what string) <-chan struct{} {
	targets, err := notify.Parse(k.place.env.Notify)
	if err != nil || len(targets) == 0 {
		return nil // what is wrong in the block was told when the project was opened
	}
	st := k.state
	a := event.Announcement{
		Event: what, Environment: st.Environment, Break: st.ID, Time: s.now().UTC(), Stacks: st.Order,
		Objective: st.Objective().Seconds(), Realm: s.realm, Account: st.Plan.Account, Region: st.Plan.Region, Exercise: true,
	}
	if took, ok := st.RecoveryTime(); ok {
		a.Seconds = took.Seconds()
	}
	return s.crier.cry(ctx, targets, a, s.notifyPorts(k.place.access))
}

// anyOf is a stack of an environment.
func (s *session) anyOf(e *stacks.Environment) *stacks.Stack {
	for _, st := range s.project.Stacks() {
		if st.Environment == e {
			return st
		}
	}
	return nil
}

// breakResult is the last line of a break or a recovery in JSON.
type breakResult struct {
	resultDocument
	Break *breakDocument `json:"break"`
}

// result writes the last line in JSON, whatever happened.
func (b *breaker) result(err error) error {
	doc := breakResult{resultDocument: resultDocument{
		Kind: "result", OK: err == nil, Exit: exitCode(err), Realm: b.app.realm(), Stacks: map[stacks.Path]execute.Outcome{}, Errors: []resultError{},
	}}
	if b.s != nil {
		doc.Calls = b.s.counter.Calls()
	}
	if b.outcome != nil {
		if b.outcome.result.Outcomes != nil {
			doc.Stacks, doc.Seconds = b.outcome.result.Outcomes, b.outcome.result.Ended.Sub(b.outcome.result.Started).Seconds()
		}
		if b.outcome.state != nil {
			d := documentOf(b.outcome.state)
			doc.Break = &d
		}
	}
	if b.relaunched != nil {
		done := b.relaunched.done
		doc.Stacks, doc.Seconds = done.Outcomes, done.Ended.Sub(done.Started).Seconds()
	}
	for _, e := range flatten(err) {
		one := asResultError(e)
		one.Hint = b.app.advice(one.Hint)
		doc.Errors = append(doc.Errors, one)
	}
	enc := json.NewEncoder(b.app.env.Stdout)
	enc.SetEscapeHTML(false)
	if werr := enc.Encode(doc); werr != nil || err == nil {
		return werr
	}
	return &exitError{doc.Exit}
}

// told announces the end of a break, where this run wrote it down: others watch, too,
// and it is told once.
func (b *breaker) told(ctx context.Context, st *chaos.State) {
	if st == nil || st.Finished == nil || st.FinishedRun != b.s.run {
		return
	}
	switch _, back := st.TurnedBack(); {
	case st.Stamps[chaos.T6].Recorded():
		b.announce(ctx, event.Restored)
	case !back:
		return
	}
	b.announce(ctx, event.Finished)
}
