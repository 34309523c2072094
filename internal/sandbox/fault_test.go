package sandbox

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/deployer-cli/deployer/internal/sandbox/engine"
	"github.com/deployer-cli/deployer/internal/sandbox/store"
)

func (r *rig) addFaults(faults ...Fault) {
	r.t.Helper()
	for _, f := range faults {
		if _, err := r.AddFault(r.t.Context(), f); err != nil {
			r.t.Fatal(err)
		}
	}
}

func bodyOf(t *testing.T, res *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestRequestFaults(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault  Fault
		status []int // of four reads in a row
		code   string
	}{
		"throttle twice":   {Fault{Throttle: true, Count: 2}, []int{400, 400, 200, 200}, "<Code>Throttling</Code><Message>Rate exceeded</Message>"},
		"rate":             {Fault{Rate: 2}, []int{200, 200, 400, 400}, "Throttling"},
		"rate with burst":  {Fault{Rate: 1, Burst: 3}, []int{200, 200, 200, 400}, "Throttling"},
		"unavailable":      {Fault{Status: 503, Count: 1}, []int{503, 200, 200, 200}, "ServiceUnavailable"},
		"internal":         {Fault{Status: 500, Count: 1, Action: "Describe*"}, []int{500, 200, 200, 200}, "<Type>Receiver</Type><Code>InternalFailure</Code>"},
		"another action":   {Fault{Throttle: true, Action: "List*"}, []int{200, 200, 200, 200}, ""},
		"another service":  {Fault{Throttle: true, Service: "s3"}, []int{200, 200, 200, 200}, ""},
		"only writes":      {Fault{Throttle: true, Phase: "write"}, []int{200, 200, 200, 200}, ""},
		"only reads":       {Fault{Throttle: true, Phase: "read"}, []int{400, 400, 400, 400}, ""},
		"another account":  {Fault{Throttle: true, Account: "999999999999"}, []int{200, 200, 200, 200}, ""},
		"the stack":        {Fault{Throttle: true, Stack: "dev-*"}, []int{400, 400, 400, 400}, ""},
		"another stack":    {Fault{Throttle: true, Stack: "prod-*"}, []int{200, 200, 200, 200}, ""},
		"half of the time": {Fault{Throttle: true, Probability: 0.5}, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, Options{})
			r.addFaults(c.fault)
			for i, want := range c.status {
				res := r.send("DescribeStacks&StackName=arn:aws:cloudformation:r:a:stack/dev-a/uuid")
				body := bodyOf(t, res)
				if res.StatusCode != want {
					t.Errorf("read %d: %d, want %d: %s", i, res.StatusCode, want, body)
				}
				if want != 200 && !strings.Contains(body, c.code) {
					t.Errorf("read %d: no %s in %s", i, c.code, body)
				}
			}
		})
	}
}

func TestRateRefills(t *testing.T) {
	t.Parallel()
	r := newRig(t, Options{})
	r.addFaults(Fault{Rate: 5})
	good := 0
	for range 100 { // a read every 50 ms, 20 in a second
		if r.send("DescribeStacks").StatusCode == http.StatusOK {
			good++
		}
		r.now = r.now.Add(50 * time.Millisecond)
	}
	if good < 27 || good > 31 { // 5 at once and 5 in each of 5 seconds
		t.Errorf("%d of 100 reads in 5 s went through at 5 reads/s", good)
	}
}

func TestProbabilityIsSeeded(t *testing.T) {
	t.Parallel()
	draw := func(seed uint64) string {
		r := newRig(t, Options{Seed: seed})
		r.addFaults(Fault{Throttle: true, Probability: 0.5})
		var out strings.Builder
		for range 40 {
			out.WriteByte("01"[r.send("DescribeStacks").StatusCode/400])
		}
		return out.String()
	}
	a, again, b := draw(1), draw(1), draw(2)
	if a != again {
		t.Error("the same seed drew differently")
	}
	if a == b {
		t.Error("another seed drew the same")
	}
	if n := strings.Count(a, "1"); n < 8 || n > 32 {
		t.Errorf("%d of 40 at a half", n)
	}
}

func TestDropAndStale(t *testing.T) {
	t.Parallel()
	r := newRig(t, Options{Speed: 1})
	r.addFaults(Fault{Drop: "answer", Count: 1, Action: "DescribeStacks"}, Fault{Drop: "request", Count: 1, Action: "DescribeStacks"})
	for _, wantCalls := range []int64{0, 1} { // the rule that drops requests wins the first time
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, Endpoint+"/?Action=DescribeStacks", nil)
		before := r.engine.calls.Load()
		if _, err := r.Client().Do(req); !errors.Is(err, ErrDropped) && wantCalls == 0 {
			t.Errorf("got %v", err)
		}
		if got := r.engine.calls.Load() - before; got != wantCalls {
			t.Errorf("%d calls reached the engine, want %d", got, wantCalls)
		}
	}
	if err := r.ClearFaults(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.addFaults(Fault{Stale: time.Minute})
	created := func() string {
		_, rest, _ := strings.Cut(bodyOf(t, r.send("DescribeStacks")), "<CreationTime>2026-01-01T")
		at, _, _ := strings.Cut(rest, ".")
		return at
	}
	for i, want := range []string{"00:00:00", "00:00:00", "00:00:00", "00:00:40", "00:01:20"} {
		if got := created(); got != want {
			t.Errorf("read %d tells of %s, want %s", i, got, want)
		}
		r.now = r.now.Add(40 * time.Second)
	}
}

