package stacks

import (
	"cmp"
	"slices"
	"strings"
)

// Class says how much harm a mistake in an environment does.
type Class string

// The classes, weakest first.
const (
	Undeclared  Class = ""
	Development Class = "development"
	Persistent  Class = "persistent"
	Production  Class = "production"
)

// Strength orders classes: production is strongest, undeclared weakest.
func (c Class) Strength() int {
	switch c {
	case Production:
		return 3
	case Persistent:
		return 2
	case Development:
		return 1
	case Undeclared:
		return 0
	}
	return 3 // a class nobody knows is treated as the one that protects most
}

// Strictest returns the strongest of the given classes. A class nobody knows
// comes out as Production.
func Strictest(classes ...Class) Class {
	out := Undeclared
	for _, c := range classes {
		if c.Strength() == Production.Strength() {
			return Production
		}
		if c.Strength() > out.Strength() {
			out = c
		}
	}
	return out
}

// Word is the class as shown to a person; "none" when undeclared.
func (c Class) Word() string {
	if c == Undeclared {
		return "none"
	}
	return string(c)
}

// HasProductionWord tells whether a name says production: prod, production,
// prd or live as a word between / - _ . or at either end, in any case.
// "nonprod" and "product" do not count.
func HasProductionWord(name string) bool {
	for w := range strings.FieldsFuncSeq(strings.ToLower(name), func(r rune) bool {
		return r == '/' || r == '-' || r == '_' || r == '.'
	}) {
		switch w {
		case "prod", "production", "prd", "live":
			return true
		}
	}
	return false
}

// Environment is the part of a project that one environment block governs, or,
// when nothing is declared, a top-level group.
type Environment struct {
	Name     string // the group's path: "dev"
	Path     Path
	Declared bool
	Class    Class // as declared in the file
	Accounts []string
	Regions  []string
	Mode     string // "" or "express"
	State    State
	Guard    Value // break.md section 8, checked for its shape by config
	Break    Value
	Probes   Value
	Notify   Value
	Pos      Pos
}

// State says where journals, locks and approvals are shared.
type State struct {
	Bucket string
	Prefix string
}

// SaysProduction tells whether the environment is production by its file or by
// its name.
func (e *Environment) SaysProduction() bool {
	return e.Class == Production || HasProductionWord(e.Name)
}

// Tag keys that deployer puts on the stacks of declared environments.
const (
	TagProject     = "deployer:project"
	TagEnvironment = "deployer:environment"
	TagClass       = "deployer:class"
	TagStack       = "deployer:stack"
	TagPrefix      = "deployer:"
)

// OwnTags are the tags by which deployer knows a stack of a declared environment
// again; none where nothing declares its environment. What the files do not tell,
// such as the project, is left out.
func (s *Stack) OwnTags() []Tag {
	env := s.Environment
	if env == nil || !env.Declared {
		return nil
	}
	tags := []Tag{
		{Key: TagProject, Value: cmp.Or(s.ProjectID, s.ProjectCode)},
		{Key: TagEnvironment, Value: env.Name},
		{Key: TagClass, Value: string(env.Class)},
		{Key: TagStack, Value: string(s.Path)},
	}
	return slices.DeleteFunc(tags, func(t Tag) bool { return t.Value == "" })
}

// Realm says which CloudFormation a run speaks to.
type Realm string

// The realms. An endpoint realm is one that AWS_ENDPOINT_URL names.
const (
	RealmAWS      Realm = "aws"
	RealmSandbox  Realm = "sandbox"
	RealmEndpoint Realm = "endpoint"
)
