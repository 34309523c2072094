package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/deployer-cli/deployer/internal/cloud"
	"github.com/deployer-cli/deployer/internal/probe"
	"github.com/deployer-cli/deployer/internal/sandbox"
	"github.com/deployer-cli/deployer/stacks"
)

// healthHost is the host whose health endpoints the sandbox answers in this
// process, on any port.
const healthHost = "sandbox.localhost"

// probeGrace is how long a command probe that took too long may clean up.
const probeGrace = 250 * time.Millisecond

// probePorts is what the probes of an environment reach the world through: as at
// says, by the given clock, which everything else that waits shares. The session
// has to be connected.
func (s *session) probePorts(at stacks.Access, clock *realmClock) probe.Ports {
	return probe.Ports{
		Client: &healthDoer{client: plainClient(), server: s.server},
		Dial:   s.dialer(),
		Runner: commandRunner{s: s, access: at},
		Alarms: alarmReader{cloud: s.cloud, access: at},
		Stacks: &upLooker{s: s, sweeps: &sharedSweeps{sweep: s.cfn.Sweep}},
		Clock:  clock,
	}
}

// plainClient asks anew each time, as somebody who comes for the first time does,
// and takes a redirect for an answer.
func plainClient() *http.Client {
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true, ForceAttemptHTTP2: true}
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// healthDoer implements probe.Doer: the sandbox's health endpoints are answered
// here, everything else on the network.
type healthDoer struct {
	client probe.Doer
	server *sandbox.Server // nil outside of the sandbox
}

// Do answers a request.
func (d *healthDoer) Do(r *http.Request) (*http.Response, error) {
	switch {
	case !isHealthHost(r.URL.Hostname()):
		return d.client.Do(r)
	case d.server == nil:
		return nil, errNoHealth()
	case !strings.HasPrefix(r.URL.Path, sandbox.HealthPath):
		return nil, fmt.Errorf("%s answers %sSTACK,STACK and nothing else", healthHost, sandbox.HealthPath)
	}
	return d.server.Client().Do(r)
}

func isHealthHost(host string) bool {
	return strings.EqualFold(strings.TrimSuffix(host, "."), healthHost)
}

func errNoHealth() error { return errors.New(healthHost + " answers in the sandbox only (--sandbox)") }

// dialer opens connections; the sandbox's own host has none.
func (s *session) dialer() func(context.Context, string, string) (net.Conn, error) {
	d := &net.Dialer{KeepAlive: -1}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if host, _, err := net.SplitHostPort(address); err == nil && isHealthHost(host) {
			if s.server == nil {
				return nil, errNoHealth()
			}
			return nil, errors.New(healthHost + " answers probes of kind http only")
		}
		return d.DialContext(ctx, network, address)
	}
}

// commandRunner implements probe.Runner: the program runs in the project's folder
// with the identity of the environment.
type commandRunner struct {
	s      *session
	access stacks.Access
}

// Run gives the last line that the program printed.
func (c commandRunner) Run(ctx context.Context, args []string) (string, error) {
	return c.s.lastLine(ctx, c.access, args, nil)
}

// alarmReader implements probe.Alarms.
type alarmReader struct {
	cloud  *cloud.Cloud
	access stacks.Access
}

// State reads an alarm.
func (a alarmReader) State(ctx context.Context, name string) (string, time.Time, error) {
	return a.cloud.AlarmState(ctx, a.access, name)
}
