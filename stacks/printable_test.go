package stacks_test

import (
	"testing"

	"github.com/deployer-cli/deployer/stacks"
)

func TestUnprintable(t *testing.T) {
	t.Parallel()
	for doc, want := range map[string]string{
		`{"a": "b", "c": ["d", {"e": "f"}]}`:             "",
		`{"steps": [{"stack": "\u001b[31mX"}]}`:          ".steps[0].stack",
		`{"steps": [{"stack": "a\u202eb"}]}`:             ".steps[0].stack",
		`{"steps": [{"stack": "a\u009bb"}]}`:             ".steps[0].stack",
		`{"steps": [{"a\u001b": 1}]}`:                    ".steps[0] (a key of it)",
		`{"steps": [{"old": "two\nlines\u001b[0m"}]}`:    "",
		`{"old": {"stack": "\u001b"}, "name": "\u0007"}`: ".name",
	} {
		got, err := stacks.Unprintable([]byte(doc), "old")
		if err != nil || got != want {
			t.Errorf("%s: %q, %v; want %q", doc, got, err, want)
		}
	}
	if _, err := stacks.Unprintable([]byte("{")); err == nil {
		t.Error("half a document is read")
	}
}
