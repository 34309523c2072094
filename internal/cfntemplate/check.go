package cfntemplate

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/deployer-cli/deployer/internal/restype"
)

// Limits of CloudFormation.
const (
	maxResources         = 500
	maxOthers            = 200 // parameters, mappings, attributes of a mapping, outputs
	maxName              = 255
	maxDescription       = 1024
	maxParameterText     = 4000
	maxDynamicReferences = 60
	maxCustomType        = 60
)

// Check lists what CloudFormation would refuse at once, the first being what it
// would name. A template that a macro still has to process, or with loops that
// are not expanded, is checked only as far as its outcome cannot matter.
func (t *Template) Check() []*Error {
	c := &checker{t: t, partial: t.HasMacro() || hasLoop(t.Doc)}
	c.document()
	c.limits()
	c.names()
	c.parameters()
	c.conditions()
	c.resources()
	c.outputs()
	c.calls()
	if !c.partial {
		c.references()
		if err := t.circular(t.graph()); err != nil {
			c.add(err)
		}
	}
	return c.found
}

type checker struct {
	t       *Template
	partial bool
	found   []*Error
}

func (c *checker) add(err *Error) { c.found = append(c.found, err) }

func hasLoop(v any) bool {
	switch v := v.(type) {
	case []any:
		return slices.ContainsFunc(v, hasLoop)
	case map[string]any:
		for k, item := range v {
			if strings.HasPrefix(k, forEachPrefix) || hasLoop(item) {
				return true
			}
		}
	}
	return false
}

const sections = "AWSTemplateFormatVersion Description Metadata Parameters Rules Mappings Conditions Transform Resources Outputs Hooks Fn::Transform"

func (c *checker) document() {
	var strange []string
	for _, key := range c.t.places.keys(c.t.Doc) {
		if !among(sections, key) {
			strange = append(strange, key)
		}
	}
	if len(strange) > 0 && !c.partial {
		c.add(refuse("Invalid template property or properties [%s]", strings.Join(strange, ", ")).at(c.t.places.key(c.t.Doc, strange[0])))
	}
	if v, given := c.t.Doc["AWSTemplateFormatVersion"]; given {
		if s, _ := text(v); s != "2010-09-09" {
			c.add(refuse("Template format error: %s is not a supported value for AWSTemplateFormatVersion.", s).at(c.t.places.key(c.t.Doc, "AWSTemplateFormatVersion")))
		}
	}
	if v, given := c.t.Doc["Description"]; given {
		s, ok := text(v)
		switch at := c.t.places.key(c.t.Doc, "Description"); {
		case !ok:
			c.add(refuse("Template format error: Every Description member must be a string.").at(at))
		case len(s) > maxDescription:
			c.add(refuse("Template format error: 'Description' length is greater than %d.", maxDescription).at(at))
		}
	}
	c.transforms(c.t.Doc["Transform"])
}

func (c *checker) transforms(v any) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			c.transforms(item)
		}
	case map[string]any:
		if err := checkTransform(v); err != nil {
			c.add(err.at(c.t.places.key(c.t.Doc, "Transform")))
		}
	}
}

func (c *checker) limits() {
	for _, l := range []struct {
		what, section string
		n, most       int
	}{
		{"parameters", "Parameters", len(c.t.Parameters), maxOthers},
		{"mappings", "Mappings", len(c.t.Mappings), maxOthers},
		{"resources", "Resources", len(c.t.Resources), maxResources},
		{"outputs", "Outputs", len(c.t.Outputs), maxOthers},
	} {
		c.limit(l.what, l.n, l.most, c.t.places.key(c.t.Doc, l.section))
	}
	for _, name := range c.t.places.keys(c.t.Mappings) {
		mapping, _ := c.t.Mappings[name].(map[string]any)
		c.limit("mapping attributes", len(mapping), maxOthers, c.t.places.key(c.t.Mappings, name))
	}
	c.limit("dynamic references", countDynamic(c.t.Doc), maxDynamicReferences, place{})
}

func (c *checker) limit(what string, n, most int, at place) {
	if n > most {
		c.add(refuse("Template format error: Number of %s, %d, is greater than maximum allowed, %d", what, n, most).at(at))
	}
}

func countDynamic(v any) int {
	n := 0
	switch v := v.(type) {
	case string:
		n = len(dynamicReference.FindAllStringIndex(v, -1))
	case []any:
		for _, item := range v {
			n += countDynamic(item)
		}
	case map[string]any:
		for _, item := range v {
			n += countDynamic(item)
		}
	}
	return n
}

var alphanumeric = regexp.MustCompile(`^[A-Za-z0-9]+$`)

