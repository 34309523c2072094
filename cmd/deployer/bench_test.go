package main_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"

	"github.com/deployer-cli/deployer/internal/cli"
	"github.com/deployer-cli/deployer/internal/sandbox"
	"github.com/deployer-cli/deployer/internal/sandbox/store"
)

// many is how many stacks the measures of design.md section 9 speak of.
const many = 300

// inBubble runs do as a test in fake time, which benchmarks cannot.
func inBubble(b *testing.B, do func(t *testing.T)) {
	b.Helper()
	everything := func(_, _ string) (bool, error) { return true, nil }
	if !testing.RunTests(everything, []testing.InternalTest{{Name: b.Name(), F: func(t *testing.T) { synctest.Test(t, do) }}}) {
		b.Fatal("failed")
	}
}

// universe is a project and an AWS that the measures are taken in.
type universe struct {
	dir    string
	aws    *sandbox.Server
	meter  meter
	needs  map[string]string // stack -> the one it waits for
	stacks int
}

// newUniverse makes chains of stacks, each of which takes about three seconds,
// and none of which starts before the one before it in its chain.
func newUniverse(t testing.TB, chains, length int) *universe {
	t.Helper()
	u := &universe{dir: t.TempDir(), needs: map[string]string{}, stacks: chains * length, aws: sandbox.New(sandbox.Options{
		Store: store.NewMemory(), Speed: 1,
		Durations: func(string) (create, update, remove time.Duration) {
			return 1500 * time.Millisecond, 1500 * time.Millisecond, 1500 * time.Millisecond
		},
	})}
	u.meter.aws = u.aws.Client()
	write(t, u.dir, "config/config.yaml", "project_code: many\nproject_id: 00112233445566aa\nregion: eu-west-1\n")
	write(t, u.dir, "config/dev/config.yaml", "environment: {class: development}\n")
	write(t, u.dir, "templates/queue.yaml", "Parameters: {After: {Type: String, Default: none}}\n"+
		"Resources:\n  Queue: {Type: AWS::SQS::Queue, Properties: {Tags: [{Key: after, Value: !Ref After}]}}\nOutputs:\n  Arn: {Value: !GetAtt Queue.Arn}\n")
	for c := range chains {
		for i := range length {
			name := fmt.Sprintf("dev/c%03d-%03d", c, i)
			text := "template: {path: queue.yaml, type: file}\n"
			if i > 0 {
				before := fmt.Sprintf("dev/c%03d-%03d", c, i-1)
				u.needs[name] = before
				text += "parameters: {After: !stack_output " + before + ".yaml::Arn}\n"
			}
			write(t, u.dir, "config/"+name+".yaml", text)
		}
	}
	return u
}

// meter counts what AWS is asked, and how often it wants less of it.
type meter struct {
	aws              *sandbox.InProcess
	calls, throttled atomic.Int64
}

// Do answers a request.
func (m *meter) Do(r *http.Request) (*http.Response, error) {
	m.calls.Add(1)
	answer, err := m.aws.Do(r)
	if err != nil || answer.StatusCode == http.StatusOK {
		return answer, err
	}
	body, err := io.ReadAll(answer.Body)
	if bytes.Contains(body, []byte("<Code>Throttling</Code>")) {
		m.throttled.Add(1)
	}
	answer.Body = io.NopCloser(bytes.NewReader(body))
	return answer, err
}

// launch runs a launch with the paces and polling that AWS gets.
func (u *universe) launch(t *testing.T) outcome {
	t.Helper()
	var out, talk bytes.Buffer
	exit := cli.Main(cli.Env{
		Args: []string{"deployer", "launch", "dev", "-y", "-o", "json"}, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &talk,
		Environ: map[string]string{"HOME": u.dir}, Dir: u.dir, Now: time.Now, AWS: &u.meter,
	})
	r := ran{exit, out.String(), talk.String()}
	if exit != 0 {
		t.Fatalf("exit %d: %s", exit, talk.String())
	}
	return r.result(t)
}

