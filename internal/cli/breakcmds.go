package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/deployer-cli/deployer/internal/chaos"
	"github.com/deployer-cli/deployer/internal/event"
	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/internal/ui"
	"github.com/deployer-cli/deployer/stacks"
)

// withBreaks opens the project, connects, and hands over what do needs. The journals
// alone are enough: neither a look nor an off switch needs every file to be readable.
func (a *app) withBreaks(c *cli.Context, do func(context.Context, *session, string) error) error {
	arg, err := a.path(c, false)
	if err != nil {
		return err
	}
	s, err := a.openAnyhow()
	if err != nil {
		return err
	}
	defer s.close() //nolint:errcheck // what matters was synced
	if err := s.connect(); err != nil {
		return err
	}
	return do(c.Context, s, arg)
}

// breakDocument is a break as JSON.
type breakDocument struct {
	ID          string                       `json:"id"`
	Environment string                       `json:"environment"`
	Open        bool                         `json:"open"`
	Kind        string                       `json:"kind"`
	Argument    string                       `json:"argument,omitempty"` // of the kind
	Planned     time.Time                    `json:"planned"`
	By          string                       `json:"by"`
	Digest      string                       `json:"digest"`
	Realm       stacks.Realm                 `json:"realm"`
	Account     string                       `json:"account"`
	Region      string                       `json:"region"`
	Stopped     *chaos.Stop                  `json:"stopped,omitempty"`
	Finished    *chaos.Finish                `json:"finished,omitempty"`
	Stamps      map[string]*chaos.Stamp      `json:"stamps"` // null: not recorded
	Seconds     *float64                     `json:"recovery_seconds"`
	Objective   float64                      `json:"objective_seconds"`
	Met         *bool                        `json:"met"`
	Equal       bool                         `json:"equal"`
	Stacks      map[stacks.Path]targetInWord `json:"stacks"`
	Unusable    string                       `json:"unusable,omitempty"` // why its journal tells nothing
}

// targetInWord is one stack of a break as JSON.
type targetInWord struct {
	Status      chaos.Status `json:"status"`
	StackID     string       `json:"stack_id"`
	NewID       string       `json:"new_id,omitempty"`
	By          chaos.By     `json:"by,omitempty"`
	Reason      string       `json:"reason,omitempty"`
	Empty       []string     `json:"empty,omitempty"` // what is new and empty in it, so that it is not back
	Differences any          `json:"differences,omitempty"`

	Resources []resourceInWord `json:"resources,omitempty"` // that were broken behind the stack's back
}

// resourceInWord is one resource of a break as JSON.
type resourceInWord struct {
	LogicalID  string       `json:"logical_id"`
	PhysicalID string       `json:"physical_id"`
	Type       string       `json:"type"`
	Says       string       `json:"says"` // what was to be done to it
	Status     chaos.Status `json:"status"`
	Broken     *time.Time   `json:"broken"` // when AWS accepted that, null: not recorded
	Back       *time.Time   `json:"back"`
}

// resourcesOf lists what was broken of a stack that was not deleted.
func resourcesOf(t *chaos.Target) []resourceInWord {
	var out []resourceInWord
	for _, d := range t.Deeds {
		if d.Injection == nil {
			continue
		}
		one := resourceInWord{
			LogicalID: d.Injection.LogicalID, PhysicalID: d.Injection.PhysicalID, Type: d.Injection.Type, Says: d.Injection.Says, Status: d.Status,
		}
		if !d.Accepted.IsZero() {
			one.Broken = &d.Accepted
		}
		if !d.Back.IsZero() {
			one.Back = &d.Back
		}
		out = append(out, one)
	}
	return out
}

func documentOf(st *chaos.State) breakDocument {
	d := breakDocument{
		ID: st.ID, Environment: st.Environment, Open: st.Open(), Kind: st.Plan.Kind, Argument: st.Plan.Argument, Planned: st.Planned, By: st.Plan.By, Digest: st.Plan.Digest,
		Realm: st.Plan.Realm, Account: st.Plan.Account, Region: st.Plan.Region, Stopped: st.Stopped, Finished: st.Finished,
		Stamps: map[string]*chaos.Stamp{}, Objective: st.Objective().Seconds(), Equal: st.Equal(), Stacks: map[stacks.Path]targetInWord{},
	}
	for m := range chaos.Moment(len(st.Stamps)) {
		if stamp := st.Stamps[m]; stamp.Recorded() {
			d.Stamps[m.String()] = &stamp
		} else {
			d.Stamps[m.String()] = nil
		}
	}
	if took, ok := st.RecoveryTime(); ok {
		d.Seconds = new(took.Seconds())
	}
	if met, ok := st.Met(); ok {
		d.Met = &met
	}
	for p, t := range st.Targets {
		one := targetInWord{Status: t.Status, StackID: t.StackID, NewID: t.NewID, By: t.By, Reason: t.Reason, Empty: t.Empty, Resources: resourcesOf(t)}
		if len(t.Differences) > 0 {
			one.Differences = t.Differences
		}
		d.Stacks[p] = one
	}
	return d
}

