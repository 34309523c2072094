package plan

import (
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/stacks"
)

// shortSecret is the length below which a secret is covered only where it
// stands alone: hiding each "on" of a template would hide the template.
const shortSecret = 4

// Secrets are the secret values of what the project wants of a stack.
func Secrets(d *stacks.Desired) []string {
	found := slices.Clone(d.Secrets)
	for _, p := range d.Parameters {
		if p.Secret {
			found = append(found, p.Value)
		}
	}
	return found
}

// Cover hides secret values in two versions of a document, of which the wanted
// one holds them. Where a secret was changed nobody knows the one that lives,
// so that a place which differs by a secret is covered on both sides.
func Cover(live, wanted any, secrets []string) (any, any) {
	secrets = slices.DeleteFunc(slices.Clone(secrets), func(s string) bool { return s == "" })
	if len(secrets) == 0 {
		return live, wanted
	}
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) })
	return coverer(secrets).both(live, wanted)
}

// CoverText hides secret values in a text.
func CoverText(text string, secrets []string) string {
	_, out := Cover(nil, text, secrets)
	return out.(string) //nolint:forcetypeassert // a text stays one
}

// coveredText stands for a live value that may be secret.
func coveredText(live string) string {
	if live == "" {
		return ""
	}
	return hidden
}

// coverer holds secrets, longest first, so that hiding one never leaves the
// rest of another to be seen.
type coverer []string

func (c coverer) both(live, wanted any) (any, any) {
	switch w := wanted.(type) {
	case map[string]any:
		old, _ := live.(map[string]any)
		return c.maps(live, old, w)
	case []any:
		return c.lists(live, w)
	case string:
		return c.texts(live, w)
	default:
		return c.alone(live), wanted
	}
}

func (c coverer) texts(live any, wanted string) (before, after any) {
	covered := c.text(wanted)
	before = c.alone(live)
	if covered == wanted || live == nil {
		return before, covered
	}
	if s, ok := before.(string); !ok || strings.Count(s, hidden) < strings.Count(covered, hidden) {
		before = hidden // else the same secrets stand in another text
	}
	if before == covered && live != wanted {
		covered += " (changed)"
	}
	return before, covered
}

func (c coverer) maps(live any, old, wanted map[string]any) (any, any) {
	before, after := make(map[string]any, len(old)), make(map[string]any, len(wanted))
	secret := false
	for key, w := range wanted {
		covered := any(nil)
		covered, after[key] = c.both(old[key], w)
		secret = secret || c.holds(w)
		if _, ok := old[key]; ok {
			before[key] = covered
		}
	}
	if old == nil {
		if secret && live != nil {
			return hidden, after
		}
		return c.alone(live), after
	}
	for key, v := range old {
		if _, ok := wanted[key]; !ok {
			before[key] = c.alone(v)
		}
	}
	return before, after
}

// lists goes place by place. In lists of different lengths nobody can tell
// which place became which.
func (c coverer) lists(live any, wanted []any) (any, any) {
	old, ok := live.([]any)
	after := make([]any, len(wanted))
	if !ok || len(old) != len(wanted) {
		for i, w := range wanted {
			_, after[i] = c.both(nil, w)
		}
		if live != nil && c.holds(wanted) {
			return hidden, after
		}
		return c.alone(live), after
	}
	before := make([]any, len(old))
	for i, w := range wanted {
		before[i], after[i] = c.both(old[i], w)
	}
	return before, after
}

// alone covers the known secrets of a value that has no other side.
func (c coverer) alone(v any) any {
	if v == nil {
		return nil
	}
	_, out := c.both(nil, v)
	return out
}

// holds tells whether a secret stands in v.
func (c coverer) holds(v any) bool {
	switch v := v.(type) {
	case string:
		return c.text(v) != v
	case []any:
		return slices.ContainsFunc(v, c.holds)
	case map[string]any:
		for _, item := range v {
			if c.holds(item) {
				return true
			}
		}
	}
	return false
}

func (c coverer) text(s string) string {
	for _, secret := range c {
		switch {
		case s == secret:
			return hidden
		case len(secret) >= shortSecret:
			s = strings.ReplaceAll(s, secret, hidden)
		}
	}
	return s
}
