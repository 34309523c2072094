package engine

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func want(tb testing.TB, got, want string) {
	tb.Helper()
	if got != want {
		tb.Errorf("got  %q\nwant %q", got, want)
	}
}

// reasons lists "<id> <status> <reason>" of the events that have a reason.
func (w *world) reasons(name string) []string {
	var out []string
	for _, e := range w.events(name) {
		if e.ResourceStatusReason != "" {
			out = append(out, e.LogicalResourceId+" "+e.ResourceStatus+" "+e.ResourceStatusReason)
		}
	}
	return out
}

func (w *world) expectReason(name, reason string) {
	w.t.Helper()
	if !slices.Contains(w.reasons(name), reason) {
		w.t.Errorf("no event %q in\n%s", reason, w.stream(name))
	}
}

func (w *world) changeSet(stack, name, kind, template string, params ...string) *DescribeChangeSetOutput {
	w.t.Helper()
	do[CreateChangeSetOutput](w, "CreateChangeSet", &CreateChangeSetInput{
		StackName: stack, ChangeSetName: name, ChangeSetType: kind, TemplateBody: template, Parameters: parameters(params),
	})
	w.pass(10 * time.Second)
	return do[DescribeChangeSetOutput](w, "DescribeChangeSet", &DescribeChangeSetInput{StackName: stack, ChangeSetName: name, IncludePropertyValues: new(true)})
}

func TestChangeSetLife(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	cs := w.changeSet("app", "first", "CREATE", oneParameter)
	want(t, cs.Status+" "+cs.ExecutionStatus, "CREATE_COMPLETE AVAILABLE")
	w.status("app", reviewInProgress)
	want(t, w.refused("GetTemplateSummary", &GetTemplateSummaryInput{StackName: "app"}), "ValidationError: GetTemplateSummary cannot be called on REVIEW_IN_PROGRESS stacks.")
	do[ExecuteChangeSetOutput](w, "ExecuteChangeSet", &ExecuteChangeSetInput{StackName: "app", ChangeSetName: "first", ClientRequestToken: "exec"})
	w.settle()
	st := w.status("app", createComplete)
	want(t, st.ChangeSetId, cs.ChangeSetId)
	want(t, st.Outputs[0].OutputValue, "a")
	byARN := do[DescribeChangeSetOutput](w, "DescribeChangeSet", &DescribeChangeSetInput{ChangeSetName: cs.ChangeSetId})
	want(t, byARN.ExecutionStatus, execComplete)
	want(t, w.refused("DescribeChangeSet", &DescribeChangeSetInput{StackName: "app", ChangeSetName: "first"}), "ChangeSetNotFound: ChangeSet [first] does not exist")
	want(t, w.refused("CreateChangeSet", &CreateChangeSetInput{StackName: "app", ChangeSetName: "again", ChangeSetType: "CREATE", TemplateBody: oneParameter}),
		"ValidationError: Stack [app] already exists and cannot be created again with the changeSet [again].")

	empty := w.changeSet("app", "empty", "UPDATE", oneParameter)
	want(t, empty.Status+" "+empty.ExecutionStatus+" "+empty.StatusReason, "FAILED UNAVAILABLE "+noChanges)
	want(t, w.refused("ExecuteChangeSet", &ExecuteChangeSetInput{StackName: "app", ChangeSetName: "empty"}),
		"InvalidChangeSetStatus: ChangeSet ["+empty.ChangeSetId+"] cannot be executed in its current status of [FAILED]")

	changed := w.changeSet("app", "second", "UPDATE", oneParameter, "Value", "b")
	raw, err := json.MarshalIndent(changed.Changes, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "changeset-parameter", string(raw)+"\n")
	do[ExecuteChangeSetOutput](w, "ExecuteChangeSet", &ExecuteChangeSetInput{StackName: "app", ChangeSetName: "second", ClientRequestToken: "exec2"})
	if left := do[ListChangeSetsOutput](w, "ListChangeSets", &ListChangeSetsInput{StackName: "app"}).Summaries; len(left) != 0 {
		t.Errorf("change sets are left: %+v", left)
	}
	w.settle()
	w.status("app", updateComplete)
	golden(t, "changeset", w.stream("app"))
	do[DeleteChangeSetOutput](w, "DeleteChangeSet", &DeleteChangeSetInput{StackName: "app", ChangeSetName: "nothing"})
	want(t, w.refused("DeleteChangeSet", &DeleteChangeSetInput{StackName: "none", ChangeSetName: "x"}), "ValidationError: Stack [none] does not exist")
}

