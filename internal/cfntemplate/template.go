// Package cfntemplate knows the template language of CloudFormation: what a
// document declares, what its functions evaluate to, what depends on what and
// what CloudFormation would refuse, in CloudFormation's own words.
//
// It states facts about one document. It never talks to AWS, reads no file and
// keeps no state: what a template needs from outside is handed over in an Env.
package cfntemplate

import (
	"github.com/deployer-cli/deployer/internal/cfnyaml"
)

// Template is one parsed template. Treat it as read-only: parts of it are shared
// with what is made from it.
type Template struct {
	Doc            map[string]any // the whole document in long form
	Description    string
	Transforms     []string
	Parameters     map[string]Parameter
	ParameterNames []string // file order, like the other lists of names
	Mappings       map[string]any
	Conditions     map[string]any
	Rules          map[string]any
	Resources      map[string]Resource // without Fn::ForEach loops; see Expand
	ResourceNames  []string
	Outputs        map[string]Output
	OutputNames    []string
	Root           *cfnyaml.Node

	places places
}

// Parameter is one entry of the Parameters section.
type Parameter struct {
	Name, Type, Description               string
	AllowedPattern, ConstraintDescription string
	Default                               *string
	AllowedValues                         []string
	MinLength, MaxLength                  *int
	MinValue, MaxValue                    *float64
	NoEcho                                bool
	Line, Column                          int
}

// Resource is one entry of the Resources section. A policy that is a function
// is empty here and found in Raw; Expand evaluates it.
type Resource struct {
	LogicalID, Type, Condition             string
	DeletionPolicy, UpdateReplacePolicy    string
	DependsOn                              []string
	Properties                             map[string]any
	Metadata, CreationPolicy, UpdatePolicy any
	Line, Column                           int
	Raw                                    map[string]any
}

// Output is one entry of the Outputs section. ExportName is nil when it exports
// nothing.
type Output struct {
	Key, Description, Condition string
	Value, ExportName           any
	Line, Column                int
}

// Unknown is a value that cannot be known now. A function of an Unknown is
// Unknown.
type Unknown struct{ Why string }

// Absent is the type of NoValue.
type Absent struct{}

// NoValue is what AWS::NoValue evaluates to. Eval removes it from maps and lists;
// alone it is returned as it is.
var NoValue = Absent{} //nolint:gochecknoglobals // a sentinel without content

// Env is what a template is evaluated in. A value that is not given is Unknown.
type Env struct {
	// Parameters are strings, lists of strings ([]string) or Unknown.
	Parameters map[string]any

	AccountID, Region, Partition, URLSuffix string
	StackName, StackID                      string
	NotificationARNs                        []string

	// Conditions are the known ones, as EvalConditions gives them. When nil, they
	// are evaluated as needed.
	Conditions map[string]bool

	// Resource gives the Ref of a resource.
	Resource func(logicalID string) (any, error)
	// Attribute gives an attribute for Fn::GetAtt.
	Attribute func(logicalID, attr string) (any, error)
	// Import gives the value of an export.
	Import func(name string) (any, error)
	// StackOutput gives the value of Fn::GetStackOutput.
	StackOutput func(args map[string]any) (any, error)
	// Zones gives the availability zones of a region.
	Zones func(region string) []string
	// Dynamic gives the value of a {{resolve:…}} reference; when nil, the text stays.
	Dynamic func(reference string) (string, error)
}