// critical is the longest chain of the stacks' own durations, from their first
// event to their last.
func (u *universe) critical(t *testing.T) time.Duration {
	t.Helper()
	client := cloudformation.New(cloudformation.Options{
		Region: "eu-west-1", Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
		HTTPClient: u.aws.Client(), BaseEndpoint: new(sandbox.Endpoint),
	})
	var whole func(stack string) time.Duration
	memo := map[string]time.Duration{}
	whole = func(stack string) time.Duration {
		if d, ok := memo[stack]; ok || stack == "" {
			return d
		}
		events, err := client.DescribeStackEvents(t.Context(), &cloudformation.DescribeStackEventsInput{
			StackName: new("many-" + strings.ReplaceAll(stack, "/", "-")),
		})
		if err != nil {
			t.Fatal(err)
		}
		list := events.StackEvents
		memo[stack] = list[0].Timestamp.Sub(*list[len(list)-1].Timestamp) + whole(u.needs[stack])
		return memo[stack]
	}
	longest := time.Duration(0)
	for stack := range u.needs {
		longest = max(longest, whole(stack))
	}
	return longest
}

// BenchmarkLaunch: how much longer a launch takes than its longest chain of
// stacks, and how many calls of AWS a created stack costs.
func BenchmarkLaunch(b *testing.B) {
	for _, shape := range []struct{ chains, length int }{{10, 30}, {30, 10}, {100, 3}, {1, 10}} {
		b.Run(fmt.Sprintf("%dx%d", shape.chains, shape.length), func(b *testing.B) {
			var ratio, calls float64
			for b.Loop() {
				inBubble(b, func(t *testing.T) {
					u := newUniverse(t, shape.chains, shape.length)
					start := time.Now()
					o := u.launch(t)
					took := time.Since(start)
					o.all(t, u.stacks, "created")
					ratio = took.Seconds() / u.critical(t).Seconds()
					calls = float64(o.Calls) / float64(u.stacks)
				})
			}
			b.ReportMetric(ratio, "wall/critical")
			b.ReportMetric(calls, "calls/stack")
		})
	}
}

// BenchmarkUnchanged: how many calls a launch makes that has nothing to do.
func BenchmarkUnchanged(b *testing.B) {
	var cold, warm float64
	for b.Loop() {
		inBubble(b, func(t *testing.T) {
			u := newUniverse(t, 10, many/10)
			u.launch(t).all(t, many, "created")
			o := u.launch(t)
			o.all(t, many, "unchanged")
			cold = float64(o.Calls)
			o = u.launch(t)
			o.all(t, many, "unchanged")
			warm = float64(o.Calls)
		})
	}
	b.ReportMetric(cold, "calls-cold")
	b.ReportMetric(warm, "calls-warm")
}

// BenchmarkThrottled: what a limit of five reads a second does to a launch.
func BenchmarkThrottled(b *testing.B) {
	var failed, share float64
	for b.Loop() {
		inBubble(b, func(t *testing.T) {
			u := newUniverse(t, 30, many/30)
			if _, err := u.aws.AddFault(t.Context(), sandbox.Fault{Rate: 5, Burst: 5, Service: "cloudformation", Phase: "read"}); err != nil {
				t.Fatal(err)
			}
			o := u.launch(t)
			failed, share = float64(0), 0
			for _, end := range o.Stacks {
				if end != "created" {
					failed++
				}
			}
			share = 100 * float64(u.meter.throttled.Load()) / float64(u.meter.calls.Load())
		})
	}
	b.ReportMetric(failed, "failed")
	b.ReportMetric(share, "%throttled")
}

// binary builds the program as make build does.
func binary(b *testing.B) string {
	b.Helper()
	name := filepath.Join(b.TempDir(), "deployer")
	out, err := exec.CommandContext(b.Context(), "go", "build", "-trimpath", "-tags", "urfave_cli_no_docs", "-o", name, ".").CombinedOutput()
	if err != nil {
		b.Fatalf("go build: %v\n%s", err, out)
	}
	return name
}

// costs is what runs of the program took: the least time, and the most memory.
type costs struct {
	wall, processor time.Duration
	mebibytes       float64
}

