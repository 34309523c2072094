package cfntemplate_test

import (
	"errors"
	"testing"

	"github.com/deployer-cli/deployer/internal/cfntemplate"
)

// FuzzTemplate reads anything as a template and asks it everything.
func FuzzTemplate(f *testing.F) {
	for _, seed := range []string{
		"", "{}", "[]", "a: &a [*a]", topic, full, loops, evalTemplate, dependTemplate,
		`{"Resources": {"A": {"Type": "AWS::SNS::Topic", "Properties": {"N": {"Fn::Sub": ["${a}", {"a": {"Ref": "A"}}]}}}}}`,
		property("!Cidr [10.0.0.0/8, 256, 8]"), property("!Cidr ['::/0', 256, 128]"), property("!Select [!Ref P, !Split [!Ref P, !Ref P]]"),
		property("{Fn::If: [C, {Ref: AWS::NoValue}, {Fn::Transform: {Name: x}}]}") + "Conditions: {C: !And [!Condition C, !Condition D], D: !Equals [!Ref P, !Ref P]}",
		topic + "Rules: {R: {RuleCondition: !Equals [a, a], Assertions: [{Assert: {Fn::EachMemberIn: [[a], {Fn::RefAll: x}]}}]}}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		tpl, err := cfntemplate.Parse(body)
		if err != nil {
			typed(t, err)
			return
		}
		ask(t, tpl)
		values, err := tpl.ResolveParameters(sample(tpl), nil)
		typed(t, err)
		expanded, err := cfntemplate.Expand(tpl, &cfntemplate.Env{Parameters: values, Region: "r"})
		typed(t, err)
		if err == nil && expanded != tpl {
			ask(t, expanded)
		}
	})
}

// typed refuses an error that is not the package's own.
func typed(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	if e, ok := errors.AsType[*cfntemplate.Error](err); !ok || e.Message == "" || e.Code == "" {
		t.Fatalf("%T: %v", err, err)
	}
}

func ask(t *testing.T, tpl *cfntemplate.Template) {
	t.Helper()
	for _, e := range tpl.Check() {
		typed(t, e)
	}
	cfntemplate.CheckProperties(tpl)
	tpl.Imports()
	tpl.StackOutputs()
	_, err := tpl.Order()
	typed(t, err)
	for _, env := range []*cfntemplate.Env{{}, evalEnv()} {
		env.Attribute = nil
		conditions, err := tpl.EvalConditions(env)
		typed(t, err)
		tpl.CheckRules(env)
		pruned := tpl.Prune(conditions)
		pruned.Check()
		for _, name := range tpl.ResourceNames {
			pruned.Dependencies(name)
			_, err := tpl.Eval(tpl.Resources[name].Properties, env)
			typed(t, err)
		}
		for _, name := range tpl.OutputNames {
			_, err := tpl.Eval(tpl.Outputs[name].Value, env)
			typed(t, err)
		}
	}
}
