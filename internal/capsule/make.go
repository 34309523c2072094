package capsule

import (
	"cmp"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/deployer-cli/deployer/internal/cfntemplate"
	"github.com/deployer-cli/deployer/stacks"
)

// Observation is a stack as it was read: before it is broken, for Make, and when
// it is back, for Compare.
type Observation struct {
	Live      *stacks.Live // nil where there is none
	Template  string       // as it was sent
	Processed string       // after transforms, "" where that was not read
	Policy    string       // JSON, "" for none
	Resources []stacks.Resource
	Secrets   map[string]string // what secret parameters resolve to now; for Compare, never kept
}

// Input is everything that a capsule is made of.
type Input struct {
	Observation
	Stack            *stacks.Stack
	Desired          *stacks.Desired // the stack made ready: what secrets resolve to now
	Realm            stacks.Realm
	DeletionPolicies map[string]string // by logical id; the template's where it is nil
	Exports          []Export
	After            []stacks.Path // the project's stacks that it depends on
	Commit           string
	Dirty            bool
	Probes           json.RawMessage
	Caller           string
	Version          string
	Time             time.Time
	Salt             []byte // made for this capsule, 16 bytes or more
}

// minSalt keeps hashes of equal secrets from being equal.
const minSalt = 16

// Make makes the capsule of a stack. A secret that could not be had again is a
// *LiteralSecretError; where there are several they come joined. No text of an
// error holds a secret.
func Make(in Input) (Capsule, error) {
	switch {
	case in.Stack == nil || in.Live == nil || in.Live.ID == "":
		return Capsule{}, errors.New("a capsule needs a stack that lives")
	case in.Template == "":
		return Capsule{}, fmt.Errorf("the template of %s was not read", in.Stack.Path)
	case len(in.Salt) < minSalt:
		return Capsule{}, fmt.Errorf("a capsule needs a salt of %d bytes", minSalt)
	}
	s := newSealer(in)
	c := Capsule{
		Schema: Schema, Stack: in.Stack.Path, Name: in.Live.Name, StackID: in.Live.ID,
		Account: in.Live.Account, Region: in.Live.Region, Realm: in.Realm, Access: accessOf(in.Stack),
		ProjectCode: in.Stack.ProjectCode, ProjectID: in.Stack.ProjectID, Environment: environmentOf(in.Stack.Environment),
		Description: s.masked(in.Live.Description), ServiceRole: in.Live.ServiceRole,
		Notifications: sorted(in.Live.Notifications), Capabilities: sorted(in.Live.Capabilities),
		TimeoutMinutes: in.Live.TimeoutMinutes, TerminationProtection: in.Live.TerminationProtection,
		OnFailure: in.Stack.OnFailure, DisableRollback: in.Stack.DisableRollback,
		Template: s.texts(), Policy: in.Policy,
		After: stacks.SortPaths(slices.Clone(in.After)), Config: s.config(in.Stack.Config),
		Commit: in.Commit, Dirty: in.Dirty, Probes: in.Probes, Caller: in.Caller, Version: in.Version,
		Created: in.Live.Created.UTC(), Updated: in.Live.Updated.UTC(), Time: in.Time.UTC(), Salt: hex.EncodeToString(in.Salt),
	}
	if c.After == nil {
		c.After = []stacks.Path{}
	}
	if in.Stack.Break.Kind == stacks.Map {
		c.Break = stacks.WithoutPasswords(yaml(in.Stack.Break))
	}
	c.KeyPrefix = in.Stack.KeyPrefix
	if in.Desired != nil {
		c.Bucket = in.Desired.Bucket
	}
	c.Parameters = s.parameters()
	c.Tags = s.tags()
	c.Outputs = s.outputs()
	c.Resources = s.resources()
	c.Exports = s.exports()
	s.body()
	if err := errors.Join(s.refused...); err != nil {
		return Capsule{}, err
	}
	return c, nil
}

func accessOf(st *stacks.Stack) Access {
	a := Access{Profile: st.Access.Profile, Region: st.Access.Region, Role: st.Access.Role, RoleSeconds: st.Access.RoleSeconds}
	if st.AccessRole.HasCall() {
		a.Role, a.RoleCall = "", yaml(st.AccessRole)
	}
	return a
}

// environmentOf writes the environment's block out again: it is literal, so
// that nothing in it depends on where it stands.
func environmentOf(e *stacks.Environment) Environment {
	if e == nil {
		return Environment{}
	}
	out := Environment{Name: e.Name, Path: e.Path, Declared: e.Declared, Class: e.Class}
	if !e.Declared {
		return out
	}
	block := stacks.Value{Kind: stacks.Map}
	put := func(key string, v stacks.Value) {
		if v.Kind != stacks.Null {
			block.Fields = append(block.Fields, stacks.Field{Key: key, Value: v})
		}
	}
	put("class", stacks.String(string(e.Class)))
	if len(e.Accounts) > 0 {
		put("accounts", stacks.Strings(e.Accounts...))
	}
	if len(e.Regions) > 0 {
		put("regions", stacks.Strings(e.Regions...))
	}
	if e.Mode != "" {
		put("mode", stacks.String(e.Mode))
	}
	if e.State.Bucket != "" {
		state := stacks.Value{Kind: stacks.Map, Fields: []stacks.Field{{Key: "bucket", Value: stacks.String(e.State.Bucket)}}}
		if e.State.Prefix != "" {
			state.Fields = append(state.Fields, stacks.Field{Key: "prefix", Value: stacks.String(e.State.Prefix)})
		}
		put("state", state)
	}
	put("guard", e.Guard)
	put("break", e.Break)
	put("probes", e.Probes)
	put("notify", e.Notify)
	out.Block = stacks.WithoutPasswords(yaml(block))
	return out
}

// templateOf reads the template whose outputs and resources are plainest: after
// its transforms where that is known. It is nil where neither can be read.
func templateOf(t Template) *cfntemplate.Template {
	for _, text := range []string{t.Processed, t.Original} {
		if text == "" {
			continue
		}
		if parsed, err := cfntemplate.Parse([]byte(text)); err == nil {
			return parsed
		}
	}
	return nil
}

// sorted is a sorted copy, never nil.
func sorted(in []string) []string {
	out := append([]string{}, in...)
	slices.Sort(out)
	return out
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

// Now is the environment as e declares it by now, as far as it says whether and how
// something may be changed: its class, accounts, regions, state and guard. What is
// probed and told, and what may be broken, stays as it was captured.
func (e Environment) Now(now *stacks.Environment) (Environment, error) {
	was, ok := plain(e.Block)
	if !ok && e.Block != "" {
		return Environment{}, fmt.Errorf("the block of the environment %s cannot be read", e.Name)
	}
	text, err := json.Marshal(was)
	if err != nil {
		return Environment{}, err
	}
	block, err := fromJSON(string(text))
	if err != nil {
		return Environment{}, err
	}
	merged := *now
	for key, into := range map[string]*stacks.Value{"break": &merged.Break, "probes": &merged.Probes, "notify": &merged.Notify} {
		*into, _ = block.Get(key)
	}
	return environmentOf(&merged), nil
}