func TestChangeSetReplacement(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("net", network)
	w.settle()
	cs := w.changeSet("net", "wider", "UPDATE", network, "Cidr", "10.9.0.0/16")
	raw, err := json.MarshalIndent(cs.Changes, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "changeset-replacement", string(raw)+"\n")
}

func TestIdentityErrors(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("net", network)
	tests := []struct {
		action string
		in     any
		want   string
	}{
		{"DescribeStacks", &DescribeStacksInput{StackName: "x"}, "ValidationError: Stack with id x does not exist"},
		{"UpdateStack", &UpdateStackInput{StackName: "x"}, "ValidationError: Stack with id x does not exist"},
		{"GetTemplate", &GetTemplateInput{StackName: "x"}, "ValidationError: Stack with id x does not exist"},
		{"DescribeStackEvents", &DescribeStackEventsInput{StackName: "x"}, "ValidationError: Stack [x] does not exist"},
		{"DescribeStackResource", &DescribeStackResourceInput{StackName: "x"}, "ValidationError: Stack 'x' does not exist"},
		{"DescribeStackResource", &DescribeStackResourceInput{StackName: "net", LogicalResourceId: "No"}, "ValidationError: Resource No does not exist for stack net"},
		{"CreateStack", &CreateStackInput{StackName: "net", TemplateBody: network}, "AlreadyExistsException: Stack [net] already exists"},
		{"CreateStack", &CreateStackInput{StackName: "a"}, "ValidationError: Either Template URL or Template Body must be specified."},
		{"CreateStack", &CreateStackInput{StackName: "*a", TemplateBody: network}, "ValidationError: 1 validation error detected: Value '*a' at 'stackName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*|arn:[-a-zA-Z0-9:/._+]*"},
		{"UpdateStack", &UpdateStackInput{StackName: "net", TemplateBody: network}, "ValidationError: Stack:" + w.stack("net").StackId + " is in CREATE_IN_PROGRESS state and can not be updated."},
		{"CancelUpdateStack", &CancelUpdateStackInput{StackName: "net"}, "ValidationError: CancelUpdateStack cannot be called from current stack status"},
		{"ContinueUpdateRollback", &ContinueUpdateRollbackInput{StackName: "net"}, "ValidationError: RollbackUpdatedStack cannot be called from current stack status"},
		{"CreateStack", &CreateStackInput{StackName: "b", TemplateBody: network, Parameters: parameters([]string{"No", "x"})}, "ValidationError: Parameters: [No] do not exist in the template"},
		{"DescribeChangeSet", &DescribeChangeSetInput{ChangeSetName: "x"}, "ValidationError: StackName must be specified if ChangeSetName is not specified as an ARN."},
		{"DeleteStack", &DeleteStackInput{StackName: "net", RetainResources: []string{"Vpc"}}, "ValidationError: Invalid operation on stack [" + w.stack("net").StackId + "]. When you delete a stack, specify which resources to retain only when the stack is in the DELETE_FAILED state."},
		{"Nothing", nil, "InvalidAction: Could not find operation Nothing for version 2010-05-15"},
	}
	for _, tt := range tests {
		want(t, w.refused(tt.action, tt.in), tt.want)
	}
	w.settle()
	want(t, w.refused("UpdateStack", &UpdateStackInput{StackName: "net", TemplateBody: network}), "ValidationError: No updates are to be performed.")
	do[DeleteStackOutput](w, "DeleteStack", &DeleteStackInput{StackName: "unknown"})
}

