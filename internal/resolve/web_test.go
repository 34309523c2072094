package resolve_test

import (
	"context"
	"sync"
	"testing"

	"github.com/deployer-cli/deployer/internal/resolve"
	"github.com/deployer-cli/deployer/stacks"
)

// net notes what is fetched and run, and is a plugin called double.
type net struct {
	mu    sync.Mutex
	asked []string
}

func (n *net) note(s string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.asked = append(n.asked, s)
}

func (n *net) Get(_ context.Context, address, user, password string) ([]byte, error) {
	n.note(address + " " + user + " " + password)
	return []byte(`{"a": [1, 2]}`), nil
}

func (n *net) Output(_ context.Context, a stacks.Access, line string) (string, error) {
	n.note(a.Region + " " + line)
	return line + "\n", nil
}

func (n *net) HasResolver(name string) bool { return name == "double" }

func (n *net) Resolve(_ context.Context, _ *stacks.Stack, _ string, arg stacks.Value) (stacks.Value, error) {
	return stacks.String(arg.Text + arg.Text), nil
}

func TestFromOutside(t *testing.T) {
	t.Parallel()
	n := &net{}
	st := &stacks.Stack{Path: "dev/app", Access: stacks.Access{Region: "eu-west-1"}}
	set := resolve.New(resolve.Ports{Web: n, Commands: n, Plugins: n})
	for in, want := range map[string]string{
		"!request https://x.test/a": `{"a": [1, 2]}`,
		"!request {url: 'https://x.test/a', auth: basic, user: u, password: p}": `{"a": [1, 2]}`,
		"!select [-1, !select [a, !file 'https://x.test/a.json?raw=1']]":        "2",
		"!rcmd {command: date, region: us-east-1}":                              "date\n",
		"!double ab": "abab",
	} {
		for range 2 {
			got, err := set.Value(t.Context(), st, parse(t, in))
			if err != nil || got.Text != want {
				t.Errorf("%s: %q, %v", in, got.Text, err)
			}
		}
	}
	if len(n.asked) != 4 {
		t.Errorf("fetched more than once: %q", n.asked)
	}
}

func TestFromOutsideOffline(t *testing.T) {
	t.Parallel()
	set := resolve.New(resolve.Ports{Plugins: &net{}})
	for _, in := range []string{"!request https://x.test/a", "!file https://x.test/a.json", "!rcmd date", "!double x"} {
		got, err := set.Value(t.Context(), &stacks.Stack{}, parse(t, in))
		if err != nil || got.Kind != stacks.Unknown {
			t.Errorf("%s: %v, %v", in, got, err)
		}
	}
}

func TestParametersThatTheRunMakes(t *testing.T) {
	t.Parallel()
	pending := true
	set := resolve.New(resolve.Ports{
		Parameters: counted{},
		Made: func(st *stacks.Stack, name string) (stacks.Path, bool) {
			return "dev/base", pending && name == "/made" && st.Path == "dev/app"
		},
	})
	st := &stacks.Stack{Path: "dev/app"}
	got, err := set.Value(t.Context(), st, parse(t, "!ssm /made"))
	if after, unknown := got.HasUnknown(); err != nil || !unknown || len(after) != 1 || after[0] != "dev/base" {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := set.Value(t.Context(), st, parse(t, "!ssm /other")); err != nil || got.Text != "value of /other" {
		t.Errorf("%v, %v", got, err)
	}
	pending = false
	if got, err := set.Value(t.Context(), st, parse(t, "!ssm /made")); err != nil || got.Text != "value of /made" {
		t.Errorf("%v, %v", got, err)
	}
}

type counted struct{}

func (counted) Parameter(_ context.Context, _ stacks.Access, name string) (string, bool, error) {
	return "value of " + name, false, nil
}
