package resolve

import (
	"context"
	"strings"

	"github.com/deployer-cli/deployer/stacks"
)

func isAddress(name string) bool {
	return strings.HasPrefix(name, "http://") || strings.HasPrefix(name, "https://")
}

// fetch gets what stands at an address, once.
func (c call) fetch(ctx context.Context, address, user, password string) (string, error) {
	from := source{kind: "web", name: address, key: user + "\x00" + password}
	text, _, err := c.set.cache.get(ctx, from, func(ctx context.Context) (string, bool, error) {
		data, err := c.set.ports.Web.Get(ctx, address, user, password)
		return string(data), false, err
	})
	return text, err
}

// request gives what a service answers: url, or {url, auth, user, password}.
func request(ctx context.Context, c call) (stacks.Value, error) {
	const form = "an address, or {url, auth: basic, user, password}"
	address, user, password := c.arg.Text, "", ""
	if c.arg.Kind == stacks.Map {
		for _, f := range c.arg.Fields {
			if !f.Value.IsScalar() {
				return stacks.Value{}, c.wants(form)
			}
			switch f.Key {
			case "url":
				address = f.Value.Text
			case "user":
				user = f.Value.Text
			case "password":
				password = f.Value.Text
			case "auth":
				if f.Value.Text != "basic" {
					return stacks.Value{}, c.problem("auth: "+f.Value.Text+" is not known", "auth: basic is")
				}
			default:
				return stacks.Value{}, c.wants(form)
			}
		}
	}
	if !isAddress(address) {
		return stacks.Value{}, c.wants(form)
	}
	secret := soundsSecret(c.key)
	if c.set.ports.Web == nil {
		return c.later(secret), nil
	}
	text, err := c.fetch(ctx, address, user, password)
	return stacks.Value{Kind: stacks.Text, Text: text, Secret: secret}, err
}

// plugin gives what a program of the user's gives.
func plugin(ctx context.Context, c call) (stacks.Value, error) {
	if c.set.ports.Commands == nil {
		return c.later(soundsSecret(c.key)), nil
	}
	v, err := c.set.ports.Plugins.Resolve(ctx, c.stack, c.name, c.arg)
	v.Secret = v.Secret || soundsSecret(c.key)
	return v, err
}
