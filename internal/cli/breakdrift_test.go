package cli

import "testing"

// TestLooksUp: what an update looks up anew, as against what stays as it was read.
func TestLooksUp(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		value any
		want  bool
	}{
		"plain":        {"a", false},
		"latest":       {"d-{{resolve:ssm:/a/b}}", true},
		"of a version": {"{{resolve:ssm:/a/b:3}}", false},
		"one of both":  {"{{resolve:ssm:/a/b:3}}{{resolve:ssm:/a/b}}", true},
		"a secret":     {"{{resolve:secretsmanager:a}}", false},
		"deep":         {map[string]any{"A": []any{map[string]any{"B": "{{resolve:ssm:c}}"}}}, true},
		"an output":    {map[string]any{"A": map[string]any{"Fn::GetStackOutput": map[string]any{}}}, true},
		"a reference":  {map[string]any{"Ref": "A"}, false},
		"not closed":   {"{{resolve:ssm:a", true},
		"a number":     {int64(3), false},
	} {
		if got := looksUp(tt.value); got != tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}
