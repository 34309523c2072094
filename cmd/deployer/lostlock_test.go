package main_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deployer-cli/deployer/internal/sandbox"
)

// TestALostLockStopsTheWrites: somebody else takes the lock while a command waits
// for its first call. When the next sign of life finds that out, no other call
// goes out, and the command says so.
func TestALostLockStopsTheWrites(t *testing.T) {
	t.Parallel()
	const theirs = `{"environment":"dev","run":"theirs","command":"launch","owner":{"arn":"arn:aws:iam::123456789012:user/mallory","account":"123456789012"},"host":"elsewhere","pid":1,"taken":"2026-01-01T00:00:00Z","beat":"2999-01-01T00:00:00Z"}`
	tests := map[string]struct {
		before [][]string
		args   []string
		writes []string // that go out, the first of which is when the lock is lost
	}{
		"launch":        {nil, []string{"launch", "dev", "-y"}, []string{"CreateStack"}},
		"set-policy":    {[][]string{{"launch", "dev", "-y"}}, []string{"set-policy", "dev", "-b", "deny-all", "-y"}, []string{"SetStackPolicy"}},
		"a change set":  {nil, []string{"create", "dev", "mine"}, []string{"CreateChangeSet"}},
		"a whole group": {[][]string{{"launch", "dev", "-y"}}, []string{"delete", "dev", "-y"}, []string{"DeleteStack"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			write(t, dir, "config/config.yaml", "project_code: lost\nproject_id: 00112233445566aa\nregion: eu-west-1\n")
			write(t, dir, "config/dev/config.yaml", "environment: {class: development}\n")
			write(t, dir, "templates/topic.yaml", "Resources:\n  Topic: {Type: AWS::SNS::Topic}\n")
			write(t, dir, "config/dev/a.yaml", "template: {path: topic.yaml}\n")
			write(t, dir, "config/dev/b.yaml", "template: {path: topic.yaml}\ndependencies: [dev/a.yaml]\n")
			write(t, dir, "config/dev/c.yaml", "template: {path: topic.yaml}\ndependencies: [dev/b.yaml]\n")
			synctest.Test(t, func(t *testing.T) {
				aws := newRecorder(sandbox.Options{Speed: 1})
				for _, args := range tt.before {
					if r := aws.run(t, dir, typing{}, nil, args...); r.Exit != 0 {
						t.Fatalf("%v: exit %d\n%s", args, r.Exit, r.Stderr)
					}
				}
				aws.writes()
				taken := false
				aws.answer = func(call string) {
					if harmless(call) || taken {
						return
					}
					taken = true
					write(t, dir, ".deployer/aws/state/locks/dev.json", theirs)
					<-time.NewTimer(20 * time.Second).C // longer than a heartbeat
				}
				r := aws.run(t, dir, typing{}, nil, tt.args...)
				if r.Exit != 130 || !strings.Contains(r.Stderr, "the lock is lost") {
					t.Errorf("exit %d\n%s", r.Exit, r.Stderr)
				}
				if got := aws.writes(); !slices.Equal(got, tt.writes) {
					t.Errorf("sent %v, want %v", got, tt.writes)
				}
			})
		})
	}
}
