package steady

import (
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/deployer-cli/deployer/stacks"
)

// Parse reads the probes block of an environment and gives the probes sorted by
// name. All that is wrong comes at once, as *stacks.Problem; no probe is given then.
func Parse(probes stacks.Value) ([]Probe, error) {
	r := &reader{}
	var out []Probe
	if probes.Kind != stacks.Map && probes.Kind != stacks.Null {
		r.fail("probes", probes.Pos, "it must be a map of probes by name, and is "+probes.Kind.String())
	}
	seen := map[string]bool{}
	for _, f := range probes.Fields {
		if f.Key == "" || seen[f.Key] {
			r.fail("probes."+f.Key, f.Pos, "every probe needs a name of its own")
			continue
		}
		seen[f.Key] = true
		out = append(out, r.probe(f))
	}
	if len(r.problems) > 0 {
		return nil, errors.Join(r.problems...)
	}
	slices.SortFunc(out, func(a, b Probe) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// reader collects what is wrong. It shows no value: an address may hold a
// password.
type reader struct{ problems []error }

func (r *reader) fail(what string, at stacks.Pos, why string) {
	r.problems = append(r.problems, &stacks.Problem{Pos: at, What: what + " cannot be used", Why: why})
}

func (r *reader) probe(f stacks.Field) Probe {
	p := Probe{Name: f.Key, Role: Steady, Every: DefaultEvery, StableFor: DefaultStableFor, Pos: f.Pos}
	what := "probes." + f.Key
	if f.Value.Kind != stacks.Map {
		r.fail(what, f.Pos, "it must be a map such as {tcp: \"db.dev.example:5432\"}, and is "+f.Value.Kind.String())
		return p
	}
	kinds := 0
	for _, g := range f.Value.Fields {
		key := what + "." + g.Key
		switch g.Key {
		case "every":
			p.Every = r.period(key, g)
		case "timeout":
			p.Timeout = r.period(key, g)
		case "stable_for":
			p.StableFor = r.period(key, g)
		case "role":
			p.Role = r.role(key, g)
		default:
			kinds++
			r.kind(&p, key, g)
		}
	}
	if kinds != 1 {
		r.fail(what, f.Pos, "it needs exactly one of http, tcp, command, cloudwatch_alarm, cloudformation")
	}
	if p.Timeout == 0 {
		p.Timeout = DefaultTimeout
		if p.Alarm != "" || p.Stacks != "" {
			p.Timeout = DefaultAWSTimeout
		}
	}
	if p.HTTP != nil && p.HTTP.MaxLatency > p.Timeout {
		r.fail(what+".http.max_latency", f.Pos, "it is longer than the probe's timeout of "+p.Timeout.String())
	}
	return p
}

// kind reads what says of which kind a probe is.
func (r *reader) kind(p *Probe, what string, f stacks.Field) {
	switch f.Key {
	case "http":
		p.HTTP = r.http(what, f)
	case "tcp":
		if p.TCP = r.text(what, f); p.TCP != "" {
			if why := hostPort(p.TCP); why != "" {
				r.fail(what, f.Pos, why)
			}
		}
	case "command":
		p.Command = r.command(what, f)
	case "cloudwatch_alarm":
		p.Alarm = r.text(what, f)
	case "cloudformation":
		if p.Stacks = r.text(what, f); p.Stacks != "" {
			if stacks.CheckGlob(p.Stacks) != nil {
				r.fail(what, f.Pos, "it is no pattern of stack paths, such as dev/** or dev/web-*")
			}
		}
	default:
		r.fail(what, f.Pos, "there is no such key; known are http, tcp, command, cloudwatch_alarm, cloudformation, every, timeout, stable_for, role")
	}
}

func (r *reader) http(what string, f stacks.Field) *HTTP {
	h := &HTTP{}
	if f.Value.Kind != stacks.Map {
		r.fail(what, f.Pos, "it must be a map such as {url: \"https://dev.example/health\"}, and is "+f.Value.Kind.String())
		return h
	}
	given := false
	for _, g := range f.Value.Fields {
		key := what + "." + g.Key
		switch g.Key {
		case "url":
			given = true
			h.URL = r.text(key, g)
			if u, err := url.Parse(h.URL); h.URL != "" && (err != nil || u.Hostname() == "" || (u.Scheme != "http" && u.Scheme != "https")) {
				r.fail(key, g.Pos, "it must be an http or https address")
			}
		case "status":
			n, err := strconv.Atoi(g.Value.Text)
			if h.Status = n; g.Value.Kind != stacks.Int || err != nil || n < 100 || n > 599 {
				r.fail(key, g.Pos, "it must be a status from 100 to 599")
			}
		case "body_contains":
			h.Contains = r.text(key, g)
		case "max_latency":
			h.MaxLatency = r.period(key, g)
		default:
			r.fail(key, g.Pos, "there is no such key; known are url, status, body_contains, max_latency")
		}
	}
	if !given {
		r.fail(what, f.Pos, "url is missing")
	}
	return h
}

func (r *reader) command(what string, f stacks.Field) []string {
	if f.Value.Kind != stacks.List || len(f.Value.Items) == 0 {
		r.fail(what, f.Pos, "it must be a list of a program and its arguments, such as [scripts/roundtrip.sh]")
		return nil
	}
	out := make([]string, 0, len(f.Value.Items))
	for i, item := range f.Value.Items {
		if !item.IsScalar() || strings.ContainsRune(item.Text, 0) || i == 0 && item.Text == "" {
			r.fail(what, f.Pos, "its word "+strconv.Itoa(i+1)+" must be a string, and is "+item.Kind.String())
		}
		out = append(out, item.Text)
	}
	return out
}

func (r *reader) text(what string, f stacks.Field) string {
	if f.Value.Kind != stacks.Text || f.Value.Text == "" {
		r.fail(what, f.Pos, "it must be a string, and is "+f.Value.Kind.String())
		return ""
	}
	return f.Value.Text
}

func (r *reader) period(what string, f stacks.Field) time.Duration {
	d, err := stacks.Period(f.Value.Text)
	if f.Value.Kind != stacks.Text || err != nil {
		r.fail(what, f.Pos, "it must be a duration such as 5s, 90s or 2m")
	}
	return d
}

func (r *reader) role(what string, f stacks.Field) Role {
	role := Role(f.Value.Text)
	if f.Value.Kind != stacks.Text || !slices.Contains([]Role{Steady, Guard, Evidence}, role) {
		r.fail(what, f.Pos, "it must be steady, guard or evidence")
	}
	return role
}
