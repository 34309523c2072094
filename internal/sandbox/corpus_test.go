package sandbox_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/deployer-cli/deployer/internal/cfntemplate"
	"github.com/deployer-cli/deployer/internal/restype"
	"github.com/deployer-cli/deployer/internal/sandbox"
)

// corpusDir is where other people's templates are: DEPLOYER_CORPUS, or beside the
// repository.
func corpusDir(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("DEPLOYER_CORPUS")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "corpus")
	}
	dir = filepath.Join(dir, "cloudformation")
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no corpus here, set DEPLOYER_CORPUS to it: %v", err)
	}
	return dir
}

// corpusTemplates are the texts of all templates of the corpus, by path.
func corpusTemplates(t *testing.T) map[string]string {
	t.Helper()
	dir := corpusDir(t)
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if strings.Contains(string(raw), "Resources:") || strings.Contains(string(raw), `"Resources"`) {
			name, err := filepath.Rel(dir, path)
			out[name] = string(raw)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestCorpus creates every template of the corpus with sensible parameters,
// updates it with one changed property and deletes it. With -short it takes every
// fifth.
func TestCorpus(t *testing.T) {
	t.Parallel()
	all := corpusTemplates(t)
	if len(all) < 50 {
		t.Errorf("only %d templates", len(all))
	}
	for i, name := range slices.Sorted(maps.Keys(all)) {
		if testing.Short() && i%5 != 0 {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCorpusStack(t, name, all)
			c.create(t, "app", all[name])
			c.update(t, all[name])
			must[*cloudformation.DeleteStackOutput](t)(c.cfn().DeleteStack(t.Context(), &cloudformation.DeleteStackInput{StackName: new("app")}))
			c.goneOrHeld(t)
		})
	}
}

// corpusStack is one template on its way, with the stacks it needs before it.
type corpusStack struct {
	door
	id     string
	name   string
	all    map[string]string
	params []types.Parameter
	made   map[string]bool
}

func newCorpusStack(t *testing.T, name string, all map[string]string) *corpusStack {
	t.Helper()
	d := inProcess(sandbox.Options{Speed: sandbox.MaxSpeed, Stubs: true})
	d.region = "us-east-1" // has more than three zones
	return &corpusStack{door: d, name: name, all: all, made: map[string]bool{}}
}

// create makes the stack; exports that are missing are seeded with something of
// their kind first.
func (c *corpusStack) create(t *testing.T, stack, text string) {
	t.Helper()
	tpl, err := cfntemplate.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	c.params = c.sensible(tpl)
	c.seedImports(t, tpl)
	in := cloudformation.CreateStackInput{StackName: &stack, Parameters: c.params, Capabilities: allCapabilities()}
	in.TemplateBody, in.TemplateURL = c.place(t, text)
	out, err := c.cfn().CreateStack(t.Context(), &in)
	if err != nil {
		t.Fatal(err)
	}
	c.id = *out.StackId
	wantStatus(t, c.door, stack, types.StackStatusCreateComplete)
}

// place gives a template by its text, or from S3 where it is too long for that.
func (c *corpusStack) place(t *testing.T, text string) (body, url *string) {
	t.Helper()
	if len(text) <= 51200 {
		return &text, nil
	}
	raw, err := json.Marshal(map[string]any{"objects": map[string]any{"templates": map[string]string{"large.yaml": text}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.s.Seed(t.Context(), raw); err != nil {
		t.Fatal(err)
	}
	return nil, new("https://templates.s3.amazonaws.com/large.yaml")
}

// sensible gives a value to every parameter that has none.
func (c *corpusStack) sensible(tpl *cfntemplate.Template) []types.Parameter {
	var out []types.Parameter
	for _, name := range tpl.ParameterNames {
		p := tpl.Parameters[name]
		if p.Default != nil {
			continue
		}
		value := "value-1"
		switch {
		case len(p.AllowedValues) > 0:
			value = p.AllowedValues[0]
		case strings.HasPrefix(name, "Parent"):
			value = "parent-" + strings.ToLower(strings.TrimSuffix(strings.TrimPrefix(name, "Parent"), "Stack"))
		case p.Type == "Number" && p.MinValue != nil:
			value = fmt.Sprint(int(*p.MinValue))
		case p.Type == "Number":
			value = "3"
		case strings.Contains(p.AllowedPattern, "amazonaws"), strings.HasSuffix(name, "Arn"):
			value = "arn:aws:acm:eu-west-1:123456789012:certificate/1"
		case strings.Contains(p.Type, "Subnet"):
			value = "subnet-0123456789abcdef0"
		case strings.Contains(p.Type, "VPC"):
			value = "vpc-0123456789abcdef0"
		case strings.Contains(name, "Email"):
			value = "someone@example.com"
		case strings.Contains(name, "Domain"):
			value = "www.example.com"
		case strings.Contains(name, "Cidr"), strings.Contains(name, "CIDR"):
			value = "10.0.0.0/16"
		}
		if p.MinLength != nil && len(value) < *p.MinLength {
			value += strings.Repeat("x", *p.MinLength-len(value))
		}
		if p.MaxLength != nil && len(value) > *p.MaxLength {
			value = value[:*p.MaxLength]
		}
		out = append(out, types.Parameter{ParameterKey: new(name), ParameterValue: &value})
	}
	return out
}

// seedImports brings in the exports that a template asks for.
func (c *corpusStack) seedImports(t *testing.T, tpl *cfntemplate.Template) {
	t.Helper()
	given := map[string]string{}
	for _, p := range c.params {
		given[*p.ParameterKey] = *p.ParameterValue
	}
	values, err := tpl.ResolveParameters(given, nil)
	if err != nil {
		t.Fatal(err)
	}
	env := &cfntemplate.Env{Parameters: values, AccountID: "123456789012", Region: "eu-west-1", Partition: "aws", StackName: "app"}
	exports := map[string]string{}
	for _, arg := range tpl.Imports() {
		v, err := tpl.Eval(arg, env)
		if name, ok := v.(string); err == nil && ok {
			exports[name] = plausibleExport(name)
		}
	}
	raw, err := json.Marshal(map[string]any{"region": c.region, "exports": exports})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.s.Seed(t.Context(), raw); err != nil {
		t.Fatal(err)
	}
}

// plausibleExport is a value of the kind that an export's name promises.
func plausibleExport(name string) string {
	switch {
	case strings.Contains(name, "Subnets"):
		return "subnet-0123456789abcdef0,subnet-0123456789abcdef1"
	case strings.Contains(name, "AZList"), strings.HasSuffix(name, "AZs"):
		return "eu-west-1a,eu-west-1b"
	case strings.Contains(name, "NumberOfAZs"):
		return "2"
	case strings.Contains(name, "Cidr"), strings.Contains(name, "CIDR"):
		return "10.0.0.0/16"
	case strings.Contains(name, "ARN"), strings.Contains(name, "Arn"), strings.Contains(name, "Topic"):
		return "arn:aws:sns:eu-west-1:123456789012:alerts"
	}
	return "id-" + strings.ToLower(name)
}

// update changes one property that does not replace its resource.
func (c *corpusStack) update(t *testing.T, text string) {
	t.Helper()
	changed := changedTemplate(t, text)
	in := cloudformation.UpdateStackInput{StackName: new("app"), Parameters: c.params, Capabilities: allCapabilities()}
	in.TemplateBody, in.TemplateURL = c.place(t, changed)
	must[*cloudformation.UpdateStackOutput](t)(c.cfn().UpdateStack(t.Context(), &in))
	wantStatus(t, c.door, "app", types.StackStatusUpdateComplete)
}

// changes are properties that can be given another value, with that value.
func changes() []property {
	return []property{
		{"Description", "changed"},
		{"GroupDescription", "changed"},
		{"DisplayName", "changed"},
		{"Comment", "changed"},
		{"Tags", []any{map[string]any{"Key": "changed", "Value": "yes"}}},
		{"HostedZoneConfig", map[string]any{"Comment": "changed"}},
		{"TrafficType", "REJECT"},
	}
}

type property struct {
	name  string
	value any
}

// changedTemplate changes or adds one property of one resource, in place where
// there is one that allows it. A template that only passes values on has none, and
// gets another text for an output.
func changedTemplate(t *testing.T, text string) string {
	t.Helper()
	tpl, err := cfntemplate.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	doc := cloneDoc(t, tpl.Doc)
	if !changeResource(tpl, doc) {
		outputs, _ := doc["Outputs"].(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(outputs)) {
			outputs[name].(map[string]any)["Description"] = "changed"
		}
	}
	raw, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func changeResource(tpl *cfntemplate.Template, doc map[string]any) bool {
	for _, c := range changes() {
		for _, id := range tpl.ResourceNames {
			r := tpl.Resources[id]
			known, ok := restype.Lookup(r.Type)
			if !ok || r.Condition != "" || !known.HasProperty(c.name) {
				continue
			}
			resource := doc["Resources"].(map[string]any)[id].(map[string]any)
			props, _ := resource["Properties"].(map[string]any)
			if props == nil {
				props = map[string]any{}
				resource["Properties"] = props
			}
			props[c.name] = c.value
			return true
		}
	}
	return false
}

func cloneDoc(t *testing.T, doc map[string]any) map[string]any {
	t.Helper()
	raw, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// goneOrHeld waits for the deletion.
func (c *corpusStack) goneOrHeld(t *testing.T) {
	t.Helper()
	wantStatus(t, c.door, c.id, types.StackStatusDeleteComplete)
}
