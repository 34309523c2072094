package engine

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/internal/restype"
)

// validate says what AWS finds wrong with the properties of a resource: text
// and whether the finding is of the validation that runs before the handler.
func validate(id string, r *state) (text string, early bool) {
	t, ok := restype.Lookup(r.Type)
	if !ok || len(t.Properties) == 0 && r.Type != handleType {
		return "", false
	}
	var extra, missing, slashed []string
	for _, p := range slices.Sorted(maps.Keys(r.Props)) {
		if !t.HasProperty(p) {
			extra = append(extra, fmt.Sprintf("#: extraneous key [%s] is not permitted", p))
		}
	}
	for _, p := range slices.Sorted(slices.Values(t.Required)) {
		if _, has := r.Props[p]; !has {
			missing = append(missing, fmt.Sprintf("#: required key [%s] not found", p))
			slashed = append(slashed, fmt.Sprintf("The property {/%s} is required", p))
		}
	}
	switch {
	case len(extra) > 0:
		return fmt.Sprintf("Properties validation failed for resource %s with message: [%s]", id, strings.Join(append(extra, missing...), ", ")), true
	case len(missing) > 0:
		return fmt.Sprintf("Property validation failure: [%s]", strings.Join(slashed, ", ")), false
	}
	return "", false
}

// difference tells how a resource must change to become next.
func difference(old, next *state) (how string, changed []string) {
	for _, p := range slices.Sorted(maps.Keys(union(old.Props, next.Props))) {
		if !same(old.Props[p], next.Props[p]) {
			changed = append(changed, p)
		}
	}
	t, known := restype.Lookup(next.Type)
	if next.Type == waitType || next.Type == handleType {
		return howNothing, nil
	}
	for _, p := range changed {
		if known && replaces(t, p, old.Props[p], next.Props[p]) {
			return howReplace, changed
		}
	}
	tagged := known && t.TagProperty != "" && old.Tags != next.Tags
	if len(changed) > 0 || tagged || next.Type == stackType {
		return howUpdate, changed
	}
	return howNothing, nil
}

// replaces reports whether changing a property, or the part of it that
// differs, always needs a new physical resource.
func replaces(t *restype.Type, property string, old, next any) bool {
	always, maybe := t.Replaces(property)
	if always || !maybe {
		return always
	}
	for _, path := range paths(property, old, next) {
		if always, _ := t.Replaces(path); always {
			return true
		}
	}
	return false
}

// paths lists where two values differ, dotted.
func paths(at string, old, next any) []string {
	a, aMap := old.(map[string]any)
	b, bMap := next.(map[string]any)
	if aMap && bMap {
		var out []string
		for _, k := range slices.Sorted(maps.Keys(union(a, b))) {
			out = append(out, paths(at+"."+k, a[k], b[k])...)
		}
		return out
	}
	la, aList := old.([]any)
	lb, bList := next.([]any)
	if aList && bList && len(la) == len(lb) {
		var out []string
		for i := range la {
			out = append(out, paths(fmt.Sprintf("%s.%d", at, i), la[i], lb[i])...)
		}
		return out
	}
	if same(old, next) {
		return nil
	}
	return []string{at}
}

func union(a, b map[string]any) map[string]bool {
	all := map[string]bool{}
	for k := range a {
		all[k] = true
	}
	for k := range b {
		all[k] = true
	}
	return all
}

// same compares stored values, which are strings, lists and maps.
func same(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		return ok && len(a) == len(b) && !slices.ContainsFunc(slices.Collect(maps.Keys(a)), func(k string) bool {
			v, has := b[k]
			return !has || !same(a[k], v)
		})
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, same)
	default:
		switch b.(type) {
		case map[string]any, []any:
			return false
		}
		return a == b
	}
}
