package capsule

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/deployer-cli/deployer/stacks"
)

// Schema names the form of a capsule's JSON.
const Schema = "deployer.capsule/v1"

// Capsule is what is kept of one stack. A secret is in it as the call that gives
// it and as a hash, never as itself.
type Capsule struct {
	Schema      string       `json:"schema"`
	Stack       stacks.Path  `json:"stack"`
	Name        string       `json:"name"`
	StackID     string       `json:"stack_id"`
	Account     string       `json:"account"`
	Region      string       `json:"region"`
	Realm       stacks.Realm `json:"realm"`
	Access      Access       `json:"access"`
	ProjectCode string       `json:"project_code"`
	ProjectID   string       `json:"project_id,omitempty"`
	Environment Environment  `json:"environment"`

	Description           string        `json:"description,omitempty"`
	Parameters            []Parameter   `json:"parameters"` // sorted by key, as are the next two
	Tags                  []Tag         `json:"tags"`
	Outputs               []Output      `json:"outputs"`
	ServiceRole           string        `json:"service_role,omitempty"`
	Notifications         []string      `json:"notifications"`
	Capabilities          []string      `json:"capabilities"`
	TimeoutMinutes        int           `json:"timeout_minutes,omitempty"`
	TerminationProtection bool          `json:"termination_protection"`
	OnFailure             string        `json:"on_failure,omitempty"`
	DisableRollback       bool          `json:"disable_rollback,omitempty"`
	Template              Template      `json:"template"`
	Bucket                string        `json:"bucket,omitempty"` // where long templates go
	KeyPrefix             string        `json:"key_prefix,omitempty"`
	Policy                string        `json:"policy,omitempty"` // JSON
	Resources             []Resource    `json:"resources"`        // sorted by logical id
	Exports               []Export      `json:"exports"`          // sorted by name
	After                 []stacks.Path `json:"after"`            // what it depends on, sorted
	Break                 string        `json:"break,omitempty"`  // the stack's block, YAML

	Config  string          `json:"config"` // the merged config, YAML, without secrets
	Commit  string          `json:"commit,omitempty"`
	Dirty   bool            `json:"dirty"`
	Probes  json.RawMessage `json:"probes,omitempty"` // how they read
	Caller  string          `json:"caller"`           // ARN
	Version string          `json:"version"`          // deployer's
	Created time.Time       `json:"created"`          // of the stack
	Updated time.Time       `json:"updated,omitzero"` // of the stack
	Time    time.Time       `json:"time"`             // of the capture
	Salt    string          `json:"salt"`             // of the hashes, hex
}

// Access says how the stack is reached.
type Access struct {
	Profile     string `json:"profile,omitempty"`
	Region      string `json:"region"`
	Role        string `json:"role,omitempty"`      // ARN
	RoleCall    string `json:"role_call,omitempty"` // where a resolver gives it, YAML
	RoleSeconds int    `json:"role_seconds,omitempty"`
}

// Environment is the environment that the stack was in.
type Environment struct {
	Name     string       `json:"name"`
	Path     stacks.Path  `json:"path"`
	Declared bool         `json:"declared"`
	Class    stacks.Class `json:"class,omitempty"`
	Block    string       `json:"block,omitempty"` // as it stood in the file, YAML
}

// Parameter is a parameter of the live stack.
type Parameter struct {
	Key      string `json:"key"`
	Value    string `json:"value,omitempty"`
	Resolved string `json:"resolved,omitempty"` // what an SSM type gave
	Secret   bool   `json:"secret,omitempty"`
	Call     string `json:"call,omitempty"`    // of a secret: the resolver call, YAML
	Hash     string `json:"hash,omitempty"`    // of a secret
	Default  bool   `json:"default,omitempty"` // of a secret: the template's default gives it
}

// Tag is a tag of the live stack.
type Tag struct {
	Key    string `json:"key"`
	Value  string `json:"value,omitempty"`
	Secret bool   `json:"secret,omitempty"`
	Call   string `json:"call,omitempty"`
	Hash   string `json:"hash,omitempty"`
}

// Output is an output of the live stack.
type Output struct {
	Key         string `json:"key"`
	Value       string `json:"value,omitempty"`
	Description string `json:"description,omitempty"`
	Export      string `json:"export,omitempty"`
	Secret      bool   `json:"secret,omitempty"`
	Hash        string `json:"hash,omitempty"`
}

// Template is the stack's template as CloudFormation has it.
type Template struct {
	Original  string `json:"original"`
	Processed string `json:"processed,omitempty"`
}

// Resource is a resource of the live stack.
type Resource struct {
	LogicalID      string `json:"logical_id"`
	PhysicalID     string `json:"physical_id"`
	Type           string `json:"type"`
	DeletionPolicy string `json:"deletion_policy,omitempty"`
	Secret         bool   `json:"secret,omitempty"` // its physical id holds one, and is kept as a hash
	Hash           string `json:"hash,omitempty"`
}

// Export is an export of the live stack and who imports it: names of stacks.
type Export struct {
	Name      string   `json:"name"`
	Value     string   `json:"value,omitempty"`
	Importers []string `json:"importers"`
}

// State tells in which bucket, and below what, the environment kept its records. Both are
// empty where it kept them in files; ok is false where that cannot be read.
func (e Environment) State() (s stacks.State, ok bool) {
	if e.Block == "" {
		return s, !e.Declared
	}
	block, ok := plain(e.Block)
	top, isMap := block.(map[string]any)
	if !ok || !isMap {
		return s, false
	}
	state, there := top["state"]
	if !there {
		return s, true
	}
	fields, _ := state.(map[string]any)
	if s.Prefix, ok = fields["prefix"].(string); !ok && fields["prefix"] != nil {
		return s, false
	}
	s.Bucket, _ = fields["bucket"].(string)
	return s, s.Bucket != ""
}

// Encode gives the capsule's JSON.
func (c Capsule) Encode() ([]byte, error) {
	out, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("capsule of %s: %w", c.Stack, err)
	}
	return append(out, '\n'), nil
}

// Read reads a capsule's JSON. A capsule of another schema, or with fields that
// are not known, is an error: half understood it would rebuild something else.
func Read(text []byte) (Capsule, error) {
	var c Capsule
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return Capsule{}, fmt.Errorf("not a capsule: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return Capsule{}, errors.New("not a capsule: something stands behind it")
	}
	switch {
	case c.Schema != Schema:
		return Capsule{}, fmt.Errorf("not a capsule: its schema is %q, and %q is known", c.Schema, Schema)
	case c.Stack == "" || c.Name == "" || c.StackID == "":
		return Capsule{}, errors.New("not a capsule: it names no stack")
	}
	return c, nil
}
