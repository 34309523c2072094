package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/deployer-cli/deployer/internal/execute"
	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/internal/journal"
	"github.com/deployer-cli/deployer/stacks"
)

// actor is one run of a command that makes a call of its own on stacks as they
// live, and has no plan: cancel, set-policy, making and discarding change sets.
type actor struct {
	app      *app
	command  string // as the guard and the summary name it
	arg      string
	yes      bool
	reason   string // given by a flag, for the history
	digest   string // of the plan that it is about, where somebody gave it
	dryRun   bool
	hooked   bool   // hooks run on the way
	agree    string // asked for where the guard asks nothing
	s        *session
	sc       *scope
	accounts map[stacks.Access]string
	live     map[stacks.Path]*stacks.Live
	outcomes map[stacks.Path]execute.Outcome
	extra    map[string]any // more members of the result in JSON
	calls    int            // made so far, for tokens
	started  time.Time
}

// aim is one stack that an actor wants to call.
type aim struct {
	stack *stacks.Stack
	live  *stacks.Live // nil for a stack that does not exist
	verbs []stacks.Verb
	says  string // what is about to happen, for the reader
}

// deed makes the calls for one stack and tells what became of it.
type deed func(context.Context, journaled, aim) (execute.Outcome, error)

func yesFlag() cli.Flag {
	return &cli.BoolFlag{Name: "yes", Aliases: []string{"y"}, Usage: "do not ask, where the environment's class allows that"}
}

// begin opens, connects, shows the banner and reads how the stacks live.
func (r *actor) begin(ctx context.Context) error {
	r.outcomes = map[stacks.Path]execute.Outcome{}
	var err error
	if r.s, r.sc, err = r.app.look(ctx, r.arg); err != nil {
		return err
	}
	r.started = r.s.now()
	if r.accounts, err = r.s.accountsOf(ctx, r.sc.selected()); err != nil {
		return r.s.failed(err)
	}
	if err = r.s.boundTwins(ctx, r.sc.selected(), r.accounts); err != nil {
		return r.s.failed(err)
	}
	if r.live, err = r.s.sweep(ctx, r.sc.selected()); err != nil {
		return r.s.failed(err)
	}
	return nil
}

// accountsOf gives the account of every access, and refuses those that do not
// belong to their environment. After it programs may have credentials.
func (s *session) accountsOf(ctx context.Context, sts []*stacks.Stack) (map[stacks.Access]string, error) {
	accounts := map[stacks.Access]string{}
	steps := make([]guard.Step, 0, len(sts))
	for _, st := range sts {
		if _, ok := accounts[st.Access]; !ok {
			account, err := s.cloud.Account(ctx, st.Access)
			if err != nil {
				return nil, err
			}
			accounts[st.Access] = account
		}
		steps = append(steps, guard.Step{
			Path: st.Path, Name: st.Name, Account: accounts[st.Access], Region: st.Access.Region, Environment: st.Environment,
		})
	}
	err := guard.Bound(steps)
	s.vetted = err == nil
	return accounts, err
}

// act shows what is about to happen, asks, and does it.
func (r *actor) act(ctx context.Context, aims []aim, do deed) error {
	for _, m := range aims {
		fmt.Fprintf(r.app.talk(), "  %s  %s\n", m.stack.Path, m.says)
	}
	if r.dryRun {
		return nil
	}
	request := r.request(aims)
	custody, err := r.held(ctx, &request, aims)
	if err != nil {
		return err
	}
	answers, err := r.app.ask(ctx, request)
	if err != nil {
		return err
	}
	clearance, err := guard.Check(request, answers)
	if err != nil {
		return err
	}
	if len(answers) == 0 { // else the guard has asked
		if err := r.agreed(ctx); err != nil {
			return err
		}
	}
	if err := custody.open(ctx, &request); err != nil {
		return err
	}
	custody.beat(ctx, lifeSigns{lost: func(err error) { fmt.Fprintf(r.app.talk(), "%s %v\n", r.app.err.Bad("deployer:"), err) }})
	err = r.carryOut(ctx, clearance, aims, custodian{custody, do})
	return errors.Join(err, custody.end(ctx, fmt.Sprintf("exit %d", exitCode(err))))
}

// held looks at the locks, gathers what the guard judges, and asks whether the
// request is forbidden whatever anybody types.
func (r *actor) held(ctx context.Context, request *guard.Request, aims []aim) (*custody, error) {
	sts := make([]*stacks.Stack, 0, len(aims))
	for _, m := range aims {
		sts = append(sts, m.stack)
	}
	c, err := r.s.custody(ctx, r.command, sts)
	if err != nil {
		return nil, err
	}
	c.reason, c.lockless = r.reason, r.command == "cancel"
	request.Locks = c.others()
	if err := r.s.gather(ctx, request, c.areas); err != nil {
		return nil, err
	}
	return c, guard.Forbidden(*request)
}

// custodian is a deed that is done as long as the run holds its locks.
type custodian struct {
	custody *custody
	do      deed
}