const role = `
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: operator
      AssumeRolePolicyDocument: {Version: "2012-10-17", Statement: []}
Outputs:
  Arn: {Value: !GetAtt Role.Arn}
`

func TestCapabilities(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	in := &CreateStackInput{StackName: "iam", TemplateBody: role}
	want(t, w.refused("CreateStack", in), "InsufficientCapabilitiesException: Requires capabilities : [CAPABILITY_NAMED_IAM]")
	in.Capabilities = []string{"CAPABILITY_NAMED_IAM"}
	do[CreateStackOutput](w, "CreateStack", in)
	w.settle()
	want(t, w.status("iam", createComplete).Outputs[0].OutputValue, "arn:aws:iam::123456789012:role/operator")
}

func TestTerminationProtection(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("one", oneParameter)
	do[UpdateTerminationProtectionOutput](w, "UpdateTerminationProtection", &UpdateTerminationProtectionInput{StackName: "one", EnableTerminationProtection: new(true)})
	want(t, w.refused("DeleteStack", &DeleteStackInput{StackName: "one"}), "ValidationError: Stack [one] cannot be deleted while TerminationProtection is enabled")
	do[UpdateTerminationProtectionOutput](w, "UpdateTerminationProtection", &UpdateTerminationProtectionInput{StackName: "one", EnableTerminationProtection: new(false)})
	w.delete("one")
	w.settle()
	want(t, w.refused("DescribeStacks", &DescribeStacksInput{StackName: "one"}), "ValidationError: Stack with id one does not exist")
}

const importer = `
Resources:
  Sub:
    Type: AWS::SNS::Subscription
    Properties: {Protocol: email, Endpoint: a@b.c, TopicArn: !ImportValue topic}
`

func TestExports(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("early", importer)
	w.settle()
	want(t, w.status("early", rollbackComplete).StackName, "early")
	w.expectReason("early", "early ROLLBACK_IN_PROGRESS No export named topic found. Rollback requested by user.")
	w.create("net", network)
	w.settle()
	w.create("user", importer)
	w.settle()
	w.status("user", createComplete)
	imports := do[ListImportsOutput](w, "ListImports", &ListImportsInput{ExportName: "topic"}).Imports
	want(t, fmt.Sprint(imports), "[user]")
	want(t, w.refused("DeleteStack", &DeleteStackInput{StackName: "net"}), "ValidationError: Export topic cannot be deleted as it is in use by user")
	w.update("net", strings.Replace(network, "Name: topic", "Name: other", 1))
	w.settle()
	w.status("net", undoComplete)
	w.expectReason("net", "net UPDATE_ROLLBACK_IN_PROGRESS Export topic cannot be deleted as it is in use by user")
	w.update("net", strings.Replace(network, "{DisplayName: !Ref Name}", "{DisplayName: !Ref Name, TopicName: !Ref Name}", 1))
	w.settle()
	w.status("net", undoComplete)
	w.expectReason("net", "net UPDATE_ROLLBACK_IN_PROGRESS Export topic cannot be updated as it is in use by user")
	w.create("rival", strings.ReplaceAll(oneParameter, "{Value: !GetAtt One.Value}", "{Value: x, Export: {Name: topic}}"))
	w.settle()
	w.status("rival", rollbackComplete)
	w.expectReason("rival", "rival ROLLBACK_IN_PROGRESS Export with name topic is already exported by stack net. Rollback requested by user.")
	w.delete("user")
	w.settle()
	w.delete("net")
	w.create("late", importer) // while its ground goes
	w.settle()
	w.expectReason("late", "late ROLLBACK_IN_PROGRESS No export named topic found. Rollback requested by user.")
	if left := do[ListExportsOutput](w, "ListExports", &ListExportsInput{}).Exports; len(left) != 0 {
		t.Errorf("exports are left: %v", left)
	}
}

