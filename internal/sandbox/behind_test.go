package sandbox_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudcontrol"
	cctypes "github.com/aws/aws-sdk-go-v2/service/cloudcontrol/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/deployer-cli/deployer/internal/sandbox"
)

const fleetTemplate = `
Resources:
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.0/16}}
  Web:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: web
      VpcId: !Ref Vpc
      SecurityGroupIngress: [{IpProtocol: tcp, FromPort: 80, ToPort: 80, CidrIp: 10.0.0.0/8, Description: inside}]
  Rule:
    Type: AWS::EC2::SecurityGroupIngress
    Properties: {GroupId: !Ref Web, IpProtocol: tcp, FromPort: 22, ToPort: 22, SourceSecurityGroupId: !Ref Web}
  Template: {Type: AWS::EC2::LaunchTemplate, Properties: {LaunchTemplateData: {ImageId: ami-1}}}
  Fleet:
    Type: AWS::AutoScaling::AutoScalingGroup
    Properties: {MinSize: "2", MaxSize: "2", AvailabilityZones: [eu-west-1a], LaunchTemplate: {LaunchTemplateId: !Ref Template, Version: "1"}}
  Role: {Type: AWS::IAM::Role, Properties: {AssumeRolePolicyDocument: {Statement: []}}}
  Worker: {Type: AWS::Lambda::Function, Properties: {FunctionName: worker, Code: {ZipFile: x}, Role: !GetAtt Role.Arn, Runtime: python3.13, Handler: a.b}}
Outputs:
  Web: {Value: !GetAtt Web.GroupId}
  Rule: {Value: !Ref Rule}
  Vpc: {Value: !Ref Vpc}
  Fleet: {Value: !Ref Fleet}
`

// fleet launches the stack that the tests below break, at full speed, and answers
// its outputs.
func fleet(t *testing.T) (door, map[string]string) {
	t.Helper()
	d := inProcess(sandbox.Options{Speed: sandbox.MaxSpeed})
	create(t, d, cloudformation.CreateStackInput{StackName: new("fleet"), TemplateBody: new(fleetTemplate), Capabilities: []types.Capability{types.CapabilityCapabilityIam}})
	out := map[string]string{}
	for _, o := range wantStatus(t, d, "fleet", types.StackStatusCreateComplete).Outputs {
		out[*o.OutputKey] = *o.OutputValue
	}
	return d, out
}

func (d door) healthy(t *testing.T, stack string) bool {
	t.Helper()
	return must[*http.Response](t)(d.http.Do(httptest.NewRequest(http.MethodGet, d.url+sandbox.HealthPath+stack, http.NoBody))).StatusCode == http.StatusOK
}

func TestInstancesOfAGroup(t *testing.T) {
	t.Parallel()
	d, out := fleet(t)
	c := ec2.NewFromConfig(d.config())
	running := func() []string {
		var ids []string
		for _, r := range must[*ec2.DescribeInstancesOutput](t)(c.DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{Filters: []ec2types.Filter{
			{Name: new("tag:aws:autoscaling:groupName"), Values: []string{out["Fleet"]}}, {Name: new("instance-state-name"), Values: []string{"running"}},
		}})).Reservations {
			ids = append(ids, *r.Instances[0].InstanceId)
		}
		return ids
	}
	ids := running()
	if len(ids) != 2 || !d.healthy(t, "fleet") {
		t.Fatalf("instances %v", ids)
	}
	stopped := must[*ec2.StopInstancesOutput](t)(c.StopInstances(t.Context(), &ec2.StopInstancesInput{InstanceIds: ids[:1]})).StoppingInstances
	if len(stopped) != 1 || stopped[0].PreviousState.Name != ec2types.InstanceStateNameRunning || stopped[0].CurrentState.Name != ec2types.InstanceStateNameStopping {
		t.Errorf("%+v", stopped)
	}
	if got := running(); !slices.Equal(got, ids[1:]) || d.healthy(t, "fleet") {
		t.Errorf("one is stopped, and %v run", got)
	}
	must[*ec2.StartInstancesOutput](t)(c.StartInstances(t.Context(), &ec2.StartInstancesInput{InstanceIds: ids}))
	if got := running(); !slices.Equal(got, ids) || !d.healthy(t, "fleet") {
		t.Errorf("both were started, and %v run", got)
	}
	_, err := c.StopInstances(t.Context(), &ec2.StopInstancesInput{InstanceIds: []string{ids[0], "i-00000000000000000"}})
	wantCode(t, err, "InvalidInstanceID.NotFound")
	if len(running()) != 2 {
		t.Error("one of two was stopped, and the call refused")
	}
}

