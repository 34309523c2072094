package main_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/deployer-cli/deployer/internal/sandbox"
)

// full is a stack that says something in every field that can change behind our
// back.
const full = `template: {path: queue.yaml, type: file}
parameters: {After: mine}
stack_tags: {Team: core, Round: one}
notifications: ['arn:aws:sns:eu-west-1:123456789012:mine']
cloudformation_service_role: arn:aws:iam::123456789012:role/mine
termination_protection: true
stack_policy:
  Statement: [{Effect: Allow, Action: "Update:*", Principal: "*", Resource: "*"}]
`

// somebody is another user of the account.
type somebody struct {
	t      *testing.T
	client *cloudformation.Client
}

// update updates the stack as it is, but for what change says.
func (s somebody) update(change func(in *cloudformation.UpdateStackInput)) {
	s.t.Helper()
	out, err := s.client.DescribeStacks(s.t.Context(), &cloudformation.DescribeStacksInput{StackName: new("many-dev-full")})
	if err != nil {
		s.t.Fatal(err)
	}
	live := out.Stacks[0]
	in := &cloudformation.UpdateStackInput{
		StackName: live.StackName, UsePreviousTemplate: new(true), Tags: live.Tags, NotificationARNs: live.NotificationARNs, RoleARN: live.RoleARN,
		Parameters: []types.Parameter{{ParameterKey: new("After"), UsePreviousValue: new(true)}},
	}
	change(in)
	if _, err := s.client.UpdateStack(s.t.Context(), in); err != nil {
		s.t.Fatal(err)
	}
	time.Sleep(5 * time.Minute)
}

// along changes what CloudFormation takes no update for by itself, along with a
// tag that is taken away again.
func (s somebody) along(change func(in *cloudformation.UpdateStackInput)) {
	s.t.Helper()
	s.update(func(in *cloudformation.UpdateStackInput) {
		in.Tags = append(in.Tags, types.Tag{Key: new("Theirs"), Value: new("x")})
		change(in)
	})
	s.update(func(in *cloudformation.UpdateStackInput) {
		in.Tags = slices.DeleteFunc(in.Tags, func(tag types.Tag) bool { return *tag.Key == "Theirs" })
	})
}

