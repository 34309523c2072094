package execute_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deployer-cli/deployer/internal/event"
	"github.com/deployer-cli/deployer/internal/execute"
	"github.com/deployer-cli/deployer/internal/plan"
	"github.com/deployer-cli/deployer/stacks"
)

// service is a CloudFormation of a few lines: every operation takes its time
// and ends as told.
type service struct {
	mu       sync.Mutex
	takes    map[stacks.Path]time.Duration
	fails    map[stacks.Path]string // reason of the first failing resource
	nothing  map[stacks.Path]bool   // updates have nothing to do
	refuses  map[stacks.Path]error  // the call itself fails
	lost     map[stacks.Path]bool   // the watch cannot look any more
	running  int
	most     int
	calls    []string
	landed   []stacks.Path
	decide   func(stacks.Path) (plan.Step, error)
	hookFail string
}

func (s *service) begin(verb stacks.Verb, p stacks.Path, token string) (stacks.Operation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, fmt.Sprintf("%s %s", verb, p))
	_, exists := errors.AsType[*stacks.ExistsError](s.refuses[p])
	if err := s.refuses[p]; err != nil && (!exists || verb == stacks.Create) {
		return stacks.Operation{}, err
	}
	if verb == stacks.Update && s.nothing[p] {
		return stacks.Operation{}, &stacks.NoChangesError{Name: string(p)}
	}
	s.running++
	s.most = max(s.most, s.running)
	return stacks.Operation{Path: p, Verb: verb, StackID: "arn:" + string(p), Token: token}, nil
}

func (s *service) Create(_ context.Context, c stacks.Change) (stacks.Operation, error) {
	return s.begin(stacks.Create, c.Desired.Stack.Path, c.Token)
}

func (s *service) Update(_ context.Context, c stacks.Change) (stacks.Operation, error) {
	return s.begin(stacks.Update, c.Desired.Stack.Path, c.Token)
}

func (s *service) Delete(_ context.Context, t stacks.Target, _ []string) (stacks.Operation, error) {
	return s.begin(stacks.Delete, t.Path, t.Token)
}

func (s *service) Continue(_ context.Context, t stacks.Target, _ []string) (stacks.Operation, error) {
	return s.begin(stacks.Continue, t.Path, t.Token)
}

func (s *service) SetPolicy(_ context.Context, t stacks.Target, _ []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, "policy "+string(t.Path))
	return nil
}

func (s *service) Protect(_ context.Context, t stacks.Target, _ bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, "protect "+string(t.Path))
	return nil
}

func (s *service) Watch(ctx context.Context, op stacks.Operation) iter.Seq2[stacks.Progress, error] {
	return func(yield func(stacks.Progress, error) bool) {
		timer := time.NewTimer(s.takes[op.Path])
		defer timer.Stop()
		select {
		case <-ctx.Done():
			yield(stacks.Progress{}, ctx.Err())
			return
		case <-timer.C:
		}
		s.mu.Lock()
		s.running--
		s.mu.Unlock()
		if s.lost[op.Path] {
			yield(stacks.Progress{}, &stacks.UnknownError{What: "cannot look", Cause: errors.New("credentials expired")})
			return
		}
		yield(s.ended(op), nil)
	}
}

func (s *service) ended(op stacks.Operation) stacks.Progress {
	ok := map[stacks.Verb]stacks.Status{
		stacks.Create: stacks.CreateComplete, stacks.Update: stacks.UpdateComplete,
		stacks.Delete: stacks.DeleteComplete, stacks.Rollback: stacks.UpdateRollbackComplete,
	}
	p := stacks.Progress{Status: ok[op.Verb], Done: true, Live: &stacks.Live{ID: op.StackID, Status: ok[op.Verb]}}
	if why := s.fails[op.Path]; why != "" {
		p.Status = stacks.RollbackComplete
		p.Events = []stacks.Event{
			{ID: "1", StackID: op.StackID, LogicalID: "Bucket", Type: "AWS::S3::Bucket", Status: "CREATE_FAILED", Reason: why},
			{ID: "2", StackID: op.StackID, LogicalID: "Queue", Type: "AWS::SQS::Queue", Status: "CREATE_FAILED", Reason: "Resource creation cancelled"},
		}
	}
	return p
}

