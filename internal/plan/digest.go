package plan

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/deployer-cli/deployer/stacks"
)

// inputs hashes everything of a step that reaches AWS, but the values of secret
// parameters: those are in secrets. Where a secret stands in the body or in a tag
// that enters only as a salted hash, if there is a salt.
func (b *Builder) inputs(s *state) string {
	type parameter struct{ Key, Value, How string }
	d := s.desired
	in := struct {
		Body          string
		Parameters    []parameter
		Tags          []stacks.Tag
		Notifications []string
		Role, Bucket  string
		Policy        string
		Protection    *bool
		OnFailure     string
		NoRollback    bool
		Timeout       int
	}{
		Body: sum(d.Body), Tags: d.Tags, Notifications: d.Notifications, Role: d.ServiceRole, Bucket: d.Bucket,
		Policy: string(d.Policy), Protection: d.Stack.TerminationProtection,
		OnFailure: d.Stack.OnFailure, NoRollback: d.Stack.DisableRollback, Timeout: d.Stack.TimeoutMinutes,
	}
	for _, p := range d.Parameters {
		switch {
		case p.Previous && s.step.Action == Update:
			in.Parameters = append(in.Parameters, parameter{p.Key, "", "previous"})
		case p.Unknown:
			in.Parameters = append(in.Parameters, parameter{p.Key, p.Hint, "later"})
		case p.Secret || s.noEcho(p.Key):
			in.Parameters = append(in.Parameters, parameter{p.Key, "", "secret"})
		default:
			in.Parameters = append(in.Parameters, parameter{p.Key, p.Value, ""})
		}
	}
	if len(d.Secrets) > 0 && len(b.in.Salt) > 0 {
		in.Body, in.Tags = b.sealed("body", in.Body), []stacks.Tag{{Value: b.sealed("tags", sum(canonical(d.Tags)))}}
	}
	return sum(canonical(in))
}

// secrets gives a salted hash of every secret parameter whose value is known, so
// that one which moves between plan and apply is noticed, and named. Without a
// salt there is nothing to compare with, and none.
func (b *Builder) secrets(s *state) map[string]string {
	out := map[string]string{}
	for _, p := range s.desired.Parameters {
		kept := p.Previous && s.step.Action == Update
		if len(b.in.Salt) > 0 && !p.Unknown && !kept && (p.Secret || s.noEcho(p.Key)) {
			out[p.Key] = b.sealed(string(s.stack.Path)+" "+p.Key, p.Value)
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// Beyond names what of a stack's secret parameters is another value than a plan
// says, now that it was decided again.
func (b *Builder) Beyond(planned *Step) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.states[planned.Stack]
	if s == nil || len(b.in.Salt) == 0 {
		return nil
	}
	var out []string
	for _, key := range planned.otherSecrets(&s.step, true) {
		out = append(out, "parameter "+key+" has another value")
	}
	return out
}

// otherSecrets lists the secret parameters whose values differ from those in
// another version of the step. What is not known there yet does not differ, and
// common leaves out what is new there.
func (s *Step) otherSecrets(is *Step, common bool) []string {
	var out []string
	for _, key := range slices.Sorted(maps.Keys(is.Secrets)) {
		was, known := s.Secrets[key]
		if was != is.Secrets[key] && (known || !common) {
			out = append(out, key)
		}
	}
	return out
}

func (s *state) noEcho(key string) bool {
	return s.new != nil && s.new.template.Parameters[key].NoEcho
}

// sealRounds makes trying out values dear, for the salt stands beside the hash:
// OWASP's Password Storage Cheat Sheet wants 600,000 of a password database; a
// plan file is seen by few and good for hours.
const sealRounds = 100_000

// sealed stands for a secret value in a place. The same value looks different in
// two places.
func (b *Builder) sealed(place, value string) string {
	key, ok := b.keys[value]
	if !ok {
		var err error
		if key, err = pbkdf2.Key(sha256.New, value, b.in.Salt, sealRounds, sha256.Size); err != nil {
			return ""
		}
		b.keys[value] = key
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(place))
	return hex.EncodeToString(mac.Sum(nil))
}

// digest hashes the whole plan: what each step does, with which inputs, to
// which stack as it was when it was looked at.
func (b *Builder) digest(p *Plan) string {
	type step struct {
		Stack           stacks.Path
		Name            string
		Action          Action
		Account, Region string
		StackID         string
		Status          stacks.Status
		Changed         string
		After           []stacks.Path
		Late            bool
		Blocked, Asks   string
		Inputs          string
		Secrets         map[string]string
	}
	in := struct {
		Environment string
		Class       stacks.Class
		Account     string
		Region      string
		Realm       stacks.Realm
		Steps       []step
	}{Environment: p.Environment, Class: p.Class, Account: p.Account, Region: p.Region, Realm: p.Realm}
	for _, s := range p.Steps {
		entry := step{
			Stack: s.Stack, Name: s.Name, Action: s.Action, Account: s.Account, Region: s.Region, StackID: s.StackID,
			Status: s.Status, After: s.After, Late: s.Late, Blocked: s.Blocked, Asks: s.Asks, Inputs: s.Inputs, Secrets: s.Secrets,
		}
		if s.Live != nil {
			entry.Changed = s.Live.Changed().UTC().Format(time.RFC3339Nano)
		}
		in.Steps = append(in.Steps, entry)
	}
	return "sha256:" + sum(canonical(in))
}

// canonical gives the JSON of a value whose parts all have one form: structs
// in the order of their fields, no maps with other than string keys.
func canonical(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil { // only for kinds of value that do not stand in the structs above
		return []byte(err.Error())
	}
	return data
}

func sum(data []byte) string {
	h := sha256.Sum256(data)
	return hex.EncodeToString(h[:])
}
