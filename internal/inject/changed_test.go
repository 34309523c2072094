package inject_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/deployer-cli/deployer/internal/inject"
	"github.com/deployer-cli/deployer/stacks"
)

// TestSetByHandSince: what somebody has set since the break is neither broken nor
// put back to what it was, and it is told.
func TestSetByHandSince(t *testing.T) {
	t.Parallel()
	reserve := func(w *world, in stacks.Injection, n int32) error {
		_, err := lambda.NewFromConfig(w.team).PutFunctionConcurrency(w.t.Context(), &lambda.PutFunctionConcurrencyInput{FunctionName: &in.PhysicalID, ReservedConcurrentExecutions: &n})
		return err
	}
	allow := func(cidrs ...string) func(*world, stacks.Injection) error {
		return func(w *world, in stacks.Injection) error {
			for _, cidr := range cidrs {
				_, err := ec2.NewFromConfig(w.team).AuthorizeSecurityGroupIngress(w.t.Context(), &ec2.AuthorizeSecurityGroupIngressInput{GroupId: &in.PhysicalID, IpPermissions: []types.IpPermission{
					{IpProtocol: new("tcp"), FromPort: new(int32(443)), ToPort: new(int32(443)), IpRanges: []types.IpRange{{CidrIp: &cidr}}},
				}})
				if err != nil {
					return err
				}
			}
			return nil
		}
	}
	for name, c := range map[string]struct {
		kind, arg string
		team      func(*world, stacks.Injection) error
		changed   string // as Changed tells it, after undoing
		condition stacks.Condition
	}{
		"another concurrency": {
			inject.LambdaZero, "Kept", func(w *world, in stacks.Injection) error { return reserve(w, in, 3) },
			"reserved concurrency: 7 is 3", stacks.Whole,
		},
		"a concurrency where there was none": {
			inject.LambdaZero, "Free", func(w *world, in stacks.Injection) error { return reserve(w, in, 3) },
			"reserved concurrency: none is 3", stacks.Whole,
		},
		"no concurrency any more": {
			inject.LambdaZero, "Kept", func(w *world, in stacks.Injection) error {
				_, err := lambda.NewFromConfig(w.team).DeleteFunctionConcurrency(w.t.Context(), &lambda.DeleteFunctionConcurrencyInput{FunctionName: &in.PhysicalID})
				return err
			}, "reserved concurrency: 7 is none", stacks.Whole,
		},
		"the same concurrency": {inject.LambdaZero, "Kept", func(w *world, in stacks.Injection) error { return reserve(w, in, 7) }, "", stacks.Whole},
		"others on the port": {
			inject.RevokeIngress, "Firewall", allow("10.0.0.0/8", "192.168.0.0/16"),
			"inbound rule: tcp 443 from 0.0.0.0/0 is tcp 443 from 10.0.0.0/8, tcp 443 from 192.168.0.0/16; " +
				"inbound rule: tcp 443 from ::/0 is tcp 443 from 10.0.0.0/8, tcp 443 from 192.168.0.0/16", stacks.Whole,
		},
		"one of the rules": {inject.RevokeIngress, "Firewall", allow("0.0.0.0/0"), "", stacks.Whole},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inShop(t, func(t *testing.T, w *world) {
				in := w.captured(c.kind, c.arg)
				if got, err := w.injector.Anew(t.Context(), in); err != nil || got != "" {
					t.Errorf("untouched, set anew: %q, %v", got, err)
				}
				if err := w.writer().Do(t.Context(), in); err != nil {
					t.Fatal(err)
				}
				if got := w.changed(in); got != "" {
					t.Errorf("as the break left it, changed: %s", got)
				}
				if err := c.team(w, in); err != nil {
					t.Fatal(err)
				}
				told := c.changed != "" || c.kind == inject.RevokeIngress // whoever makes a rule again gets another id
				if got, err := w.injector.Anew(t.Context(), in); err != nil || (got != "") != told {
					t.Errorf("by hand, set anew: %q, %v", got, err)
				}
				for range 2 {
					if err := w.writer().Undo(t.Context(), in); err != nil {
						t.Fatal(err)
					}
					if got := w.changed(in); got != c.changed {
						t.Errorf("changed: %s\nwant %s", got, c.changed)
					}
				}
				if got, err := w.injector.Anew(t.Context(), in); err != nil || (got != "") != told {
					t.Errorf("set anew: %q, %v", got, err)
				}
				if got, err := w.injector.Check(t.Context(), in); err != nil || got != c.condition {
					t.Errorf("it is %s, %v", got, err)
				}
			})
		})
	}
}

func (w *world) changed(in stacks.Injection) string {
	w.t.Helper()
	list, err := w.injector.Changed(w.t.Context(), in)
	if err != nil {
		w.t.Fatal(err)
	}
	var out []string
	for _, c := range list {
		out = append(out, fmt.Sprintf("%s: %s is %s", c.What, c.Was, c.Is))
	}
	return strings.Join(out, "; ")
}