func (s *service) Decide(_ context.Context, p stacks.Path) (plan.Step, error) { return s.decide(p) }

func (s *service) Again(_ context.Context, p stacks.Path) (plan.Step, error) { return s.decide(p) }

func (s *service) Landed(p stacks.Path, _ *stacks.Live) { s.landed = append(s.landed, p) }

func (s *service) Run(_ context.Context, st *stacks.Stack, moment string, output func(string)) error {
	output("hello from " + moment)
	if s.hookFail == moment {
		return fmt.Errorf("hook %s of %s: exit status 1", moment, st.Path)
	}
	return nil
}

// there refuses to create a, which exists; looks at it find what is to be done,
// one after the other, the last again and again.
func there(found ...plan.Action) *service {
	looks := 0
	return &service{
		refuses: map[stacks.Path]error{"a": &stacks.ExistsError{Name: "a"}},
		decide: func(p stacks.Path) (plan.Step, error) {
			s := step(p, found[min(looks, len(found)-1)])
			looks++
			return s, nil
		},
	}
}

func step(p stacks.Path, a plan.Action, after ...stacks.Path) plan.Step {
	return plan.Step{
		Stack: p, Name: string(p), Action: a, After: after, StackID: "arn:" + string(p),
		Desired: &stacks.Desired{Stack: &stacks.Stack{Path: p}}, Live: &stacks.Live{ID: "arn:" + string(p)},
	}
}

func job(steps ...plan.Step) execute.Job {
	return execute.Job{
		Command: "launch", Plan: &plan.Plan{Steps: steps},
		Token: func(p stacks.Path, n int) string { return fmt.Sprintf("%s-%d", p, n) },
	}
}

// perform runs a job against the service and returns the events, one line each.
func perform(ctx context.Context, s *service, j execute.Job) (execute.Result, []string, error) {
	var lines []string
	start := time.Now()
	sink := event.Func(func(e event.Event) {
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%v %s %s %s %s", time.Since(start), e.Kind, e.Stack, e.Action, e.Cause)))
	})
	ports := execute.Ports{Changer: s, Mender: s, Watcher: s, Decider: s, Hooks: s}
	result, err := execute.Run(ctx, j, ports, sink)
	return result, lines, err
}

func TestNoBarriers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		// slow has nothing to do with the chain a-b-c: c must be done after 6 s.
		s := &service{takes: map[stacks.Path]time.Duration{"slow": time.Minute, "a": 2 * time.Second, "b": 2 * time.Second, "c": 2 * time.Second}}
		result, lines, err := perform(t.Context(), s, job(
			step("a", plan.Create), step("slow", plan.Create), step("b", plan.Create, "a"), step("c", plan.Create, "b"),
		))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(lines, "6s step-done c created") {
			t.Errorf("c was not done after 6s:\n%s", strings.Join(lines, "\n"))
		}
		if got := result.Ended.Sub(result.Started); got != time.Minute {
			t.Errorf("took %v, want 1m0s", got)
		}
		if !slices.Equal(result.Critical, []stacks.Path{"slow"}) {
			t.Errorf("critical path %v", result.Critical)
		}
		if !slices.Equal(s.landed, []stacks.Path{"a", "b", "c", "slow"}) {
			t.Errorf("landed %v", s.landed)
		}
	})
}

func TestLimitAndLongestFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &service{takes: map[stacks.Path]time.Duration{"a": time.Second, "b": time.Second, "c": time.Second, "z": time.Second}}
		j := job(step("a", plan.Create), step("b", plan.Create), step("z", plan.Create), step("c", plan.Create, "z"))
		j.Limit = 1
		if _, _, err := perform(t.Context(), s, j); err != nil {
			t.Fatal(err)
		}
		if s.most != 1 {
			t.Errorf("%d ran at once, want 1", s.most)
		}
		if s.calls[0] != "create z" {
			t.Errorf("first was %s, want the one that most depends on", s.calls[0])
		}
	})
}

// A limit for each account and region holds back what would go to the same, and
// nothing else; the longest chain of what may start goes first.
func TestLimitOfAPlace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		takes := map[stacks.Path]time.Duration{"a1": 30 * time.Second, "a2": 20 * time.Second, "a3": 10 * time.Second, "b1": 5 * time.Second}
		at := func(p stacks.Path, account string) plan.Step {
			s := step(p, plan.Create)
			s.Account, s.Region = account, "eu-west-1"
			return s
		}
		j := job(at("a1", "1"), at("a2", "1"), at("a3", "1"), at("b1", "2"), step("same", plan.None))
		j.PlaceLimit = 1
		j.Expected = func(s *plan.Step) time.Duration { return takes[s.Stack] }
		_, lines, err := perform(t.Context(), &service{takes: takes}, j)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, line := range lines {
			if strings.Contains(line, "step-started") {
				got = append(got, line)
			}
		}
		want := []string{"0s step-started a1 create", "0s step-started b1 create", "30s step-started a2 create", "50s step-started a3 create"}
		if !slices.Equal(got, want) {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	})
}

func TestFailureIsContained(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &service{fails: map[stacks.Path]string{"b": "name taken"}, takes: map[stacks.Path]time.Duration{"x": time.Hour}}
		result, lines, err := perform(t.Context(), s, job(
			step("a", plan.Create), step("b", plan.Create, "a"), step("c", plan.Create, "b"), step("d", plan.Create, "c", "x"),
			step("x", plan.Create), step("y", plan.Create, "x"),
		))
		if err == nil || !strings.Contains(err.Error(), "b: create ended in ROLLBACK_COMPLETE: Bucket (AWS::S3::Bucket): name taken") {
			t.Errorf("error %v", err)
		}
		if strings.Contains(err.Error(), "cancelled") || len(result.Failures) != 1 {
			t.Errorf("echoes in %v", err)
		}
		want := map[stacks.Path]execute.Outcome{"a": "created", "b": "failed", "c": "skipped", "d": "skipped", "x": "created", "y": "created"}
		for p, o := range want {
			if result.Outcomes[p] != o {
				t.Errorf("%s is %s, want %s", p, result.Outcomes[p], o)
			}
		}
		for _, line := range []string{"0s step-skipped c skipped b failed", "0s step-skipped d skipped b failed"} {
			if !slices.Contains(lines, line) {
				t.Errorf("no %q in\n%s", line, strings.Join(lines, "\n"))
			}
		}
	})
}

func TestFailFastStartsNothingNew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &service{fails: map[stacks.Path]string{"a": "no"}, takes: map[stacks.Path]time.Duration{"a": time.Second, "b": 2 * time.Second}}
		j := job(step("a", plan.Create), step("b", plan.Create), step("c", plan.Create, "b"))
		j.FailFast = true
		result, _, err := perform(t.Context(), s, j)
		if err == nil || result.Outcomes["b"] != execute.Created || result.Outcomes["c"] != execute.NotStarted || !result.Interrupted {
			t.Errorf("%v %+v", err, result.Outcomes)
		}
	})
}

func TestDrain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &service{takes: map[stacks.Path]time.Duration{"a": 10 * time.Second}}
		drain := make(chan struct{})
		time.AfterFunc(time.Second, func() { close(drain) })
		j := job(step("a", plan.Create), step("b", plan.Create, "a"))
		j.Drain = drain
		result, lines, err := perform(t.Context(), s, j)
		if err != nil || !result.Interrupted || result.Detached {
			t.Errorf("error %v, interrupted %v", err, result.Interrupted)
		}
		if result.Outcomes["a"] != execute.Created || result.Outcomes["b"] != execute.NotStarted {
			t.Errorf("%v\n%s", result.Outcomes, strings.Join(lines, "\n"))
		}
	})
}