func (a *app) breakStatusCommand() *cli.Command {
	return &cli.Command{
		Name: "status", Usage: "show what is broken now", ArgsUsage: "[ID|PATH]",
		Action: func(c *cli.Context) error {
			return a.withBreaks(c, func(ctx context.Context, s *session, arg string) error { return s.listBreaks(ctx, arg, true) })
		},
	}
}

func (a *app) breakListCommand() *cli.Command {
	return &cli.Command{
		Name: "list", Usage: "list all breaks, the latest last", ArgsUsage: "[ID|PATH]",
		Action: func(c *cli.Context) error {
			return a.withBreaks(c, func(ctx context.Context, s *session, arg string) error { return s.listBreaks(ctx, arg, false) })
		},
	}
}

func (a *app) breakShowCommand() *cli.Command {
	return &cli.Command{
		Name: "show", Usage: "show one break: its moments, its stacks, what came back different", ArgsUsage: "[ID|PATH]",
		Description: "Without an argument the one that is open, else the last.",
		Action: func(c *cli.Context) error {
			return a.withBreaks(c, func(ctx context.Context, s *session, arg string) error {
				k, err := s.openOrLast(ctx, arg)
				if err != nil {
					return err
				}
				if done, err := a.document(documentOf(k.state)); done {
					return err
				}
				ui.ShowExercise(a.env.Stdout, a.out, k.state, s.readable(ctx), a.outColumns())
				return nil
			})
		},
	}
}

func (a *app) breakStopCommand() *cli.Command {
	return &cli.Command{
		Name: "stop", Usage: "start nothing further of a running break; what goes down, goes down", ArgsUsage: "[ID]",
		Flags: []cli.Flag{&cli.StringFlag{Name: "reason", Usage: "why"}},
		Action: func(c *cli.Context) error {
			return a.withBreaks(c, func(ctx context.Context, s *session, arg string) error {
				_, err := s.stopBreak(ctx, arg, chaos.ByStop, c.String("reason"))
				return err
			})
		},
	}
}

// stopBreak writes the stop down; whoever runs the break sees it at the next look
// and before the next call.
func (s *session) stopBreak(ctx context.Context, arg, by, reason string) (*knownBreak, error) {
	k, err := s.findBreakAnyhow(ctx, arg, true)
	if err != nil {
		return nil, err
	}
	if k.state.Finished != nil {
		fmt.Fprintf(s.app.talk(), "%s is over already: %s\n", k.record.id, k.state.Finished.Result)
		return k, nil
	}
	if reason == "" {
		reason = "by " + s.app.from()
	}
	if k.state.Stopped == nil {
		if err := k.record.Write(ctx, chaos.KindStop, chaos.Stop{By: by, Why: reason}); err != nil {
			return nil, err
		}
		s.announceOf(ctx, k, event.Stopped)
	}
	fmt.Fprintf(s.app.talk(), "%s %s: nothing further starts; a deletion that runs cannot be called back\n", s.app.err.Warn("stopped"), k.record.id)
	return k, nil
}

func (a *app) breakHaltCommand() *cli.Command {
	return &cli.Command{
		Name: "halt", Usage: "stop a break, and then recover what is down", ArgsUsage: "[ID]",
		Flags: []cli.Flag{&cli.StringFlag{Name: "reason", Usage: "why"}, yesFlag()},
		Action: func(c *cli.Context) error {
			id, from := "", "config"
			err := a.withBreaks(c, func(ctx context.Context, s *session, arg string) error {
				k, err := s.stopBreak(ctx, arg, chaos.ByHalt, c.String("reason"))
				if err == nil {
					if id = k.record.id; s.unread != nil {
						from = "capsule"
					}
					err = s.settled(ctx, k)
				}
				return err
			})
			switch {
			case err != nil && id != "":
				return haltedAs(err, id)
			case err != nil:
				return err
			}
			return a.recover(c.Context, recoverOptions{arg: id, yes: c.Bool("yes"), from: from, halted: true})
		},
	}
}

