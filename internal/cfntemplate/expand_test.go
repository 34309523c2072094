package cfntemplate_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/deployer-cli/deployer/internal/cfntemplate"
)

const loops = `
Transform: AWS::LanguageExtensions
Parameters: {Names: {Type: CommaDelimitedList}, Policy: {Type: String}}
Mappings: {M: {k: {list: [x, y]}}}
Conditions:
  Fn::ForEach::Conds: [C, [A, B], {"Is${C}": !Equals [!Ref Policy, "${C}"]}]
Resources:
  Last: {Type: AWS::SNS::Topic, DeletionPolicy: !Ref Policy, UpdateReplacePolicy: !If [IsA, Retain, !Ref AWS::NoValue]}
  Fn::ForEach::Topics:
    - Name
    - !Ref Names
    - "Topic&{Name}":
        Type: AWS::SNS::Topic
        Properties:
          TopicName: !Ref Name
          DisplayName: !Sub "${Name} ${!Name} ${AWS::Region}"
          Fn::ForEach::Tags: [K, !FindInMap [M, k, list], {"${K}Key": ["${K}", "${Name}"]}]
      "Sub&{Name}": {Type: AWS::SNS::Subscription, DependsOn: "Topic&{Name}"}
  Fn::ForEach::Outer:
    - A
    - [1, 2]
    - Fn::ForEach::Inner: [B, [a, b], {"Grid${A}${B}": {Type: AWS::SNS::Topic}}]
  First: {Type: AWS::SNS::Topic}
Outputs:
  Fn::ForEach::Outs: [N, [One], {"Out${N}": {Value: !Ref Last, Export: {Name: "x-${N}"}}}]
`

func TestExpand(t *testing.T) {
	t.Parallel()
	tpl := parse(t, loops)
	got, err := cfntemplate.Expand(tpl, &cfntemplate.Env{Parameters: map[string]any{"Names": []string{"a.b", "c"}, "Policy": "Retain"}})
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"Last", "Topicab", "Subab", "Topicc", "Subc", "Grid1a", "Grid1b", "Grid2a", "Grid2b", "First"}
	if !slices.Equal(got.ResourceNames, names) {
		t.Errorf("resources %q, want %q", got.ResourceNames, names)
	}
	want := map[string]any{
		"TopicName":   "a.b",
		"DisplayName": map[string]any{"Fn::Sub": "a.b ${!Name} ${AWS::Region}"},
		"xKey":        []any{"x", "a.b"},
		"yKey":        []any{"y", "a.b"},
	}
	if p := got.Resources["Topicab"].Properties; !reflect.DeepEqual(p, want) {
		t.Errorf("properties %v, want %v", p, want)
	}
	if d := got.Resources["Subc"].DependsOn; !slices.Equal(d, []string{"Topicc"}) {
		t.Errorf("depends on %q", d)
	}
	last := got.Resources["Last"]
	if last.DeletionPolicy != "Retain" || last.UpdateReplacePolicy != "" {
		t.Errorf("policies %q and %q", last.DeletionPolicy, last.UpdateReplacePolicy)
	}
	if o := got.Outputs["OutOne"]; o.ExportName != "x-One" || len(got.OutputNames) != 1 {
		t.Errorf("outputs %v", got.Outputs)
	}
	if c := got.Conditions["IsB"]; !reflect.DeepEqual(c, map[string]any{"Fn::Equals": []any{map[string]any{"Ref": "Policy"}, "B"}}) {
		t.Errorf("conditions %v", got.Conditions)
	}
	if found := got.Check(); len(found) > 0 {
		t.Errorf("Check: %q", texts(found))
	}
	if line := got.Resources["Topicab"].Line; line == 0 {
		t.Error("an expanded resource has no place")
	}
	if !reflect.DeepEqual(parse(t, loops).Doc, tpl.Doc) {
		t.Error("expanding changed the original")
	}
	plain := parse(t, topic)
	if same, err := cfntemplate.Expand(plain, &cfntemplate.Env{}); same != plain || err != nil {
		t.Errorf("a template without the extensions: %v, %v", same, err)
	}
}