func TestCancelUpdate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("net", network)
	w.settle()
	w.update("net", network, "Cidr", "10.2.0.0/16", "Name", "other")
	w.pass(6 * time.Second)
	do[CancelUpdateStackOutput](w, "CancelUpdateStack", &CancelUpdateStackInput{StackName: "net", ClientRequestToken: "cancel"})
	w.status("net", undoInProgress)
	w.settle()
	st := w.status("net", undoComplete)
	want(t, *st.Parameters[0].ParameterValue, "10.0.0.0/16")
	golden(t, "cancel", w.stream("net"))
}

func TestContinueRollback(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("net", network)
	w.settle()
	w.fault = func(q FaultQuery) FaultAnswer {
		if q.Step == "end" && (q.LogicalID == "Subnet" && q.Phase == "update" || q.LogicalID == "Vpc" && q.Phase == "rollback") {
			return FaultAnswer{Fail: true, Message: "no", HandlerCode: "InternalFailure"}
		}
		return FaultAnswer{}
	}
	w.update("net", network, "Cidr", "10.2.0.0/16")
	w.settle()
	st := w.status("net", undoFailed)
	want(t, st.StackStatusReason, "The following resource(s) failed to update: [Vpc]. ")
	want(t, w.refused("UpdateStack", &UpdateStackInput{StackName: "net", TemplateBody: network}), "ValidationError: Stack:"+st.StackId+" is in UPDATE_ROLLBACK_FAILED state and can not be updated.")
	do[ContinueUpdateRollbackOutput](w, "ContinueUpdateRollback", &ContinueUpdateRollbackInput{StackName: "net", ResourcesToSkip: []string{"Vpc"}, ClientRequestToken: "continue"})
	w.settle()
	w.status("net", undoComplete)
	golden(t, "continue-rollback", w.stream("net"))
}

func TestPreservedUpdateAndRollbackStack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("net", network)
	w.settle()
	before := w.stack("net").Outputs[0].OutputValue
	w.fault = failing("Subnet", "update")
	do[UpdateStackOutput](w, "UpdateStack", &UpdateStackInput{StackName: "net", TemplateBody: network, DisableRollback: new(true), Parameters: parameters([]string{"Cidr", "10.3.0.0/16"})})
	w.settle()
	w.status("net", updateFailed)
	out := do[RollbackStackOutput](w, "RollbackStack", &RollbackStackInput{StackName: "net", ClientRequestToken: "back"})
	if out.OperationId == "" {
		t.Error("no operation id")
	}
	w.settle()
	st := w.status("net", undoComplete)
	want(t, st.Outputs[0].OutputValue, before)
	got := do[DescribeStackResourceOutput](w, "DescribeStackResource", &DescribeStackResourceInput{StackName: "net", LogicalResourceId: "Vpc"})
	want(t, got.StackResourceDetail.PhysicalResourceId, before)
}

func TestOnFailureDelete(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fault = failing("One", "create")
	id := do[CreateStackOutput](w, "CreateStack", &CreateStackInput{StackName: "one", TemplateBody: oneParameter, OnFailure: "DELETE"}).StackId
	w.settle()
	w.status(id, deleteComplete)
	w.expectReason(id, "one DELETE_IN_PROGRESS The following resource(s) failed to create: [One]. Delete requested by user.")
}

func TestCreateTimeout(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fault = func(FaultQuery) FaultAnswer { return FaultAnswer{Delay: time.Hour} }
	do[CreateStackOutput](w, "CreateStack", &CreateStackInput{StackName: "slow", TemplateBody: oneParameter, TimeoutInMinutes: new(5)})
	w.pass(6 * time.Minute)
	w.status("slow", rollbackInProgress)
	w.settle()
	w.status("slow", rollbackComplete)
}

func TestDeleteDuringCreate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.create("net", network)
	w.pass(5 * time.Second)
	w.delete("net")
	w.settle()
	w.status(id, deleteComplete)
}