// settled waits until what was being deleted is gone: only then can it come back.
func (s *session) settled(ctx context.Context, k *knownBreak) error {
	look, told := s.lookerOf(k), 0
	for {
		st, err := look.Refold(ctx)
		if err != nil {
			return err
		}
		sights, err := look.Look(ctx, st)
		if err != nil {
			return err
		}
		busy := 0
		for p, t := range st.Targets {
			if sight := sights[p]; t.NewID == "" && sight.ID == t.StackID && sight.Status.InProgress() {
				busy++
			}
		}
		if busy == 0 {
			return nil
		}
		if busy != told {
			told = busy
			fmt.Fprintf(s.app.talk(), "waiting until %d more %s gone\n", busy, map[bool]string{true: "is", false: "are"}[busy == 1])
		}
		if err := s.clock().Wait(ctx, lookEvery); err != nil {
			return err
		}
	}
}

func (a *app) breakCloseCommand() *cli.Command {
	return &cli.Command{
		Name: "close", Usage: "end an exercise that will not be equal, or not be recovered, with a reason", ArgsUsage: "[ID]",
		Flags: []cli.Flag{&cli.StringFlag{Name: "reason", Usage: "why; it stands in the report"}},
		Action: func(c *cli.Context) error {
			if strings.TrimSpace(c.String("reason")) == "" {
				return &usageError{"break close needs --reason TEXT", "it stands in the report"}
			}
			return a.withBreaks(c, func(ctx context.Context, s *session, arg string) error {
				return s.closeBreak(ctx, arg, c.String("reason"))
			})
		},
	}
}

// closeBreak ends an exercise, with what is not back as it is.
func (s *session) closeBreak(ctx context.Context, arg, reason string) error {
	a := s.app
	k, err := s.findBreakAnyhow(ctx, arg, true)
	if damaged, ok := errors.AsType[*damagedError](err); ok && damaged.k.record.id == arg {
		return s.putAside(ctx, damaged, reason)
	}
	if err != nil {
		return err
	}
	if k.state.Finished != nil {
		fmt.Fprintf(a.env.Stdout, "%s is over already: %s\n", k.record.id, k.state.Finished.Result)
		return nil
	}
	if k.state.Stopped == nil && k.state.Pending() {
		if err := k.record.Write(ctx, chaos.KindStop, chaos.Stop{By: chaos.ByStop, Why: "closed: " + reason}); err != nil {
			return err
		}
	}
	if err := k.record.Write(ctx, chaos.KindFinish, chaos.Finish{Why: reason, Result: "closed"}); err != nil {
		return err
	}
	if st, err := k.record.fold(ctx); err == nil && st.FinishedRun == s.run {
		s.announceOf(ctx, k, event.Finished)
	}
	fmt.Fprintf(a.env.Stdout, "%s %s\n", a.out.Good("closed"), k.record.id)
	if down := k.state.Broken(); len(down) > 0 {
		fmt.Fprintln(a.talk(), a.err.Warn("note:"), a.advice(fmt.Sprintf("not back: %s; get that with: deployer recover %s", pathsOf(down), k.record.id)))
	}
	return nil
}

func (a *app) breakResumeCommand() *cli.Command {
	return &cli.Command{
		Name: "resume", Usage: "go on with a break after a crash, or watch it again", ArgsUsage: "[ID]",
		Description: "Asks AWS by stack id what became of every call that was announced. What was sent is\nadopted; what the team has rebuilt is left alone. What was not sent is asked for again,\nwith all guards and the phrase.",
		Flags: []cli.Flag{
			&cli.DurationFlag{Name: "pause", Usage: "wait `D` between one target and the next (default: as the break began)"},
			&cli.BoolFlag{Name: "no-auto-recover", Usage: "leave it broken when the environment's max_duration is over"},
			&cli.BoolFlag{Name: "detach", Usage: "only find out how it stands"},
		},
		Action: func(c *cli.Context) error {
			arg, err := a.path(c, false)
			if err != nil {
				return err
			}
			o := breakOptions{command: "resume", pause: c.Duration("pause"), noRecover: c.Bool("no-auto-recover"), detach: c.Bool("detach"), paused: c.IsSet("pause")}
			if o.pause < 0 {
				return &usageError{fmt.Sprintf("--pause %s: it cannot be negative", o.pause), ""}
			}
			b := newBreaker(a, o)
			err = b.resume(c.Context, arg)
			if b.s != nil {
				err = errors.Join(err, b.s.close())
			}
			if a.globals.output == "text" {
				return err
			}
			return b.result(err)
		},
	}
}

// confirmedAt is the time at which a person agreed, for refusals.
func noTerminal(what string) error {
	return &guard.Refusal{Rule: "G14", Code: exitUnconfirmed, What: what, Why: "there is no terminal to ask at", Tip: "run it at a terminal"}
}
