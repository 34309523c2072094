package engine

import (
	"strings"
	"testing"
)

const network = `
Parameters:
  Cidr: {Type: String, Default: 10.0.0.0/16}
  Name: {Type: String, Default: first}
Resources:
  Vpc:
    Type: AWS::EC2::VPC
    Properties: {CidrBlock: !Ref Cidr, EnableDnsSupport: true}
  Subnet:
    Type: AWS::EC2::Subnet
    Properties: {VpcId: !Ref Vpc, CidrBlock: 10.0.1.0/24}
  Topic:
    Type: AWS::SNS::Topic
    Properties: {DisplayName: !Ref Name}
Outputs:
  VpcId: {Value: !Ref Vpc}
  TopicArn: {Value: !Ref Topic, Export: {Name: topic}}
`

const oneParameter = `
Parameters:
  Value: {Type: String, Default: a}
  Name: {Type: String, Default: /app/one}
Resources:
  One:
    Type: AWS::SSM::Parameter
    Properties: {Type: String, Name: !Ref Name, Value: !Ref Value}
Outputs:
  Out: {Value: !GetAtt One.Value}
`

func failing(id, phase string) func(FaultQuery) FaultAnswer {
	return func(q FaultQuery) FaultAnswer {
		if q.LogicalID == id && q.Phase == phase && q.Step == "end" {
			return FaultAnswer{Fail: true, Message: "no luck (Service: Ec2, Status Code: 400, Request ID: x)", HandlerCode: "InvalidRequest"}
		}
		return FaultAnswer{}
	}
}

func TestStreams(t *testing.T) {
	t.Parallel()
	tests := map[string]func(w *world) string{
		"create": func(w *world) string {
			id := w.create("net", network)
			w.settle()
			w.status("net", createComplete)
			return id
		},
		"create-rollback": func(w *world) string {
			w.fault = failing("Subnet", "create")
			id := w.create("net", strings.Replace(network, "Topic:\n    Type: AWS::SNS::Topic", "Topic:\n    DependsOn: Vpc\n    Type: AWS::SNS::Topic", 1))
			w.settle()
			w.status("net", rollbackComplete)
			return id
		},
		"create-preserved": func(w *world) string {
			w.fault = failing("Subnet", "create")
			id := do[CreateStackOutput](w, "CreateStack", &CreateStackInput{StackName: "net", TemplateBody: network, DisableRollback: new(true), ClientRequestToken: "token"}).StackId
			w.settle()
			w.status("net", createFailed)
			return id
		},
		"update-replace": func(w *world) string {
			id := w.create("net", network)
			w.settle()
			w.update("net", network, "Cidr", "10.1.0.0/16")
			w.settle()
			w.status("net", updateComplete)
			return id
		},
		"update-rollback": func(w *world) string {
			id := w.create("net", network)
			w.settle()
			w.fault = failing("Subnet", "update")
			w.update("net", network, "Cidr", "10.1.0.0/16", "Name", "second")
			w.settle()
			w.status("net", undoComplete)
			return id
		},
		"delete": func(w *world) string {
			id := w.create("net", network)
			w.settle()
			w.delete("net")
			w.settle()
			w.status(id, deleteComplete)
			return id
		},
		"delete-failed-retain": func(w *world) string {
			id := w.create("net", network)
			w.settle()
			w.fault = failing("Vpc", "delete")
			w.delete("net")
			w.settle()
			w.status("net", deleteFailed)
			do[DeleteStackOutput](w, "DeleteStack", &DeleteStackInput{StackName: "net", RetainResources: []string{"Vpc"}, ClientRequestToken: "again"})
			w.settle()
			w.status(id, deleteComplete)
			return id
		},
	}
	for name, play := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			id := play(w)
			golden(t, name, w.stream(id))
			if len(w.tx.tables["due"]) > 0 {
				t.Errorf("steps are left: %v", w.tx.tables["due"])
			}
		})
	}
}
