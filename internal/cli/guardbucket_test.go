package cli

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/stacks"
)

// TestBucketPolicy: a session's record can claim another role's name, and AWS knows
// the role: each role that may approve writes under its own name, and nobody else.
func TestBucketPolicy(t *testing.T) {
	t.Parallel()
	place := area{
		env:    &stacks.Environment{Name: "prod", State: stacks.State{Bucket: "b", Prefix: "/shop/"}},
		policy: guard.Policy{Approvers: []string{"arn:aws:sts::111111111111:assumed-role/Engineer_*/*", "arn:aws:iam::111111111111:user/team/ann"}},
	}
	text, err := json.Marshal(bucketPolicy(place))
	if err != nil {
		t.Fatal(err)
	}
	role := `"arn:aws:iam::111111111111:role/Engineer_*","arn:aws:iam::111111111111:role/*/Engineer_*"`
	for _, want := range []string{
		`{"Sid":"NobodyElseApproves","Effect":"Deny","Principal":"*","Action":["s3:PutObject"],"Resource":["arn:aws:s3:::b/shop/approvals/*"],"Condition":{"ArnNotLike":{"aws:PrincipalArn":[` + role + `,"arn:aws:iam::111111111111:user/team/ann"]}}}`,
		`{"Sid":"ThatRoleAloneApprovesAsIt1","Effect":"Deny","Principal":"*","Action":["s3:PutObject"],"Resource":["arn:aws:s3:::b/shop/approvals/*/role=111111111111:Engineer_*:*/*"],"Condition":{"ArnNotLike":{"aws:PrincipalArn":[` + role + `]}}}`,
		`{"Sid":"NobodyElseRecordsPlans","Effect":"Deny","Principal":"*","Action":["s3:PutObject"],"Resource":["arn:aws:s3:::b/shop/plans/*"],"Condition":{"ArnNotLike":{"aws:PrincipalArn":["arn:aws:iam::*:role/PLAN_ROLE"]}}}`,
		`"arn:aws:s3:::b/shop/approvals/*/role=${aws:PrincipalAccount}:*:${aws:userid}/*"`,
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("missing %s in\n%s", want, text)
		}
	}
	place.policy.Approvers = nil
	if text, err = json.Marshal(bucketPolicy(place)); err != nil || !strings.Contains(string(text), `{"Sid":"NobodyApproves","Effect":"Deny","Principal":"*","Action":["s3:PutObject"],"Resource":["arn:aws:s3:::b/shop/approvals/*"]}`) {
		t.Errorf("%v, %s", err, text)
	}
}

func TestApproverPatterns(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string]string{
		"arn:aws:sts::1:assumed-role/R/alice": "arn:aws:iam::1:role/R arn:aws:iam::1:role/*/R",
		"arn:aws-cn:sts::*:assumed-role/*":    "arn:aws-cn:iam::*:role/* arn:aws-cn:iam::*:role/*/*",
		"arn:aws:iam::1:user/*":               "arn:aws:iam::1:user/*",
		"arn:aws:*::1:*":                      "arn:aws:iam::1:*",
		"*alice":                              "arn:*:iam::*:*",
	} {
		if got := strings.Join(approverOf(pattern).principals, " "); got != want {
			t.Errorf("%s: %s, want %s", pattern, got, want)
		}
	}
}
