package main_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// layered writes an environment of n stacks in three layers: topics, queues
// that read a topic's output, and parameters that import a queue's export.
func layered(t testing.TB, dir string, n int) {
	t.Helper()
	write(t, dir, "config/config.yaml", "project_code: lay\nproject_id: 00112233445566aa\nregion: eu-west-1\n")
	write(t, dir, "config/dev/config.yaml", "environment: {class: development}\n")
	write(t, dir, "templates/topic.yaml", "Resources:\n  Topic: {Type: AWS::SNS::Topic}\nOutputs:\n  Arn: {Value: !Ref Topic}\n")
	write(t, dir, "templates/queue.yaml", `
Parameters: {Topic: {Type: String}}
Resources:
  Queue: {Type: AWS::SQS::Queue, Properties: {Tags: [{Key: topic, Value: !Ref Topic}]}}
Outputs:
  Arn: {Value: !GetAtt Queue.Arn, Export: {Name: !Sub '${AWS::StackName}-Arn'}}
`)
	write(t, dir, "templates/setting.yaml", `
Parameters: {Of: {Type: String}}
Resources:
  Setting: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: {'Fn::ImportValue': !Sub '${Of}-Arn'}}}
`)
	for i := range n {
		switch k := i / 3; i % 3 {
		case 0:
			write(t, dir, fmt.Sprintf("config/dev/topic%d.yaml", k), "template: {path: topic.yaml, type: file}\n")
		case 1:
			write(t, dir, fmt.Sprintf("config/dev/queue%d.yaml", k),
				fmt.Sprintf("template: {path: queue.yaml, type: file}\nparameters: {Topic: !stack_output 'dev/topic%d.yaml::Arn'}\n", k))
		case 2:
			write(t, dir, fmt.Sprintf("config/dev/setting%d.yaml", k),
				fmt.Sprintf("template: {path: setting.yaml, type: file}\nparameters: {Of: lay-dev-queue%d}\n", k))
		}
	}
}

// statuses reads the status of every stack of dev.
func statuses(t testing.TB, dir string, vars ...string) map[string]string {
	t.Helper()
	r := child(t, dir, vars, "status", "dev", "-o", "json")
	var rows []struct{ Stack, Status string }
	if err := json.Unmarshal([]byte(r.Stdout), &rows); err != nil {
		t.Fatalf("%v\n%s%s", err, r.Stdout, r.Stderr)
	}
	out := map[string]string{}
	for _, row := range rows {
		out[row.Stack] = row.Status
	}
	return out
}

// TestKilledLaunch: a launch that is killed leaves stacks that go on without
// it, and the next launch ends where the first would have.
func TestKilledLaunch(t *testing.T) {
	t.Parallel()
	const n = 6
	dir := t.TempDir()
	layered(t, dir, n)
	slow, vars := []string{"DEPLOYER_SANDBOX=1", "DEPLOYER_SANDBOX_SPEED=1"}, []string{"DEPLOYER_SANDBOX=1", "DEPLOYER_SANDBOX_SPEED=20"}
	cmd := process(t.Context(), t, dir, slow, "launch", "dev", "-y", "-o", "json")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if strings.Contains(lines.Text(), `"step-accepted"`) {
			break
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Fatal("the launch ended before it was killed")
	}
	running := func(vars []string) (inProgress, complete int) {
		for _, status := range statuses(t, dir, vars...) {
			switch status {
			case "CREATE_IN_PROGRESS":
				inProgress++
			case "CREATE_COMPLETE":
				complete++
			}
		}
		return inProgress, complete
	}
	left, before := running(slow)
	if left == 0 {
		t.Fatalf("nothing was going on when the launch was killed: %v", statuses(t, dir, slow...))
	}
	waitFor(t, time.Minute, "the stacks to go on without us", func() bool {
		inProgress, complete := running(vars)
		return inProgress == 0 && complete == before+left
	})
	again := child(t, dir, vars, "launch", "dev", "-y", "-o", "json").result(t)
	again.all(t, n, "created", "unchanged")
	created := 0
	for _, outcome := range again.Stacks {
		if outcome == "created" {
			created++
		}
	}
	if created != n-before-left {
		t.Errorf("%d created by the second launch, %d were left: %v", created, n-before-left, again.Stacks)
	}
	child(t, dir, vars, "launch", "dev", "-y", "-o", "json").result(t).all(t, n, "unchanged")
}

// TestHangupOfAProcess: closing the terminal of a launch is leaving it.
func TestHangupOfAProcess(t *testing.T) {
	t.Parallel()
	if signal.Ignored(syscall.SIGHUP) {
		t.Skip("started by nohup, which the program goes on under")
	}
	const n = 3
	dir := t.TempDir()
	layered(t, dir, n)
	vars := []string{"DEPLOYER_SANDBOX=1", "DEPLOYER_SANDBOX_SPEED=2"}
	cmd := process(t.Context(), t, dir, vars, "launch", "dev", "-y", "-o", "json")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	detached := false
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if strings.Contains(lines.Text(), `"step-accepted"`) {
			if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
				t.Fatal(err)
			}
		}
		detached = detached || strings.Contains(lines.Text(), `"detached"`)
	}
	_ = cmd.Wait() // it ends with an exit code of its own
	if code := cmd.ProcessState.ExitCode(); code != 130 || !detached {
		t.Errorf("exit %d, detached %v", code, detached)
	}
	child(t, dir, []string{"DEPLOYER_SANDBOX=1", "DEPLOYER_SANDBOX_SPEED=max"}, "launch", "dev", "-y", "-o", "json").result(t).all(t, n, "created", "unchanged")
}

// TestFullDisk: where the journal cannot go on nothing new is begun, what goes
// on is told, and with room again the next launch picks it up.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("limits the size of files as bash on Linux does")
	}
	v := newVictim(t)
	var out, talk bytes.Buffer
	full := process(t.Context(), t, v.dir, v.vars, "launch", "dev", "-y", "-o", "json")
	cmd := exec.CommandContext(t.Context(), "bash", "-c", `ulimit -f 8; exec -a deployer "$0" "$@"`, full.Path)
	cmd.Args = append(cmd.Args, full.Args[1:]...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = full.Dir, full.Env, &out, &talk
	_ = cmd.Run() // it fails, with an exit code
	r := ran{cmd.ProcessState.ExitCode(), out.String(), talk.String()}
	if r.Exit != 1 {
		t.Fatalf("exit %d\n%s%s", r.Exit, r.Stdout, r.Stderr)
	}
	o := r.result(t)
	o.all(t, tortured, "created", "running", "skipped", "not-started", "failed")
	if !strings.Contains(fmt.Sprint(o.Errors), "the journal cannot be written") {
		t.Errorf("%v", o.Errors)
	}
	v.mu.Lock()
	begun := len(v.created)
	v.mu.Unlock()
	if begun == 0 || begun == tortured {
		t.Fatalf("%d of %d stacks were begun: the disk was not full in mid-run", begun, tortured)
	}
	v.check(t)
}
