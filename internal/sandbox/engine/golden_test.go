package engine

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

const importedBucket = `
Resources:
  Kept: {Type: AWS::SNS::Topic}
  Bucket: {Type: AWS::S3::Bucket, DeletionPolicy: Retain, Properties: {BucketName: existing-bucket}}
`

const keptTopic = "\nResources:\n  Kept: {Type: AWS::SNS::Topic}\n"

// importing makes a change set that imports a bucket, and executes it.
func (w *world) importing(stack, template string) *DescribeChangeSetOutput {
	w.t.Helper()
	out := do[CreateChangeSetOutput](w, "CreateChangeSet", &CreateChangeSetInput{
		StackName: stack, ChangeSetName: "import", ChangeSetType: "IMPORT", TemplateBody: template,
		ResourcesToImport: []ResourceToImport{{LogicalResourceId: "Bucket", ResourceType: "AWS::S3::Bucket", ResourceIdentifier: map[string]string{"BucketName": "existing-bucket"}}},
	})
	w.settle()
	cs := do[DescribeChangeSetOutput](w, "DescribeChangeSet", &DescribeChangeSetInput{ChangeSetName: out.Id})
	do[ExecuteChangeSetOutput](w, "ExecuteChangeSet", &ExecuteChangeSetInput{ChangeSetName: out.Id, ClientRequestToken: "token-import"})
	w.settle()
	return cs
}

// shown writes a change set as goldens do.
func (w *world) shown(cs *DescribeChangeSetOutput) string {
	w.t.Helper()
	raw, err := json.MarshalIndent(cs, "", " ")
	if err != nil {
		w.t.Fatal(err)
	}
	return string(raw) + "\n"
}

