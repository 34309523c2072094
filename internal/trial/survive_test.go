package trial_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/deployer-cli/deployer/internal/sandbox"
)

// verdict is what became of a case.
type verdict struct {
	kills int // blows that fell before the run had ended
	calls int // of the last run that a blow was meant for
	err   error
}

// endure goes through the case. What it must not survive is an error: an end
// state that is not the one asked for, a stack made or deleted twice, a result
// that is not true, a run that does not end.
func (o ordeal) endure(t testing.TB) (result verdict) {
	t.Helper()
	dir, err := os.MkdirTemp("", "torture") //nolint:usetesting // there are thousands: each goes when its case is over
	if err != nil {
		return verdict{err: err}
	}
	defer os.RemoveAll(dir)
	v := newVictim(t, dir, o.seed)
	defer v.http.Close()
	o.project().write(t, dir)
	if o.op != "launch" {
		if err := o.finish(t.Context(), v, "launch", "dev", "-y", "-o", "json"); err != nil {
			return verdict{err: fmt.Errorf("before: %w", err)}
		}
	}
	clear(v.writes)
	v.loses = slices.Contains(o.faults, "lost")
	args := o.alter(t, dir)
	rules, err := o.rules()
	for _, f := range rules {
		if err == nil {
			_, err = v.aws.AddFault(t.Context(), f)
		}
	}
	if err != nil {
		return verdict{err: err}
	}
	for i, b := range o.blows {
		r, err := v.run(t.Context(), b, args...)
		if err == nil && !r.killed {
			err = o.honest(t.Context(), v, r)
		}
		if err != nil {
			return verdict{err: fmt.Errorf("run %d: %w", i+1, err)}
		}
		if result.calls = r.calls; r.killed {
			result.kills++
		}
	}
	if len(rules) > 0 {
		if err := v.aws.ClearFaults(t.Context()); err != nil {
			return verdict{err: err}
		}
	}
	if err := o.finish(t.Context(), v, args...); err != nil {
		result.err = fmt.Errorf("the run that nobody disturbs: %w", err)
		return result
	}
	result.err = o.sober(t.Context(), v, args)
	return result
}

// finish is a run that nothing disturbs: it must end well and tell the truth.
func (o ordeal) finish(ctx context.Context, v *victim, args ...string) error {
	r, err := v.run(ctx, blow{}, args...)
	if err != nil {
		return err
	}
	if r.exit != 0 {
		return fmt.Errorf("exit %d\n%s%s", r.exit, last(r.stdout), r.stderr)
	}
	return nil
}

// sober looks at the end: the state that was asked for, nothing done twice, and
// nothing left to do.
func (o ordeal) sober(ctx context.Context, v *victim, args []string) error {
	live, err := v.live(ctx)
	if err != nil {
		return err
	}
	for i := range o.needs {
		if why := o.wrong(i, live); why != "" {
			return fmt.Errorf("in the end %s is %s", stack(i), why)
		}
	}
	if err := o.twice(v); err != nil {
		return err
	}
	before := len(v.writes)
	r, err := v.run(ctx, blow{}, args...)
	if err != nil {
		return err
	}
	if r.exit != 0 {
		return fmt.Errorf("once more, with nothing to do: exit %d\n%s%s", r.exit, last(r.stdout), r.stderr)
	}
	if len(v.writes) != before {
		return fmt.Errorf("once more, with nothing to do, it wrote: %v", v.writes)
	}
	return nil
}

// live are the stacks that exist, by their names below dev/.
func (v *victim) live(ctx context.Context) (map[string]types.Stack, error) {
	client := cloudformation.New(cloudformation.Options{
		Region: "eu-west-1", Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
		HTTPClient: v.aws.Client(), BaseEndpoint: new(sandbox.Endpoint),
	})
	out := map[string]types.Stack{}
	pages := cloudformation.NewDescribeStacksPaginator(client, &cloudformation.DescribeStacksInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, s := range page.Stacks {
			out[strings.TrimPrefix(aws.ToString(s.StackName), "many-dev-")] = s
		}
	}
	return out, nil
}

