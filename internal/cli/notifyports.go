package cli

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"strings"

	"github.com/deployer-cli/deployer/internal/cloud"
	"github.com/deployer-cli/deployer/internal/notify"
	"github.com/deployer-cli/deployer/internal/probe"
	"github.com/deployer-cli/deployer/internal/program"
	"github.com/deployer-cli/deployer/stacks"
)

// notifyPorts is what the announcements of an environment go out through: as at
// says. The session has to be connected.
func (s *session) notifyPorts(at stacks.Access) notify.Ports {
	said := announcer{s.cloud.Announcer(at)}
	return notify.Ports{
		Client:  &webhookDoer{client: plainClient(), fenced: s.server != nil},
		Environ: func(name string) string { return s.app.env.Environ[name] },
		Runner:  listener{s: s, access: at}, Topics: said, Functions: said,
	}
}

// webhookDoer implements notify.Doer. From the sandbox nothing leaves this
// machine: nobody is to be called out of bed by what was only played.
type webhookDoer struct {
	client notify.Doer
	fenced bool
}

// Do sends a request, unless it may not.
func (d *webhookDoer) Do(r *http.Request) (*http.Response, error) {
	if d.fenced && !isLoopback(r.URL.Hostname()) {
		return nil, &notify.Error{Why: "from the sandbox no webhook leaves this machine", Tip: "in the sandbox use a command, a topic or a function, or a webhook on 127.0.0.1"}
	}
	return d.client.Do(r)
}

func isLoopback(host string) bool {
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.IsLoopback()
	}
	return strings.EqualFold(host, "localhost")
}

// listener implements notify.Runner: the program runs in the project's folder
// with the identity of the environment.
type listener struct {
	s      *session
	access stacks.Access
}

// Run gives stdin to a program. Where it fails, the last line that it printed says
// why.
func (l listener) Run(ctx context.Context, args []string, stdin []byte) error {
	last, err := l.s.lastLine(ctx, l.access, args, stdin)
	if err != nil && last != "" {
		return fmt.Errorf("%w: %s", err, probe.Line(last))
	}
	return err
}

// lastLine runs a program in the project's folder and gives the last line that it
// printed.
func (s *session) lastLine(ctx context.Context, at stacks.Access, args []string, stdin []byte) (string, error) {
	p, err := s.runner.program(ctx, at, args, stdin)
	if err != nil {
		return "", err
	}
	p.Dir, p.Grace = s.home(), probeGrace
	last := ""
	err = program.Run(ctx, p, func(line string) {
		if strings.TrimSpace(line) != "" {
			last = line
		}
	})
	return last, err
}

// announcer implements notify.Topics and notify.Functions.
type announcer struct{ to *cloud.Announcer }

// Publish publishes to a topic: JSON for programs, text in mail.
func (a announcer) Publish(ctx context.Context, topic string, m notify.Message) error {
	return a.to.Publish(ctx, topic, cloud.Publication{Subject: m.Subject, Default: string(m.JSON), Mail: m.Text, Attributes: m.Attributes})
}

// Invoke hands a payload to a function.
func (a announcer) Invoke(ctx context.Context, function string, payload []byte) error {
	return a.to.Invoke(ctx, function, payload)
}