// TestMoreStreams are the streams of what is refused, taken over or cut short.
func TestMoreStreams(t *testing.T) {
	t.Parallel()
	tests := map[string]func(w *world) string{
		"import": func(w *world) string {
			id := w.create("net", keptTopic)
			w.settle()
			cs := w.importing("net", importedBucket)
			w.status("net", importComplete)
			return w.shown(cs) + w.stream(id)
		},
		"import-new": func(w *world) string {
			w.importing("net", strings.Replace(importedBucket, "  Kept: {Type: AWS::SNS::Topic}\n", "", 1))
			return w.stream(w.status("net", importComplete).StackId)
		},
		"import-rollback": func(w *world) string {
			id := w.create("net", keptTopic)
			w.settle()
			w.fault = failing("Bucket", "import")
			w.importing("net", importedBucket)
			w.status("net", importUndoComplete)
			w.fault = nil
			w.update("net", strings.Replace(keptTopic, "Topic}", "Topic, Properties: {DisplayName: x}}", 1))
			w.settle()
			w.status("net", updateComplete)
			return w.stream(id)
		},
		"termination-protection": func(w *world) string {
			in := &CreateStackInput{StackName: "net", TemplateBody: keptTopic, EnableTerminationProtection: new(true), ClientRequestToken: "token"}
			id := do[CreateStackOutput](w, "CreateStack", in).StackId
			w.settle()
			said := w.refused("DeleteStack", &DeleteStackInput{StackName: "net", ClientRequestToken: "token-refused"})
			do[UpdateTerminationProtectionOutput](w, "UpdateTerminationProtection", &UpdateTerminationProtectionInput{StackName: "net", EnableTerminationProtection: new(false)})
			w.delete("net")
			w.settle()
			return said + "\n" + w.stream(id)
		},
		"policy-denied": func(w *world) string {
			in := &CreateStackInput{StackName: "net", TemplateBody: network, ClientRequestToken: "token"}
			in.StackPolicyBody = `{"Statement":[{"Effect":"Deny","Action":"Update:Replace","Principal":"*","Resource":"LogicalResourceId/Vpc"},{"Effect":"Allow","Action":"Update:*","Principal":"*","Resource":"*"}]}`
			id := do[CreateStackOutput](w, "CreateStack", in).StackId
			w.settle()
			w.update("net", network, "Cidr", "10.1.0.0/16", "Name", "second")
			w.settle()
			w.status("net", undoComplete)
			return w.stream(id)
		},
		"policy-denied-removal": func(w *world) string {
			in := &CreateStackInput{StackName: "net", TemplateBody: network, ClientRequestToken: "token"}
			in.StackPolicyBody = `{"Statement":[{"Effect":"Allow","NotAction":"Update:Delete","Principal":"*","Resource":"*"}]}`
			id := do[CreateStackOutput](w, "CreateStack", in).StackId
			w.settle()
			w.update("net", keptTopic)
			w.settle()
			w.status("net", undoComplete)
			return w.stream(id)
		},
		"export-in-use": func(w *world) string {
			id := w.create("a", exporter)
			w.settle()
			w.create("b", consumer)
			w.settle()
			said := w.refused("DeleteStack", &DeleteStackInput{StackName: "a"})
			w.update("a", exporter, "Value", "two")
			w.settle()
			w.status("a", undoComplete)
			w.update("a", strings.Split(exporter, "Outputs:")[0])
			w.settle()
			w.status("a", undoComplete)
			return said + "\n" + w.stream(id)
		},
		"export-missing": func(w *world) string {
			id := w.create("b", consumer)
			w.settle()
			w.status("b", rollbackComplete)
			return w.stream(id)
		},
		"create-timeout": func(w *world) string {
			in := &CreateStackInput{StackName: "db", TemplateBody: `{"Resources":{"Db":{"Type":"AWS::RDS::DBInstance","Properties":{"DBInstanceClass":"db.t3.micro"}}}}`, TimeoutInMinutes: new(2), ClientRequestToken: "token"}
			id := do[CreateStackOutput](w, "CreateStack", in).StackId
			w.settle()
			w.status("db", rollbackComplete)
			return w.stream(id)
		},
		"on-failure-delete": func(w *world) string {
			w.fault = failing("Subnet", "create")
			id := do[CreateStackOutput](w, "CreateStack", &CreateStackInput{StackName: "net", TemplateBody: network, OnFailure: "DELETE", ClientRequestToken: "token"}).StackId
			w.settle()
			w.status(id, deleteComplete)
			return w.stream(id)
		},
		"cleanup-failed": func(w *world) string {
			id := w.create("net", network)
			w.settle()
			w.fault = failing("Topic", "delete")
			w.update("net", network[:strings.Index(network, "  Topic:")])
			w.settle()
			w.status("net", updateComplete)
			return w.stream(id)
		},
		"delete-forced": func(w *world) string {
			id := w.create("net", network)
			w.settle()
			w.fault = failing("Vpc", "delete")
			w.delete("net")
			w.settle()
			do[DeleteStackOutput](w, "DeleteStack", &DeleteStackInput{StackName: "net", DeletionMode: "FORCE_DELETE_STACK", ClientRequestToken: "again"})
			w.settle()
			w.status(id, deleteComplete)
			return w.stream(id)
		},
		"rollback-failed": func(w *world) string {
			w.fault = func(q FaultQuery) FaultAnswer {
				if a := failing("Subnet", "create")(q); a.Fail {
					return a
				}
				return failing("Topic", "delete")(q)
			}
			id := w.create("net", strings.Replace(network, "  Subnet:\n", "  Subnet:\n    DependsOn: Topic\n", 1))
			w.settle()
			w.status("net", rollbackFailed)
			return w.stream(id)
		},
		"changeset-empty": func(w *world) string {
			id := w.create("net", network)
			w.settle()
			cs := w.changeSet("net", "empty", "UPDATE", network)
			return w.shown(cs) + w.stream(id)
		},
		"changeset-failed": func(w *world) string {
			cs := w.changeSet("net", "failed", "CREATE", "Transform: Mine\n"+network)
			return w.shown(cs) + w.refused("ExecuteChangeSet", &ExecuteChangeSetInput{ChangeSetName: cs.ChangeSetId}) + "\n" + w.stream("net")
		},
		"transform-failed": func(w *world) string {
			id := do[CreateStackOutput](w, "CreateStack", &CreateStackInput{
				StackName: "net", TemplateBody: "Transform: Mine\n" + network, Capabilities: []string{"CAPABILITY_AUTO_EXPAND"}, ClientRequestToken: "token",
			}).StackId
			w.settle()
			w.status("net", rollbackComplete)
			return w.stream(id)
		},
		"validation-failed": func(w *world) string {
			id := w.create("net", strings.Replace(network, "{DisplayName:", "{Nonsense: 1, DisplayName:", 1))
			w.settle()
			w.status("net", rollbackComplete)
			return w.stream(id)
		},
	}
	for name, play := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			golden(t, name, play(w))
			if len(w.tx.tables["due"]) > 0 {
				t.Errorf("steps are left: %v", w.tx.tables["due"])
			}
		})
	}
}

func TestImportRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("net", keptTopic)
	w.settle()
	bucket := []ResourceToImport{{LogicalResourceId: "Bucket", ResourceType: "AWS::S3::Bucket", ResourceIdentifier: map[string]string{"BucketName": "existing-bucket"}}}
	tests := []struct {
		template string
		list     []ResourceToImport
		want     string
	}{
		{importedBucket, nil, "You must specify ResourcesToImport when the change set type is IMPORT"},
		{strings.Replace(importedBucket, "DeletionPolicy: Retain, ", "", 1), bucket, "The following resources to import [Bucket] must have DeletionPolicy attribute specified in the template."},
		{importedBucket + "  Other: {Type: AWS::SNS::Topic}\n", bucket, "Resources [Other] is missing from ResourceToImport list"},
		{strings.Replace(importedBucket, "SNS::Topic}", "SNS::Topic, Properties: {DisplayName: x}}", 1), bucket, "As part of the import operation, you cannot modify or add resources [Kept]"},
		{strings.Replace(importedBucket, "  Kept: {Type: AWS::SNS::Topic}\n", "", 1), bucket, "As part of the import operation, you cannot modify or add resources [Kept]"},
		{importedBucket + "Outputs: {O: {Value: x}}\n", bucket, "As part of the import operation, you cannot modify or add [Outputs]"},
	}
	for i, tt := range tests {
		want(t, w.refused("CreateChangeSet", &CreateChangeSetInput{
			StackName: "net", ChangeSetName: fmt.Sprintf("import-%d", i), ChangeSetType: "IMPORT", TemplateBody: tt.template, ResourcesToImport: tt.list,
		}), "ValidationError: "+tt.want)
	}
}

// A named resource that a stack left behind comes back by itself where that is
// asked for and it is safe.
func TestImportExistingResources(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	template := strings.Replace(importedBucket, "DeletionPolicy: Retain", "DeletionPolicy: RetainExceptOnCreate", 1)
	w.create("old", template)
	w.settle()
	w.delete("old")
	w.settle()
	in := &CreateChangeSetInput{StackName: "new", ChangeSetName: "unsafe", ChangeSetType: "CREATE", ImportExistingResources: new(true), TemplateBody: strings.Replace(template, "DeletionPolicy: RetainExceptOnCreate, ", "", 1)}
	id := do[CreateChangeSetOutput](w, "CreateChangeSet", in).Id
	w.settle()
	cs := do[DescribeChangeSetOutput](w, "DescribeChangeSet", &DescribeChangeSetInput{ChangeSetName: id})
	want(t, cs.Status+": "+cs.StatusReason, "FAILED: CloudFormation is attempting to import some resources because they already exist in your account. The resources must have the DeletionPolicy attribute set to 'Retain' or 'RetainExceptOnCreate' in the template for successful import. The affected resources are Bucket ({BucketName=existing-bucket})")
	in.ChangeSetName, in.TemplateBody = "safe", template
	id = do[CreateChangeSetOutput](w, "CreateChangeSet", in).Id
	w.settle()
	cs = do[DescribeChangeSetOutput](w, "DescribeChangeSet", &DescribeChangeSetInput{ChangeSetName: id})
	want(t, cs.Changes[0].ResourceChange.Action+" "+cs.Changes[0].ResourceChange.PhysicalResourceId+" "+cs.Changes[1].ResourceChange.Action, "Import existing-bucket Add")
	do[ExecuteChangeSetOutput](w, "ExecuteChangeSet", &ExecuteChangeSetInput{ChangeSetName: id, ClientRequestToken: "exec"})
	w.settle()
	w.status("new", createComplete)
	golden(t, "import-existing", w.stream("new"))
}

const nestingChild = `
Parameters: {Value: {Type: String}}
Resources:
  Param: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: !Ref Value}}
`

const nestingMiddle = `
Parameters: {Value: {Type: String}}
Resources:
  Inner: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: "https://bucket.s3.amazonaws.com/child.yaml", Parameters: {Value: !Ref Value}}}
`

const nestingRoot = `
Parameters: {Value: {Type: String, Default: one}}
Resources:
  Topic: {Type: AWS::SNS::Topic}
  Outer: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: "https://bucket.s3.amazonaws.com/middle.yaml", Parameters: {Value: !Ref Value}}}
`

// nesting makes a change set with those of nested stacks.
func (w *world) nesting(name, kind, value string) *DescribeChangeSetOutput {
	w.t.Helper()
	id := do[CreateChangeSetOutput](w, "CreateChangeSet", &CreateChangeSetInput{
		StackName: "root", ChangeSetName: name, ChangeSetType: kind, TemplateBody: nestingRoot, IncludeNestedStacks: new(true), Parameters: parameters([]string{"Value", value}),
	}).Id
	w.settle()
	return do[DescribeChangeSetOutput](w, "DescribeChangeSet", &DescribeChangeSetInput{ChangeSetName: id})
}

func nestedIn(t *testing.T, w *world, cs *DescribeChangeSetOutput, id string) *DescribeChangeSetOutput {
	t.Helper()
	for _, c := range cs.Changes {
		if c.ResourceChange.LogicalResourceId == id && c.ResourceChange.ChangeSetId != "" {
			return do[DescribeChangeSetOutput](w, "DescribeChangeSet", &DescribeChangeSetInput{ChangeSetName: c.ResourceChange.ChangeSetId})
		}
	}
	t.Fatalf("no change set for %s in %+v", id, cs)
	return nil
}