// wrong says what the stack of that number is, if not what the case wants it to be.
func (o ordeal) wrong(i int, live map[string]types.Stack) string {
	s, exists := live[stack(i)]
	if gone := o.op == "delete" || o.op == "prune" && o.prunes(i); gone {
		if exists {
			return string(s.StackStatus)
		}
		return ""
	}
	switch s.StackStatus {
	case types.StackStatusCreateComplete, types.StackStatusUpdateComplete:
	case "":
		return "missing"
	default:
		return string(s.StackStatus)
	}
	want := map[string]string{"Note": "none", "After": "none"}
	if o.op == "update" {
		want["Note"] = "changed"
	}
	if needs := o.needs[i]; len(needs) > 0 {
		for _, output := range live[stack(needs[0])].Outputs {
			want["After"] = aws.ToString(output.OutputValue)
		}
	}
	for _, p := range s.Parameters {
		key, value := aws.ToString(p.ParameterKey), aws.ToString(p.ParameterValue)
		if value != want[key] {
			return fmt.Sprintf("with %s %q, not %q", key, value, want[key])
		}
	}
	return ""
}

// twice looks at what AWS accepted: each stack once, and once more for each time
// that it was made to fail.
func (o ordeal) twice(v *victim) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	for key, tokens := range v.writes {
		action, name, _ := strings.Cut(key, " ")
		fails := slices.Contains(o.faults, "fail"+strings.TrimPrefix(name, "s"))
		meant := map[string]string{"launch": "CreateStack", "update": "UpdateStack", "delete": "DeleteStack", "prune": "DeleteStack"}[o.op]
		allowed := 0
		if action == meant {
			allowed = 1
		}
		if fails {
			allowed++
		}
		if action == meant && action == "DeleteStack" && slices.Contains(o.faults, "stale") {
			allowed += len(o.blows) // by its id: what is deleted twice is deleted once
		}
		if len(tokens) > allowed {
			return fmt.Errorf("AWS accepted %s of %s %d times", action, name, len(tokens))
		}
	}
	return nil
}

// honest compares what an undisturbed run said with what is.
func (o ordeal) honest(ctx context.Context, v *victim, r ran) error {
	said, ok := result(r.stdout)
	if !ok {
		return fmt.Errorf("no result: exit %d\n%s%s", r.exit, last(r.stdout), r.stderr)
	}
	live, err := v.liveNow(ctx)
	if err != nil {
		return err
	}
	for i := range o.needs {
		why := o.wrong(i, live)
		switch outcome := said.Stacks["dev/"+stack(i)]; outcome {
		case "created", "updated", "recreated", "unchanged", "deleted":
			if why != "" {
				return fmt.Errorf("it said %s of %s, which is %s\n%s", outcome, stack(i), why, r.stderr)
			}
		case "failed":
			if why == "" {
				return fmt.Errorf("it said that %s failed, which is as it should be\n%s%s", stack(i), last(r.stdout), r.stderr)
			}
		}
		if r.exit == 0 && why != "" {
			return fmt.Errorf("exit 0, and %s is %s\n%s", stack(i), why, r.stderr)
		}
	}
	return nil
}

// liveNow looks past the faults.
func (v *victim) liveNow(ctx context.Context) (map[string]types.Stack, error) {
	rules, err := v.aws.ListFaults(ctx)
	if err != nil {
		return nil, err
	}
	if err := v.aws.ClearFaults(ctx); err != nil {
		return nil, err
	}
	live, err := v.live(ctx)
	for _, f := range rules {
		if f.Count > 0 && f.Fired >= f.Count {
			continue // it is over
		}
		if _, wrong := v.aws.AddFault(ctx, f); err == nil {
			err = wrong
		}
	}
	return live, err
}

// last is the last line.
func last(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1] + "\n"
}
