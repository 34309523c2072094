package cli

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"

	"github.com/deployer-cli/deployer/internal/awsconf"
	"github.com/deployer-cli/deployer/internal/cfn"
	"github.com/deployer-cli/deployer/internal/chaos"
	awscloud "github.com/deployer-cli/deployer/internal/cloud"
	"github.com/deployer-cli/deployer/internal/logbook"
	"github.com/deployer-cli/deployer/internal/sandbox"
	"github.com/deployer-cli/deployer/internal/sandbox/store"
	"github.com/deployer-cli/deployer/stacks"
)

// watchedFor is a clock that lets the sandbox's time pass, and ends a watch after so many
// looks.
type watchedFor struct {
	server *sandbox.Server
	now    func() time.Time
	looks  int
	end    func()
}

func (c *watchedFor) Now() time.Time { return c.now() }

func (c *watchedFor) Wait(ctx context.Context, d time.Duration) error {
	if c.looks--; c.looks <= 0 {
		c.end()
		return ctx.Err()
	}
	_, err := c.server.Advance(ctx, d)
	return err
}

// team is a session in a sandbox of its own, and people who work there beside it.
type team struct {
	*session

	t      *testing.T
	access stacks.Access
	people *cloudformation.Client
	config aws.Config // theirs
}

func newTeam(t *testing.T) *team {
	t.Helper()
	server := sandbox.New(sandbox.Options{Store: store.NewMemory(), Speed: sandbox.MaxSpeed})
	configs := awsconf.New(awsconf.Options{Realm: stacks.RealmSandbox, HTTPClient: server.Client(), Endpoint: sandbox.Endpoint, Keys: &awsconf.Keys{ID: "AKID", Secret: "s"}})
	account := func(context.Context, stacks.Access) (string, error) { return "123456789012", nil }
	out := &team{t: t, access: stacks.Access{Region: "eu-west-1"}, session: &session{
		run: "r", app: &app{env: Env{Now: time.Now}}, server: server, configs: configs, cloud: awscloud.New(awscloud.Options{Config: configs.Config, Realm: stacks.RealmSandbox, Run: "r"}),
		cfn: cfn.New(cfn.Options{Config: configs.Config, Account: account, Realm: stacks.RealmSandbox}),
	}}
	out.now = out.simulated
	var err error
	if out.config, err = configs.Config(t.Context(), out.access); err != nil {
		t.Fatal(err)
	}
	out.people = cloudformation.NewFromConfig(out.config)
	return out
}

// create makes a stack, and delete takes one away, to the end.
func (p *team) create(name string) (id string) {
	p.t.Helper()
	return p.createOf(name, "Resources: {Q: {Type: \"AWS::SQS::Queue\"}}")
}

func (p *team) createOf(name, template string) (id string) {
	p.t.Helper()
	out, err := p.people.CreateStack(p.t.Context(), &cloudformation.CreateStackInput{StackName: &name, TemplateBody: &template})
	if err == nil {
		_, err = p.server.Advance(p.t.Context(), time.Hour)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	return *out.StackId
}

func (p *team) delete(id, token string) {
	p.t.Helper()
	_, err := p.people.DeleteStack(p.t.Context(), &cloudformation.DeleteStackInput{StackName: &id, ClientRequestToken: &token})
	if err == nil {
		_, err = p.server.Advance(p.t.Context(), time.Hour)
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

// TestTheAnswerThatWasLost: a deletion that was announced, and of which nobody has an
// answer, counts from when AWS took it, as its token in the stack's events tells. What
// somebody else deleted instead is not ours.
func TestTheAnswerThatWasLost(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		token   string // with which it was deleted
		rebuilt bool   // before anybody looks
	}{
		"ours":               {"t1", false},
		"ours, rebuilt":      {"t1", true},
		"another's":          {"Console-DeleteStack-1", false},
		"another's, rebuilt": {"Console-DeleteStack-1", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newTeam(t)
			id := p.create("web")
			r := &breakRecord{logbook.New(t.TempDir(), "r", nil), "dev", logbook.NewID(p.now()), p.now}
			step := chaos.Step{Stack: "dev/web", Name: "web", StackID: id, Verb: stacks.Delete, Access: p.access}
			err := errors.Join(
				r.Write(t.Context(), chaos.KindPlan, chaos.Plan{ID: r.id, Environment: "dev", MaxDuration: 3600, Detail: []byte("{}"), Steps: []chaos.Step{step}}),
				r.Write(t.Context(), chaos.KindClearance, chaos.Consent{Run: "r"}),
				r.Write(t.Context(), chaos.KindIntent, chaos.Intent{Stack: "dev/web", StackID: id, Verb: stacks.Delete, Token: "t1", For: chaos.ToBreak}),
			)
			if err != nil {
				t.Fatal(err)
			}
			announced := p.now()
			p.delete(id, tt.token)
			if tt.rebuilt {
				p.create("web")
			}
			state, err := r.fold(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			down := new(atomic.Bool)
			down.Store(true)
			look := &looker{s: p.session, record: r, down: down, by: map[string]made{}, insides: map[string]inside{}}
			_, why := chaos.Watch(ctx, chaos.Watching{State: state, Every: lookEvery, Run: "r"}, look, r, &watchedFor{p.server, p.now, 5, cancel}, unheard{})
			if state, err = r.fold(t.Context()); err != nil { // nothing was captured, so that what is back cannot be compared
				t.Fatal(err)
			}
			deadline, known := state.Deadline()
			broken := state.Stamps[chaos.T0]
			if ours := tt.token == "t1"; known != ours || ours && (broken.At.Before(announced) || broken.At.After(announced.Add(time.Minute)) || !deadline.After(announced)) {
				t.Errorf("announced %s, broken %+v, deadline %s (%t): %v", announced, broken, deadline, known, why)
			}
			if end, unbroken := state.Unbroken(); unbroken != (tt.rebuilt && tt.token != "t1") {
				t.Errorf("unbroken %t: %+v", unbroken, end)
			}
		})
	}
}
