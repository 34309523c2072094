package plan

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/deployer-cli/deployer/stacks"
)

// inputs hashes everything of a step that reaches AWS. A secret value enters
// only as a keyed hash, and not at all without a key: the digest then says
// that there is a secret, not which.
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
			in.Parameters = append(in.Parameters, parameter{p.Key, b.sealed(p.Value), "secret"})
		default:
			in.Parameters = append(in.Parameters, parameter{p.Key, p.Value, ""})
		}
	}
	return sum(canonical(in))
}

func (s *state) noEcho(key string) bool {
	return s.new != nil && s.new.template.Parameters[key].NoEcho
}

// sealed stands for a secret value.
func (b *Builder) sealed(value string) string {
	if len(b.in.Salt) == 0 {
		return ""
	}
	mac := hmac.New(sha256.New, b.in.Salt)
	mac.Write([]byte(value))
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
			Status: s.Status, After: s.After, Late: s.Late, Blocked: s.Blocked, Asks: s.Asks, Inputs: s.Inputs,
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