func TestStackPolicy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("net", network)
	w.settle()
	policy := `{"Statement":[{"Effect":"Deny","Action":"Update:Replace","Principal":"*","Resource":"LogicalResourceId/Vpc"},{"Effect":"Allow","Action":"Update:*","Principal":"*","Resource":"*"}]}`
	want(t, w.refused("SetStackPolicy", &SetStackPolicyInput{StackName: "net", StackPolicyBody: "{}"}), "ValidationError: Error validating stack policy: Invalid stack policy")
	do[SetStackPolicyOutput](w, "SetStackPolicy", &SetStackPolicyInput{StackName: "net", StackPolicyBody: policy})
	w.update("net", network, "Cidr", "10.3.0.0/16")
	w.settle()
	w.status("net", undoComplete)
	w.expectReason("net", "Vpc UPDATE_FAILED Action denied by stack policy: Statement [#1] does not allow [Update:Replace] for resource [LogicalResourceId/Vpc];")
	do[UpdateStackOutput](w, "UpdateStack", &UpdateStackInput{
		StackName: "net", TemplateBody: network, Parameters: parameters([]string{"Cidr", "10.3.0.0/16"}),
		StackPolicyDuringUpdateBody: `{"Statement":[{"Effect":"Allow","Action":"Update:*","Principal":"*","Resource":"*"}]}`,
	})
	w.settle()
	w.status("net", updateComplete)
}

func TestIdempotency(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	in := &CreateStackInput{StackName: "one", TemplateBody: oneParameter, ClientRequestToken: "same"}
	first := do[CreateStackOutput](w, "CreateStack", in)
	w.settle()
	second := do[CreateStackOutput](w, "CreateStack", in)
	if *first != *second {
		t.Errorf("%+v, then %+v", first, second)
	}
	if got := w.refused("CreateStack", &CreateStackInput{StackName: "one", TemplateBody: network, ClientRequestToken: "same"}); !strings.HasPrefix(got, codeToken) {
		t.Error(got)
	}
}

func TestNameConflicts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.create("one", oneParameter)
	w.settle()
	w.create("two", oneParameter)
	w.settle()
	w.status("two", rollbackComplete)
	w.expectReason("two", "One CREATE_FAILED /app/one already exists in stack "+id)
	db := `{"Resources":{"Table":{"Type":"AWS::DynamoDB::Table","Properties":{"TableName":"t","KeySchema":%s,"AttributeDefinitions":[]}}}}`
	w.create("db", fmt.Sprintf(db, `[{"AttributeName":"a","KeyType":"HASH"}]`))
	w.settle()
	w.status("db", createComplete)
	vpc := `{"Resources":{"Key":{"Type":"AWS::SQS::Queue","Properties":{"QueueName":"q.fifo","FifoQueue":%s}}}}`
	w.create("queue", fmt.Sprintf(vpc, "true"))
	w.settle()
	w.update("queue", fmt.Sprintf(vpc, "false"))
	w.settle()
	w.status("queue", undoComplete)
	w.expectReason("queue", "Key UPDATE_FAILED CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename q.fifo and update the stack again.")
}

func TestValidationFailures(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("bad", `{"Resources":{"Content":{"Type":"AWS::SNS::Topic","Properties":{"Colour":"red"}}}}`)
	w.settle()
	w.status("bad", rollbackComplete)
	w.expectReason("bad", "Content CREATE_FAILED Properties validation failed for resource Content with message: [#: extraneous key [Colour] is not permitted]")
	w.expectReason("bad", "bad ROLLBACK_IN_PROGRESS Validation failed for following resources: [Content]. Rollback requested by user.")
	w.create("missing", `{"Resources":{"P":{"Type":"AWS::SSM::Parameter","Properties":{"Value":"red"}}}}`)
	w.settle()
	w.expectReason("missing", "P CREATE_FAILED Property validation failure: [The property {/Type} is required]")
}

