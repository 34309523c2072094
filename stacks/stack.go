// Package stacks is the domain: what a stack is, as a project wants it and as
// it lives in an account.
//
// It holds words and pure functions. It never reads a file, the network or the
// clock.
package stacks

import (
	"slices"
	"time"
)

// Access says with which identity and in which region a stack is reached.
// It is comparable: clients and rate limits are shared per Access.
type Access struct {
	Profile     string // AWS profile, "" for the default chain
	Region      string
	Role        string // ARN of the role to assume (sceptre_role), "" for none
	RoleSeconds int    // how long an assumed role lasts, 0 for the default
}

// Stack is one stack as the project's files describe it, before anything is
// resolved or rendered.
type Stack struct {
	Path        Path
	Name        string // CloudFormation's name for it
	File        string // its config file, relative to the project
	Pos         Pos    // of the config's first key
	Environment *Environment
	ProjectCode string
	ProjectID   string
	Access      Access
	AccessRole  Value // sceptre_role where it is a resolver call; resolved before use

	Template      Source
	Parameters    []Field
	Tags          []Field
	UserData      Value
	Notifications []Value
	ServiceRole   Value // cloudformation_service_role
	Bucket        Value // template_bucket_name
	KeyPrefix     string
	StackPolicy   Value // deployer's own key: a file path or an inline map

	Dependencies []Dependency
	Hooks        []HookPoint

	Protect               bool  // refuse to change it at all (Sceptre's protect)
	TerminationProtection *bool // nil leaves it as it is
	Ignore                bool
	Obsolete              bool
	OnFailure             string
	DisableRollback       bool
	TimeoutMinutes        int

	Break  Value // break.md section 1
	Config Value // the whole merged config, for dump config and stack_attr
	Group  Value // the merged config of the group, for stack_attr and stack_group_config
}

// SnapshotParameters lists the template parameters that take the snapshots of what
// the stack holds, by the logical id of what they are of, as its break block names
// them: recovery sets them, and a launch leaves them as they are.
func (s *Stack) SnapshotParameters() map[string]string {
	out := map[string]string{}
	data, _ := s.Break.Get("data")
	for _, f := range data.Fields {
		if p, ok := f.Value.Get("snapshot_parameter"); ok && p.Kind == Text && p.Text != "" {
			out[f.Key] = p.Text
		}
	}
	return out
}

// Source says where a stack's template comes from.
type Source struct {
	Type string // file, s3, http, sam, or a plugin's name
	Path string // for file: relative to templates/
	Args Value  // everything given under template
	Pos  Pos
}

// Dependency is an entry of a stack's dependencies.
type Dependency struct {
	Path Path
	Pos  Pos
}

// HookPoint holds the hooks of one moment, such as before_create.
type HookPoint struct {
	Name  string
	Hooks []Value
}

// Hooked tells whether the stack has hooks at one of the points named.
func (s *Stack) Hooked(points ...string) bool {
	return slices.ContainsFunc(s.Hooks, func(h HookPoint) bool { return len(h.Hooks) > 0 && slices.Contains(points, h.Name) })
}

// Desired is a stack made ready: values resolved, template rendered.
type Desired struct {
	Stack         *Stack
	Body          []byte // the template as it goes to CloudFormation
	Parameters    []Parameter
	Tags          []Tag
	Notifications []string
	ServiceRole   string
	Bucket        string
	Policy        []byte   // stack policy, nil when the project declares none
	After         []Path   // what has to be done before everything above is final, sorted
	BodyLate      bool     // the template itself holds placeholders for later values
	Secrets       []string // secret values that stand in the body or in tags; never to be shown
}

// Late tells whether d still waits for what other stacks will give.
func (d *Desired) Late() bool { return d.BodyLate || len(d.After) > 0 || d.hasUnknown() }

func (d *Desired) hasUnknown() bool {
	for _, p := range d.Parameters {
		if p.Unknown {
			return true
		}
	}
	return false
}

// Parameter is a value for one of a template's parameters.
type Parameter struct {
	Key      string
	Value    string // lists joined with commas; "" when Unknown or Previous
	Secret   bool
	Unknown  bool   // known after After
	After    []Path // sorted
	Hint     string // what the unknown value would be
	Previous bool   // keep the live value (UsePreviousValue)
}

// Tag is a stack tag.
type Tag struct{ Key, Value string }

// Live is a stack as CloudFormation describes it.
type Live struct {
	ID                    string // ARN; after the first accepted call everything is by this
	Name                  string
	Account               string
	Region                string
	Status                Status
	Reason                string
	Description           string
	Parameters            []LiveParameter // sorted by key
	Outputs               []Output        // sorted by key
	Tags                  []Tag           // sorted by key
	Notifications         []string
	Capabilities          []string
	ServiceRole           string
	TimeoutMinutes        int
	DisableRollback       bool
	TerminationProtection bool
	ParentID              string
	ChangeSetID           string
	Created               time.Time
	Updated               time.Time // zero when never updated
}

// Output returns the value of the output with the given key.
func (l *Live) Output(key string) (string, bool) {
	for _, o := range l.Outputs {
		if o.Key == key {
			return o.Value, true
		}
	}
	return "", false
}

// Tag returns the value of the tag with the given key.
func (l *Live) Tag(key string) (string, bool) {
	for _, t := range l.Tags {
		if t.Key == key {
			return t.Value, true
		}
	}
	return "", false
}

// Changed is when the stack last changed: its update, or its creation.
func (l *Live) Changed() time.Time {
	if l.Updated.IsZero() {
		return l.Created
	}
	return l.Updated
}

// LiveParameter is a parameter of a live stack. Value is "****" for NoEcho.
type LiveParameter struct {
	Key      string
	Value    string
	Resolved string // what an SSM parameter type resolved to
}

// Output is an output of a live stack.
type Output struct {
	Key         string
	Value       string
	Description string
	Export      string
}

// Resource is a resource of a live stack.
type Resource struct {
	LogicalID  string
	PhysicalID string
	Type       string
	Status     string
	Reason     string
	Updated    time.Time
}

// Event is one stack event of CloudFormation's.
type Event struct {
	ID         string
	StackID    string
	StackName  string
	LogicalID  string
	PhysicalID string
	Type       string
	Status     string
	Reason     string
	Token      string
	Operation  string // OperationId
	Time       time.Time
}

// OfStack tells whether the event is about the stack itself, not a resource.
func (e Event) OfStack() bool { return e.PhysicalID == e.StackID }

// Export is an exported output.
type Export struct {
	Name    string
	Value   string
	StackID string
}
