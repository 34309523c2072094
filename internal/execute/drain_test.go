package execute_test

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deployer-cli/deployer/internal/awsconf"
	"github.com/deployer-cli/deployer/internal/cfn"
	"github.com/deployer-cli/deployer/internal/cloud"
	"github.com/deployer-cli/deployer/internal/event"
	"github.com/deployer-cli/deployer/internal/execute"
	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/internal/plan"
	"github.com/deployer-cli/deployer/internal/sandbox"
	"github.com/deployer-cli/deployer/internal/sandbox/store"
	"github.com/deployer-cli/deployer/stacks"
)

// person asks the sandbox for things, and leaves once it has answered what is meant.
type person struct {
	server *sandbox.Server
	writes []string // what was asked, and how it was answered
	leaves string   // after that
	leave  func()
}

// Do implements awsconf.HTTPClient.
func (p *person) Do(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	answer, err := p.server.Client().Do(r)
	form, _ := url.ParseQuery(string(body)) // empty where it is no call of CloudFormation's
	asked := form.Get("Action")
	if r.Method == http.MethodPut {
		asked = "upload"
	}
	if asked == "upload" || strings.HasSuffix(asked, "Stack") {
		p.writes = append(p.writes, asked)
		if asked == p.leaves {
			p.leave()
		}
	}
	return answer, err
}

// ports reach the sandbox as the application does.
func (p *person) ports(t *testing.T, access stacks.Access) execute.Ports {
	t.Helper()
	configs := awsconf.New(awsconf.Options{
		Realm: stacks.RealmSandbox, HTTPClient: p, Endpoint: sandbox.Endpoint, Keys: &awsconf.Keys{ID: "sandbox", Secret: "sandbox"},
	})
	t.Cleanup(configs.Endure())
	aws := cloud.New(cloud.Options{Config: configs.Config, Realm: stacks.RealmSandbox, Run: "r"})
	account, err := aws.Account(t.Context(), access)
	if err != nil {
		t.Fatal(err)
	}
	clearance, err := guard.Check(guard.Request{
		Run: "r", Command: "launch", Yes: true, Now: time.Now(), For: time.Hour,
		Steps: []guard.Step{{
			Path: "a", Name: "a", Account: account, Region: access.Region, Verbs: []stacks.Verb{stacks.Create, stacks.Upload},
			Environment: &stacks.Environment{Name: "dev", Class: stacks.Development, Declared: true},
		}},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	all := cfn.New(cfn.Options{
		Config: configs.Config, Account: aws.Account, Realm: stacks.RealmSandbox, Run: "r",
		Uploader: func(c guard.Clearance, t stacks.Target) cfn.Uploader { return aws.Writer(c, t) },
	})
	return execute.Ports{Changer: all.Writer(clearance), Mender: all.Writer(clearance), Watcher: all, Decider: &service{}, Reader: all, Gated: awsconf.GatedFirst}
}

// What AWS refused for the moment, or has not been asked yet, is not asked for once the
// run drains.
func TestNothingIsAskedForAgainOnceDraining(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("#", 52_000) + "\n"
	for name, c := range map[string]struct {
		fault   sandbox.Fault
		comment string
		leaves  string
		want    execute.Outcome
		writes  string
	}{
		"throttled":   {sandbox.Fault{Action: "CreateStack", Throttle: true, Count: 1}, "", "CreateStack", execute.NotStarted, "CreateStack"},
		"expired":     {sandbox.Fault{Action: "CreateStack", Expire: true, Count: 1}, "", "CreateStack", execute.NotStarted, "CreateStack"},
		"uploaded":    {sandbox.Fault{}, large, "upload", execute.NotStarted, "upload"},
		"answer lost": {sandbox.Fault{Action: "CreateStack", Drop: "answer", Count: 1}, "", "CreateStack", execute.Created, "CreateStack CreateStack"},
		"accepted":    {sandbox.Fault{}, large, "CreateStack", execute.Created, "upload CreateStack"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				drain := make(chan struct{})
				p := &person{
					server: sandbox.New(sandbox.Options{Store: store.NewMemory(), Speed: 1}),
					leaves: c.leaves, leave: sync.OnceFunc(func() { close(drain) }),
				}
				if _, err := p.server.Seed(t.Context(), []byte("buckets: [templates]\nregion: eu-west-1\n")); err != nil {
					t.Fatal(err)
				}
				if c.fault.Action != "" {
					if _, err := p.server.AddFault(t.Context(), c.fault); err != nil {
						t.Fatal(err)
					}
				}
				access := stacks.Access{Region: "eu-west-1"}
				made := plan.Step{Stack: "a", Name: "a", Action: plan.Create, Desired: &stacks.Desired{
					Stack:  &stacks.Stack{Path: "a", Name: "a", Access: access},
					Body:   []byte("Resources: {Q: {Type: AWS::SQS::Queue}}\n" + c.comment),
					Bucket: "templates",
				}}
				j := job(made)
				j.Drain = drain
				result, err := execute.Run(t.Context(), j, p.ports(t, access), event.Func(func(event.Event) {}))
				if writes := strings.Join(p.writes, " "); err != nil || result.Outcomes["a"] != c.want || writes != c.writes {
					t.Errorf("%s after %q, want %s after %q; %v", result.Outcomes["a"], writes, c.want, c.writes, err)
				}
			})
		})
	}
}