func TestCrossStackDependency(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("net", network)
	w.settle()
	vpc := w.stack("net").Outputs[0].OutputValue
	w.create("sg", `{"Resources":{"Group":{"Type":"AWS::EC2::SecurityGroup","Properties":{"GroupDescription":"d","VpcId":"`+vpc+`"}}}}`)
	w.settle()
	w.delete("net")
	w.settle()
	w.status("net", deleteFailed)
	found := false
	for _, r := range w.reasons("net") {
		found = found || strings.Contains(r, "The vpc '"+vpc+"' has dependencies and cannot be deleted. (Service: Ec2, Status Code: 400")
	}
	if !found {
		t.Errorf("no dependency violation:\n%s", w.stream("net"))
	}
	w.delete("sg")
	w.settle()
	id := w.stack("net").StackId
	w.delete("net")
	w.settle()
	w.status(id, deleteComplete)
}

func TestRetainedAndRemovedResources(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	two := `{"Resources":{"Keep":{"Type":"AWS::S3::Bucket","DeletionPolicy":"Retain","Properties":{"BucketName":"kept"}},"Drop":{"Type":"AWS::SNS::Topic"},"Stay":{"Type":"AWS::SNS::Topic"}}}`
	w.create("s", two)
	w.settle()
	w.update("s", `{"Resources":{"Stay":{"Type":"AWS::SNS::Topic"}}}`)
	w.settle()
	w.status("s", updateComplete)
	golden(t, "update-remove", w.stream("s"))
	want(t, w.refused("DescribeStackResource", &DescribeStackResourceInput{StackName: "s", LogicalResourceId: "Drop"}), "ValidationError: Resource Drop does not exist for stack s")
	w.create("again", two)
	w.settle()
	w.status("again", rollbackComplete)
	w.expectReason("again", "Keep CREATE_FAILED kept already exists")
}

func TestParametersShown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ssm["/base"] = "10.7.0.0/16"
	w.create("p", `
Parameters:
  Secret: {Type: String, NoEcho: true}
  Cidr: {Type: "AWS::SSM::Parameter::Value<String>"}
Resources:
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: !Ref Cidr}}
  Param: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: !Sub "x-${Secret}"}}
`, "Secret", "s3cret", "Cidr", "/base")
	w.settle()
	st := w.status("p", createComplete)
	want(t, *st.Parameters[0].ParameterValue, "****")
	want(t, *st.Parameters[1].ParameterValue+" "+st.Parameters[1].ResolvedValue, "/base 10.7.0.0/16")
	if strings.Contains(w.stream("p"), "s3cret") || !strings.Contains(w.stream("p"), `"Value":"x-****"`) {
		t.Error("the secret is in the events")
	}
	want(t, w.refused("CreateStack", &CreateStackInput{StackName: "q", TemplateBody: "Parameters: {A: {Type: \"AWS::SSM::Parameter::Value<String>\"}}\nResources: {T: {Type: AWS::SNS::Topic}}", Parameters: parameters([]string{"A", "/none"})}),
		"ValidationError: Unable to fetch parameters [/none] from parameter store for this account.")
}

func TestSignals(t *testing.T) {
	t.Parallel()
	template := `{"Resources":{"Handle":{"Type":"AWS::CloudFormation::WaitConditionHandle"},"Wait":{"Type":"AWS::CloudFormation::WaitCondition","Properties":{"Handle":{"Ref":"Handle"},"Count":2,"Timeout":"600"}}}}`
	w := newWorld(t)
	w.create("quiet", template)
	w.settle()
	w.status("quiet", rollbackComplete)
	w.expectReason("quiet", "Wait CREATE_FAILED WaitCondition timed out. Received 0 conditions when expecting 2")
	w.create("loud", template)
	w.pass(time.Minute)
	for _, id := range []string{"a", "b"} {
		do[SignalResourceOutput](w, "SignalResource", &SignalResourceInput{StackName: "loud", LogicalResourceId: "Wait", UniqueId: id, Status: "SUCCESS"})
	}
	w.pass(10 * time.Second)
	w.status("loud", createComplete)
}

