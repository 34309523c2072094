package guard_test

import (
	"testing"

	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/stacks"
)

// A stack that is found with other tags than it was cleared with is judged by those,
// with the answers that were given.
func TestAnew(t *testing.T) {
	t.Parallel()
	tags := func(class stacks.Class, more ...stacks.Tag) []stacks.Tag {
		return append(more, stacks.Tag{Key: stacks.TagClass, Value: string(class)})
	}
	weaker := terminal(request(lived(step("qa", stacks.Development))))
	y, phrase := guard.Answers{"go": "y"}, guard.Answers{"go": "qa 1 changes 0 deletes 1 weakened"}
	for name, tt := range map[string]struct {
		request guard.Request
		answers guard.Answers
		path    stacks.Path
		tags    []stacks.Tag
		code    int // 0: it stays cleared
		rule    string
	}{
		"as it was":                       {yes(request(step("qa", stacks.Development))), nil, "qa/network", nil, 0, ""},
		"another tag of theirs":           {yes(request(step("qa", stacks.Development))), nil, "qa/network", []stacks.Tag{{Key: "team", Value: "b"}}, 0, ""},
		"production meanwhile":            {yes(request(step("qa", stacks.Development))), nil, "qa/network", tags("production"), 3, "P1"},
		"production meanwhile, by y":      {terminal(request(step("qa", stacks.Development))), y, "qa/network", tags("production"), 3, "P1"},
		"persistent meanwhile":            {yes(request(step("qa", stacks.Development))), nil, "qa/network", tags("persistent"), 4, "P1"},
		"persistent meanwhile, by y":      {terminal(request(step("qa", stacks.Development))), y, "qa/network", tags("persistent"), 4, "confirmation"},
		"the class of its file":           {yes(request(step("qa", stacks.Development))), nil, "qa/network", tags("development"), 0, ""},
		"weakened by its phrase":          {weaker, phrase, "qa/network", tags("persistent", stacks.Tag{Key: "deployer:stack", Value: "qa/network"}), 0, ""},
		"weakened, and weak meanwhile":    {weaker, phrase, "qa/network", tags("development"), 0, ""},
		"weakened, and stronger":          {weaker, phrase, "qa/network", tags("production"), 3, "P1"},
		"another's meanwhile":             {yes(request(step("qa", stacks.Persistent))), nil, "qa/network", tags("persistent", stacks.Tag{Key: "deployer:environment", Value: "live"}), 3, "P1"},
		"not in the request, so no grant": {yes(request(step("qa", stacks.Development))), nil, "qa/other", tags("production"), 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := guard.Check(tt.request, tt.answers); err != nil {
				t.Fatalf("not cleared before: %v", err)
			}
			expect(t, guard.Anew(tt.request, tt.answers, tt.path, tt.tags), tt.code, tt.rule)
		})
	}
}
