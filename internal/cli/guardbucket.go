package cli

import (
	"fmt"
	"strings"

	"github.com/deployer-cli/deployer/internal/guard"
)

// ownFolders are those of whoever asks, among the records of a kind, as
// state.Folder names them. AWS fills in account, user and session.
func ownFolders(at, kind string) []string {
	return []string{
		at + kind + "/*/user=${aws:PrincipalAccount}:${aws:username}/*",
		at + kind + "/*/role=${aws:PrincipalAccount}:*:${aws:userid}/*",
	}
}

// approver is a pattern of guard.approvers as IAM matches it.
type approver struct {
	principals []string // for aws:PrincipalArn, which is the role's and not the session's
	folder     string   // of the role's sessions, "" for users and what may be anybody
}

// approverOf reads one pattern of ARNs. What cannot be taken apart is any principal
// of the account that it names; the guard goes by the pattern itself all the same.
func approverOf(pattern string) approver {
	parts := strings.SplitN(pattern, ":", 6)
	if len(parts) < 6 {
		return approver{principals: []string{"arn:*:iam::*:*"}}
	}
	at := "arn:" + parts[1] + ":iam::" + parts[4] + ":"
	resource, isRole := strings.CutPrefix(parts[5], "assumed-role/")
	switch {
	case isRole:
		role, _, _ := strings.Cut(resource, "/")
		return approver{[]string{at + "role/" + role, at + "role/*/" + role}, "role=" + parts[4] + ":" + role + ":*"}
	case strings.HasPrefix(parts[5], "user/"):
		return approver{principals: []string{at + parts[5]}}
	}
	return approver{principals: []string{at + "*"}}
}

// planRole stands for the roles that make plans: whoever reads the policy puts
// them there.
const planRole = "arn:aws:iam::*:role/PLAN_ROLE"

func principalIs(operator string, arns ...string) map[string]any {
	return map[string]any{operator: map[string][]string{"aws:PrincipalArn": arns}}
}

// bucketPolicy keeps everybody to their own leases, releases and plans, approvals to
// those whom guard.approvers names, each under their own role, and the history to
// what was written.
func bucketPolicy(a area) policyDocument {
	st := a.env.State
	at := recordsAt(st)
	everybody := map[string]string{"AWS": "PRINCIPALS"}
	put := []string{"s3:PutObject"}
	var mine, others []string
	for _, kind := range []string{"leases", "releases"} {
		mine = append(mine, ownFolders(at, kind)...)
	}
	for _, kind := range []string{"approvals", "leases", "releases", "plans"} {
		others = append(others, at+kind+"/*")
	}
	out := []statement{
		{Sid: "EverybodyWritesTheirOwn", Effect: "Allow", Principal: everybody, Action: put, Resource: mine},
		{Sid: "PlannersRecordTheirPlans", Effect: "Allow", Principal: everybody, Action: put, Resource: ownFolders(at, "plans"), Condition: principalIs("ArnLike", planRole)},
		{Sid: "NobodyElseRecordsPlans", Effect: "Deny", Principal: "*", Action: put, Resource: []string{at + "plans/*"}, Condition: principalIs("ArnNotLike", planRole)},
	}
	out = append(out, approving(at, a.policy, everybody)...)
	return policyDocument{"2012-10-17", append(out,
		statement{Sid: "EverybodyReads", Effect: "Allow", Principal: everybody, Action: []string{"s3:GetObject", "s3:ListBucket"}, Resource: []string{strings.TrimSuffix(at, "/") + "/*", "arn:aws:s3:::" + st.Bucket}},
		statement{Sid: "RunsLockAndWriteHistory", Effect: "Allow", Principal: everybody, Action: put, Resource: []string{at + "locks/*", at + "history/*"}},
		statement{Sid: "HistoryAndPlansAreOnlyAddedTo", Effect: "Deny", Principal: "*", Action: put, Resource: []string{at + "history/*", at + "plans/*"}, Condition: map[string]any{"Null": map[string]string{"s3:if-none-match": "true"}}},
		statement{Sid: "NothingIsTakenOut", Effect: "Deny", Principal: "*", Action: []string{"s3:DeleteObject", "s3:DeleteObjectVersion"}, Resource: append(others, at+"history/*", at+"locks/*")},
	)}
}

// approving are the statements about approvals. AWS knows whose role a session is
// of, which a record can only claim.
func approving(at string, p guard.Policy, everybody map[string]string) []statement {
	put, all := []string{"s3:PutObject"}, []string{at + "approvals/*"}
	if len(p.Approvers) == 0 {
		return []statement{{Sid: "NobodyApproves", Effect: "Deny", Principal: "*", Action: put, Resource: all}}
	}
	var may []string
	var roles []statement
	for i, pattern := range p.Approvers {
		one := approverOf(pattern)
		may = append(may, one.principals...)
		if one.folder != "" {
			roles = append(roles, statement{
				Sid: fmt.Sprintf("ThatRoleAloneApprovesAsIt%d", i+1), Effect: "Deny", Principal: "*", Action: put,
				Resource: []string{at + "approvals/*/" + one.folder + "/*"}, Condition: principalIs("ArnNotLike", one.principals...),
			})
		}
	}
	return append([]statement{
		{Sid: "ApproversApprove", Effect: "Allow", Principal: everybody, Action: put, Resource: ownFolders(at, "approvals"), Condition: principalIs("ArnLike", may...)},
		{Sid: "NobodyElseApproves", Effect: "Deny", Principal: "*", Action: put, Resource: all, Condition: principalIs("ArnNotLike", may...)},
	}, roles...)
}
