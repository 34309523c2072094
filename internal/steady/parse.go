package steady

import (
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/deployer-cli/deployer/stacks"
)

// Parse reads the probes block of an environment and gives the probes sorted by
// name. All that is wrong comes at once, as *stacks.Problem; no probe is given then.
func Parse(probes stacks.Value) ([]Probe, error) {
	r := &reader{}
	var out []Probe
	for _, f := range r.Named("probes", "probe", probes) {
		out = append(out, r.probe(f))
	}
	if err := r.Err(); err != nil {
		return nil, err
	}
	return out, nil
}

// reader reads probes.
type reader struct{ stacks.Reader }

func (r *reader) probe(f stacks.Field) Probe {
	p := Probe{Name: f.Key, Role: Steady, Every: DefaultEvery, StableFor: DefaultStableFor, Pos: f.Pos}
	what := "probes." + f.Key
	if f.Value.Kind != stacks.Map {
		r.Fail(what, f.Pos, "it must be a map such as {tcp: \"db.dev.example:5432\"}, and is "+f.Value.Kind.String())
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
		r.Fail(what, f.Pos, "it needs exactly one of http, tcp, command, cloudwatch_alarm, cloudformation")
	}
	if p.Timeout == 0 {
		p.Timeout = DefaultTimeout
		if p.Alarm != "" || p.Stacks != "" {
			p.Timeout = DefaultAWSTimeout
		}
	}
	if p.HTTP != nil && p.HTTP.MaxLatency > p.Timeout {
		r.Fail(what+".http.max_latency", f.Pos, "it is longer than the probe's timeout of "+p.Timeout.String())
	}
	return p
}

// kind reads what says of which kind a probe is.
func (r *reader) kind(p *Probe, what string, f stacks.Field) {
	switch f.Key {
	case "http":
		p.HTTP = r.http(what, f)
	case "tcp":
		if p.TCP = r.Text(what, f); p.TCP != "" {
			if why := hostPort(p.TCP); why != "" {
				r.Fail(what, f.Pos, why)
			}
		}
	case "command":
		p.Command = r.Command(what, f)
	case "cloudwatch_alarm":
		p.Alarm = r.Text(what, f)
	case "cloudformation":
		if p.Stacks = r.Text(what, f); p.Stacks != "" {
			if stacks.CheckGlob(p.Stacks) != nil {
				r.Fail(what, f.Pos, "it is no pattern of stack paths, such as dev/** or dev/web-*")
			}
		}
	default:
		r.Fail(what, f.Pos, "there is no such key; known are http, tcp, command, cloudwatch_alarm, cloudformation, every, timeout, stable_for, role")
	}
}

func (r *reader) http(what string, f stacks.Field) *HTTP {
	h := &HTTP{}
	if f.Value.Kind != stacks.Map {
		r.Fail(what, f.Pos, "it must be a map such as {url: \"https://dev.example/health\"}, and is "+f.Value.Kind.String())
		return h
	}
	given := false
	for _, g := range f.Value.Fields {
		key := what + "." + g.Key
		switch g.Key {
		case "url":
			given = true
			h.URL = r.Text(key, g)
			if u, err := url.Parse(h.URL); h.URL != "" && (err != nil || u.Hostname() == "" || (u.Scheme != "http" && u.Scheme != "https")) {
				r.Fail(key, g.Pos, "it must be an http or https address")
			} else if err == nil && u.User != nil {
				r.Fail(key, g.Pos, "it holds a user or a password, which would be kept with the records of a break; use a command that takes it from its environment")
			}
		case "status":
			n, err := strconv.Atoi(g.Value.Text)
			if h.Status = n; g.Value.Kind != stacks.Int || err != nil || n < 100 || n > 599 {
				r.Fail(key, g.Pos, "it must be a status from 100 to 599")
			}
		case "body_contains":
			h.Contains = r.Text(key, g)
		case "max_latency":
			h.MaxLatency = r.period(key, g)
		default:
			r.Fail(key, g.Pos, "there is no such key; known are url, status, body_contains, max_latency")
		}
	}
	if !given {
		r.Fail(what, f.Pos, "url is missing")
	}
	return h
}

func (r *reader) period(what string, f stacks.Field) time.Duration {
	d, err := stacks.Period(f.Value.Text)
	if f.Value.Kind != stacks.Text || err != nil {
		r.Fail(what, f.Pos, "it must be a duration such as 5s, 90s or 2m")
	}
	return d
}

func (r *reader) role(what string, f stacks.Field) Role {
	role := Role(f.Value.Text)
	if f.Value.Kind != stacks.Text || !slices.Contains([]Role{Steady, Guard, Evidence}, role) {
		r.Fail(what, f.Pos, "it must be steady, guard or evidence")
	}
	return role
}