// run runs the program once and takes its costs in.
func (c *costs) run(b *testing.B, dir, name string, args ...string) {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), name, args...)
	cmd.Dir, cmd.Stdout = dir, io.Discard
	var talk bytes.Buffer
	cmd.Stderr = &talk
	start := time.Now()
	if err := cmd.Run(); err != nil {
		b.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, talk.String())
	}
	wall, processor := time.Since(start), cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime()
	if c.wall == 0 || wall < c.wall {
		c.wall = wall
	}
	if c.processor == 0 || processor < c.processor {
		c.processor = processor
	}
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		c.mebibytes = max(c.mebibytes, float64(usage.Maxrss)/1024)
	}
}

// BenchmarkVersion: the cold start.
func BenchmarkVersion(b *testing.B) {
	name := binary(b)
	dir := b.TempDir()
	var c costs
	for b.Loop() {
		for range 10 {
			c.run(b, dir, name, "--version")
		}
	}
	b.ReportMetric(float64(c.wall.Microseconds())/1000, "ms")
	b.ReportMetric(float64(c.processor.Microseconds())/1000, "cpu-ms")
}

// BenchmarkGraph: loading and graphing a large project, as a process.
func BenchmarkGraph(b *testing.B) {
	name := binary(b)
	for _, shape := range []struct {
		name string
		n    int
		make func(b *testing.B, n int) string
	}{{"5000", 5000, large}, {"2000-on-one", 2000, hub}} {
		b.Run(shape.name, func(b *testing.B) {
			dir := shape.make(b, shape.n)
			var c costs
			for b.Loop() {
				for range 5 {
					c.run(b, dir, name, "graph", "--format", "dot")
				}
			}
			b.ReportMetric(c.wall.Seconds(), "s")
			b.ReportMetric(c.processor.Seconds(), "cpu-s")
			b.ReportMetric(c.mebibytes, "MiB")
		})
	}
}

// large is a project of environments of five stacks: a network, and four
// services that take its outputs.
func large(b *testing.B, n int) string {
	b.Helper()
	dir := b.TempDir()
	write(b, dir, "config/config.yaml", "project_code: big\nregion: eu-west-1\nstack_tags: {Team: core}\n")
	write(b, dir, "templates/network.yaml", "Parameters: {Cidr: {Type: String}}\nResources:\n  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: !Ref Cidr}}\n"+
		"Outputs:\n  VpcId: {Value: !Ref Vpc, Export: {Name: !Sub '${AWS::StackName}-VpcId'}}\n")
	write(b, dir, "templates/service.yaml", "Parameters: {Vpc: {Type: String}, Parent: {Type: String}}\nResources:\n"+
		"  Group: {Type: AWS::EC2::SecurityGroup, Properties: {GroupDescription: !Ref Vpc, VpcId: {'Fn::ImportValue': !Sub '${Parent}-VpcId'}}}\n")
	for e := range n / 5 {
		group := fmt.Sprintf("env%04d", e)
		write(b, dir, "config/"+group+"/config.yaml", fmt.Sprintf("environment: {class: development}\ncidr: 10.%d.0.0/16\n", e%256))
		write(b, dir, "config/"+group+"/network.yaml", "template: {path: network.yaml, type: file}\nparameters: {Cidr: '{{ cidr }}'}\n")
		for i := range 4 {
			write(b, dir, fmt.Sprintf("config/%s/service%d.yaml", group, i), "template: {path: service.yaml, type: file}\nparameters:\n"+
				"  Vpc: !stack_output "+group+"/network.yaml::VpcId\n  Parent: big-"+group+"-network\n")
		}
	}
	return dir
}

// hub is a project of stacks that all take an output of one.
func hub(b *testing.B, n int) string {
	b.Helper()
	dir := b.TempDir()
	write(b, dir, "config/config.yaml", "project_code: hub\nregion: eu-west-1\n")
	write(b, dir, "templates/topic.yaml", "Parameters: {Of: {Type: String, Default: none}}\nResources:\n  Topic: {Type: AWS::SNS::Topic, Properties: {DisplayName: !Ref Of}}\n"+
		"Outputs:\n  Arn: {Value: !Ref Topic}\n")
	write(b, dir, "config/dev/hub.yaml", "template: {path: topic.yaml, type: file}\n")
	for i := range n - 1 {
		write(b, dir, fmt.Sprintf("config/dev/leaf%04d.yaml", i), "template: {path: topic.yaml, type: file}\nparameters: {Of: !stack_output dev/hub.yaml::Arn}\n")
	}
	return dir
}
