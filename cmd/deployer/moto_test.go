package main_test

import (
	"context"
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestAgainstMoto takes a small environment through its life at an
// implementation of CloudFormation that is not ours.
func TestAgainstMoto(t *testing.T) {
	t.Parallel()
	endpoint, dir := startMoto(t), t.TempDir()
	write(t, dir, "config/config.yaml", "project_code: mini\nproject_id: 00112233445566aa\nregion: eu-west-1\n")
	write(t, dir, "config/dev/config.yaml", "environment: {class: development}\n")
	write(t, dir, "config/dev/topic.yaml", "template: {path: topic.yaml, type: file}\n")
	write(t, dir, "config/dev/files.yaml", "template: {path: files.yaml, type: file}\n")
	queue := "template: {path: queue.yaml, type: file}\nparameters: {Topic: !stack_output dev/topic.yaml::Arn, Seconds: 30}\n"
	write(t, dir, "config/dev/queue.yaml", queue)
	write(t, dir, "config/dev/setting.yaml", "template: {path: setting.yaml, type: file}\n")
	write(t, dir, "templates/topic.yaml", "Resources:\n  Topic: {Type: AWS::SNS::Topic}\nOutputs:\n  Arn: {Value: !Ref Topic}\n")
	write(t, dir, "templates/files.yaml", "Resources:\n  Files: {Type: AWS::S3::Bucket}\n")
	write(t, dir, "templates/queue.yaml", `
Parameters: {Topic: {Type: String}, Seconds: {Type: Number}}
Resources:
  Queue: {Type: AWS::SQS::Queue, Properties: {VisibilityTimeout: !Ref Seconds, Tags: [{Key: topic, Value: !Ref Topic}]}}
Outputs:
  Arn: {Value: !GetAtt Queue.Arn, Export: {Name: !Sub '${AWS::StackName}-Arn'}}
`)
	write(t, dir, "templates/setting.yaml", `
Resources:
  Setting:
    Type: AWS::SSM::Parameter
    Properties: {Name: !Sub '/${AWS::StackName}/queue', Type: String, Value: {'Fn::ImportValue': mini-dev-queue-Arn}}
`)
	at := func(want int, args ...string) ran {
		t.Helper()
		r := child(t, dir, []string{"AWS_ENDPOINT_URL=" + endpoint}, args...)
		if r.Exit != want {
			t.Fatalf("deployer %s: exit %d, want %d\n%s%s", strings.Join(args, " "), r.Exit, want, r.Stdout, r.Stderr)
		}
		return r
	}
	at(0, "launch", "dev", "-y", "-o", "json").result(t).all(t, 4, "created")
	at(0, "launch", "dev", "-y", "-o", "json").result(t).all(t, 4, "unchanged")
	if out := at(0, "status", "dev").Stdout; strings.Count(out, "CREATE_COMPLETE") != 4 {
		t.Errorf("status: %s", out)
	}
	at(0, "diff", "dev", "--exit-code")
	write(t, dir, "config/dev/queue.yaml", strings.Replace(queue, "30", "45", 1))
	at(9, "diff", "dev", "--exit-code")
	if got := at(0, "launch", "dev", "-y", "-o", "json").result(t); got.Stacks["dev/queue"] != "updated" || got.Seconds > 20 {
		t.Errorf("update: %+v", got)
	}
	at(0, "delete", "dev", "-y", "-o", "json").result(t).all(t, 4, "deleted")
	if out := at(0, "status", "dev").Stdout; strings.Count(out, "PENDING") != 4 {
		t.Errorf("status: %s", out)
	}
}

// startMoto runs moto's server until the test ends and returns its endpoint.
func startMoto(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("moto_server")
	if err != nil {
		t.Skip("moto_server is not installed (pip install 'moto[server]'): nothing to compare with")
	}
	address, err := freeAddress()
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := strings.Cut(address, ":")
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	cmd := exec.CommandContext(ctx, path, "-H", "127.0.0.1", "-p", port)
	if err := cmd.Start(); err != nil {
		cancel()
		t.Skipf("moto_server does not start: %v", err)
	}
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait() // killed
	})
	waitFor(t, 90*time.Second, "moto_server to answer", func() bool {
		conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", address)
		if err != nil {
			return false
		}
		return conn.Close() == nil
	})
	return "http://" + address
}
