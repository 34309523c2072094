package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/deployer-cli/deployer/internal/awsconf"
	"github.com/deployer-cli/deployer/internal/cfn"
	"github.com/deployer-cli/deployer/internal/cloud"
	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/internal/journal"
	"github.com/deployer-cli/deployer/internal/sandbox"
	"github.com/deployer-cli/deployer/internal/sandbox/store"
	"github.com/deployer-cli/deployer/stacks"
)

// realm is where the command line and the environment say that things happen.
func (a *app) realm() stacks.Realm {
	switch {
	case a.globals.sandbox:
		return stacks.RealmSandbox
	case awsconf.EndpointFrom(func(name string) string { return a.env.Environ[name] }) != "":
		return stacks.RealmEndpoint
	}
	return stacks.RealmAWS
}

// connect makes the session's AWS: the sandbox when it was asked for, else
// AWS, or whatever AWS_ENDPOINT_URL names. There is no falling back.
func (s *session) connect() error {
	opts := awsconf.Options{
		Realm: stacks.RealmAWS, Counter: &s.counter, Trouble: s.troubles.hear,
		Environ: func(name string) string { return s.app.env.Environ[name] },
	}
	s.realm = stacks.RealmAWS
	if endpoint := awsconf.EndpointFrom(opts.Environ); endpoint != "" {
		s.realm, s.endpoint, opts.Realm = stacks.RealmEndpoint, endpoint, stacks.RealmEndpoint
	}
	if client := s.app.env.AWS; client != nil {
		opts.HTTPClient, opts.Endpoint, opts.Keys = client, sandbox.Endpoint, &awsconf.Keys{ID: "test", Secret: "test"}
	}
	poll := time.Duration(0)
	if s.app.globals.sandbox {
		server, err := s.openSandbox()
		if err != nil {
			return err
		}
		s.realm, s.endpoint, s.server, s.now = stacks.RealmSandbox, "", server, s.simulated
		opts.Realm, opts.HTTPClient, opts.Endpoint = stacks.RealmSandbox, server.Client(), sandbox.Endpoint
		if before := s.app.env.Before; before != nil {
			opts.HTTPClient = before(opts.HTTPClient)
		}
		opts.Keys = &awsconf.Keys{ID: s.app.sandboxKey(), Secret: "sandbox"}
		opts.Environ = func(string) string { return "" }
		poll = s.poll
	}
	patience := time.Duration(0) // the defaults
	if s.app.env.person() {
		patience = lookedAfter
	}
	opts.Limits.Renewal = patience
	s.configs = awsconf.New(opts)
	s.run = newRunID(s.app.env.Now())
	s.cloud = cloud.New(cloud.Options{Config: s.configs.Config, Realm: s.realm, Endpoint: s.endpoint, Run: s.run, Now: s.now, Known: s.configs.Leads})
	s.configs.TakeOnly(s.cloud.Same)
	s.cache = journal.NewCache(s.state("cache"))
	s.cfn = cfn.New(cfn.Options{
		Config: s.configs.Config, Account: s.cloud.Account, Realm: s.realm, Endpoint: s.endpoint, Run: s.run, Now: s.now,
		Uploader:     func(c guard.Clearance, t stacks.Target) cfn.Uploader { return s.cloud.Writer(c, t) },
		PollInterval: poll, Patience: patience, Trouble: s.troubles.hear, Sizes: sizes{s.cache},
	})
	s.wire()
	return nil
}

// lookedAfter is how long a run waits for credentials where somebody is there to
// renew them, or to end it.
const lookedAfter = 12 * time.Hour

// sandboxKey is the access key in the sandbox: of the user whom
// DEPLOYER_SANDBOX_USER names, so that one person can play several.
func (a *app) sandboxKey() string {
	if user := a.env.Environ["DEPLOYER_SANDBOX_USER"]; user != "" {
		return "sandbox." + user
	}
	return "sandbox"
}

// simulated is the sandbox's time: in that realm every stamp is by its clock.
func (s *session) simulated() time.Time {
	t, err := s.server.Time(context.Background())
	if err != nil {
		return s.app.env.Now()
	}
	return t
}

// How often the sandbox is looked at: it costs nothing and its time runs sixty
// times as fast. At top speed nothing happens between two looks.
const (
	sandboxPoll    = 100 * time.Millisecond
	sandboxPollMax = 2 * time.Millisecond
)

// openSandbox opens the project's own sandbox, made on first use.
func (s *session) openSandbox() (*sandbox.Server, error) {
	dir := filepath.Join(s.home(), ".deployer", "sandbox")
	if err := os.MkdirAll(dir, 0o700); err != nil { //nolint:gosec // the project's own folder
		return nil, unwritable(s.relative(dir), err)
	}
	db, err := store.Open(filepath.Join(dir, "state.db"))
	if err != nil {
		return nil, &storeError{err}
	}
	s.closers = append(s.closers, db.Close)
	speed := sandbox.KeepSpeed
	s.poll = sandboxPoll
	if text := s.app.env.Environ["DEPLOYER_SANDBOX_SPEED"]; text != "" {
		if speed, err = sandbox.ParseSpeed(text); err != nil {
			return nil, &usageError{"DEPLOYER_SANDBOX_SPEED: " + err.Error(), "a number of simulated seconds per second, or max"}
		}
	}
	if speed == sandbox.MaxSpeed {
		s.poll = sandboxPollMax
	}
	return sandbox.New(sandbox.Options{
		Store: db, Speed: speed, Now: s.app.env.Now,
		Account: s.app.env.Environ["DEPLOYER_SANDBOX_ACCOUNT"],
		Stubs:   truthy(s.app.env.Environ["DEPLOYER_SANDBOX_STUBS"]),
	}), nil
}

func truthy(v string) bool { return v != "" && v != "0" && v != "false" && v != "no" }

// storeError says that the sandbox's store cannot be opened.
type storeError struct{ err error }

func (e *storeError) Error() string { return e.err.Error() }
func (e *storeError) Unwrap() error { return e.err }

// Hint says what there is to lose: what was tried out, and nothing else.
func (e *storeError) Hint() string {
	return "make room, or remove .deployer/sandbox: it holds the sandbox and nothing else"
}

// unwritable explains a folder that cannot be written to.
func unwritable(name string, err error) error {
	hint := "deployer keeps journals and the sandbox there; check the folder's permissions"
	if errors.Is(err, syscall.ENOSPC) {
		hint = "the disk is full"
	}
	return &usageError{fmt.Sprintf("%s cannot be written: %v", name, pathless(err)), hint}
}

// pathless leaves the path out of a file error that is told beside it.
func pathless(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}