func TestRulesOfASecurityGroup(t *testing.T) {
	t.Parallel()
	d, out := fleet(t)
	c := ec2.NewFromConfig(d.config())
	group := out["Web"]
	shown := func() []ec2types.IpPermission {
		all := must[*ec2.DescribeSecurityGroupsOutput](t)(c.DescribeSecurityGroups(t.Context(), &ec2.DescribeSecurityGroupsInput{GroupIds: []string{group}})).SecurityGroups
		if len(all) != 1 {
			t.Fatalf("groups %+v", all)
		}
		return all[0].IpPermissions
	}
	before := shown()
	if len(before) != 2 || aws.ToString(before[0].IpRanges[0].CidrIp) != "10.0.0.0/8" || aws.ToString(before[0].IpRanges[0].Description) != "inside" ||
		aws.ToInt32(before[1].FromPort) != 22 || aws.ToString(before[1].UserIdGroupPairs[0].GroupId) != group {
		t.Fatalf("rules %+v", before)
	}
	must[*ec2.RevokeSecurityGroupIngressOutput](t)(c.RevokeSecurityGroupIngress(t.Context(), &ec2.RevokeSecurityGroupIngressInput{GroupId: &group, IpPermissions: before[:1]}))
	if len(shown()) != 1 || d.healthy(t, "fleet") {
		t.Error("it was not revoked, or nobody noticed")
	}
	_, err := c.RevokeSecurityGroupIngress(t.Context(), &ec2.RevokeSecurityGroupIngressInput{GroupId: &group, IpPermissions: before[:1]})
	wantCode(t, err, "InvalidPermission.NotFound")
	made := must[*ec2.AuthorizeSecurityGroupIngressOutput](t)(c.AuthorizeSecurityGroupIngress(t.Context(), &ec2.AuthorizeSecurityGroupIngressInput{GroupId: &group, IpPermissions: before[:1]}))
	if len(made.SecurityGroupRules) != 1 || !d.healthy(t, "fleet") {
		t.Errorf("%+v", made.SecurityGroupRules)
	}
	_, err = c.AuthorizeSecurityGroupIngress(t.Context(), &ec2.AuthorizeSecurityGroupIngressInput{GroupId: &group, IpPermissions: before[:1]})
	wantCode(t, err, "InvalidPermission.Duplicate")

	// A rule that is a resource of its own is gone with it.
	must[*ec2.RevokeSecurityGroupIngressOutput](t)(c.RevokeSecurityGroupIngress(t.Context(), &ec2.RevokeSecurityGroupIngressInput{GroupId: &group, SecurityGroupRuleIds: []string{out["Rule"]}}))
	if len(shown()) != 1 || d.healthy(t, "fleet") {
		t.Error("the rule of its own is still there, or nobody noticed")
	}
}

func TestCloudControlDeletes(t *testing.T) {
	t.Parallel()
	d, out := fleet(t)
	c := cloudcontrol.NewFromConfig(d.config())
	remove := func(kind, id, token string) *cctypes.ProgressEvent {
		return must[*cloudcontrol.DeleteResourceOutput](t)(c.DeleteResource(t.Context(), &cloudcontrol.DeleteResourceInput{TypeName: &kind, Identifier: &id, ClientToken: &token})).ProgressEvent
	}
	if e := remove("AWS::EC2::VPC", out["Vpc"], "a"); e.OperationStatus != cctypes.OperationStatusFailed || e.ErrorCode != cctypes.HandlerErrorCodeGeneralServiceException {
		t.Errorf("a VPC in use: %+v", e)
	}
	if e := remove("AWS::EC2::VPC", "vpc-1", "b"); e.OperationStatus != cctypes.OperationStatusFailed || e.ErrorCode != cctypes.HandlerErrorCodeNotFound {
		t.Errorf("no VPC: %+v", e)
	}
	e := remove("AWS::Lambda::Function", "worker", "c")
	if again := remove("AWS::Lambda::Function", "worker", "c"); e.OperationStatus != cctypes.OperationStatusSuccess || aws.ToString(again.RequestToken) != aws.ToString(e.RequestToken) {
		t.Errorf("%+v, and with the same token %+v", e, again)
	}
	_, err := c.DeleteResource(t.Context(), &cloudcontrol.DeleteResourceInput{TypeName: new("AWS::IAM::Role"), Identifier: new("x"), ClientToken: new("c")})
	wantCode(t, err, "ClientTokenConflictException")
	_, err = c.GetResource(t.Context(), &cloudcontrol.GetResourceInput{TypeName: new("AWS::Lambda::Function"), Identifier: new("worker")})
	wantCode(t, err, "ResourceNotFoundException")
	_, err = lambda.NewFromConfig(d.config()).Invoke(t.Context(), &lambda.InvokeInput{FunctionName: new("worker")})
	wantCode(t, err, "ResourceNotFoundException")
	if d.healthy(t, "fleet") {
		t.Error("nobody noticed")
	}
}

func TestThrottledFunction(t *testing.T) {
	t.Parallel()
	d, _ := fleet(t)
	c := lambda.NewFromConfig(d.config(), func(o *lambda.Options) { o.RetryMaxAttempts = 1 })
	must[*lambda.PutFunctionConcurrencyOutput](t)(c.PutFunctionConcurrency(t.Context(), &lambda.PutFunctionConcurrencyInput{FunctionName: new("worker"), ReservedConcurrentExecutions: new(int32(0))}))
	_, err := c.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: new("worker")})
	wantCode(t, err, "TooManyRequestsException")
	must[*lambda.InvokeOutput](t)(c.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: new("worker"), InvocationType: lambdatypes.InvocationTypeEvent}))
	got := must[*lambda.GetFunctionOutput](t)(c.GetFunction(t.Context(), &lambda.GetFunctionInput{FunctionName: new("worker")}))
	if got.Concurrency == nil || aws.ToInt32(got.Concurrency.ReservedConcurrentExecutions) != 0 || aws.ToString(got.Configuration.FunctionName) != "worker" || d.healthy(t, "fleet") {
		t.Errorf("%+v", got.Concurrency)
	}
	must[*lambda.DeleteFunctionConcurrencyOutput](t)(c.DeleteFunctionConcurrency(t.Context(), &lambda.DeleteFunctionConcurrencyInput{FunctionName: new("worker")}))
	if now := must[*lambda.GetFunctionConcurrencyOutput](t)(c.GetFunctionConcurrency(t.Context(), &lambda.GetFunctionConcurrencyInput{FunctionName: new("worker")})); now.ReservedConcurrentExecutions != nil || !d.healthy(t, "fleet") {
		t.Errorf("%+v", now)
	}
}