func TestResourceFaults(t *testing.T) {
	t.Parallel()
	r := newRig(t, Options{Seed: 7})
	r.addFaults(
		Fault{Stack: "dev-*", Type: "AWS::RDS::*", Phase: "create", Fail: true, Message: "no room", Code: "NotStabilized", Count: 1},
		Fault{Logical: "Db", Slow: 3, Hold: time.Minute},
		Fault{Logical: "D?", Slow: 2},
	)
	ask := func(q engine.FaultQuery) (out engine.FaultAnswer) {
		t.Helper()
		err := r.store.Update(t.Context(), func(tx store.Tx) (err error) {
			out, err = r.resourceFault(tx, q)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	q := engine.FaultQuery{Stack: "dev-data", StackID: "arn", LogicalID: "Db", Type: "AWS::RDS::DBInstance", Phase: "create", Step: "start"}
	if got := ask(q); got != (engine.FaultAnswer{Slow: 6, Delay: time.Minute}) {
		t.Errorf("start: %+v", got)
	}
	q.Step = "end"
	other := q
	other.Stack = "prod-data"
	if got := ask(other); got.Fail {
		t.Errorf("another stack: %+v", got)
	}
	if got := ask(q); got != (engine.FaultAnswer{Fail: true, Message: "no room", HandlerCode: "NotStabilized"}) {
		t.Errorf("end: %+v", got)
	}
	if got := ask(q); got.Fail {
		t.Errorf("end, the second time: %+v", got)
	}
	list, err := r.ListFaults(t.Context())
	if err != nil || len(list) != 3 || list[0].Fired != 1 || list[0].ID != "fault-1" {
		t.Errorf("%+v %v", list, err)
	}
	if err := r.ClearFaults(t.Context(), "fault-1", "fault-9"); err == nil {
		t.Error("cleared a rule that is not there")
	}
	if err := r.ClearFaults(t.Context(), "fault-1"); err != nil {
		t.Fatal(err)
	}
	if list, _ := r.ListFaults(t.Context()); len(list) != 2 {
		t.Errorf("left: %+v", list)
	}
}

func TestFaultFile(t *testing.T) {
	t.Parallel()
	got, err := ParseFaults([]byte(`
faults:
- {stack: dev-*, resource: Db, type: "AWS::RDS::*", phase: create, fail: out of stock, code: X, count: 1, probability: 0.5}
- slow: 2.5
  hold: 10m
- {rate: 5, burst: 10, phase: read, account: 012345678901}
- {id: mine, drop: answer, status: 503, delay: 2s, stale: 30s, action: Describe*, service: cloudformation}
- {throttle: true}
- fail: yes
`))
	want := []Fault{
		{Stack: "dev-*", Logical: "Db", Type: "AWS::RDS::*", Phase: "create", Fail: true, Message: "out of stock", Code: "X", Count: 1, Probability: 0.5},
		{Slow: 2.5, Hold: 10 * time.Minute},
		{Rate: 5, Burst: 10, Phase: "read", Account: "012345678901"},
		{ID: "mine", Drop: "answer", Status: 503, Delay: 2 * time.Second, Stale: 30 * time.Second, Action: "Describe*", Service: "cloudformation"},
		{Throttle: true},
		{Fail: true},
	}
	if err != nil || len(got) != len(want) {
		t.Fatal(got, err)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("rule %d:\ngot  %+v\nwant %+v", i, got[i], want[i])
		}
	}
}

func TestFaultFileMistakes(t *testing.T) {
	t.Parallel()
	for src, want := range map[string]string{
		"- {stak: x, fail: true}":            `line 1, column 4: unknown key "stak"`,
		"- {}\n- {slow: x}":                  `line 2, column 10: slow: "x" is not a number`,
		"- {}":                               "the rule does nothing",
		"- {fail: true, drop: request}":      "not both",
		"- {fail: true, slow: 2}":            "not both",
		"- {slow: 2, message: x}":            "belong to fail",
		"- {fail: true, phase: read}":        `phase "read"`,
		"- {throttle: true, phase: create}":  `phase "create"`,
		"- {throttle: true, type: x}":        "rules of resources",
		"- {fail: true, action: x}":          "rules of requests",
		"- {fail: true, stack: '['}":         "pattern",
		"- {status: 404}":                    "status 404",
		"- {drop: x}":                        "drop",
		"- {slow: -1}":                       "negative",
		"- {throttle: true, probability: 2}": "probability",
		"- {throttle: [1]}":                  "a list where true or false is expected",
		"- text":                             "a string where a map is expected",
		"5":                                  "a number where a list or a map is expected",
		"- {delay: 5}":                       "a duration such as",
		"[":                                  "",
	} {
		if _, err := ParseFaults([]byte(src)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", src, err)
		}
	}
}

func FuzzFaultFile(f *testing.F) {
	f.Add("- {stack: dev-*, fail: no, slow: 2}")
	f.Add("faults: {rate: 5}")
	f.Fuzz(func(t *testing.T, src string) {
		faults, err := ParseFaults([]byte(src))
		if err != nil && faults != nil {
			t.Error("faults beside an error")
		}
	})
}