// carryOut makes the calls, each after its intent was written down. Once a lock
// is lost no other goes out.
func (r *actor) carryOut(ctx context.Context, clearance guard.Clearance, aims []aim, c custodian) error {
	j, err := journal.Open(r.s.state("journal"), r.s.run)
	if err != nil {
		return err
	}
	defer j.Close() //nolint:errcheck // every intent was synced
	writer := journaled{writer: r.s.cfn.Writer(clearance), journal: j, accounts: r.accounts, gate: c.custody.gate()}
	var errs []error
	for _, m := range aims {
		if lost := c.custody.isLost(); lost != nil {
			r.outcomes[m.stack.Path] = execute.NotStarted
			if !slices.Contains(errs, error(lost)) {
				errs = append(errs, lost)
			}
			continue
		}
		outcome, err := c.do(ctx, writer, m)
		if err != nil {
			outcome, err = r.failure(ctx, m, err)
			errs = append(errs, err)
		}
		r.outcomes[m.stack.Path] = outcome
		if ctx.Err() != nil {
			break // what was not reached stays as it is
		}
	}
	return errors.Join(errs...)
}

func (r *actor) request(aims []aim) guard.Request {
	a := r.app
	request := guard.Request{
		Run: r.s.run, Command: strings.TrimSuffix(r.command, " of"), Realm: r.s.realm, Endpoint: r.s.endpoint,
		Terminal: a.env.person() && a.globals.output == "text", Yes: r.yes, Hooked: r.hooked, Digest: r.digest, Now: r.s.now(), For: clearanceFor,
	}
	for _, m := range aims {
		st := m.stack
		step := guard.Step{
			Path: st.Path, Name: st.Name, Account: r.accounts[st.Access], Region: st.Access.Region,
			Environment: st.Environment, Verbs: m.verbs, Protected: st.Protect, OwnTags: st.OwnTags(), Projects: projectsOf(st),
		}
		if m.live != nil {
			step.StackID, step.LiveTags = m.live.ID, m.live.Tags
		}
		request.Steps = append(request.Steps, step)
	}
	return request
}

// projectsOf lists what the tag deployer:project of a stack may say: its project_id,
// and the project_code, which stood there as long as the project had no id.
func projectsOf(st *stacks.Stack) []string {
	var out []string
	for _, p := range []string{st.ProjectID, st.ProjectCode} {
		if p != "" {
			out = append(out, p)
		}
	}
	return out
}

// failure says which stack an error is about, and what is known of it now.
func (r *actor) failure(ctx context.Context, m aim, err error) (execute.Outcome, error) {
	outcome := execute.Failed
	if _, unknown := errors.AsType[*stacks.UnknownError](err); unknown || ctx.Err() != nil {
		outcome = execute.Unknown
	}
	if errors.Is(err, context.Canceled) {
		return outcome, err
	}
	if lost, ok := errors.AsType[*lockLostError](err); ok {
		return execute.NotStarted, lost
	}
	if step, ok := errors.AsType[*execute.StepError](err); ok {
		return outcome, step
	}
	failed := &execute.StepError{Stack: m.stack.Path, What: r.command + " failed", Why: err.Error(), Cause: err}
	if h, ok := errors.AsType[hinter](err); ok {
		failed.Tip = h.Hint()
	}
	return outcome, failed
}

// target names a live stack for one call, with a token of its own.
func (r *actor) target(m aim) stacks.Target {
	r.calls++
	t := stacks.Target{
		Path: m.stack.Path, Name: m.stack.Name, Access: m.stack.Access, Token: token(r.s.run, m.stack.Path, r.calls),
	}
	if m.live != nil {
		t.StackID, t.Role = m.live.ID, m.live.ServiceRole
	}
	return t
}

// finish ends the run: in text with the error as it is, else with the result
// as one document, failures included.
func (r *actor) finish(err error) error {
	if r.s != nil {
		defer r.s.close() //nolint:errcheck // what matters was synced
	}
	if r.app.globals.output == "text" {
		return err
	}
	doc := resultDocument{
		Kind: "result", OK: err == nil, Exit: exitCode(err), Realm: r.app.realm(), Stacks: r.outcomes, Errors: []resultError{},
	}
	if doc.Stacks == nil {
		doc.Stacks = map[stacks.Path]execute.Outcome{}
	}
	if r.s != nil {
		doc.Calls = r.s.counter.Calls()
	}
	if !r.started.IsZero() {
		doc.Seconds = r.s.now().Sub(r.started).Seconds()
	}
	for _, e := range flatten(err) {
		doc.Errors = append(doc.Errors, asResultError(e))
	}
	if werr := r.write(doc); werr != nil || err == nil {
		return werr
	}
	return &exitError{doc.Exit}
}

// write puts the result on stdout as one line, with what the command adds.
func (r *actor) write(doc resultDocument) error {
	text, err := json.Marshal(doc)
	if err != nil {
		return err
	}
	if len(r.extra) > 0 {
		more, err := json.Marshal(r.extra)
		if err != nil {
			return err
		}
		text = slices.Concat(text[:len(text)-1], []byte(","), more[1:])
	}
	_, err = fmt.Fprintf(r.app.env.Stdout, "%s\n", text)
	return err
}

// done writes the last line of a run that ended well.
func (r *actor) done(text string) {
	if r.app.globals.output == "text" {
		fmt.Fprintln(r.app.env.Stdout, r.app.out.Good(strings.TrimSpace(r.command+" "+r.arg)+": "+text))
	}
}

// twoArguments reads PATH and an argument that has to be there.
func twoArguments(c *cli.Context, second, hint string) (path, other string, err error) {
	args := c.Args().Slice()
	for _, arg := range args {
		if isFlag(arg) {
			return "", "", &usageError{"unknown flag " + arg, "see: deployer " + commandName(c) + " --help"}
		}
	}
	if len(args) != 2 || args[0] == "" || args[1] == "" {
		return "", "", &usageError{fmt.Sprintf("%s needs a PATH and %s", c.Command.Name, second), hint}
	}
	return args[0], args[1], nil
}