// TestMachinesSignal: a group whose machines would run cfn-signal comes up, and
// one whose machines say nothing does not.
func TestMachinesSignal(t *testing.T) {
	t.Parallel()
	const template = `
Resources:
  Template: {Type: AWS::EC2::LaunchTemplate, Properties: {LaunchTemplateData: {UserData: {"Fn::Base64": {"Fn::Sub": "%s --stack ${AWS::StackName}"}}}}}
  Group:
    Type: AWS::AutoScaling::AutoScalingGroup
    CreationPolicy: {ResourceSignal: {Count: 1, Timeout: PT15M}}
    Properties: {MinSize: 1, MaxSize: 1, LaunchTemplate: {LaunchTemplateId: !Ref Template, Version: 1}}
`
	w := newWorld(t)
	w.create("tells", fmt.Sprintf(template, "/opt/aws/bin/cfn-signal -e 0"))
	w.create("mute", fmt.Sprintf(template, "echo"))
	w.settle()
	w.status("tells", createComplete)
	w.status("mute", rollbackComplete)
	w.expectReason("mute", "Group CREATE_FAILED Failed to receive 1 resource signal(s) within the specified duration")
}

const child = `
Parameters: {Name: {Type: String}}
Resources:
  Topic: {Type: AWS::SNS::Topic, Properties: {DisplayName: !Ref Name}}
Outputs:
  Arn: {Value: !Ref Topic}
`

const parent = `
Parameters: {Name: {Type: String, Default: one}, Extra: {Type: String, Default: a}}
Resources:
  Child:
    Type: AWS::CloudFormation::Stack
    Properties: {TemplateURL: "https://bucket.s3.amazonaws.com/child.yaml", Parameters: {Name: !Ref Name}}
  After:
    Type: AWS::SSM::Parameter
    Properties: {Type: String, Value: !GetAtt Child.Outputs.Arn, Description: !Ref Extra}
`

func TestNestedStacks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.files["https://bucket.s3.amazonaws.com/child.yaml"] = child
	id := w.create("top", parent)
	w.settle()
	w.status("top", createComplete)
	var nested string
	for _, st := range do[DescribeStacksOutput](w, "DescribeStacks", &DescribeStacksInput{}).Stacks {
		if st.ParentId == id {
			nested = st.StackId
		}
	}
	w.status(nested, createComplete)
	w.update("top", parent, "Name", "two")
	w.settle()
	w.status("top", updateComplete)
	w.status(nested, updateComplete)
	w.fault = failing("After", "update")
	w.update("top", parent, "Name", "three", "Extra", "b")
	w.settle()
	w.status("top", undoComplete)
	st := w.status(nested, undoComplete)
	want(t, *st.Parameters[0].ParameterValue, "two")
	w.fault = failing("Topic", "update")
	w.update("top", parent, "Name", "four")
	w.settle()
	w.status("top", undoComplete)
	w.status(nested, undoComplete)
	w.fault = nil
	w.delete("top")
	w.settle()
	w.status(id, deleteComplete)
	w.status(nested, deleteComplete)
	golden(t, "nested-parent", w.stream(id))
	golden(t, "nested-child", w.stream(nested))
}

func TestNestedFailure(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.files["https://bucket.s3.amazonaws.com/child.yaml"] = child
	w.fault = failing("Topic", "create")
	w.create("top", parent)
	w.settle()
	w.status("top", rollbackComplete)
	found := false
	for _, r := range w.reasons("top") {
		found = found || strings.HasPrefix(r, "Child CREATE_FAILED Embedded stack arn:") && strings.HasSuffix(r, " was not successfully created: The following resource(s) failed to create: [Topic].")
	}
	if !found {
		t.Errorf("no embedded failure:\n%s", w.stream("top"))
	}
}

