package sandbox

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/deployer-cli/deployer/internal/cfnyaml"
	"github.com/deployer-cli/deployer/internal/sandbox/engine"
	"github.com/deployer-cli/deployer/internal/sandbox/store"
)

// Seeded counts what a seed brought in.
type Seeded struct {
	Parameters, Secrets, Buckets, Objects, Exports, Keys, Custom int
}

// seed is what one account and region shall have before anything is launched.
type seed struct {
	account    engine.Account
	parameters map[string]seedParameter
	secrets    map[string]string
	buckets    []string
	objects    map[[2]string]string // by bucket and key
	exports    map[string]string
	keys       []string // access keys that belong to the account
	custom     []customRule
}

type seedParameter struct{ Value, Type, Description string }

// Seed loads a YAML file of what the project expects to be there already:
//
//	account: "111111111111"             # the sandbox's own when missing
//	region: eu-west-1                   # likewise
//	parameters: {/vpc: vpc-1, /db: {value: x, type: SecureString}}
//	secrets: {plain: text, pair: {user: a, password: b}}
//	buckets: [templates]
//	objects: {templates: {network.yaml: "Resources: {}"}}
//	exports: {SharedVpcId: vpc-1}
//	keys: [AKIAOTHERACCOUNT]
//	custom: [{type: "Custom::Zone*", physical_id: zone-1, data: {Id: zone-1}}]
//
// or a list of such maps. What is there already is replaced; nothing is loaded when
// anything is wrong, and the error names all mistakes with their places.
func (s *Server) Seed(ctx context.Context, src []byte) (Seeded, error) {
	var out Seeded
	nodes, err := document(src, "seed")
	if err != nil {
		return out, err
	}
	var seeds []seed
	var errs []error
	for _, n := range nodes {
		one, err := s.parseSeed(n)
		seeds, errs = append(seeds, one), append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return out, err
	}
	err = s.control(ctx, true, func(tx store.Tx, at time.Time) error {
		out = Seeded{}
		for _, one := range seeds {
			if err := s.plant(tx, at, one, &out); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

func (s *Server) parseSeed(n *cfnyaml.Node) (seed, error) {
	out := seed{
		account:    engine.Account{AccountID: s.opts.Account, Region: s.opts.Region},
		parameters: map[string]seedParameter{}, secrets: map[string]string{},
		objects: map[[2]string]string{}, exports: map[string]string{},
	}
	f := newFields(n)
	f.string("account", &out.account.AccountID)
	f.string("region", &out.account.Region)
	if !isAccount(out.account.AccountID) {
		f.fail(n, "account %q is not twelve digits", out.account.AccountID)
	}
	for _, p := range f.pairs("parameters") {
		v, err := seedOfParameter(p.Value)
		f.errs = append(f.errs, err)
		out.parameters[text(p.Key)] = v
	}
	for _, p := range f.pairs("secrets") {
		out.secrets[text(p.Key)] = f.textOrJSON(p.Value)
	}
	for _, b := range f.items("buckets") {
		out.buckets = append(out.buckets, f.oneText("buckets", b))
	}
	for _, b := range f.pairs("objects") {
		out.buckets = append(out.buckets, text(b.Key))
		if b.Value.Kind != cfnyaml.Map {
			f.fail(b.Value, "objects of bucket %q: %s where a map of keys is expected", text(b.Key), b.Value.Kind)
		}
		for _, o := range b.Value.Pairs {
			out.objects[[2]string{text(b.Key), text(o.Key)}] = f.textOrJSON(o.Value)
		}
	}
	for _, p := range f.pairs("exports") {
		out.exports[text(p.Key)] = f.oneText("exports", p.Value)
	}
	for _, k := range f.items("keys") {
		out.keys = append(out.keys, f.oneText("keys", k))
	}
	for _, c := range f.items("custom") {
		rule, err := parseCustom(c)
		f.errs = append(f.errs, err)
		out.custom = append(out.custom, rule)
	}
	return out, f.done()
}

func (f *fields) oneText(key string, n *cfnyaml.Node) string {
	if !n.IsScalar() {
		f.fail(n, "%s: %s where a text is expected", key, n.Kind)
		return ""
	}
	return text(n)
}

// textOrJSON is a text, or a map or list as JSON.
func (f *fields) textOrJSON(n *cfnyaml.Node) string {
	if n.IsScalar() {
		return text(n)
	}
	raw, err := cfnyaml.MarshalJSON(n.Plain())
	if err != nil {
		f.fail(n, "%v", err)
	}
	return strings.TrimSuffix(string(raw), "\n")
}

func seedOfParameter(n *cfnyaml.Node) (seedParameter, error) {
	p := seedParameter{Type: "String"}
	if n.IsScalar() {
		p.Value = text(n)
		return p, nil
	}
	f := newFields(n)
	f.string("value", &p.Value)
	f.string("type", &p.Type)
	f.string("description", &p.Description)
	if !slices.Contains([]string{"String", "StringList", typeSecure}, p.Type) {
		f.fail(n, "type %q is none of String, StringList, SecureString", p.Type)
	}
	return p, f.done()
}

// plant writes one seed.
func (s *Server) plant(tx store.Tx, at time.Time, one seed, out *Seeded) error {
	a := one.account
	for name, p := range one.parameters {
		r := parameterRecord{Type: p.Type, Description: p.Description}
		r.add(p.Value, at)
		if err := putJSON(tx, tableParam, place(a)+name, r); err != nil {
			return err
		}
		out.Parameters++
	}
	for name, value := range one.secrets {
		r := secretRecord{Name: name, ARN: s.secretARN(a, name), Created: at}
		v := secretVersion{ID: s.id("seed", a.AccountID, a.Region, name), Text: value, At: at}
		if err := errors.Join(r.put(v), putJSON(tx, tableSecret, place(a)+name, r)); err != nil {
			return err
		}
		out.Secrets++
	}
	for _, key := range one.keys {
		if err := putJSON(tx, tableKey, key, userOf(a.AccountID)); err != nil {
			return err
		}
		out.Keys++
	}
	if err := plantCustom(tx, one, out); err != nil {
		return err
	}
	if err := plantObjects(tx, at, one, out); err != nil {
		return err
	}
	return s.plantExports(tx, one, out)
}

func plantObjects(tx store.Tx, at time.Time, one seed, out *Seeded) error {
	slices.Sort(one.buckets)
	for _, name := range slices.Compact(one.buckets) {
		b := bucketRecord{Account: one.account.AccountID, Region: one.account.Region, Created: at}
		if err := keepOr(tx, tableBucket, name, b); err != nil {
			return err
		}
		out.Buckets++
	}
	for where, body := range one.objects {
		if _, err := storeObject(tx, where[0], where[1], []byte(body), at, nil); err != nil {
			return err
		}
		out.Objects++
	}
	return nil
}

// seededStack is the name of the stack that seeded exports claim to come from.
const seededStack = "seeded"

// plantExports writes exports of stacks that are not in the sandbox.
func (s *Server) plantExports(tx store.Tx, one seed, out *Seeded) error {
	a := one.account
	arn := "arn:aws:cloudformation:" + a.Region + ":" + a.AccountID + ":stack/" + seededStack + "/" + s.id(seededStack, a.AccountID, a.Region)
	for name, value := range one.exports {
		if err := engine.PlantExport(tx, a, engine.Planted{StackID: arn, StackName: seededStack, Name: name, Value: value}); err != nil {
			return err
		}
		out.Exports++
	}
	return nil
}
