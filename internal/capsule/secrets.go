package capsule

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/internal/cfntemplate"
	"github.com/deployer-cli/deployer/internal/reattach"
	"github.com/deployer-cli/deployer/stacks"
)

// hidden is how CloudFormation shows the value of a NoEcho parameter.
const hidden = stacks.Veiled

// LiteralSecretError says that a secret of a stack could not be had again once
// the stack is gone.
type LiteralSecretError struct {
	Stack     stacks.Path
	Parameter string // "" where the secret stands in the template
	Why       string
}

// Error names the parameter, never its value.
func (e *LiteralSecretError) Error() string {
	what := "its template"
	if e.Parameter != "" {
		what = "parameter " + e.Parameter
	}
	return fmt.Sprintf("%s cannot be kept: %s: %s", e.Stack, what, e.Why)
}

// Hint tells what to do about it.
func (e *LiteralSecretError) Hint() string {
	if e.Parameter == "" {
		return "hand the secret over as a NoEcho parameter instead of writing it into the template"
	}
	return "move the value to a secret store, and write " + e.Parameter + ": !aws_secrets_manager NAME, or !ssm NAME, in the config"
}

// sealer takes the secrets out of what is kept.
type sealer struct {
	in       Input
	template *cfntemplate.Template
	veil     stacks.Veil
	refused  []error
}

func newSealer(in Input) *sealer {
	s := &sealer{in: in, template: templateOf(Template{Original: in.Template})}
	if s.template == nil {
		s.template = templateOf(Template{Processed: in.Processed})
	}
	var known []string
	if d := in.Desired; d != nil {
		known = append(known, d.Secrets...)
		for _, p := range d.Parameters {
			if p.Secret || s.noEcho(p.Key) {
				known = append(known, p.Value)
			}
		}
	}
	s.veil = stacks.NewVeil(known...)
	return s
}

func (s *sealer) refuse(parameter, why string) {
	s.refused = append(s.refused, &LiteralSecretError{Stack: s.in.Stack.Path, Parameter: parameter, Why: why})
}

func (s *sealer) noEcho(key string) bool {
	return s.template != nil && s.template.Parameters[key].NoEcho
}

// holds tells whether a text holds a secret.
func (s *sealer) holds(text string) bool { return s.veil.Holds(text) }

// masked is a text without the secrets in it.
func (s *sealer) masked(text string) string { return s.veil.Masked(text) }

// seal is the salted hash that stands for a secret. What it is the value of goes
// into it, so that equal secrets do not show.
func seal(salt []byte, of, value string) string {
	mac := hmac.New(sha256.New, salt)
	mac.Write([]byte(of))
	mac.Write([]byte{0})
	mac.Write([]byte(value))
	return hex.EncodeToString(mac.Sum(nil))
}

func (s *sealer) seal(of, value string) string { return seal(s.in.Salt, of, value) }

// parameters are those of the live stack; of a secret one, what gives it again.
func (s *sealer) parameters() []Parameter {
	out := []Parameter{}
	for _, live := range s.in.Live.Parameters {
		given := s.given(live.Key)
		if live.Value != hidden && !s.noEcho(live.Key) && !given.Secret && !s.field(live.Key).HasSecret() && !s.holds(live.Value+live.Resolved) {
			out = append(out, Parameter{Key: live.Key, Value: live.Value, Resolved: live.Resolved})
			continue
		}
		out = append(out, s.secret(live.Key, given))
	}
	slices.SortFunc(out, func(a, b Parameter) int { return cmp.Compare(a.Key, b.Key) })
	return out
}

// secret keeps the call that gives a secret. The value must resolve now: what
// cannot be had today cannot be had after the stack is gone.
func (s *sealer) secret(key string, given stacks.Parameter) Parameter {
	p := Parameter{Key: key, Secret: true}
	field := s.field(key)
	switch {
	case field.Kind == stacks.Null && s.template != nil && s.template.Parameters[key].Default != nil:
		if p.Default = true; *s.template.Parameters[key].Default != "" {
			s.refuse(key, "its value is the default that stands in the template, and a capsule holds no secrets")
		}
	case field.Kind == stacks.Null:
		s.refuse(key, "the config gives no value for it")
	case !calls(field):
		s.refuse(key, "its value stands in the config itself, and a capsule holds no secrets")
	case given.Key == "" || given.Unknown || given.Previous:
		s.refuse(key, "its value cannot be had from the config now")
	default:
		p.Call, p.Hash = yaml(field), s.seal("parameter "+key, given.Value)
	}
	return p
}

// calls tells whether all of a value comes from resolver calls: what stands
// beside them in a list would be a part of the secret.
func calls(v stacks.Value) bool {
	if v.Kind != stacks.List {
		return v.Kind == stacks.Call
	}
	return len(v.Items) > 0 && !slices.ContainsFunc(v.Items, func(i stacks.Value) bool { return i.Kind != stacks.Call })
}

// given is a parameter as the config resolves it now, zero for none.
func (s *sealer) given(key string) stacks.Parameter {
	if s.in.Desired != nil {
		for _, p := range s.in.Desired.Parameters {
			if p.Key == key {
				return p
			}
		}
	}
	return stacks.Parameter{}
}

// field is a parameter as the config writes it, Null for none.
func (s *sealer) field(key string) stacks.Value { return fieldOf(s.in.Stack.Parameters, key) }

