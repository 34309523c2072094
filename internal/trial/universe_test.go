package trial_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/deployer-cli/deployer/internal/cli"
	"github.com/deployer-cli/deployer/internal/sandbox"
	"github.com/deployer-cli/deployer/internal/sandbox/store"
)

// inBubble runs do as a test in fake time, which benchmarks and subtests with a
// time of their own cannot.
func inBubble(tb testing.TB, do func(t *testing.T)) {
	tb.Helper()
	everything := func(_, _ string) (bool, error) { return true, nil }
	if !testing.RunTests(everything, []testing.InternalTest{{Name: tb.Name(), F: func(t *testing.T) { synctest.Test(t, do) }}}) {
		tb.Fatal("failed")
	}
}

// universe is a project and an AWS that measures are taken in.
type universe struct {
	project *project
	dir     string
	aws     *sandbox.Server
	meter   meter
}

// newUniverse makes one, in which AWS allows each account and region so many
// reads a second, or as many as one likes if 0.
func newUniverse(t testing.TB, p *project, reads float64) *universe {
	t.Helper()
	opts := sandbox.Options{Store: store.NewMemory(), Speed: 1}
	if p.ends {
		opts.Durations = func(string) (create, update, remove time.Duration) {
			return 1500 * time.Millisecond, 1500 * time.Millisecond, 1500 * time.Millisecond
		}
	}
	u := &universe{project: p, dir: t.TempDir(), aws: sandbox.New(opts)}
	u.meter.aws = u.aws.Client()
	p.write(t, u.dir)
	if reads > 0 {
		limit := sandbox.Fault{Rate: reads, Burst: int(reads), Service: "cloudformation", Phase: "read"}
		if _, err := u.aws.AddFault(t.Context(), limit); err != nil {
			t.Fatal(err)
		}
	}
	return u
}

// meter counts what AWS is asked, and how often it wants less of it.
type meter struct {
	aws *sandbox.InProcess

	mu sync.Mutex
	count
}

// count is what came over the wire.
type count struct {
	calls, throttled int
	actions          map[string]int
}

// Do answers a request.
func (m *meter) Do(r *http.Request) (*http.Response, error) {
	action := ""
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		_, action, _ = strings.Cut(string(body), "Action=")
		action, _, _ = strings.Cut(action, "&")
	}
	answer, err := m.aws.Do(r)
	if err != nil {
		return nil, err
	}
	throttled := false
	if answer.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(answer.Body)
		throttled = bytes.Contains(body, []byte("<Code>Throttling</Code>"))
		answer.Body = io.NopCloser(bytes.NewReader(body))
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls++
	if m.actions == nil {
		m.actions = map[string]int{}
	}
	m.actions[action]++
	if throttled {
		m.throttled++
	}
	return answer, nil
}

// take returns what was counted, and begins anew.
func (m *meter) take() count {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.count
	m.count = count{}
	return c
}

// outcome is the last line of a run in JSON.
type outcome struct {
	Kind   string            `json:"kind"`
	Exit   int               `json:"exit"`
	Stacks map[string]string `json:"stacks"`
}

// result reads the last line of a run in JSON.
func result(stdout string) (outcome, bool) {
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	var o outcome
	err := json.Unmarshal([]byte(lines[len(lines)-1]), &o)
	return o, err == nil && o.Kind == "result"
}

// deployer runs a command line with the paces and the polling that AWS gets.
// Its last two arguments are always -o json.
func (u *universe) deployer(t *testing.T, args ...string) outcome {
	t.Helper()
	var out, talk bytes.Buffer
	exit := cli.Main(cli.Env{
		Args: append(append([]string{"deployer"}, args...), "-o", "json"), Stdin: strings.NewReader(""), Stdout: &out, Stderr: &talk,
		Environ: map[string]string{"HOME": u.dir}, Dir: u.dir, Now: time.Now, AWS: &u.meter,
	})
	o, ok := result(out.String())
	if !ok || exit != 0 {
		t.Fatalf("deployer %s: exit %d: %s", strings.Join(args, " "), exit, talk.String())
	}
	return o
}

// places are the accounts and regions that the project has stacks in, as access
// keys and regions; the sandbox takes an access key of twelve digits for an account.
func (p *project) places() [][2]string {
	if p.shape != "world" {
		return [][2]string{{"test", "eu-west-1"}}
	}
	var out [][2]string
	for _, account := range []string{"1", "2", "3"} {
		for _, region := range []string{"eu-west-1", "eu-central-1", "us-east-1", "ap-southeast-2"} {
			out = append(out, [2]string{strings.Repeat(account, 12), region})
		}
	}
	return out
}

// window is when a command ran.
type window struct{ from, to time.Time }

// spans tells for each of the windows how long each stack was operated on in it,
// by its events. It asks beside the meter, and lifts the limits for that.
func (u *universe) spans(t *testing.T, windows []window) []map[string]time.Duration {
	t.Helper()
	if err := u.aws.ClearFaults(t.Context()); err != nil {
		t.Fatal(err)
	}
	out := make([]map[string]time.Duration, len(windows))
	for i := range out {
		out[i] = map[string]time.Duration{}
	}
	for _, place := range u.project.places() {
		client := cloudformation.New(cloudformation.Options{
			Region: place[1], Credentials: credentials.NewStaticCredentialsProvider(place[0], "test", ""),
			HTTPClient: u.aws.Client(), BaseEndpoint: new(sandbox.Endpoint),
		})
		pages := cloudformation.NewListStacksPaginator(client, &cloudformation.ListStacksInput{})
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range page.StackSummaries {
				events, err := client.DescribeStackEvents(t.Context(), &cloudformation.DescribeStackEventsInput{StackName: s.StackId})
				if err != nil {
					t.Fatal(err)
				}
				for i, w := range windows {
					name := strings.TrimPrefix(*s.StackName, "many-dev-")
					out[i][name] = max(out[i][name], w.span(events.StackEvents)) // there may be a former one of that name
				}
			}
		}
	}
	return out
}

// span is from the first to the last event within the window.
func (w window) span(newestFirst []types.StackEvent) time.Duration {
	var first, last time.Time
	for _, e := range newestFirst {
		if e.Timestamp.Before(w.from.Truncate(time.Millisecond)) || e.Timestamp.After(w.to) { // events have whole milliseconds
			continue
		}
		if last.IsZero() {
			last = *e.Timestamp
		}
		first = *e.Timestamp
	}
	return last.Sub(first)
}

// critical is the longest chain of the stacks' own durations.
func (p *project) critical(spans map[string]time.Duration) time.Duration {
	longest := time.Duration(0)
	upTo := map[string]time.Duration{}
	for _, n := range p.nodes { // what is needed comes first; deleting goes the same way back
		before := time.Duration(0)
		for _, need := range n.needs {
			before = max(before, upTo[need])
		}
		upTo[n.name] = before + spans[strings.ReplaceAll(n.name, "/", "-")]
		longest = max(longest, upTo[n.name])
	}
	return longest
}