func TestExpandErrors(t *testing.T) {
	t.Parallel()
	const layout = "Transform AWS::LanguageExtensions failed with: Fn::ForEach layout is incorrect"
	wide := "[" + strings.TrimSuffix(strings.Repeat("x,", 600), ",") + "]"
	for loop, want := range map[string]string{
		"x":        layout,
		"[A, [a]]": layout,
		"[[A], [a], {'R${A}': {Type: AWS::SNS::Topic}}]": layout,
		"[A, [a], x]": layout,
		"[A-B, [a], {'R${A}': {Type: AWS::SNS::Topic}}]":                                                    layout,
		"[A, [{b: c}], {'R${A}': {Type: AWS::SNS::Topic}}]":                                                 layout,
		"[A, !Ref Nobody, {'R${A}': {Type: AWS::SNS::Topic}}]":                                              "Template format error: Unresolved resource dependencies [Nobody] in the Resources block of the template",
		"[A, !Ref P, {'R${A}': {Type: AWS::SNS::Topic}}]":                                                   "Transform AWS::LanguageExtensions failed with: Fn::ForEach could not resolve its collection",
		"[A, text, {'R${A}': {Type: AWS::SNS::Topic}}]":                                                     "Transform AWS::LanguageExtensions failed with: Fn::ForEach could not resolve its collection",
		"[A, [a, b], {R: {Type: AWS::SNS::Topic}}]":                                                         "Transform AWS::LanguageExtensions failed with: Duplicate key R",
		"[A, [a], {'R${A}': {Properties: {}}}]":                                                             "Template format error: [/Resources/Ra] Every Resources object must contain a Type member.",
		fmt.Sprintf("[A, %s, {Fn::ForEach::B: [B, %s, {x: y}]}]", wide, strings.ReplaceAll(wide, "x", "y")): "Transform AWS::LanguageExtensions failed with: Duplicate key x",
		fmt.Sprintf("[A, %s, {Fn::ForEach::B: [B, %s, {}]}]", wide, wide):                                   "Transform AWS::LanguageExtensions failed with: the expanded template has more than 200000 values",
	} {
		tpl := parse(t, "Transform: AWS::LanguageExtensions\nParameters: {P: {Type: String}}\nResources:\n  Fn::ForEach::L: "+loop+"\n")
		if got, err := cfntemplate.Expand(tpl, &cfntemplate.Env{}); err == nil || err.Error() != want {
			t.Errorf("%.80s\ngot  %v, %v\nwant %s", loop, got, err, want)
		}
	}
}

// Templates are cached and shared: every question may be asked by many at once.
func TestTemplateIsShared(t *testing.T) {
	t.Parallel()
	tpl := parse(t, loops)
	env := &cfntemplate.Env{Parameters: map[string]any{"Names": []string{"a", "b"}, "Policy": "Retain"}}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			expanded, err := cfntemplate.Expand(tpl, env)
			if err != nil {
				t.Error(err)
				return
			}
			conditions, err := expanded.EvalConditions(env)
			if err != nil {
				t.Error(err)
			}
			if found := expanded.Prune(conditions).Check(); len(found) > 0 {
				t.Errorf("Check: %q", texts(found))
			}
			tpl.Check()
			if _, err := tpl.Eval(tpl.Resources["First"].Raw, env); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestExpandWithoutLoopsIsIdentity(t *testing.T) {
	t.Parallel()
	tpl := parse(t, evalTemplate)
	got, err := cfntemplate.Expand(tpl, &cfntemplate.Env{})
	if err != nil || !reflect.DeepEqual(got.Doc, tpl.Doc) || !reflect.DeepEqual(got.Resources, tpl.Resources) || !slices.Equal(got.ResourceNames, tpl.ResourceNames) {
		t.Errorf("got %+v, %v", got, err)
	}
}
