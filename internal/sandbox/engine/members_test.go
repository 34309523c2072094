package engine

import (
	"strings"
	"testing"
)

// What the API's model does not have is refused before anything is looked up.
func TestMembers(t *testing.T) {
	t.Parallel()
	const failed = "ValidationError: 1 validation error detected: Value "
	const names = "failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: ["
	const capable = "at 'capabilities' " + names + "CAPABILITY_AUTO_EXPAND, CAPABILITY_NAMED_IAM, CAPABILITY_IAM]]"
	const token = "'a b' at 'clientRequestToken' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9][-a-zA-Z0-9]*"
	long := strings.Repeat("é", 257)
	tests := []struct {
		action string
		in     any
		want   string
	}{
		{"CreateStack", &CreateStackInput{StackName: "a", Capabilities: []string{"CAPABILITY_IAM", "ALL"}}, "'[CAPABILITY_IAM, ALL]' " + capable},
		{"UpdateStack", &UpdateStackInput{StackName: "no", Capabilities: []string{""}}, "'[]' " + capable},
		{"CreateChangeSet", &CreateChangeSetInput{StackName: "no", Capabilities: []string{"capability_iam"}}, "'[capability_iam]' " + capable},
		{"CreateStack", &CreateStackInput{StackName: "a", ClientRequestToken: "a b"}, token},
		{"UpdateStack", &UpdateStackInput{StackName: "no", ClientRequestToken: "a b"}, token},
		{"DeleteStack", &DeleteStackInput{StackName: "no", ClientRequestToken: "a b"}, token},
		{"CancelUpdateStack", &CancelUpdateStackInput{StackName: "no", ClientRequestToken: "a b"}, token},
		{"ContinueUpdateRollback", &ContinueUpdateRollbackInput{StackName: "no", ClientRequestToken: "a b"}, token},
		{"RollbackStack", &RollbackStackInput{StackName: "no", ClientRequestToken: "a b"}, token},
		{"ExecuteChangeSet", &ExecuteChangeSetInput{StackName: "no", ClientRequestToken: "a b"}, token},
		{
			"DeleteStack", &DeleteStackInput{StackName: "no", ClientRequestToken: strings.Repeat("a", 129)},
			"'" + strings.Repeat("a", 129) + "' at 'clientRequestToken' failed to satisfy constraint: Member must have length less than or equal to 128",
		},
		{
			"CreateStack", &CreateStackInput{StackName: "a", Tags: []Tag{{"k", "v"}, {"empty", ""}}},
			"'' at 'tags.2.member.value' failed to satisfy constraint: Member must have length greater than or equal to 1",
		},
		{
			"UpdateStack", &UpdateStackInput{StackName: "a", Tags: []Tag{{"", "v"}}},
			"'' at 'tags.1.member.key' failed to satisfy constraint: Member must have length greater than or equal to 1",
		},
		{
			"CreateChangeSet", &CreateChangeSetInput{StackName: "a", Tags: []Tag{{long[:258], long}}},
			"'" + long[:258] + "' at 'tags.1.member.key' failed to satisfy constraint: Member must have length less than or equal to 128",
		},
		{
			"CreateChangeSet", &CreateChangeSetInput{StackName: "a", Tags: []Tag{{long[:256], long}}},
			"'" + long + "' at 'tags.1.member.value' failed to satisfy constraint: Member must have length less than or equal to 256",
		},
		{
			"CreateChangeSet", &CreateChangeSetInput{StackName: "a", OnStackFailure: "STOP"},
			"'STOP' at 'onStackFailure' failed to satisfy constraint: Member must satisfy enum value set: [DO_NOTHING, ROLLBACK, DELETE]",
		},
		{
			"ListStacks", &ListStacksInput{StackStatusFilter: []string{"CREATE_COMPLETE", "DONE"}},
			"'[CREATE_COMPLETE, DONE]' at 'stackStatusFilter' " + names + strings.Join(stackStatuses(), ", ") + "]]",
		},
	}
	w := newWorld(t)
	for _, tt := range tests {
		want(t, w.refused(tt.action, tt.in), failed+tt.want)
	}
	want(t, w.refused("CreateChangeSet", &CreateChangeSetInput{StackName: "no", OnStackFailure: "DELETE"}),
		"ValidationError: OnStackFailure DELETE is only valid for change sets of type CREATE")
	do[ListStacksOutput](w, "ListStacks", &ListStacksInput{StackStatusFilter: stackStatuses()})
}

// A token that is none, or of something else, gives an error and no empty page.
func TestForeignTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("wide", topics(80))
	w.create("other", topics(1))
	w.settle()
	next := do[DescribeStackEventsOutput](w, "DescribeStackEvents", &DescribeStackEventsInput{StackName: "wide"}).NextToken
	do[DescribeStackEventsOutput](w, "DescribeStackEvents", &DescribeStackEventsInput{StackName: "wide", NextToken: next})
	for action, in := range map[string]any{
		"DescribeStackEvents": &DescribeStackEventsInput{StackName: "other", NextToken: next},
		"ListStackResources":  &ListStackResourcesInput{StackName: "wide", NextToken: "garbage"},
		"DescribeStacks":      &DescribeStacksInput{NextToken: next},
		"ListStacks":          &ListStacksInput{NextToken: "garbage"},
		"ListExports":         &ListExportsInput{NextToken: "%"},
		"ListChangeSets":      &ListChangeSetsInput{StackName: "wide", NextToken: "garbage"},
	} {
		want(t, w.refused(action, in), "ValidationError: Token is invalid or expired.")
	}
}
