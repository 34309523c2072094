package cfntemplate_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/deployer-cli/deployer/internal/cfntemplate"
	"github.com/deployer-cli/deployer/internal/cfnyaml"
)

// corpus gives the templates of other projects that this one is tried on. They are
// not part of the repository.
func corpus(t *testing.T) []string {
	t.Helper()
	dir := os.Getenv("DEPLOYER_CORPUS")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "corpus")
	}
	var files []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		ext := filepath.Ext(path)
		template := strings.Contains(path, "cloudformation") || strings.Contains(path, string(filepath.Separator)+"templates"+string(filepath.Separator))
		if !d.IsDir() && template && (ext == ".yaml" || ext == ".json" || ext == ".template") && !strings.HasPrefix(d.Name(), ".") {
			files = append(files, path)
		}
		return nil
	})
	if err != nil || len(files) == 0 {
		t.Skipf("no corpus of templates: set DEPLOYER_CORPUS to its folder (%v)", err)
	}
	return files
}

func TestCorpus(t *testing.T) {
	t.Parallel()
	for _, file := range corpus(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			body, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(body), "Resources:") {
				t.Skip("no template")
			}
			tryTemplate(t, filepath.Base(file), body)
		})
	}
}

// broken lists what really is wrong with templates of the corpus: AWS would say so too.
var broken = map[string]string{
	"ec2.yaml":          "AWS::EC2::Instance has no property VpcId",
	"backup-vault.yaml": "Unresolved resource dependencies [BackupSelection] in the Outputs block of the template",
}

func tryTemplate(t *testing.T, name string, body []byte) {
	t.Helper()
	tpl, err := cfntemplate.Parse(body)
	if err != nil {
		t.Fatalf("Parse: %v", err)
	}
	for _, e := range tpl.Check() {
		if e.Message == broken[name] {
			continue
		}
		t.Errorf("Check: %d:%d: %s", e.Line, e.Column, e.Message)
	}
	for _, f := range cfntemplate.CheckProperties(tpl) {
		if f.Text == broken[name] {
			continue
		}
		t.Errorf("CheckProperties: %d:%d: %s: %s (%s)", f.Line, f.Column, f.Path, f.Text, f.Hint)
	}
	if order, err := tpl.Order(); err != nil || len(order) != len(tpl.Resources) {
		t.Errorf("Order: %v, %v", order, err)
	}
	asJSON(t, tpl)
	evaluate(t, name, tpl)
}

// asJSON reads the template once more in JSON.
func asJSON(t *testing.T, tpl *cfntemplate.Template) {
	t.Helper()
	body, err := cfnyaml.MarshalJSON(tpl.Doc)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range cfnyaml.Compare(tpl.Doc, parse(t, string(body)).Doc) {
		t.Errorf("in JSON it is another template: %+v", d)
	}
}

// sample gives every parameter its default, or something that suits its type.
func sample(tpl *cfntemplate.Template) map[string]string {
	given := map[string]string{}
	for _, name := range tpl.ParameterNames {
		switch p := tpl.Parameters[name]; {
		case p.Default != nil:
		case len(p.AllowedValues) > 0:
			given[name] = p.AllowedValues[0]
		case p.Type == "Number":
			given[name] = "1"
		default:
			given[name] = "sample-value-1"
		}
	}
	return given
}

func evaluate(t *testing.T, name string, tpl *cfntemplate.Template) {
	t.Helper()
	values, err := tpl.ResolveParameters(sample(tpl), nil)
	if err != nil && !strings.Contains(err.Error(), "constraint") && !strings.Contains(err.Error(), "pattern") && !strings.Contains(err.Error(), "characters") {
		t.Fatalf("ResolveParameters: %v", err)
	}
	env := &cfntemplate.Env{
		Parameters: values, AccountID: "123456789012", Region: "eu-west-1", StackName: "sample", StackID: "arn:aws:sample",
		Resource: func(id string) (any, error) { return "ref-" + id, nil },
		Attribute: func(id, attr string) (any, error) {
			if attr == "Ipv6CidrBlocks" {
				return []string{"2001:db8:1234:1a00::/56"}, nil
			}
			return id + "." + attr, nil
		},
		Import: func(name string) (any, error) { return "import-" + name, nil },
		Zones:  func(region string) []string { return []string{region + "a", region + "b", region + "c", region + "d"} },
	}
	conditions, err := tpl.EvalConditions(env)
	if err != nil {
		t.Fatalf("EvalConditions: %v", err)
	}
	if values != nil && len(conditions) != len(tpl.Conditions) {
		t.Errorf("%d of %d conditions are known", len(conditions), len(tpl.Conditions))
	}
	env.Conditions = conditions
	active := tpl.Prune(conditions)
	for _, id := range active.ResourceNames {
		if _, err := tpl.Eval(active.Resources[id].Properties, env); err != nil && values != nil && !expected(err) {
			t.Errorf("Eval of %s: %v", id, err)
		}
	}
	for _, e := range active.Check() {
		if e.Message == broken[name] {
			continue
		}
		t.Errorf("Check when pruned: %d:%d: %s", e.Line, e.Column, e.Message)
	}
}

// expected are errors that come from the sample values.
func expected(err error) bool {
	return strings.Contains(err.Error(), "cannot select nonexistent value") ||
		strings.Contains(err.Error(), "Unable to get mapping")
}