// What asks to drain while it is told of the start of a step: nothing of it is done.
func TestDrainAtTheStart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &service{takes: map[stacks.Path]time.Duration{"a": 10 * time.Second}}
		drain := make(chan struct{})
		j := job(step("a", plan.Create), step("b", plan.Create, "a"), step("c", plan.Create, "b"))
		j.Drain = drain
		var told []string
		sink := event.Func(func(e event.Event) {
			if e.Kind == event.StepStarted && e.Stack == "b" {
				close(drain) // as the journal does where it cannot be written
			}
			told = append(told, strings.TrimSpace(fmt.Sprintf("%s %s", e.Kind, e.Stack)))
		})
		ports := execute.Ports{Changer: s, Mender: s, Watcher: s, Decider: s, Hooks: s}
		result, err := execute.Run(t.Context(), j, ports, sink)
		if err != nil || !result.Interrupted || result.Outcomes["b"] != execute.NotStarted || result.Outcomes["c"] != execute.NotStarted {
			t.Errorf("%v %+v", err, result.Outcomes)
		}
		if got := strings.Join(s.calls, ", "); got != "create a" {
			t.Errorf("calls: %s", got)
		}
		if got := strings.Join(told, ", "); !strings.HasSuffix(got, "step-started b, draining, step-skipped b, run-finished") {
			t.Error(got)
		}
	})
}

func TestDetach(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &service{takes: map[stacks.Path]time.Duration{"a": 10 * time.Second}}
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(errors.New("second interrupt")) })
		result, _, err := perform(ctx, s, job(step("a", plan.Create), step("b", plan.Create, "a")))
		if err != nil || !result.Interrupted || !result.Detached {
			t.Errorf("error %v, %+v", err, result)
		}
		if result.Outcomes["a"] != execute.Running || result.Outcomes["b"] != execute.Skipped {
			t.Errorf("%v", result.Outcomes)
		}
		if got := result.Ended.Sub(result.Started); got != time.Second {
			t.Errorf("left after %v", got)
		}
	})
}

