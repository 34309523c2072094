package blast_test

import (
	"errors"
	"testing"
	"time"

	"github.com/deployer-cli/deployer/internal/blast"
	"github.com/deployer-cli/deployer/stacks"
)

func TestParsePolicy(t *testing.T) {
	t.Parallel()
	e := environment("dev", stacks.Development)
	e.Break = block("allow", yes(), "max_total", num("10"), "cooldown", "1d", "rto", "30m", "max_duration", "2h", "shared_account", "acknowledged")
	p, err := blast.ParsePolicy(e, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !p.Allow || p.Never || p.MaxTargets != 3 || p.MaxTotal != 10 || p.MaxPercent != 50 || p.Cooldown != 24*time.Hour || p.RTO != 30*time.Minute ||
		p.MaxDuration != 2*time.Hour || p.Permit || !p.SharedAccount || len(p.Windows) != 0 {
		t.Errorf("%+v", p)
	}
}

// TestRestrictionsTighten: what is around an environment restricts it, and opens
// nothing.
func TestRestrictionsTighten(t *testing.T) {
	t.Parallel()
	outer := environment("dev", stacks.Development)
	outer.Break = block("allow", yes(), "max_targets", num("2"), "max_total", num("8"), "cooldown", "2h", "permit", "required",
		"window", block("cron", "0 10 * * *", "for", "1h"), "rto", "10m", "shared_account", "acknowledged")
	inner := environment("dev/team", stacks.Development)
	inner.Break = block("max_targets", num("5"), "cooldown", "1h", "max_total", num("4"), "rto", "1h")
	sibling := environment("dev-2", stacks.Development)
	sibling.Break = block("allow", "never", "max_targets", num("1"))
	undeclared := environment("", stacks.Undeclared)
	undeclared.Break = block("allow", "never")
	p, err := blast.ParsePolicy(inner, []*stacks.Environment{outer, inner, sibling, undeclared, nil})
	if err != nil {
		t.Fatal(err)
	}
	if p.Allow || p.Never || p.MaxTargets != 2 || p.MaxTotal != 4 || p.Cooldown != 2*time.Hour || !p.Permit || len(p.Windows) != 1 || p.RTO != 10*time.Minute || p.SharedAccount {
		t.Errorf("%+v", p)
	}
}

func TestParsePolicyRefuses(t *testing.T) {
	t.Parallel()
	for name, v := range map[string]stacks.Value{
		"a list":          stacks.Strings("allow"),
		"allow as a text": block("allow", "true"),
		"allow as 1":      block("allow", num("1")),
		"unknown key":     block("alow", yes()),
		"zero":            block("max_targets", num("0")),
		"text as number":  block("max_total", "3"),
		"no duration":     block("cooldown", "soon"),
		"no window":       block("window", block("cron", "0 10 * * *")),
		"no zone":         block("window", block("cron", "0 10 * * *", "for", "1h", "tz", "Europe/Nowhere")),
		"permit":          block("permit", "optional"),
		"shared":          block("shared_account", yes()),
	} {
		e := environment("dev", stacks.Development)
		e.Break = v
		p, err := blast.ParsePolicy(e, nil)
		if _, ok := errors.AsType[*stacks.Problem](err); !ok || p.Allow {
			t.Errorf("%s: %v, %+v", name, err, p)
		}
	}
}

func TestParseStack(t *testing.T) {
	t.Parallel()
	st := &stacks.Stack{Path: "dev/web", Break: block("allow", yes(), "rto", "15m", "runbook", "docs/web.md", "probes", stacks.Strings("site"),
		"data", block("Orders", "expendable", "Db", block("snapshot_parameter", "SnapshotId")))}
	p, err := blast.ParseStack(st)
	if err != nil || p.Never || p.RTO != 15*time.Minute || p.Runbook != "docs/web.md" || len(p.Probes) != 1 ||
		!p.Data["Orders"].Expendable || p.Data["Db"].SnapshotParameter != "SnapshotId" || p.Data["Db"].Expendable {
		t.Errorf("%+v, %v", p, err)
	}
	if p, err = blast.ParseStack(&stacks.Stack{}); err != nil || p.Never {
		t.Errorf("%+v, %v", p, err)
	}
	for name, v := range map[string]stacks.Value{
		"misspelt":     block("data", block("Orders", "expend")),
		"no parameter": block("data", block("Orders", block("snapshot_parameter", ""))),
		"unknown key":  block("runbok", "x"),
		"no duration":  block("rto", "fast"),
		"a text":       stacks.String("never"),
	} {
		if _, err := blast.ParseStack(&stacks.Stack{Break: v}); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	for _, v := range []stacks.Value{block("allow", "never"), block("allow", stacks.Value{Kind: stacks.Bool, Text: "false"})} {
		if p, err := blast.ParseStack(&stacks.Stack{Break: v}); err != nil || !p.Never {
			t.Errorf("%+v, %v", p, err)
		}
	}
}
