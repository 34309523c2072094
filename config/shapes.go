package config

import (
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/stacks"
)

// environmentShape is the environment block of break.md section 1 and
// design.md section 3. accounts and class are checked apart, with advice.
func environmentShape() shape {
	return shape{keys: map[string]shape{
		"class":    leaf(anything),
		"accounts": leaf(anything),
		"regions":  listOf(leaf(matching(`^[a-z]{2,4}(-[a-z]+)+-\d$`, "a region such as eu-west-1"))),
		"mode":     leaf(oneOf("express")),
		"state":    {keys: map[string]shape{"bucket": leaf(text), "prefix": leaf(text)}, whole: needs("bucket")},
		"guard":    guardShape(),
		"break":    breakShape(),
		"probes":   named(probeShape()),
		"notify":   named(notifyShape()),
	}}
}

func guardShape() shape {
	return shape{keys: map[string]shape{
		"approvers": listOf(leaf(text)),
		"approvals": leaf(number(0, 20)),
		"freeze":    listOf(shape{check: freeze}),
		"lease": {keys: map[string]shape{
			"required": leaf(boolean),
			"mfa":      leaf(oneOf("required")),
			"max":      leaf(period),
		}},
	}}
}

// freeze takes an ISO 8601 interval, or a map like a window.
func freeze(v stacks.Value) string {
	if v.Kind == stacks.Map {
		if problems := windowShape().verify("freeze", v); len(problems) > 0 {
			return problems[0].What + ": " + problems[0].Why
		}
		return ""
	}
	if v.Kind == stacks.Text && strings.Count(v.Text, "/") == 1 {
		return ""
	}
	return `it must be an interval such as "2026-12-20T00:00Z/2027-01-04T00:00Z", or {cron, for, tz}, and is ` + shown(v)
}

func windowShape() shape {
	return shape{
		keys: map[string]shape{
			"cron": leaf(cron),
			"for":  leaf(period),
			"tz":   leaf(zone),
		},
		whole: needs("cron", "for"),
	}
}

func cron(v stacks.Value) string {
	if v.Kind == stacks.Text && len(strings.Fields(v.Text)) == 5 {
		return ""
	}
	return `it must have five fields, as "0 10 * * MON-THU", and is ` + shown(v)
}

func breakShape() shape {
	return shape{keys: map[string]shape{
		"allow":          leaf(allow),
		"max_targets":    leaf(number(1, 0)),
		"max_total":      leaf(number(1, 0)),
		"max_percent":    leaf(number(1, 100)),
		"cooldown":       leaf(period),
		"window":         windowShape(),
		"permit":         leaf(oneOf("required")),
		"max_duration":   leaf(period),
		"rto":            leaf(period),
		"shared_account": leaf(oneOf("acknowledged")),
	}}
}

func allow(v stacks.Value) string {
	if v.Kind == stacks.Bool || v.Kind == stacks.Text && v.Text == "never" {
		return ""
	}
	why := "it must be true, false or never, and is " + shown(v)
	if v.Text == "true" || v.Text == "false" {
		why += "; leave the quotes out"
	}
	return why
}

// stackBreakShape is the break block of a stack.
func stackBreakShape() shape {
	return shape{keys: map[string]shape{
		"allow":   leaf(allow),
		"rto":     leaf(period),
		"runbook": leaf(word),
		"probes":  listOf(leaf(text)),
		"data": named(shape{check: func(v stacks.Value) string {
			if v.Kind == stacks.Map {
				s := shape{keys: map[string]shape{"snapshot_parameter": leaf(text)}, whole: needs("snapshot_parameter")}
				if problems := s.verify("it", v); len(problems) > 0 {
					return problems[0].What + ": " + problems[0].Why
				}
				return ""
			}
			return either(oneOf("expendable"), oneOf("expendable", "{snapshot_parameter: NAME}"))(v)
		}}),
	}}
}

// unknownProbes finds probes that a stack of a development environment names, and
// that the environment does not declare. Elsewhere nothing is broken.
func unknownProbes(st *stacks.Stack, e *stacks.Environment) []*stacks.Problem {
	list, _ := st.Break.Get("probes")
	if e.Class != stacks.Development || !e.Declared {
		return nil
	}
	var out []*stacks.Problem
	for _, item := range list.Items {
		if _, ok := e.Probes.Get(item.Text); ok {
			continue
		}
		p := &stacks.Problem{
			Pos: item.Pos, What: "break.probes names " + item.Text, Why: "environment " + e.Name + " declares no such probe",
			Tip: "declare it under environment.probes, or take it out",
		}
		var names []string
		for _, f := range e.Probes.Fields {
			names = append(names, f.Key)
		}
		if meant := nearest(item.Text, slices.Values(names)); meant != "" {
			p.Tip = "did you mean " + meant + "?"
		}
		out = append(out, p)
	}
	return out
}

func probeShape() shape {
	return shape{
		keys: map[string]shape{
			"http": {keys: map[string]shape{
				"url":           leaf(matching(`^https?://`, "an http or https address")),
				"status":        leaf(number(100, 599)),
				"body_contains": leaf(text),
				"max_latency":   leaf(period),
			}, whole: needs("url")},
			"tcp":              leaf(matching(`^.+:\d+$`, "host:port")),
			"command":          listOf(leaf(text)),
			"cloudwatch_alarm": leaf(text),
			"cloudformation":   leaf(text),
			"every":            leaf(period),
			"timeout":          leaf(period),
			"stable_for":       leaf(period),
			"role":             leaf(oneOf("steady", "guard", "evidence")),
		},
		whole: exactlyOne("http", "tcp", "command", "cloudwatch_alarm", "cloudformation"),
	}
}

func notifyShape() shape {
	return shape{
		keys: map[string]shape{
			"webhook":     {keys: map[string]shape{"env": leaf(text)}, whole: needs("env")},
			"sns":         leaf(matching(`^arn:`, "the ARN of a topic")),
			"command":     listOf(leaf(text)),
			"lambda":      leaf(text),
			"full_detail": leaf(boolean),
		},
		whole: exactlyOne("webhook", "sns", "command", "lambda"),
	}
}

func anything(stacks.Value) string { return "" }

func needs(keys ...string) func(stacks.Value) string {
	return func(v stacks.Value) string {
		for _, k := range keys {
			if _, ok := field(v, k); !ok {
				return k + " is missing"
			}
		}
		return ""
	}
}

func exactlyOne(keys ...string) func(stacks.Value) string {
	return func(v stacks.Value) string {
		n := 0
		for _, k := range keys {
			if _, ok := field(v, k); ok {
				n++
			}
		}
		if n == 1 {
			return ""
		}
		return "it needs exactly one of " + strings.Join(keys, ", ")
	}
}