func TestOutcomes(t *testing.T) {
	t.Parallel()
	late := step("a", plan.Update)
	late.Late = true
	joins := step("a", plan.Join)
	joins.Live.Status = stacks.UpdateInProgress
	going := step("a", plan.Join)
	going.Live.Status = stacks.DeleteInProgress
	gone := func(p stacks.Path) (plan.Step, error) { return plan.Step{Stack: p, Action: plan.None}, nil }
	stuck := step("a", plan.Update)
	stuck.Live.Status = stacks.UpdateRollbackFailed
	blocked := step("a", plan.Update)
	blocked.Blocked = "export in use"
	protected := step("a", plan.Update)
	protected.Diff = []plan.Difference{{Part: "protection"}}
	protected.Desired.Stack.TerminationProtection = new(true)
	silent := &stacks.UnknownError{What: "DescribeStacks got no answer", Cause: errors.New("silence")}
	fails := func(err error) func(stacks.Path) (plan.Step, error) {
		return func(stacks.Path) (plan.Step, error) { return plan.Step{}, err }
	}
	decided := func(a plan.Action) func(stacks.Path) (plan.Step, error) {
		return func(p stacks.Path) (plan.Step, error) { return step(p, a), nil }
	}
	tests := map[string]struct {
		step    plan.Step
		service *service
		want    execute.Outcome
		calls   string
	}{
		"create":                    {step("a", plan.Create), &service{}, execute.Created, "create a"},
		"update":                    {step("a", plan.Update), &service{}, execute.Updated, "update a"},
		"update with nothing to do": {step("a", plan.Update), &service{nothing: map[stacks.Path]bool{"a": true}}, execute.Unchanged, "update a"},
		"protection only":           {protected, &service{nothing: map[stacks.Path]bool{"a": true}}, execute.Updated, "protect a, update a"},
		"recreate":                  {step("a", plan.Recreate), &service{}, execute.Recreated, "delete a, create a"},
		"delete":                    {step("a", plan.Delete), &service{}, execute.Deleted, "delete a"},
		"none":                      {step("a", plan.None), &service{}, execute.Unchanged, ""},
		"skip":                      {step("a", plan.Skip), &service{}, execute.Skipped, ""},
		"blocked":                   {blocked, &service{}, execute.Failed, ""},
		"late, then nothing":        {late, &service{decide: decided(plan.None)}, execute.Unchanged, ""},
		"late, then an update":      {late, &service{decide: decided(plan.Update)}, execute.Updated, "update a"},
		"join, then an update":      {joins, &service{decide: decided(plan.Update)}, execute.Updated, "update a"},
		"join, then nothing":        {joins, &service{decide: decided(plan.None)}, execute.Unchanged, ""},
		"join, then no answer":      {joins, &service{decide: fails(silent)}, execute.Unknown, ""},
		"join, then no value":       {joins, &service{decide: fails(&stacks.UnsentError{Cause: silent})}, execute.Failed, ""},
		"late, and no value":        {late, &service{decide: fails(silent)}, execute.Failed, ""},
		"join a deletion":           {going, &service{decide: gone}, execute.Deleted, ""},
		"stuck rollback":            {stuck, &service{}, execute.Updated, "continue a, update a"},
		"call refused":              {step("a", plan.Create), &service{refuses: map[stacks.Path]error{"a": errors.New("no")}}, execute.Failed, "create a"},
		"there, as it should be":    {step("a", plan.Create), there(plan.None), execute.Unchanged, "create a"},
		"there after two looks":     {step("a", plan.Create), there(plan.Create, plan.Create, plan.None), execute.Unchanged, "create a"},
		"there, going on":           {step("a", plan.Create), there(plan.Join, plan.None), execute.Unchanged, "create a"},
		"there, and not as wanted":  {step("a", plan.Create), there(plan.Update), execute.Failed, "create a"},
		"there, to be made again":   {step("a", plan.Create), there(plan.Join, plan.Recreate), execute.Failed, "create a"},
		"there, and never found":    {step("a", plan.Create), there(plan.Create), execute.Failed, "create a"},
		"made anew, and there":      {step("a", plan.Recreate), there(plan.Recreate, plan.Create, plan.None), execute.Recreated, "delete a, create a"},
		"made anew, another there":  {step("a", plan.Recreate), there(plan.Create, plan.Update), execute.Failed, "delete a, create a"},
		"watch lost":                {step("a", plan.Create), &service{lost: map[stacks.Path]bool{"a": true}}, execute.Unknown, "create a"},
		"hook before fails":         {step("a", plan.Create), &service{hookFail: "before_create"}, execute.Failed, ""},
		"hook after fails":          {step("a", plan.Create), &service{hookFail: "after_create"}, execute.Failed, "create a"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				result, lines, err := perform(t.Context(), tt.service, job(tt.step, step("b", plan.Create, "a")))
				if result.Outcomes["a"] != tt.want {
					t.Errorf("%s, want %s: %v\n%s", result.Outcomes["a"], tt.want, err, strings.Join(lines, "\n"))
				}
				failed := tt.want == execute.Failed || tt.want == execute.Unknown
				if (err != nil) != failed {
					t.Errorf("error %v", err)
				}
				if failed != (result.Outcomes["b"] == execute.Skipped) {
					t.Errorf("the dependent is %s", result.Outcomes["b"])
				}
				calls := strings.TrimSuffix(strings.TrimSuffix(strings.Join(tt.service.calls, ", "), "create b"), ", ")
				if calls != tt.calls {
					t.Errorf("calls %q, want %q", calls, tt.calls)
				}
			})
		})
	}
}
