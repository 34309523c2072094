package main_test

import (
	"fmt"
	"maps"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"

	"github.com/deployer-cli/deployer/internal/sandbox"
)

// tally counts calls by action.
type tally struct {
	mu     sync.Mutex
	counts map[string]int
}

// tallied makes a scene count its calls.
func tallied(s *scene) *tally {
	c := &tally{counts: map[string]int{}}
	s.watch = func(action string) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.counts[action]++
	}
	return c
}

// take returns what was counted, and begins anew.
func (c *tally) take() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := maps.Clone(c.counts)
	clear(c.counts)
	return out
}

// TestRolesOfOneAccountShare: four roles in one account read what one would, and find
// one pace together.
func TestRolesOfOneAccountShare(t *testing.T) { //nolint:paralleltest // see play
	type cost struct{ created, throttled, unchanged int }
	measure := func(roles int) cost {
		var out cost
		play(t, 0, 0, func(t *testing.T, s *scene) {
			for g := range 4 {
				write(t, s.dir, fmt.Sprintf("config/dev/g%d/config.yaml", g), fmt.Sprintf("sceptre_role: arn:aws:iam::222222222222:role/r%d\n", g%roles))
				for i := range 30 {
					write(t, s.dir, fmt.Sprintf("config/dev/g%d/s%02d.yaml", g, i), "template: {path: queue.yaml, type: file}\n")
				}
			}
			s.fault(t, sandbox.Fault{Rate: 5, Burst: 5, Service: "cloudformation", Phase: "read"}, 0)
			s.fault(t, sandbox.Fault{Stack: "many-*", Hold: 2 * time.Minute}, 0)
			c := tallied(s)
			s.launch(t, 0)
			counts := c.take()
			out.created = counts["DescribeStacks"] + counts["DescribeStackEvents"]
			out.throttled = int(s.meter.throttled.Load())
			time.Sleep(time.Minute)
			s.launch(t, 0).result(t).all(t, 120, "unchanged")
			out.unchanged = c.take()["DescribeStacks"]
		})
		return out
	}
	one, four := measure(1), measure(4)
	if four.unchanged != one.unchanged || one.unchanged > 2 {
		t.Errorf("nothing to do costs four roles %d listings, one %d", four.unchanged, one.unchanged)
	}
	if four.created > one.created*5/4 {
		t.Errorf("a launch costs four roles %d reads, one %d", four.created, one.created)
	}
	if four.throttled > one.throttled+3 {
		t.Errorf("four roles were throttled %d times, one %d", four.throttled, one.throttled)
	}
}

// TestFewStacksInAFullAccount: a launch of a few stacks does not list the hundreds of
// others that the account has.
func TestFewStacksInAFullAccount(t *testing.T) { //nolint:paralleltest // see play
	play(t, 1, 1, func(t *testing.T, s *scene) {
		s.launch(t, 0)
		client := cloudformation.New(cloudformation.Options{
			Region: "eu-west-1", Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
			HTTPClient: s.aws.Client(), BaseEndpoint: new(sandbox.Endpoint),
		})
		for i := range 800 {
			in := &cloudformation.CreateStackInput{StackName: new(fmt.Sprintf("foreign-%04d", i)), TemplateBody: new("Resources:\n  Q: {Type: AWS::SQS::Queue}\n")}
			if _, err := client.CreateStack(t.Context(), in); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(5 * time.Minute)
		s.launch(t, 0)
		c := tallied(s)
		s.launch(t, 0).result(t).all(t, 1, "unchanged")
		if n := c.take()["DescribeStacks"]; n != 1 {
			t.Errorf("one stack among 800 others: %d DescribeStacks, not one by its name", n)
		}
		for i := range 3 {
			write(t, s.dir, fmt.Sprintf("config/dev/more%d.yaml", i), "template: {path: queue.yaml, type: file}\n")
		}
		s.launch(t, 0)
		time.Sleep(5 * time.Minute)
		for i := range 300 { // newer ones come first in a listing
			in := &cloudformation.CreateStackInput{StackName: new(fmt.Sprintf("newer-%04d", i)), TemplateBody: new("Resources:\n  Q: {Type: AWS::SQS::Queue}\n")}
			if _, err := client.CreateStack(t.Context(), in); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(5 * time.Minute)
		s.launch(t, 0) // may learn how full it is
		c.take()
		s.launch(t, 0).result(t).all(t, 4, "unchanged")
		if n := c.take()["DescribeStacks"]; n > 4 {
			t.Errorf("four stacks among 1,100 others: %d DescribeStacks, not one for each", n)
		}
	})
}

// TestJoiningReadsNothingTwice: a launch that joins a hundred stacks of one that was
// left takes their last descriptions from watching them.
func TestJoiningReadsNothingTwice(t *testing.T) { //nolint:paralleltest // see play
	play(t, 100, 1, func(t *testing.T, s *scene) {
		s.fault(t, sandbox.Fault{Stack: "many-*", Hold: time.Minute}, 0)
		s.after(20*time.Second, func() { s.interrupts <- syscall.SIGHUP })
		if r := s.run(t, "launch", "dev", "-y", "-o", "json"); r.Exit != 130 {
			t.Fatalf("exit %d", r.Exit)
		}
		c := tallied(s)
		s.launch(t, 0).result(t).all(t, 100, "unchanged")
		if n := c.take(); n["DescribeStacks"] > 60 || n["GetTemplate"] != 100 {
			t.Errorf("%v: more than watching them takes, and one template each", n)
		}
	})
}