// What somebody else changes between two launches is noticed in every field,
// with a cache that knows the stack as it was.
func TestForeignChangesAreNoticed(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(s somebody){
		"parameter": func(s somebody) {
			s.update(func(in *cloudformation.UpdateStackInput) {
				in.Parameters = []types.Parameter{{ParameterKey: new("After"), ParameterValue: new("theirs")}}
			})
		},
		"parameter left to its default": func(s somebody) {
			s.update(func(in *cloudformation.UpdateStackInput) { in.Parameters = nil })
		},
		"tag": func(s somebody) {
			s.update(func(in *cloudformation.UpdateStackInput) { in.Tags[0].Value = new("theirs") })
		},
		"tag added": func(s somebody) {
			s.update(func(in *cloudformation.UpdateStackInput) {
				in.Tags = append(in.Tags, types.Tag{Key: new("Theirs"), Value: new("x")})
			})
		},
		"tag gone": func(s somebody) {
			s.update(func(in *cloudformation.UpdateStackInput) { in.Tags = in.Tags[1:] })
		},
		"template": func(s somebody) {
			s.update(func(in *cloudformation.UpdateStackInput) {
				in.UsePreviousTemplate = nil
				in.TemplateBody = new("Parameters: {After: {Type: String, Default: none}}\nResources:\n  Queue: {Type: AWS::SQS::Queue, Properties: {DelaySeconds: 5}}\nOutputs:\n  Arn: {Value: !GetAtt Queue.Arn}\n")
			})
		},
		"role": func(s somebody) {
			s.along(func(in *cloudformation.UpdateStackInput) { in.RoleARN = new("arn:aws:iam::123456789012:role/theirs") })
		},
		"notifications": func(s somebody) {
			s.along(func(in *cloudformation.UpdateStackInput) {
				in.NotificationARNs = []string{"arn:aws:sns:eu-west-1:123456789012:theirs"}
			})
		},
		"policy": func(s somebody) {
			_, err := s.client.SetStackPolicy(s.t.Context(), &cloudformation.SetStackPolicyInput{
				StackName: new("many-dev-full"), StackPolicyBody: new(`{"Statement":[{"Effect":"Deny","Action":"Update:*","Principal":"*","Resource":"*"}]}`),
			})
			if err != nil {
				s.t.Fatal(err)
			}
		},
		"protection": func(s somebody) {
			_, err := s.client.UpdateTerminationProtection(s.t.Context(), &cloudformation.UpdateTerminationProtectionInput{
				StackName: new("many-dev-full"), EnableTerminationProtection: new(false),
			})
			if err != nil {
				s.t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(t, 0, 0, func(t *testing.T, s *scene) {
				write(t, s.dir, "config/dev/full.yaml", full)
				other := somebody{t, cloudformation.New(cloudformation.Options{
					Region: "eu-west-1", Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
					HTTPClient: s.aws.Client(), BaseEndpoint: new(sandbox.Endpoint),
				})}
				s.launch(t, 0).result(t).all(t, 1, "created")
				s.launch(t, 0).result(t).all(t, 1, "unchanged")
				s.launch(t, 0).result(t).all(t, 1, "unchanged")
				change(other)
				p := s.run(t, "plan", "dev", "-o", "json")
				if part, _, _ := strings.Cut(name, " "); !strings.Contains(p.Stdout, `"action": "update"`) || !strings.Contains(p.Stdout, part) {
					t.Errorf("the plan does not tell: %s%s", p.Stdout, p.Stderr)
				}
				want := "updated"
				if name == "role" {
					want = "unchanged" // CloudFormation has nothing to update, and every launch says what stays
				}
				r := s.launch(t, 0)
				r.result(t).all(t, 1, want)
				if says := r.story(t).says("warning", "role/theirs and does not become arn:aws:iam::123456789012:role/mine"); says != (name == "role") {
					t.Errorf("what was not put right is told: %v\n%s", says, r.Stdout)
				}
				time.Sleep(time.Minute)
				s.launch(t, 0).result(t).all(t, 1, "unchanged")
				if name != "role" {
					return
				}
				write(t, s.dir, "config/dev/full.yaml", strings.Replace(full, "Round: one", "Round: two", 1))
				s.launch(t, 0).result(t).all(t, 1, "updated")
				calls := 0
				s.watch = func(action string) {
					if action == "UpdateStack" {
						calls++
					}
				}
				if r = s.launch(t, 0); calls > 0 || r.story(t).says("warning", "its role") {
					t.Errorf("the role did not come with another change: %s", r.Stdout)
				}
			})
		})
	}
}

// A stack that somebody deleted and made again under its name is another one.
func TestStackMadeAgainBehindOurBack(t *testing.T) {
	t.Parallel()
	play(t, 1, 1, func(t *testing.T, s *scene) {
		s.launch(t, 0)
		s.launch(t, 0)
		client := cloudformation.New(cloudformation.Options{
			Region: "eu-west-1", Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
			HTTPClient: s.aws.Client(), BaseEndpoint: new(sandbox.Endpoint),
		})
		out, err := client.DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: new("many-dev-c000-000")})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.DeleteStack(t.Context(), &cloudformation.DeleteStackInput{StackName: out.Stacks[0].StackId}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Minute)
		if _, err := client.CreateStack(t.Context(), &cloudformation.CreateStackInput{
			StackName: out.Stacks[0].StackName, Tags: out.Stacks[0].Tags, TemplateBody: new("Resources:\n  Other: {Type: AWS::SNS::Topic}\n"),
		}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Minute)
		s.launch(t, 0).result(t).all(t, 1, "updated")
	})
}

