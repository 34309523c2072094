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
func TestPlacesArePlannedSideBySide(t *testing.T) {
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
