package sandbox_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/deployer-cli/deployer/internal/sandbox"
)

// other is somebody else's client of a served sandbox, unmodified.
type other struct {
	t   *testing.T
	env []string
	dir string
}

// others serves a sandbox whose time goes fast enough for the waiters, which sleep
// half a minute between polls; so the first poll finds all done.
func others(t *testing.T, program string, probe ...string) other {
	t.Helper()
	if testing.Short() {
		t.Skip("starts other programs")
	}
	if out, err := exec.CommandContext(t.Context(), program, probe...).CombinedOutput(); err != nil {
		t.Skipf("%s is not installed here: %v %.200s", program, err, out)
	}
	d := overTCP(t, sandbox.Options{Speed: 1_000_000})
	dir := t.TempDir()
	env := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "AWS_") })
	return other{t: t, dir: dir, env: append(env,
		"AWS_ENDPOINT_URL="+d.url, "AWS_ACCESS_KEY_ID=sandbox", "AWS_SECRET_ACCESS_KEY=sandbox",
		"AWS_DEFAULT_REGION=eu-west-1", "AWS_REGION=eu-west-1", "AWS_CONFIG_FILE="+filepath.Join(dir, "config"),
		"AWS_SHARED_CREDENTIALS_FILE="+filepath.Join(dir, "credentials"), "AWS_PAGER=", "AWS_MAX_ATTEMPTS=2", "AWS_EC2_METADATA_DISABLED=true",
	)}
}

// run runs a program and gives what it says and its exit code.
func (o other) run(program string, args ...string) (string, int) {
	o.t.Helper()
	ctx, cancel := context.WithTimeout(o.t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env, cmd.Dir = o.env, o.dir
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		o.t.Fatalf("%s: %v", program, err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// aws runs the AWS CLI and wants a part of its output.
func (o other) aws(code int, want string, args ...string) {
	o.t.Helper()
	out, got := o.run("aws", args...)
	if got != code || !strings.Contains(out, want) {
		o.t.Errorf("aws %s: exit code %d, want %d, and %q in:\n%s", strings.Join(args, " "), got, code, want, out)
	}
}

const cliTemplate = `
Parameters: {Value: {Type: String, Default: one}}
Resources:
  Param: {Type: AWS::SSM::Parameter, Properties: {Type: String, Name: /from/stack, Value: !Ref Value}}
Outputs:
  Value: {Value: !Ref Value}
`

// TestAWSCLIDeploys holds the sandbox against the AWS CLI, where that is installed.
func TestAWSCLIDeploys(t *testing.T) {
	t.Parallel()
	o := others(t, "aws", "--version")
	for name, text := range map[string]string{"one.yaml": cliTemplate, "two.yaml": strings.Replace(cliTemplate, "Default: one", "Default: two", 1)} {
		if err := os.WriteFile(filepath.Join(o.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	o.aws(0, "Successfully created/updated stack - app", "cloudformation", "deploy", "--stack-name", "app", "--template-file", "one.yaml")
	o.aws(0, "No changes to deploy", "cloudformation", "deploy", "--stack-name", "app", "--template-file", "one.yaml", "--no-fail-on-empty-changeset")
	o.aws(0, "", "cloudformation", "wait", "stack-create-complete", "--stack-name", "app")
	o.aws(0, `CREATE_COMPLETE`, "cloudformation", "describe-stacks", "--stack-name", "app", "--query", "Stacks[0].StackStatus")
	o.aws(0, "changeSet/next/", "cloudformation", "create-change-set", "--stack-name", "app", "--change-set-name", "next", "--template-body", "file://two.yaml",
		"--parameters", "ParameterKey=Value,ParameterValue=two")
	o.aws(0, "", "cloudformation", "wait", "change-set-create-complete", "--stack-name", "app", "--change-set-name", "next")
	o.aws(0, `"Action": "Modify"`, "cloudformation", "describe-change-set", "--stack-name", "app", "--change-set-name", "next", "--include-property-values", "--output", "json")
	o.aws(0, "", "cloudformation", "execute-change-set", "--stack-name", "app", "--change-set-name", "next")
	o.aws(0, "", "cloudformation", "wait", "stack-update-complete", "--stack-name", "app")
	o.aws(0, "two", "ssm", "get-parameter", "--name", "/from/stack", "--query", "Parameter.Value", "--output", "text")
	o.aws(0, "", "cloudformation", "delete-stack", "--stack-name", "app")
	o.aws(0, "", "cloudformation", "wait", "stack-delete-complete", "--stack-name", "app")
	o.aws(255, "Stack with id app does not exist", "cloudformation", "describe-stacks", "--stack-name", "app")
}

// TestBoto3 holds the sandbox against boto3, where that is installed.
func TestBoto3(t *testing.T) {
	t.Parallel()
	o := others(t, "python3", "-c", "import boto3")
	script, err := filepath.Abs("testdata/clients/boto.py")
	if err != nil {
		t.Fatal(err)
	}
	if out, code := o.run("python3", script); code != 0 || !strings.Contains(out, "fine") {
		t.Errorf("exit code %d:\n%s", code, out)
	}
}