// A template that was read before somebody's change, and a description after it,
// do not make the stack look unchanged for longer than reads lag behind.
func TestStaleTemplateIsNotKept(t *testing.T) {
	t.Parallel()
	play(t, 1, 1, func(t *testing.T, s *scene) {
		s.fault(t, sandbox.Fault{Stale: 20 * time.Second, Service: "cloudformation", Action: "GetTemplate"}, 0)
		s.launch(t, 0)
		_ = os.RemoveAll(filepath.Join(s.dir, ".deployer", "aws", "cache"))
		time.Sleep(time.Minute)
		s.launch(t, 0).result(t).all(t, 1, "unchanged") // reads the template once, truly
		if _, err := s.client().UpdateStack(t.Context(), &cloudformation.UpdateStackInput{
			StackName:    new("many-dev-c000-000"),
			TemplateBody: new("Parameters: {After: {Type: String, Default: none}}\nResources:\n  Queue: {Type: AWS::SQS::Queue, Properties: {DelaySeconds: 5}}\nOutputs:\n  Arn: {Value: !GetAtt Queue.Arn}\n"),
		}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(15 * time.Second)
		s.launch(t, 0).result(t).all(t, 1, "unchanged") // as it was 20 s ago
		if err := s.aws.ClearFaults(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		s.launch(t, 0).result(t).all(t, 1, "updated")
	})
}

// A template that was read long after the last change is not read again.
func TestSettledTemplateIsKept(t *testing.T) {
	t.Parallel()
	play(t, 1, 1, func(t *testing.T, s *scene) {
		s.launch(t, 0)
		write(t, s.dir, "templates/queue.yaml", "Parameters: {After: {Type: String, Default: none}}\nResources:\n  Queue: {Type: AWS::SQS::Queue, Properties: {DelaySeconds: 5}}\nOutputs:\n  Arn: {Value: !GetAtt Queue.Arn}\n")
		s.launch(t, 0).result(t).all(t, 1, "updated")
		reads := 0
		s.watch = func(action string) {
			if action == "GetTemplate" {
				reads++
			}
		}
		for range 2 {
			s.launch(t, 0).result(t).all(t, 1, "unchanged")
		}
		if reads != 2 {
			t.Errorf("right after the update its template was read %d times, want 2", reads)
		}
		time.Sleep(20 * time.Minute)
		reads = 0
		for range 3 {
			s.launch(t, 0).result(t).all(t, 1, "unchanged")
		}
		if reads != 1 {
			t.Errorf("long after the update its template was read %d times, want once", reads)
		}
	})
}

// The cache may be deleted, cut short, garbled or mixed up at any time, or be
// something that is no folder: nothing comes of it but reads.
func TestCacheIsSafeToLose(t *testing.T) {
	t.Parallel()
	play(t, 3, 1, func(t *testing.T, s *scene) {
		s.launch(t, 0).result(t).all(t, 3, "created")
		dir := filepath.Join(s.dir, ".deployer", "aws", "cache")
		warm := s.launch(t, 0).result(t)
		warm.all(t, 3, "unchanged")
		each := func(do func(name string, body []byte) []byte) {
			files, err := os.ReadDir(dir)
			if err != nil || len(files) == 0 {
				t.Fatalf("%d files, %v", len(files), err)
			}
			for _, f := range files {
				name := filepath.Join(dir, f.Name())
				body, err := os.ReadFile(name)
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(name, do(name, body), 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
		first := []byte(nil)
		for name, spoil := range map[string]func(){
			"cut short": func() { each(func(_ string, b []byte) []byte { return b[:len(b)/2] }) },
			"empty":     func() { each(func(string, []byte) []byte { return nil }) },
			"garbled": func() {
				each(func(_ string, b []byte) []byte { return []byte(strings.ReplaceAll(string(b), "SQS", "SNS")) })
			},
			"mixed up": func() {
				each(func(_ string, b []byte) []byte {
					if first == nil {
						first = b
					}
					return first
				})
			},
			"deleted": func() { _ = os.RemoveAll(dir) },
			"a file": func() {
				_ = os.RemoveAll(dir)
				_ = os.WriteFile(dir, []byte("no folder"), 0o600)
			},
		} {
			spoil()
			r := s.launch(t, 0)
			r.result(t).all(t, 3, "unchanged")
			if name == "a file" {
				_ = os.Remove(dir)
				s.launch(t, 0)
			}
			if o := s.launch(t, 0).result(t); o.Calls != warm.Calls {
				t.Errorf("%s: %d calls once it is warm again, want %d", name, o.Calls, warm.Calls)
			}
		}
		if _, err := fs.Stat(os.DirFS(dir), "."); err != nil {
			t.Error(err)
		}
	})
}
