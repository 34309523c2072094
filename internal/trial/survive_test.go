package trial_test

import (
	"context"
	"fmt"
	"maps"
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
	lines int // of the journal of a break
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
	if o.past() {
		f := faults()["stale"]
		f.Service = "cloudformation"
		if _, err := v.aws.AddFault(t.Context(), f); err != nil {
			return verdict{err: err}
		}
		if _, err := v.run(t.Context(), blow{}, "status", "dev"); err != nil { // what it is told is told again
			return verdict{err: err}
		}
	}
	if o.op != "launch" {
		if err := o.finish(t.Context(), v, "launch", "dev", "-y", "-o", "json"); err != nil {
			return verdict{err: fmt.Errorf("before: %w", err)}
		}
	}
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
	before, err := v.history(ctx)
	if err != nil {
		return err
	}
	if err := o.twice(v, before); err != nil {
		return err
	}
	r, err := v.run(ctx, blow{}, args...)
	if err != nil {
		return err
	}
	if r.exit != 0 {
		return fmt.Errorf("once more, with nothing to do: exit %d\n%s%s", r.exit, last(r.stdout), r.stderr)
	}
	after, err := v.history(ctx)
	if err != nil {
		return err
	}
	if !maps.Equal(before, after) {
		return fmt.Errorf("once more, with nothing to do, it did something: %v before, %v after", before, after)
	}
	return nil
}

// history counts what AWS has begun, by operation and stack, such as "CREATE s1":
// what it says itself, since an answer that was lost may have been a refusal.
func (v *victim) history(ctx context.Context) (map[string]int, error) {
	client := v.client()
	out := map[string]int{}
	pages := cloudformation.NewListStacksPaginator(client, &cloudformation.ListStacksInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, s := range page.StackSummaries {
			events, err := client.DescribeStackEvents(ctx, &cloudformation.DescribeStackEventsInput{StackName: s.StackId})
			if err != nil {
				return nil, err
			}
			for _, e := range events.StackEvents {
				operation, begun := strings.CutSuffix(string(e.ResourceStatus), "_IN_PROGRESS")
				if begun && aws.ToString(e.PhysicalResourceId) == aws.ToString(s.StackId) && !strings.Contains(operation, "ROLLBACK") && !strings.Contains(operation, "CLEANUP") {
					out[operation+" "+strings.TrimPrefix(aws.ToString(s.StackName), "many-dev-")]++
				}
			}
		}
	}
	return out, nil
}

// client asks AWS beside the one who is tortured.
func (v *victim) client() *cloudformation.Client {
	return cloudformation.New(cloudformation.Options{
		Region: "eu-west-1", Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
		HTTPClient: v.aws.Client(), BaseEndpoint: new(sandbox.Endpoint),
	})
}

// live are the stacks that exist, by their names below dev/.
func (v *victim) live(ctx context.Context) (map[string]types.Stack, error) {
	out := map[string]types.Stack{}
	pages := cloudformation.NewDescribeStacksPaginator(v.client(), &cloudformation.DescribeStacksInput{})
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

// twice looks at what AWS has begun: with each stack once what the case is about
// and nothing else, and once more where it was made to fail.
func (o ordeal) twice(v *victim, history map[string]int) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.byName != "" {
		return fmt.Errorf("%s was deleted by its name, not by its id", v.byName)
	}
	for begun, times := range history {
		operation, name, _ := strings.Cut(begun, " ")
		meant := map[string]string{"launch": "CREATE", "update": "UPDATE", "delete": "DELETE", "prune": "DELETE"}[o.op]
		allowed := 0
		if operation == meant || operation == "CREATE" { // all were created to begin with
			allowed = 1
		}
		if slices.Contains(o.faults, "fail"+strings.TrimPrefix(name, "s")) {
			allowed++
		}
		if times > allowed {
			return fmt.Errorf("AWS began %s of %s %d times", operation, name, times)
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
			if strings.HasSuffix(string(live[stack(i)].StackStatus), "_IN_PROGRESS") {
				return fmt.Errorf("it said that %s failed, which is not over: %s\n%s%s", stack(i), why, last(r.stdout), r.stderr)
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

// TestEndure: a case is lived through, and the judge sees what he is there for.
func TestEndure(t *testing.T) {
	t.Parallel()
	o, err := parseOrdeal("op=update needs=-,0 blows=5a faults=unheard seed=1")
	if err != nil {
		t.Fatal(err)
	}
	if v := o.endure(t); v.err != nil || v.kills != 1 {
		t.Errorf("%d kills: %v", v.kills, v.err)
	}
	for _, history := range []map[string]int{{"UPDATE s0": 2}, {"CREATE s1": 2}, {"DELETE s0": 1}} {
		if o.twice(&victim{}, history) == nil {
			t.Errorf("%v passes", history)
		}
	}
	if o.twice(&victim{byName: "s0"}, nil) == nil {
		t.Error("a deletion by name passes")
	}
	if err := o.twice(&victim{}, map[string]int{"CREATE s0": 1, "UPDATE s0": 1}); err != nil {
		t.Error(err)
	}
	note := "changed"
	live := map[string]types.Stack{"s0": {StackStatus: types.StackStatusUpdateComplete, Parameters: []types.Parameter{{ParameterKey: new("Note"), ParameterValue: &note}}}}
	if why := o.wrong(0, live); why != "" {
		t.Errorf("s0 is %s", why)
	}
	if why := o.wrong(1, live); why != "missing" {
		t.Errorf("s1 is %q, want missing", why)
	}
	note = "none"
	if o.wrong(0, live) == "" {
		t.Error("an old parameter passes")
	}
}
