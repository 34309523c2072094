package ui

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/deployer-cli/deployer/internal/event"
	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/internal/plan"
	"github.com/deployer-cli/deployer/stacks"
)

// hostile tries to move the cursor, retitle the window, and forge a line.
const hostile = "ok\x1b[2J\x1b]0;title\x07\x1b[1A\rforged\nline\x9b31m\x00\tend\u202e"

// What comes from outside never acts on the terminal, wherever it is shown.
func TestHostileText(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	plain := NewStyle(false)
	p := newProgress(time.Now)
	for _, kind := range []event.Kind{event.StepFailed, event.StepSkipped, event.StepUnknown, event.Warning, event.Hook, event.Draining} {
		out.WriteString(p.hear(event.Event{Kind: kind, Stack: "dev/a", Action: "x", Reason: hostile, Cause: hostile}, plain) + "\n")
	}
	out.WriteString(plainLine(event.Event{Kind: event.Resource, Stack: "dev/a", Status: "CREATE_FAILED", Reason: hostile}, p, Stream{}) + "\n")
	step := plan.Step{
		Stack: "dev/a", Action: plan.Update, Cause: hostile, Asks: hostile, Blocked: hostile,
		Diff:    []plan.Difference{{Part: "parameter", Key: hostile, Old: hostile, New: hostile, Why: hostile}},
		Changes: []stacks.ResourceChange{{LogicalID: hostile, Type: hostile, Action: "add", Why: hostile}},
	}
	ShowPlan(&out, plain, &plan.Plan{Steps: []plan.Step{step}}, 0)
	Banner{Environment: "dev", Realm: stacks.RealmEndpoint, Endpoint: hostile}.Show(&out, plain, 0)
	Table(&out, []string{"stack", "reason"}, [][]string{{"dev/a", hostile}})
	for line := range strings.SplitSeq(out.String(), "\n") {
		if i := strings.IndexFunc(line, func(r rune) bool { return unicode.IsControl(r) || r == '\u202e' }); i >= 0 {
			t.Errorf("%q holds %q", line, line[i:])
		}
		if strings.HasPrefix(line, "forged") || strings.HasPrefix(line, "line") {
			t.Errorf("%q is forged", line)
		}
	}
}

func FuzzClean(f *testing.F) {
	f.Add(hostile)
	f.Add("\x1b\x1b[[m")
	f.Fuzz(func(t *testing.T, s string) {
		for _, r := range clean(s) {
			if unicode.IsControl(r) {
				t.Fatalf("clean(%q) holds %q", s, r)
			}
		}
	})
}

func TestTable(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	s := NewStyle(true)
	Table(&out, []string{"stack", "status", "reason"}, [][]string{
		{"dev/a", s.Good("CREATE_COMPLETE"), ""}, {"dev/資源", s.Bad("UPDATE_FAILED"), "no room"}, {"dev/c", "PENDING", ""},
	})
	golden(t, "table", out.String())
	out.Reset()
	Table(&out, nil, nil)
	if out.String() != "" {
		t.Errorf("an empty table shows %q", out.String())
	}
}

func TestPrompter(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	p := NewPrompter(&out, strings.NewReader("y\n  prod 3 changes \n"), NewStyle(false))
	for _, tt := range []struct {
		q    guard.Question
		want string
	}{
		{guard.Question{Text: "launch 3 stacks?", Notes: []string{"read it first"}}, "y"},
		{guard.Question{Text: "type the phrase", Want: "prod 3 changes", Class: stacks.Production}, "  prod 3 changes "},
	} {
		got, err := p.Ask(t.Context(), tt.q)
		if err != nil || got != tt.want {
			t.Errorf("%s: %q, %v; want %q", tt.q.Text, got, err, tt.want)
		}
	}
	if _, err := p.Ask(t.Context(), YesNo("again?")); !errors.Is(err, ErrNoAnswer) {
		t.Errorf("at the end of the input: %v, want ErrNoAnswer", err)
	}
	golden(t, "prompt", out.String())
}

func TestPrompterLeaves(t *testing.T) {
	t.Parallel()
	r, w := io.Pipe()
	defer w.Close()
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(io.ErrClosedPipe)
	_, err := NewPrompter(io.Discard, r, NewStyle(false)).Ask(ctx, YesNo("go?"))
	if !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("got %v, want the context's cause", err)
	}
}

// TestFoldDeeper: no line is broader than there is room, and what goes on stands deeper.
func TestFoldDeeper(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	Fold(&out, "one\n  critical path: dev/network 2m -> dev/security 41s\n\n", 30)
	if want := "one\n  critical path: dev/network\n      2m -> dev/security 41s\n\n"; out.String() != want {
		t.Errorf("%q", out.String())
	}
}
