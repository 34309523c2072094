package templates_test

import (
	"strings"
	"testing"

	"github.com/deployer-cli/deployer/stacks"
	"github.com/deployer-cli/deployer/templates"
)

const network = `Parameters:
  Name: {Type: String}
  Size: {Type: Number, Default: 3, MaxValue: 10}
  Class: {Type: String, Default: a, AllowedValues: [a, b]}
  Password: {Type: String, NoEcho: true, Default: abcdefgh, MinLength: 8}
Resources:
  Bucket:
    Type: AWS::S3::Bucket
    Properties:
      BucketNam: x
  Dangling:
    Type: AWS::SNS::Topic
    Properties:
      TopicName: !Ref Nowhere
`

func parameter(key, value string) stacks.Parameter { return stacks.Parameter{Key: key, Value: value} }

func TestValidate(t *testing.T) {
	t.Parallel()
	good := []stacks.Parameter{parameter("Name", "x")}
	const simple = "Parameters:\n  Name: {Type: String}\n  Size: {Type: Number, Default: 3, MaxValue: 10}\n  Class: {Type: String, Default: a, AllowedValues: [a, b]}\n  Password: {Type: String, NoEcho: true, Default: abcdefgh, MinLength: 8}\n" + bucket
	for _, tt := range []struct {
		name  string
		body  templates.Body
		given []stacks.Parameter
		edit  func(*stacks.Stack)
		want  []string
	}{
		{"nothing", templates.Body{Text: []byte(simple), Exact: true}, good, nil, nil},
		{
			"properties and references",
			templates.Body{Text: []byte(network), Exact: true},
			good, nil,
			[]string{"AWS::S3::Bucket has no property BucketNam", "Unresolved resource dependencies [Nowhere]"},
		},
		{
			"a rendered template tells its own lines",
			templates.Body{Text: []byte(network)},
			good, nil,
			[]string{"of what it renders to: AWS::S3::Bucket has no property BucketNam", "[Nowhere]"},
		},
		{
			"not a template",
			templates.Body{Text: []byte("just text"), Exact: true},
			nil, nil,
			[]string{"Template format error"},
		},
		{"not a template yet", templates.Body{Text: []byte("just text"), Late: true}, nil, nil, nil},
		{
			"no value",
			templates.Body{Text: []byte(simple), Exact: true},
			nil, nil,
			[]string{"config/dev/app.yaml: parameter Name: the template needs a value for it"},
		},
		{
			"unknown parameter", templates.Body{Text: []byte(simple), Exact: true}, append(good, parameter("Nmae", "x")), nil, //nolint:misspell // misspelt on purpose
			[]string{"parameter Nmae: the template has no such parameter [did you mean Name]"}, //nolint:misspell // misspelt on purpose
		},
		{
			"constraints",
			templates.Body{Text: []byte(simple), Exact: true},
			append(good, parameter("Class", "c"), parameter("Size", "11")), nil,
			[]string{`parameter Class: Parameter 'Class' must be one of AllowedValues [it is "c"]`, "parameter Size: Parameter 'Size' must be a number not greater than 10"},
		},
		{
			"secrets stay hidden",
			templates.Body{Text: []byte(simple), Exact: true},
			append(good, parameter("Password", "hunter2")), nil,
			[]string{"parameter Password: Parameter 'Password' must contain at least 8 characters"},
		},
		{
			"what is known later is not judged",
			templates.Body{Text: []byte(simple), Exact: true},
			append(good, stacks.Parameter{Key: "Class", Unknown: true}, stacks.Parameter{Key: "Size", Previous: true}), nil, nil,
		},
		{
			"too big without a bucket",
			templates.Body{Text: []byte(simple + "#" + strings.Repeat("x", 51200)), Exact: true},
			good, nil,
			[]string{"more than 51200 have to go through S3, and no bucket is given"},
		},
		{
			"big with a bucket",
			templates.Body{Text: []byte(simple + "#" + strings.Repeat("x", 51200)), Exact: true},
			good,
			func(st *stacks.Stack) { st.Bucket = stacks.String("b") }, nil,
		},
		{
			"too big at all",
			templates.Body{Text: []byte(simple + "#" + strings.Repeat("x", 1<<20)), Exact: true},
			good,
			func(st *stacks.Stack) { st.Bucket = stacks.String("b") },
			[]string{"CloudFormation takes 1048576 [split it"},
		},
		{
			"name with underscore",
			templates.Body{Text: []byte(simple), Exact: true},
			good,
			func(st *stacks.Stack) { st.Name = "demo-my_app" },
			[]string{`stack name "demo-my_app": it may hold letters, digits and hyphens only [set stack_name: demo-my-app]`},
		},
		{
			"name with digit first",
			templates.Body{Text: []byte(simple), Exact: true},
			good,
			func(st *stacks.Stack) { st.Name = "1app" },
			[]string{"has to begin with a letter"},
		},
		{
			"long name",
			templates.Body{Text: []byte(simple), Exact: true},
			good,
			func(st *stacks.Stack) { st.Name = strings.Repeat("a", 129) },
			[]string{"it has 129 characters"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			st := stack("a.yaml")
			if tt.edit != nil {
				tt.edit(st)
			}
			tt.body.File = "templates/a.yaml"
			found := loader(nil).Validate(st, tt.body, tt.given)
			var got []string
			for _, f := range found {
				got = append(got, f.String()+" ["+f.Hint+"]")
			}
			all := strings.Join(got, "\n")
			if len(got) != len(tt.want) {
				t.Errorf("%d findings, want %d:\n%s", len(got), len(tt.want), all)
			}
			for _, w := range tt.want {
				if !strings.Contains(all, w) {
					t.Errorf("no finding says %q in:\n%s", w, all)
				}
			}
			if strings.Contains(all, "hunter2") {
				t.Errorf("a secret is shown:\n%s", all)
			}
		})
	}
}

func FuzzValidate(f *testing.F) {
	f.Add([]byte(network), "Name", "x")
	f.Add([]byte("{"), "", "")
	f.Add([]byte("---\nResources: {A: {Type: Custom::X}}"), "A", "B")
	f.Fuzz(func(t *testing.T, text []byte, key, value string) {
		l := loader(map[string]string{"templates/a.yaml": string(text)})
		body, err := l.Render(t.Context(), stack("a.yaml"), stacks.Value{})
		if err != nil {
			return
		}
		for _, found := range l.Validate(stack("a.yaml"), body, []stacks.Parameter{parameter(key, value)}) {
			if found.Text == "" {
				t.Errorf("a finding says nothing: %+v", found)
			}
		}
	})
}
