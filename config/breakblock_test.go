package config_test

import (
	"strings"
	"testing"

	"github.com/deployer-cli/deployer/config"
	"github.com/deployer-cli/deployer/stacks"
)

// TestBreakOnlyTightens: whatever stands below, a group's restriction holds.
func TestBreakOnlyTightens(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		group, sub, stack string
		want              string // break.allow as it counts, "" for none
	}{
		"nothing below":            {"break: {allow: never}", "", "", "never"},
		"empty in the stack":       {"break: {allow: never}", "", "break:", "never"},
		"empty in the subgroup":    {"break: {allow: never}", "break:", "", "never"},
		"empty in both":            {"break: {allow: never}", "break:", "break: ~", "never"},
		"another key":              {"break: {allow: never}", "", "break: {rto: 5m}", "never"},
		"allowed below":            {"break: {allow: never}", "", "break: {allow: true}", "never"},
		"weaker below":             {"break: {allow: never}", "", "break: {allow: false}", "never"},
		"false, another key":       {"break: {allow: false}", "", "break: {rto: 5m}", "false"},
		"false, allowed below":     {"break: {allow: false}", "", "break: {allow: true}", "false"},
		"false, empty below":       {"break: {allow: false}", "break:", "break: {}", "false"},
		"false, never below":       {"break: {allow: false}", "", "break: {allow: never}", "never"},
		"null below":               {"break: {allow: never}", "", "break: {allow: }", "never"},
		"true, never below":        {"break: {allow: true}", "", "break: {allow: never}", "never"},
		"true, empty below":        {"break: {allow: true}", "", "break:", ""},
		"restricted on the way":    {"", "break: {allow: never}", "break: {rto: 5m}", "never"},
		"tightened on the way":     {"break: {allow: false}", "break: {allow: never}", "break: {allow: true}", "never"},
		"objective of the stack's": {"break: {rto: 5m}", "", "break: {runbook: docs/a.md}", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := load(t, "-- config/config.yaml --\nproject_code: a\nregion: eu-west-1\n-- config/dev/config.yaml --\n"+tt.group+
				"\n-- config/dev/in/config.yaml --\n"+tt.sub+"\n-- config/dev/in/a.yaml --\ntemplate: {path: a.yaml}\n"+tt.stack+"\n", config.Options{})
			if err != nil {
				t.Fatal(err)
			}
			st, ok := p.Stack("dev/in/a")
			if !ok {
				t.Fatal(p.Problems(nil))
			}
			if allow, _ := st.Break.Get("allow"); allow.Text != tt.want {
				t.Errorf("break.allow is %q, want %q", allow.Text, tt.want)
			}
		})
	}
}

// TestDataIsNamedByItsStack: a group's file lets go of no data.
func TestDataIsNamedByItsStack(t *testing.T) {
	t.Parallel()
	p, err := load(t, "-- config/config.yaml --\nproject_code: a\nregion: eu-west-1\n-- config/dev/config.yaml --\nbreak: {rto: 5m, data: {Table: expendable}}\n"+
		"-- config/dev/a.yaml --\ntemplate: {path: a.yaml}\n-- config/qa/b.yaml --\ntemplate: {path: a.yaml}\nbreak: {data: {Table: expendable}}\n", config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Problems([]stacks.Path{"dev/a"}); err == nil || !strings.Contains(err.Error(), "config/dev/config.yaml:1:18: break.data cannot stand in a group's file") {
		t.Errorf("%v", err)
	}
	if st, ok := p.Stack("qa/b"); !ok || st.Break.Fields == nil {
		t.Error("the stack's own file does not count")
	}
}
