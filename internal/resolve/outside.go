package resolve

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/ncruces/go-strftime"

	"github.com/deployer-cli/deployer/internal/cfnyaml"
	"github.com/deployer-cli/deployer/stacks"
)

// environmentVariable gives a variable of the process, nothing when unset.
func environmentVariable(_ context.Context, c call) (stacks.Value, error) {
	name, err := c.text("the name of a variable")
	if err != nil {
		return stacks.Value{}, err
	}
	if c.set.ports.Environ == nil {
		return stacks.Value{}, nil
	}
	text, ok := c.set.ports.Environ(name)
	if !ok {
		return stacks.Value{}, nil
	}
	v := stacks.String(text)
	v.Secret = soundsSecret(name) || soundsSecret(c.key)
	return v, nil
}

// ssm gives a parameter of the parameter store.
func ssm(ctx context.Context, c call) (stacks.Value, error) {
	name, access, err := c.named("name or {name, profile, region}", "name")
	if err != nil {
		return stacks.Value{}, err
	}
	if c.set.ports.Parameters == nil {
		return c.later(soundsSecret(c.key)), nil
	}
	if made := c.set.ports.Made; made != nil && c.stack != nil {
		if producer, pending := made(c.stack, name); pending {
			v := c.later(soundsSecret(c.key), producer)
			v.Hint = "SSM parameter " + name
			return v, nil
		}
	}
	text, secret, err := c.set.cache.get(ctx, source{kind: c.name, access: access, name: name},
		func(ctx context.Context) (string, bool, error) {
			return c.set.ports.Parameters.Parameter(ctx, access, name)
		})
	return stacks.Value{Kind: stacks.Text, Text: text, Secret: secret}, err
}

// secretsManager gives a secret string, or one key of its JSON:
// "id", "id::SecretString" or "id::SecretString::key".
func secretsManager(ctx context.Context, c call) (stacks.Value, error) {
	const form = `"id::SecretString::key"`
	text, access, err := c.named(form, "secret_id", "name", "id")
	if err != nil {
		return stacks.Value{}, err
	}
	id, key := splitSecret(text)
	if c.set.ports.Secrets == nil {
		return c.later(true), nil
	}
	value, _, err := c.set.cache.get(ctx, source{kind: c.name, access: access, name: id},
		func(ctx context.Context) (string, bool, error) {
			value, err := c.set.ports.Secrets.Secret(ctx, access, id)
			return value, true, err
		})
	if err != nil {
		return stacks.Value{}, err
	}
	v := stacks.Value{Kind: stacks.Text, Text: value}
	if madeUp := c.set.ports.Stubs && value == "stub-"+id; key != "" && !madeUp { // a made-up secret has every key
		fields, err := c.parse(value)
		if err != nil {
			return stacks.Value{}, c.problem("the secret "+id+" is no JSON, so it has no key "+key, "")
		}
		found, ok := fields.Get(key)
		if !ok {
			return stacks.Value{}, c.problem("the secret "+id+" has no key "+key, "")
		}
		v = found
	}
	v.Secret = true
	return v, nil
}

// splitSecret cuts the key off an argument; an ARN has colons of its own.
func splitSecret(text string) (id, key string) {
	id, rest, _ := strings.Cut(text, "::SecretString")
	return id, strings.TrimPrefix(rest, "::")
}

// rcmd gives what a command prints, its last newline included as in Sceptre.
func rcmd(ctx context.Context, c call) (stacks.Value, error) {
	line, access, err := c.named("a command or {command, profile, region, sceptre_role}", "command")
	if err != nil {
		return stacks.Value{}, err
	}
	secret := soundsSecret(c.key)
	if c.set.ports.Commands == nil {
		return c.later(secret), nil
	}
	text, _, err := c.set.cache.get(ctx, source{kind: c.name, access: access, name: line},
		func(ctx context.Context) (string, bool, error) {
			text, err := c.set.ports.Commands.Output(ctx, access, line)
			return text, false, err
		})
	return stacks.Value{Kind: stacks.Text, Text: text, Secret: secret}, err
}

// named reads an argument that is a name, or a map with the name under one of
// keys and with another access than the stack's.
func (c call) named(form string, keys ...string) (string, stacks.Access, error) {
	var access stacks.Access
	if c.stack != nil {
		access = c.stack.Access
	}
	if c.arg.Kind != stacks.Map {
		name, err := c.text(form)
		return name, access, err
	}
	for field, to := range map[string]*string{
		"profile": &access.Profile, "region": &access.Region, "sceptre_role": &access.Role,
	} {
		if v, ok := c.arg.Get(field); ok && v.IsScalar() {
			*to = v.Text
		}
	}
	for _, k := range keys {
		if v, ok := c.arg.Get(k); ok && v.IsScalar() && v.Text != "" {
			return v.Text, access, nil
		}
	}
	return "", access, c.wants(form)
}

