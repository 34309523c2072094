package main_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/deployer-cli/deployer/internal/sandbox"
)

// twelve writes an environment of so many stacks in each of four regions of three
// accounts.
func twelve(t *testing.T, s *scene, each int) {
	t.Helper()
	for _, account := range []string{"123456789012", "222222222222", "333333333333"} {
		for _, region := range []string{"eu-west-1", "eu-central-1", "us-east-1", "ap-southeast-2"} {
			group := "config/dev/a" + account[:1] + "-" + region
			role := ""
			if account != "123456789012" {
				role = "sceptre_role: arn:aws:iam::" + account + ":role/deploy\n"
			}
			write(t, s.dir, group+"/config.yaml", "region: "+region+"\n"+role)
			for i := range each {
				write(t, s.dir, fmt.Sprintf("%s/s%02d.yaml", group, i), "template: {path: queue.yaml, type: file}\n")
			}
		}
	}
}

// TestPlacesArePlannedSideBySide: what reads the plan of twelve accounts and regions
// takes as long as one of them, where each allows five reads a second.
func TestPlacesArePlannedSideBySide(t *testing.T) { //nolint:paralleltest // see play
	play(t, 0, 0, func(t *testing.T, s *scene) {
		const each = 25 // five seconds of reading
		twelve(t, s, each)
		s.launch(t, 0)
		s.fault(t, sandbox.Fault{Rate: 5, Burst: 5, Service: "cloudformation", Phase: "read"}, 0)
		for _, latency := range []time.Duration{0, 200 * time.Millisecond} {
			s.latency = latency
			if err := os.RemoveAll(filepath.Join(s.dir, ".deployer", "aws", "cache")); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
			s.launch(t, 0).result(t).all(t, 12*each, "unchanged")
			if took := time.Since(s.start); took > 8*time.Second {
				t.Errorf("with an empty cache and %s for a call it took %s", latency, took)
			}
		}
		time.Sleep(time.Minute)
		s.launch(t, 0).result(t).all(t, 12*each, "unchanged")
		if took := time.Since(s.start); took > 1200*time.Millisecond {
			t.Errorf("with a warm one and %s for a call it took %s, not six calls one after the other", s.latency, took)
		}
	})
}

// TestAWaitingStepHoldsNoSlot: ten steps at once, and an account that takes one call
// in five seconds: what another account has to do does not wait for it, and no more
// than ten stacks are under way at any time.
func TestAWaitingStepHoldsNoSlot(t *testing.T) { //nolint:paralleltest // see play
	play(t, 0, 0, func(t *testing.T, s *scene) {
		write(t, s.dir, "config/dev/a/config.yaml", "region: eu-west-1\n")
		write(t, s.dir, "config/dev/b/config.yaml", "region: eu-west-1\nsceptre_role: arn:aws:iam::222222222222:role/deploy\n")
		for i := range 40 {
			for _, g := range []string{"a", "b"} {
				write(t, s.dir, fmt.Sprintf("config/dev/%s/s%02d.yaml", g, i), "template: {path: queue.yaml, type: file}\n")
			}
		}
		s.fault(t, sandbox.Fault{Account: "123456789012", Rate: 0.2, Burst: 1, Service: "cloudformation", Phase: "write"}, 0)
		s.fault(t, sandbox.Fault{Stack: "many-*", Hold: 10 * time.Second}, 0)
		r := s.launch(t, 0, "--max-concurrency", "10")
		var slow, other time.Duration
		under, most := map[string]bool{}, 0
		for _, e := range r.story(t) {
			took := e.Time.Sub(s.start)
			switch {
			case e.Kind == "step-accepted":
				under[e.Stack] = true
				most = max(most, len(under))
			case e.Kind == "step-done" && e.Stack[:5] == "dev/a":
				slow = max(slow, took)
			case e.Kind == "step-done":
				other = max(other, took)
			}
			if e.Kind == "step-done" {
				delete(under, e.Stack)
			}
		}
		// Four waves of ten of 12 seconds, beside the two or three that the slow one
		// has under way.
		if other > 90*time.Second || slow < 3*time.Minute {
			t.Errorf("the slow account was done after %s, the other after %s", slow, other)
		}
		if most < 9 || most > 10 {
			t.Errorf("%d stacks were under way at once, with --max-concurrency 10", most)
		}
	})
}