func TestNestedContinueRollback(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.files["https://bucket.s3.amazonaws.com/child.yaml"] = child
	id := w.create("top", parent)
	w.settle()
	nested := do[DescribeStackResourceOutput](w, "DescribeStackResource", &DescribeStackResourceInput{StackName: "top", LogicalResourceId: "Child"}).StackResourceDetail.PhysicalResourceId
	w.fault = func(q FaultQuery) FaultAnswer {
		bad := q.LogicalID == "After" && q.Phase == "update" || q.LogicalID == "Topic" && q.Phase == "rollback"
		return FaultAnswer{Fail: bad && q.Step == "end", Message: "no", HandlerCode: "InternalFailure"}
	}
	w.update("top", parent, "Name", "two", "Extra", "b")
	w.settle()
	w.status("top", undoFailed)
	w.status(nested, undoFailed)
	want(t, w.refused("ContinueUpdateRollback", &ContinueUpdateRollbackInput{StackName: nested}), "ValidationError: RollbackUpdatedStack cannot be invoked on child stacks")
	do[ContinueUpdateRollbackOutput](w, "ContinueUpdateRollback", &ContinueUpdateRollbackInput{StackName: "top", ResourcesToSkip: []string{"Child.Topic"}})
	w.settle()
	w.status(nested, undoComplete)
	w.status("top", undoComplete)
	w.delete("top")
	w.settle()
	w.status(id, deleteComplete)
}

func TestDescribeEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fault = failing("One", "create")
	id := w.create("one", oneParameter)
	w.settle()
	st := w.status("one", rollbackComplete)
	if len(st.LastOperations) != 2 || st.LastOperations[0].OperationType != opRollback || st.LastOperations[1].OperationType != opCreate {
		t.Fatalf("operations: %+v", st.LastOperations)
	}
	failed := do[DescribeEventsOutput](w, "DescribeEvents", &DescribeEventsInput{OperationId: st.LastOperations[1].OperationId, Filters: &EventFilter{FailedEvents: new(true)}})
	if len(failed.OperationEvents) != 1 || failed.OperationEvents[0].EventType != "PROVISIONING_ERROR" || failed.OperationEvents[0].OperationStatus != opFailed {
		t.Errorf("failed events of %s: %+v", id, failed.OperationEvents)
	}
}

func TestDrift(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("one", oneParameter)
	w.settle()
	if err := w.e.Drift(w.tx, w.now, home, "one", "One", map[string]any{"Value": "z"}); err != nil {
		t.Fatal(err)
	}
	d := do[DetectStackDriftOutput](w, "DetectStackDrift", &DetectStackDriftInput{StackName: "one"})
	w.settle()
	got := do[DescribeStackDriftDetectionStatusOutput](w, "DescribeStackDriftDetectionStatus", &DescribeStackDriftDetectionStatusInput{StackDriftDetectionId: d.StackDriftDetectionId})
	want(t, fmt.Sprintf("%s %d", got.StackDriftStatus, *got.DriftedStackResourceCount), "DRIFTED 1")
	found := do[DescribeStackResourceDriftsOutput](w, "DescribeStackResourceDrifts", &DescribeStackResourceDriftsInput{StackName: "one"}).StackResourceDrifts
	want(t, fmt.Sprint(found[0].PropertyDifferences), "[{/Value a z NOT_EQUAL}]")
}

func TestReadsWriteNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("net", network)
	w.settle()
	before := w.tx.writes
	for name, in := range map[string]any{
		"DescribeStacks": &DescribeStacksInput{}, "ListStacks": &ListStacksInput{}, "DescribeStackEvents": &DescribeStackEventsInput{StackName: "net"},
		"ListStackResources": &ListStackResourcesInput{StackName: "net"}, "ListExports": &ListExportsInput{}, "GetTemplate": &GetTemplateInput{StackName: "net"},
		"GetTemplateSummary": &GetTemplateSummaryInput{StackName: "net"}, "ValidateTemplate": &ValidateTemplateInput{TemplateBody: network},
		"DescribeStackResources": &DescribeStackResourcesInput{StackName: "net"}, "GetStackPolicy": &GetStackPolicyInput{StackName: "net"},
	} {
		if _, err := w.try(name, in); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if w.tx.writes != before {
		t.Errorf("reads wrote %d times", w.tx.writes-before)
	}
}