// file gives a file's content, or an address's: parsed where it is JSON or YAML.
func file(ctx context.Context, c call) (stacks.Value, error) {
	name, err := c.text("the path of a file, or an address")
	if err != nil {
		return stacks.Value{}, err
	}
	kind := name
	var data string
	if isAddress(name) {
		if c.set.ports.Web == nil {
			return c.later(soundsSecret(c.key)), nil
		}
		data, err = c.fetch(ctx, name, "", "")
		kind, _, _ = strings.Cut(name, "?")
	} else {
		data, err = c.read(name)
	}
	if err != nil {
		return stacks.Value{}, err
	}
	switch strings.ToLower(path.Ext(kind)) {
	case ".json", ".yaml", ".yml":
		v, err := c.parse(data)
		if err != nil {
			return stacks.Value{}, c.problem(name+" cannot be read: "+err.Error(), "")
		}
		return v, nil
	}
	return stacks.String(data), nil
}

// fileContents gives a file's content as it is.
func fileContents(_ context.Context, c call) (stacks.Value, error) {
	name, err := c.text("the path of a file")
	if err != nil {
		return stacks.Value{}, err
	}
	data, err := c.read(name)
	return stacks.String(data), err
}

func (c call) read(name string) (string, error) {
	inside := path.Clean(strings.ReplaceAll(name, `\`, "/"))
	var data []byte
	var err error
	switch {
	case fs.ValidPath(inside) && c.set.ports.Files != nil:
		data, err = fs.ReadFile(c.set.ports.Files, inside)
	case c.set.ports.Outside != nil:
		data, err = c.set.ports.Outside(name)
	default:
		return "", c.problem(name+" lies outside the project", "give a path relative to the project")
	}
	if errors.Is(err, fs.ErrNotExist) {
		return "", c.problem("there is no file "+name, "paths are relative to the project")
	}
	if err != nil {
		return "", c.problem(name+" cannot be read: "+err.Error(), "")
	}
	return string(data), nil
}

// parse reads JSON or YAML. Tags in it mean nothing here.
func (c call) parse(text string) (stacks.Value, error) {
	node, _, err := cfnyaml.Parse([]byte(text))
	if err != nil {
		return stacks.Value{}, err
	}
	return fromNode(node, c.pos)
}

func fromNode(n *cfnyaml.Node, pos stacks.Pos) (stacks.Value, error) {
	if n.Tag != "" {
		return stacks.Value{}, fmt.Errorf("line %d, column %d: %s means nothing here", n.Line, n.Column, n.Tag)
	}
	v := stacks.Value{Pos: pos, Text: n.Text}
	switch n.Kind {
	case cfnyaml.Null:
		v.Text = ""
	case cfnyaml.Bool:
		v.Kind = stacks.Bool
	case cfnyaml.Int:
		v.Kind = stacks.Int
	case cfnyaml.Float:
		v.Kind = stacks.Float
	case cfnyaml.Time, cfnyaml.String:
		v.Kind = stacks.Text
	case cfnyaml.List:
		v.Kind = stacks.List
		for _, i := range n.Items {
			w, err := fromNode(i, pos)
			if err != nil {
				return stacks.Value{}, err
			}
			v.Items = append(v.Items, w)
		}
	case cfnyaml.Map:
		v.Kind = stacks.Map
		for _, p := range n.Pairs {
			w, err := fromNode(p.Value, pos)
			if err != nil {
				return stacks.Value{}, err
			}
			key := p.Key.Raw
			if p.Key.Kind == cfnyaml.String {
				key = p.Key.Text
			}
			v.Fields = append(v.Fields, stacks.Field{Key: key, Value: w, Pos: pos})
		}
	}
	return v, nil
}

// fromJSON parses a string.
func fromJSON(_ context.Context, c call) (stacks.Value, error) {
	text, err := c.text("a string of JSON")
	if err != nil {
		return stacks.Value{}, err
	}
	v, err := c.parse(text)
	if err != nil {
		return stacks.Value{}, c.problem("its argument is no JSON: "+err.Error(), "")
	}
	return v, nil
}

// date gives the time now in a form of strftime's.
func date(_ context.Context, c call) (stacks.Value, error) {
	form, err := c.text(`a format such as "%Y-%m-%d"`)
	if err != nil {
		return stacks.Value{}, err
	}
	if c.set.ports.Now == nil {
		return c.later(false), nil
	}
	return stacks.String(strftime.Format(form, c.set.ports.Now())), nil
}
