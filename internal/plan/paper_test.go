package plan

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deployer-cli/deployer/internal/cfntemplate"
	"github.com/deployer-cli/deployer/stacks"
)

// What a deletion needs to know of a stack is listed, unless its template tells it for
// certain.
func TestContentsAreToldByTheTemplate(t *testing.T) {
	t.Parallel()
	development := &stacks.Environment{Name: "dev", Class: stacks.Development, Declared: true}
	const topic = "Resources:\n  It: {Type: AWS::SNS::Topic}\n"
	for name, tt := range map[string]struct {
		body   string
		status stacks.Status
		env    *stacks.Environment
		listed bool
	}{
		"a topic":             {topic, stacks.CreateComplete, development, false},
		"updated":             {topic, stacks.UpdateComplete, development, false},
		"a queue":             {"Resources:\n  It: {Type: AWS::SQS::Queue}\n", stacks.CreateComplete, development, false},
		"production":          {topic, stacks.CreateComplete, &stacks.Environment{Name: "dev", Class: stacks.Production}, true},
		"production by name":  {topic, stacks.CreateComplete, &stacks.Environment{Name: "prod", Class: stacks.Development}, true},
		"no environment":      {topic, stacks.CreateComplete, nil, true},
		"rolled back":         {topic, stacks.UpdateRollbackComplete, development, true},
		"deleted half-way":    {topic, stacks.DeleteFailed, development, true},
		"a table":             {topic + "  Data: {Type: AWS::DynamoDB::Table}\n", stacks.CreateComplete, development, true},
		"a secret":            {topic + "  Data: {Type: AWS::SecretsManager::Secret}\n", stacks.CreateComplete, development, true},
		"a stack":             {topic + "  Data: {Type: AWS::CloudFormation::Stack}\n", stacks.CreateComplete, development, true},
		"what nobody knows":   {topic + "  Data: {Type: Some::Thing::Else}\n", stacks.CreateComplete, development, true},
		"what stays":          {"Resources:\n  It: {Type: AWS::SNS::Topic, DeletionPolicy: Retain}\n", stacks.CreateComplete, development, true},
		"a condition":         {"Conditions: {C: !Equals [a, b]}\nResources:\n  It: {Type: AWS::SNS::Topic, Condition: C}\n", stacks.CreateComplete, development, true},
		"a macro":             {"Transform: Mine\n" + topic, stacks.CreateComplete, development, true},
		"loops":               {"Transform: AWS::LanguageExtensions\n" + topic, stacks.CreateComplete, development, true},
		"what cannot be read": {"[", stacks.CreateComplete, development, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				st := &stacks.Stack{Path: "dev/web", Name: "web", Environment: tt.env}
				live := &stacks.Live{ID: "id-web", Name: "web", Status: tt.status}
				c := &cloud{
					live: map[stacks.Access]map[string]*stacks.Live{{}: {"web": live}},
				}
				src := Sources{
					Finder: c, Reader: c, Relations: c, Contents: true, Cache: told(tt.body), Parse: cfntemplate.Parse,
				}
				snap, err := Observe(t.Context(), src, []*stacks.Stack{st})
				if err != nil {
					t.Fatal(err)
				}
				if listed := slices.Contains(c.calls, "resources id-web"); listed != tt.listed {
					t.Errorf("listed %v, want %v: %v", listed, tt.listed, c.calls)
				}
				o, _ := snap.Get("dev/web")
				if !tt.listed && (len(o.Resources) != 1 || len(removals(o.Resources, nil)) != 1) {
					t.Errorf("found %+v", o.Resources)
				}
			})
		})
	}
}

// told is a cache that knows the one template.
type told string

func (b told) Template(string, time.Time) ([]byte, bool) { return []byte(b), true }
func (told) Keep(string, time.Time, []byte)              {}