func TestNestedChangeSets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.files["https://bucket.s3.amazonaws.com/child.yaml"] = nestingChild
	w.files["https://bucket.s3.amazonaws.com/middle.yaml"] = nestingMiddle
	first := w.nesting("first", "CREATE", "one")
	middle := nestedIn(t, w, first, "Outer")
	inner := nestedIn(t, w, middle, "Inner")
	want(t, inner.ParentChangeSetId+" "+inner.RootChangeSetId, middle.ChangeSetId+" "+first.ChangeSetId)
	want(t, middle.ParentChangeSetId+" "+middle.RootChangeSetId, first.ChangeSetId+" "+first.ChangeSetId)
	want(t, inner.Changes[0].ResourceChange.Action+" "+inner.Changes[0].ResourceChange.LogicalResourceId, "Add Param")
	w.status(inner.StackName, reviewInProgress)
	if said := w.refused("ExecuteChangeSet", &ExecuteChangeSetInput{ChangeSetName: inner.ChangeSetId}); !strings.Contains(said, first.ChangeSetId) {
		t.Error(said)
	}
	do[DeleteChangeSetOutput](w, "DeleteChangeSet", &DeleteChangeSetInput{ChangeSetName: first.ChangeSetId})
	w.status(inner.StackId, deleteComplete)

	again := w.nesting("again", "CREATE", "one")
	inner = nestedIn(t, w, nestedIn(t, w, again, "Outer"), "Inner")
	do[ExecuteChangeSetOutput](w, "ExecuteChangeSet", &ExecuteChangeSetInput{ChangeSetName: again.ChangeSetId, ClientRequestToken: "exec"})
	w.settle()
	w.status("root", createComplete)
	st := w.status(inner.StackName, createComplete)
	want(t, st.StackId+" "+st.ChangeSetId, inner.StackId+" "+inner.ChangeSetId)
	want(t, do[DescribeChangeSetOutput](w, "DescribeChangeSet", &DescribeChangeSetInput{ChangeSetName: inner.ChangeSetId}).ExecutionStatus, execComplete)

	if same := w.nesting("same", "UPDATE", "one"); same.Status+" "+same.StatusReason != "FAILED "+noChanges {
		t.Errorf("%+v", same)
	}
	two := w.nesting("two", "UPDATE", "two")
	inner = nestedIn(t, w, nestedIn(t, w, two, "Outer"), "Inner")
	want(t, inner.StackId+" "+inner.Changes[0].ResourceChange.Action, st.StackId+" Modify")
	do[ExecuteChangeSetOutput](w, "ExecuteChangeSet", &ExecuteChangeSetInput{ChangeSetName: two.ChangeSetId, ClientRequestToken: "exec-two"})
	w.settle()
	w.status("root", updateComplete)
	w.status(inner.StackName, updateComplete)

	delete(w.files, "https://bucket.s3.amazonaws.com/child.yaml")
	failed := w.nesting("failed", "UPDATE", "three")
	if failed.Status != changeSetFailed || !strings.HasPrefix(failed.StatusReason, "Nested change set arn:") || !strings.Contains(failed.StatusReason, "was not successfully created: Nested change set") {
		t.Errorf("%s %s", failed.Status, failed.StatusReason)
	}
}

const routed = `
Resources:
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.0/16}}
  Table: {Type: AWS::EC2::RouteTable, Properties: {VpcId: !Ref Vpc}}
  Subnet: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Vpc, CidrBlock: 10.0.0.0/24}}
  Association: {Type: AWS::EC2::SubnetRouteTableAssociation, Properties: {RouteTableId: !Ref Table, SubnetId: !Ref Subnet}}
`

// Dependants start when what they need is configured, before it is consistent.
func TestOptimisticStabilisation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("net", routed)
	w.settle()
	w.status("net", createComplete)
	golden(t, "configuration-complete", w.stream("net"))
}

// An express deployment ends when all is configured, and its events say which
// resources go on settling.
func TestExpress(t *testing.T) {
	t.Parallel()
	took := map[string]float64{}
	for _, mode := range []string{"STANDARD", "EXPRESS"} {
		w := newWorld(t)
		do[CreateStackOutput](w, "CreateStack", &CreateStackInput{StackName: "net", TemplateBody: routed, ClientRequestToken: "token", DeploymentConfig: &DeploymentConfig{Mode: mode}})
		w.settle()
		took[mode] = w.now.Sub(epoch).Seconds()
		want(t, w.status("net", createComplete).DeploymentConfig.Mode, mode)
		if mode == "EXPRESS" {
			golden(t, "express", w.stream("net"))
		}
	}
	if took["EXPRESS"] > took["STANDARD"]/2 {
		t.Errorf("%v", took)
	}
}
