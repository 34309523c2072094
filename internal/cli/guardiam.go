package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/stacks"
)

// guardIAM prints what makes AWS itself refuse what the guard refuses.
func (a *app) guardIAM(ctx context.Context, name string) error {
	s, err := a.open(name)
	if err != nil {
		return err
	}
	defer s.close() //nolint:errcheck // only read from
	place, err := s.environment(name)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	doc := s.statements(place)
	if done, err := a.document(doc); done {
		return err
	}
	enc := json.NewEncoder(a.env.Stdout)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(doc)
}

type statement struct {
	Sid       string         `json:"Sid"`
	Effect    string         `json:"Effect"`
	Principal any            `json:"Principal,omitempty"`
	Action    []string       `json:"Action"`
	Resource  any            `json:"Resource"`
	Condition map[string]any `json:"Condition,omitempty"`
}

type policyDocument struct {
	Version   string      `json:"Version"`
	Statement []statement `json:"Statement"`
}

// statements are three policies: one for the organisation, one for those who
// plan, one for the bucket of the records.
func (s *session) statements(a area) map[string]policyDocument {
	var names []string
	for _, st := range s.project.Stacks() {
		if st.Environment == a.env {
			for _, account := range slices.Concat(a.env.Accounts, accountsOr(a.env.Accounts)) {
				names = append(names, fmt.Sprintf("arn:aws:cloudformation:%s:%s:stack/%s/*", st.Access.Region, account, st.Name))
			}
		}
	}
	slices.Sort(names)
	destructive := []string{
		"cloudformation:DeleteStack", "cloudformation:UpdateStack", "cloudformation:ExecuteChangeSet", "cloudformation:UpdateTerminationProtection",
		"cloudformation:SetStackPolicy", "cloudformation:CancelUpdateStack", "cloudformation:RollbackStack", "cloudformation:ContinueUpdateRollback",
	}
	out := map[string]policyDocument{
		// Nobody but the role that applies changes what carries the tag.
		"scp": {"2012-10-17", []statement{
			{Sid: "OnlyTheApplyRoleChangesProduction", Effect: "Deny", Action: destructive, Resource: "*", Condition: map[string]any{
				"StringEquals": map[string]any{"aws:ResourceTag/" + stacks.TagClass: string(stacks.Production)},
				"ArnNotLike":   map[string]any{"aws:PrincipalArn": "arn:aws:iam::*:role/APPLY_ROLE"},
			}},
			{Sid: "NobodyTakesTheTagOff", Effect: "Deny", Action: []string{"cloudformation:UntagResource", "cloudformation:TagResource"}, Resource: "*", Condition: map[string]any{
				"StringEquals": map[string]any{"aws:ResourceTag/" + stacks.TagClass: string(stacks.Production)},
				"ArnNotLike":   map[string]any{"aws:PrincipalArn": "arn:aws:iam::*:role/APPLY_ROLE"},
			}},
		}},
		// Who plans reads, and makes and drops change sets.
		"plan_role": {"2012-10-17", []statement{
			{Sid: "Read", Effect: "Allow", Action: []string{"cloudformation:Describe*", "cloudformation:Get*", "cloudformation:List*", "cloudformation:ValidateTemplate", "sts:GetCallerIdentity"}, Resource: "*"},
			{Sid: "Propose", Effect: "Allow", Action: []string{"cloudformation:CreateChangeSet", "cloudformation:DeleteChangeSet"}, Resource: names},
			{Sid: "NeverApply", Effect: "Deny", Action: append(slices.Clone(destructive), "cloudformation:CreateStack"), Resource: "*"},
		}},
	}
	if bucket := a.env.State.Bucket; bucket != "" {
		out["state_bucket"] = bucketPolicy(a)
		planning := out["plan_role"]
		planning.Statement = append(planning.Statement, statement{
			Sid: "RecordThePlan", Effect: "Allow", Action: []string{"s3:PutObject"}, Resource: ownFolders(recordsAt(a.env.State), "plans"),
		})
		out["plan_role"] = planning
	}
	return out
}

// accountsOr stands for any account where the environment names none.
func accountsOr(accounts []string) []string {
	if len(accounts) > 0 {
		return nil
	}
	return []string{"*"}
}

// recordsAt is where an environment's records are in its bucket, as an ARN.
func recordsAt(st stacks.State) string {
	at := "arn:aws:s3:::" + st.Bucket + "/"
	if prefix := strings.Trim(st.Prefix, "/"); prefix != "" {
		at += prefix + "/"
	}
	return at
}
