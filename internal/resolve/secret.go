package resolve

import (
	"strings"

	"github.com/deployer-cli/deployer/stacks"
)

// soundsSecret tells whether a name says that what it names is secret.
func soundsSecret(name string) bool {
	name = strings.ToLower(name)
	for _, word := range []string{"password", "secret", "token", "credential"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}

// overridden applies the stack's secrets key, which says of keys whether their
// values are secret whatever their resolver thinks:
//
//	secrets: {DbPassword: true, TokenUrl: false}
//
// Entries that are no booleans are the project's own and count for nothing.
func overridden(st *stacks.Stack, key string, v stacks.Value) stacks.Value {
	if st == nil {
		return v
	}
	secrets, _ := st.Config.Get("secrets")
	says, ok := secrets.Get(key)
	if !ok || says.Kind != stacks.Bool {
		return v
	}
	if says.Text == "true" {
		v.Secret = true
		return v
	}
	return open(v)
}

// open takes the mark of secrecy off v and everything in it.
func open(v stacks.Value) stacks.Value {
	v.Secret = false
	if len(v.Items) > 0 {
		items := make([]stacks.Value, len(v.Items))
		for i, item := range v.Items {
			items[i] = open(item)
		}
		v.Items = items
	}
	if len(v.Fields) > 0 {
		fields := make([]stacks.Field, len(v.Fields))
		for i, f := range v.Fields {
			f.Value = open(f.Value)
			fields[i] = f
		}
		v.Fields = fields
	}
	return v
}
