package cli

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/deployer-cli/deployer/internal/cloud"
	"github.com/deployer-cli/deployer/stacks"
)

// running is a runner of a user who has a profile, keys and a container's role.
func running(sandbox, connected, vetted bool) *runner {
	s := &session{vetted: vetted, app: &app{globals: globals{sandbox: sandbox}, env: Env{Environ: map[string]string{
		"HOME": "/home/me", "PATH": "/bin", "AWS_PROFILE": "prod", "AWS_ACCESS_KEY_ID": "MINE", "AWS_SECRET_ACCESS_KEY": "hush",
		"AWS_SESSION_TOKEN": "mine", "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.2/x", "AWS_CA_BUNDLE": "/ca.pem",
	}}}}
	if connected {
		s.cloud = cloud.New(cloud.Options{Config: func(_ context.Context, a stacks.Access) (aws.Config, error) {
			return aws.Config{Region: a.Region, Credentials: credentials.NewStaticCredentialsProvider("ID-"+a.Profile, "secret", "")}, nil
		}})
	}
	s.runner = &runner{s: s}
	return s.runner
}

// TestIdentityOfPrograms: who a program is in AWS depends on its stack and on
// what was checked, never on who calls us.
func TestIdentityOfPrograms(t *testing.T) {
	t.Parallel()
	const nowhere = "AWS_CONFIG_FILE=/dev/null AWS_EC2_METADATA_DISABLED=true AWS_SHARED_CREDENTIALS_FILE=/dev/null"
	for name, tt := range map[string]struct {
		r    *runner
		want string
	}{
		"files only":          {running(false, false, false), "AWS_CA_BUNDLE=/ca.pem AWS_DEFAULT_REGION=eu-west-1 AWS_REGION=eu-west-1 " + nowhere},
		"before the check":    {running(false, true, false), "AWS_CA_BUNDLE=/ca.pem AWS_DEFAULT_REGION=eu-west-1 AWS_REGION=eu-west-1 " + nowhere},
		"after the check":     {running(false, true, true), "AWS_ACCESS_KEY_ID=ID-team AWS_CA_BUNDLE=/ca.pem AWS_DEFAULT_REGION=eu-west-1 AWS_REGION=eu-west-1 AWS_SECRET_ACCESS_KEY=secret"},
		"sandbox, files only": {running(true, false, false), "AWS_ACCESS_KEY_ID=sandbox AWS_DEFAULT_REGION=eu-west-1 AWS_ENDPOINT_URL=http://127.0.0.1:9 AWS_PAGER= AWS_REGION=eu-west-1 AWS_SECRET_ACCESS_KEY=sandbox " + nowhere},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env, err := tt.r.environ(t.Context(), stacks.Access{Profile: "team", Region: "eu-west-1"})
			if err != nil {
				t.Fatal(err)
			}
			got := slices.DeleteFunc(env, func(s string) bool { return !strings.HasPrefix(s, "AWS_") })
			want := strings.Fields(tt.want)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}