func (c *checker) names() {
	for _, s := range []struct {
		what, section string
		names         []string
	}{
		{"Parameter", "Parameters", c.t.ParameterNames},
		{"Mappings", "Mappings", c.t.places.keys(c.t.Mappings)},
		{"Condition", "Conditions", c.t.places.keys(c.t.Conditions)},
		{"Resource", "Resources", c.t.ResourceNames},
		{"Output", "Outputs", c.t.OutputNames},
	} {
		section, _ := c.t.Doc[s.section].(map[string]any)
		for _, name := range s.names {
			switch at := c.t.places.key(section, name); {
			case skipped(name):
			case !alphanumeric.MatchString(name):
				c.add(refuse("Template format error: %s name %s is non alphanumeric.", s.what, name).at(at))
			case len(name) > maxName:
				c.add(refuse("Template format error: %s name %s is longer than %d characters.", s.what, name, maxName).at(at))
			}
		}
	}
}

func (c *checker) parameters() {
	for _, name := range c.t.ParameterNames {
		p := c.t.Parameters[name]
		if !knownParameterType(p.Type) {
			c.add(refuse("Template format error: Unrecognized parameter type: %s", p.Type).at(place{p.Line, p.Column}))
		}
		if utf8.RuneCountInString(p.Description) > maxParameterText {
			c.add(refuse("Template format error: 'Description' length is greater than %d.", maxParameterText).at(place{p.Line, p.Column}))
		}
	}
}

const resourceKeys = "Type Properties DependsOn Condition Metadata CreationPolicy UpdatePolicy DeletionPolicy UpdateReplacePolicy Description Version Fn::Transform"

func (c *checker) resources() {
	var strange []string
	var first place
	for _, name := range c.t.ResourceNames {
		r := c.t.Resources[name]
		at := place{r.Line, r.Column}
		c.attributes(r)
		c.policy(r, "DeletionPolicy")
		c.policy(r, "UpdateReplacePolicy")
		if !c.recognized(r.Type) && !slices.Contains(strange, r.Type) {
			if strange = append(strange, r.Type); len(strange) == 1 {
				first = at
			}
		}
	}
	if len(strange) > 0 {
		c.add(refuse("Template format error: Unrecognized resource types: [%s]", strings.Join(strange, ", ")).at(first))
	}
}

func (c *checker) attributes(r Resource) {
	for _, key := range c.t.places.keys(r.Raw) {
		if !c.partial && !among(resourceKeys, key) {
			c.add(refuse("Invalid template resource property '%s'", key).at(c.t.places.key(r.Raw, key)))
		}
	}
}

func (c *checker) policy(r Resource, key string) {
	v, given := r.Raw[key]
	if !given {
		return
	}
	at := c.t.places.key(r.Raw, key)
	s, ok := v.(string)
	switch {
	case !ok && isCall(v) && c.t.extended(), c.partial:
	case !ok:
		c.add(refuse("Template format error: Every %s member must be a string.", key).at(at))
	case s == "Snapshot" && key == "DeletionPolicy" && !SupportsSnapshot(r.Type):
		c.add(refuse("Template error: resource type %s does not support deletion policy Snapshot", r.Type).at(at))
	case s == "RetainExceptOnCreate" && key == "DeletionPolicy", s == "Delete", s == "Retain", s == "Snapshot":
	default:
		c.add(refuse("Template format error: Unrecognized %s %s for resource %s", key, s, r.LogicalID).at(at))
	}
}

// SupportsSnapshot reports whether resources of that type may have the
// DeletionPolicy Snapshot.
func SupportsSnapshot(resourceType string) bool {
	switch resourceType {
	case "AWS::DocDB::DBCluster", "AWS::EC2::Volume", "AWS::ElastiCache::CacheCluster", "AWS::ElastiCache::ReplicationGroup",
		"AWS::Neptune::DBCluster", "AWS::RDS::DBCluster", "AWS::RDS::DBInstance", "AWS::Redshift::Cluster":
		return true
	}
	return false
}

var (
	typeName   = regexp.MustCompile(`^[A-Za-z0-9]{2,64}::[A-Za-z0-9]{2,64}::[A-Za-z0-9]{2,64}(::MODULE)?$`)
	customName = regexp.MustCompile(`^Custom::[A-Za-z0-9_@-]+$`)
)

// recognized reports whether CloudFormation would take the resource type. Types of
// other publishers may be registered in the account.
func (c *checker) recognized(name string) bool {
	if strings.HasPrefix(name, "Custom::") {
		return len(name) <= maxCustomType && customName.MatchString(name)
	}
	if _, ok := restype.Lookup(name); ok && name != "Module" {
		return true
	}
	if c.t.rewritten() || c.partial && (name == "" || strings.HasPrefix(name, "AWS::Serverless::")) {
		return true
	}
	own := strings.HasPrefix(name, "AWS::") || strings.HasPrefix(name, "Alexa::")
	return typeName.MatchString(name) && (!own || strings.HasSuffix(name, "::MODULE"))
}