func fieldOf(fields []stacks.Field, key string) stacks.Value {
	v, _ := stacks.Value{Kind: stacks.Map, Fields: fields}.Get(key)
	return v
}

func (s *sealer) tags() []Tag {
	out := []Tag{}
	for _, t := range s.in.Live.Tags {
		tag := Tag{Key: t.Key, Value: t.Value}
		if s.holds(t.Value) {
			field := fieldOf(s.in.Stack.Tags, t.Key)
			if !calls(field) {
				s.refuse("stack_tags."+t.Key, "its value is a secret, and stands in the config itself")
			}
			tag = Tag{Key: t.Key, Secret: true, Call: yaml(field), Hash: s.seal("tag "+t.Key, t.Value)}
		}
		out = append(out, tag)
	}
	slices.SortFunc(out, func(a, b Tag) int { return cmp.Compare(a.Key, b.Key) })
	return out
}

func (s *sealer) outputs() []Output {
	out := []Output{}
	for _, o := range s.in.Live.Outputs {
		kept := Output{Key: o.Key, Value: o.Value, Description: s.masked(o.Description), Export: o.Export}
		if s.holds(o.Value) {
			kept.Value, kept.Secret, kept.Hash = "", true, s.seal("output "+o.Key, o.Value)
		}
		out = append(out, kept)
	}
	slices.SortFunc(out, func(a, b Output) int { return cmp.Compare(a.Key, b.Key) })
	return out
}

// resources lists the resources with their deletion policies. An id with a secret in it
// is not kept; what is taken in again by such an id could not be.
func (s *sealer) resources() []Resource {
	in := s.in
	out := make([]Resource, 0, len(in.Resources))
	for _, r := range in.Resources {
		policy, given := in.DeletionPolicies[r.LogicalID]
		if !given && s.template != nil {
			policy = s.template.Resources[r.LogicalID].DeletionPolicy
		}
		kept := Resource{LogicalID: r.LogicalID, PhysicalID: r.PhysicalID, Type: r.Type, DeletionPolicy: policy}
		if s.veil.Names(r.PhysicalID) {
			kept.PhysicalID, kept.Secret, kept.Hash = "", true, s.seal("resource "+r.LogicalID, r.PhysicalID)
			if reattach.Keeps(policy) {
				s.refuse("", "a secret stands in the name of "+r.LogicalID+", which is kept and would be taken in again by it")
			}
		}
		out = append(out, kept)
	}
	slices.SortFunc(out, func(a, b Resource) int { return cmp.Compare(a.LogicalID, b.LogicalID) })
	return out
}

func (s *sealer) exports() []Export {
	out := []Export{}
	for _, e := range s.in.Exports {
		out = append(out, Export{Name: e.Name, Value: s.masked(e.Value), Importers: sorted(e.Importers)})
	}
	slices.SortFunc(out, func(a, b Export) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// texts are the template's, without the defaults of secret parameters: even where
// they are not in use, they are somebody's secret.
func (s *sealer) texts() Template {
	out := Template{Original: s.in.Template, Processed: s.in.Processed}
	for _, text := range []*string{&out.Original, &out.Processed} {
		kept, parameter, err := withoutDefaults(*text)
		if err != nil {
			s.refuse(parameter, "the default of a secret parameter stands in the template, and cannot be taken out of what is kept: "+err.Error())
			return Template{}
		}
		*text = kept
	}
	return out
}

// body refuses a template that a secret was rendered into: it could not be kept
// without the secret, nor be launched again without it.
func (s *sealer) body() {
	if s.in.Desired == nil {
		return
	}
	for _, v := range s.in.Desired.Secrets {
		if v != "" && strings.Contains(s.in.Template+s.in.Processed+s.in.Policy, v) {
			s.refuse("", "a secret was rendered into it")
			return
		}
	}
}

// config writes the merged config out, for people to read: secrets masked, and
// without the place of the project on this machine.
func (s *sealer) config(v stacks.Value) string {
	fields := slices.Clone(v.Fields)
	fields = slices.DeleteFunc(fields, func(f stacks.Field) bool { return f.Key == "project_path" || f.Key == "stack_group_path" })
	return lines(s.clean("", stacks.Value{Kind: stacks.Map, Fields: fields}), 0)
}

func (s *sealer) clean(key string, v stacks.Value) stacks.Value {
	switch v.Kind {
	case stacks.List:
		items := make([]stacks.Value, 0, len(v.Items))
		for _, i := range v.Items {
			items = append(items, s.clean(key, i))
		}
		v.Items = items
	case stacks.Map:
		fields := make([]stacks.Field, 0, len(v.Fields))
		for _, f := range v.Fields {
			f.Value = s.clean(f.Key, f.Value)
			fields = append(fields, f)
		}
		v.Fields = fields
	case stacks.Call:
		call := *v.Call
		call.Arg = s.clean("", call.Arg)
		v.Call = &call
	case stacks.Text:
		v.Text = stacks.WithoutPasswords(s.masked(v.Text))
		if v.Secret || soundsSecret(key) {
			v.Text = hidden
		}
	default:
	}
	return v
}

// soundsSecret tells whether a key says that its value is secret: the words of
// design.md section 5.
func soundsSecret(key string) bool {
	key = strings.ToLower(key)
	return slices.ContainsFunc([]string{"password", "secret", "token", "credential"}, func(word string) bool { return strings.Contains(key, word) })
}
