package guard_test

import (
	"strings"
	"testing"

	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/stacks"
)

// named is a stack of an environment that is called as all others here.
func named(path string, class stacks.Class) *stacks.Stack {
	e, _, _ := strings.Cut(path, "/")
	return &stacks.Stack{
		Path: stacks.Path(path), Name: "shop-queue", File: "config/" + path + ".yaml", Pos: stacks.Pos{File: "config/" + path + ".yaml", Line: 1, Column: 1},
		Environment: env(e, class), Access: stacks.Access{Region: "eu-west-1"},
	}
}

func TestRivals(t *testing.T) {
	t.Parallel()
	classes := []stacks.Class{stacks.Undeclared, stacks.Development, stacks.Persistent, stacks.Production}
	for i, weak := range classes {
		for j, strong := range classes {
			st, o := named("dev/queue", weak), named("prod/queue", strong)
			got := guard.Rivals(st, []*stacks.Stack{st, o})
			if want := j >= i && j >= 2; (len(got) == 1) != want {
				t.Errorf("%q beside %q: %d", weak, strong, len(got))
			}
		}
	}
	dev := named("dev/queue", stacks.Development)
	for name, test := range map[string]struct {
		change func(st, o *stacks.Stack)
		want   int
	}{
		"another region":    {func(_, o *stacks.Stack) { o.Access.Region = "us-east-1" }, 0},
		"no region known":   {func(_, o *stacks.Stack) { o.Access.Region = "" }, 1},
		"another name":      {func(_, o *stacks.Stack) { o.Name = "other" }, 0},
		"no environment":    {func(st, _ *stacks.Stack) { st.Environment = nil }, 1},
		"theirs has none":   {func(_, o *stacks.Stack) { o.Environment = nil }, 0},
		"a class misspelt":  {func(_, o *stacks.Stack) { o.Environment.Class = "prodution" }, 1},
		"the stack itself":  {func(st, o *stacks.Stack) { o.Path = st.Path }, 0},
		"reached otherwise": {func(_, o *stacks.Stack) { o.Access.Profile = "prod" }, 1},
	} {
		st, o := *dev, named("prod/queue", stacks.Production)
		test.change(&st, o)
		if got := guard.Rivals(&st, []*stacks.Stack{dev, o}); len(got) != test.want {
			t.Errorf("%s: %d, want %d", name, len(got), test.want)
		}
	}
}

func TestAccountsOfFiles(t *testing.T) {
	t.Parallel()
	for role, want := range map[string]string{
		"": account, "arn:aws:iam::222222222222:role/Deploy": "222222222222", "arn:aws-cn:iam::222222222222:role/a/b": "222222222222",
		"arn:aws:s3:::x": account, "Deploy": account, "arn:aws:iam:::role/x": account,
	} {
		st := named("prod/queue", stacks.Production)
		st.Access.Role = role
		if got := guard.Accounts(st); len(got) != 1 || got[0] != want {
			t.Errorf("%q: %v, want %s", role, got, want)
		}
	}
	if got := guard.Accounts(&stacks.Stack{}); got != nil {
		t.Errorf("%v", got)
	}
}

func TestMeet(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		mine, theirs string
		want         guard.Overlap
	}{
		{"1", "1", guard.Same},
		{"1", "2", guard.Apart},
		{"1 2", "3", guard.Apart},
		{"1 2", "2", guard.Maybe},
		{"2", "1 2", guard.Maybe},
		{"", "1", guard.Maybe},
		{"1", "", guard.Maybe},
		{"", "", guard.Maybe},
	} {
		mine, theirs := strings.Fields(test.mine), strings.Fields(test.theirs)
		if got, back := guard.Meet(mine, theirs), guard.Meet(theirs, mine); got != test.want || back != test.want {
			t.Errorf("%v and %v: %d, %d, want %d", mine, theirs, got, back, test.want)
		}
	}
}

func TestTwinSaysWhere(t *testing.T) {
	t.Parallel()
	dev, prod := named("dev/queue", stacks.Development), named("prod/queue", stacks.Production)
	dev.Config = stacks.Value{Kind: stacks.Map, Fields: []stacks.Field{{Key: "stack_name", Value: stacks.Value{
		Kind: stacks.Text, Text: "shop-queue", Pos: stacks.Pos{File: "config/dev/queue.yaml", Line: 2, Column: 13},
	}}}}
	p := guard.Twin(dev, prod, account, "")
	const want = "config/dev/queue.yaml:2:13: dev/queue has the stack name shop-queue of prod/queue, which is production: " +
		"config/prod/queue.yaml:1:1 gives it that name, and both are in account 111111111111, eu-west-1: what is done to the one is done to the other"
	if p.Error() != want || p.ExitCode() != 2 || p.Hint() == "" {
		t.Errorf("%v", p)
	}
	p = guard.Twin(dev, prod, "", "no such profile")
	if !strings.Contains(p.Error(), "not known: no such profile") || !strings.Contains(p.Hint(), "accounts: into the environment block of prod") {
		t.Errorf("%v, %s", p, p.Hint())
	}
}
