"""Waiters and paginators of boto3, and the errors its users match on."""
import boto3
from botocore.exceptions import ClientError, WaiterError

cfn = boto3.client("cloudformation")
TEMPLATE = """
Parameters: {Value: {Type: String, Default: one}}
Resources:
%s
Outputs:
  Out: {Value: !Ref Value, Export: {Name: !Sub "${AWS::StackName}-out"}}
""" % "\n".join("  P%d: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: !Ref Value}}" % i for i in range(40))


def refused(code, text, call, **arguments):
    try:
        call(**arguments)
    except ClientError as e:
        assert e.response["Error"]["Code"] == code, e
        assert text in e.response["Error"]["Message"], e
        return
    raise AssertionError("accepted: %s" % text)


def value(i):
    return [{"ParameterKey": "Value", "ParameterValue": i}]


cfn.create_stack(StackName="app", TemplateBody=TEMPLATE, Tags=[{"Key": "k", "Value": "v"}])
cfn.get_waiter("stack_create_complete").wait(StackName="app")
cfn.get_waiter("stack_exists").wait(StackName="app")

made = cfn.create_change_set(StackName="app", ChangeSetName="next", TemplateBody=TEMPLATE, Parameters=value("two"))
cfn.get_waiter("change_set_create_complete").wait(StackName="app", ChangeSetName="next")
changes = [c for page in cfn.get_paginator("describe_change_set").paginate(ChangeSetName=made["Id"]) for c in page["Changes"]]
assert len(changes) == 40, len(changes)
cfn.execute_change_set(StackName="app", ChangeSetName="next")
cfn.get_waiter("stack_update_complete").wait(StackName="app")

cfn.create_change_set(StackName="app", ChangeSetName="empty", UsePreviousTemplate=True, Parameters=[{"ParameterKey": "Value", "UsePreviousValue": True}])
try:
    cfn.get_waiter("change_set_create_complete").wait(StackName="app", ChangeSetName="empty", WaiterConfig={"Delay": 1})
    raise AssertionError("an empty change set was made")
except WaiterError as e:
    assert "The submitted information didn't contain changes." in e.last_response["StatusReason"], e

pages = list(cfn.get_paginator("describe_stack_events").paginate(StackName="app"))
events = [e for page in pages for e in page["StackEvents"]]
assert len(pages) > 1 and len({e["EventId"] for e in events}) == len(events), (len(pages), len(events))
assert events[-1]["ResourceStatus"] == "CREATE_IN_PROGRESS" and events[0]["ResourceStatus"] == "UPDATE_COMPLETE"
assert [e for e in events if e["PhysicalResourceId"] == e["StackId"]]
resources = [r for page in cfn.get_paginator("list_stack_resources").paginate(StackName="app") for r in page["StackResourceSummaries"]]
assert len(resources) == 40, len(resources)
exports = [e for page in cfn.get_paginator("list_exports").paginate() for e in page["Exports"]]
assert [(e["Name"], e["Value"]) for e in exports] == [("app-out", "two")], exports

for i in range(105):
    cfn.create_stack(StackName="many-%03d" % i, TemplateBody="Resources: {T: {Type: AWS::SNS::Topic}}")
for operation, key in (("describe_stacks", "Stacks"), ("list_stacks", "StackSummaries")):
    pages = list(cfn.get_paginator(operation).paginate())
    names = [s["StackName"] for page in pages for s in page[key]]
    assert len(pages) > 1 and len(set(names)) == 106, (operation, len(pages), len(names))

refused("ValidationError", "Stack with id none does not exist", cfn.describe_stacks, StackName="none")
refused("ValidationError", "No updates are to be performed.", cfn.update_stack, StackName="app", UsePreviousTemplate=True,
        Parameters=[{"ParameterKey": "Value", "UsePreviousValue": True}])
refused("AlreadyExistsException", "Stack [app] already exists", cfn.create_stack, StackName="app", TemplateBody=TEMPLATE)
assert cfn.exceptions.AlreadyExistsException

cfn.update_stack(StackName="app", UsePreviousTemplate=True, Parameters=value("three"))
cfn.get_waiter("stack_update_complete").wait(StackName="app")
cfn.delete_stack(StackName="app")
cfn.get_waiter("stack_delete_complete").wait(StackName="app")

bad = "Resources: {P: {Type: AWS::SSM::Parameter, Properties: {Value: x}}}"
cfn.create_stack(StackName="bad", TemplateBody=bad)
try:
    cfn.get_waiter("stack_create_complete").wait(StackName="bad", WaiterConfig={"Delay": 1})
    raise AssertionError("a broken stack was made")
except WaiterError as e:
    assert e.last_response["Stacks"][0]["StackStatus"] == "ROLLBACK_COMPLETE", e
print("fine")
