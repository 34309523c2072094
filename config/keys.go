package config

import (
	"maps"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/internal/spell"
	"github.com/deployer-cli/deployer/stacks"
)

// environmentKey is the key of deployer's own block in a group file.
const environmentKey = "environment"

// knownKeys are the keys a config file may hold that mean something.
func knownKeys() []string {
	return []string{
		// Sceptre's, for stacks and groups.
		"dependencies", "dependencies_inheritance", "hooks", "hooks_inheritance",
		"notifications", "notifications_inheritance", "parameters", "parameters_inheritance",
		"sceptre_user_data", "sceptre_user_data_inheritance", "stack_tags", "stack_tags_inheritance",
		"template", "template_path", "stack_name", "project_code", "region", "profile",
		"sceptre_role", "iam_role", "sceptre_role_session_duration", "iam_role_session_duration",
		"cloudformation_service_role", "role_arn", "protect", "protected", "ignore", "obsolete",
		"on_failure", "disable_rollback", "stack_timeout", "required_version",
		"template_bucket_name", "template_key_prefix", "j2_environment", "http_template_handler",
		// deployer's own.
		environmentKey, "project_id", "stack_policy", "termination_protection", "break", "secrets", "regions",
	}
}

// unknownKeys warns of keys that look like a slip: custom keys are a
// project's good right, so only near misses are told.
func unknownKeys(d *document) []*stacks.Problem {
	known := knownKeys()
	var out []*stacks.Problem
	for _, f := range d.fields.Fields {
		meant := slip(f.Key, known)
		if meant == "" || slices.Contains(ordinaryKeys(), f.Key) {
			continue
		}
		out = append(out, &stacks.Problem{
			Pos:  f.Pos,
			What: "key " + f.Key + " is not known",
			Why:  "it has no effect of its own",
			Tip:  "did you mean " + meant + "?",
		})
	}
	return out
}

// misspeltBlock refuses what was meant to be an environment block: a near miss of
// the key that holds deployer's own keys. Unread, it would leave the environment
// without its class and its guard.
func misspeltBlock(d *document) []*stacks.Problem {
	var out []*stacks.Problem
	for _, f := range d.fields.Fields {
		near := strings.EqualFold(f.Key, environmentKey) || spell.Distance(strings.ToLower(f.Key), environmentKey, slipAtMost) <= slipAtMost
		if f.Key == environmentKey || f.Value.Kind != stacks.Map || !near {
			continue
		}
		for _, own := range []string{"class", "guard", "break", "accounts"} {
			if _, ok := field(f.Value, own); ok {
				out = append(out, &stacks.Problem{
					Pos: f.Pos, What: "key " + f.Key + " is not known", Why: "it holds " + own + " as an environment block does, and nothing would heed it",
					Tip: "did you mean " + environmentKey + "?",
				})
				break
			}
		}
	}
	return out
}

// slipAtMost is how many letters a misspelt block's key may be off.
const slipAtMost = 2

// ordinaryKeys are words that projects use for keys of their own, and that
// only happen to be near a known one.
func ordinaryKeys() []string { return []string{"project", "profiles", "secret", "templates"} }

// alias is an old name of a key.
type alias struct{ old, now string }

// aliases are Sceptre's old names. protected is what Sceptre's manual calls
// protect, and is no old name.
func aliases() []alias {
	return []alias{
		{"iam_role", "sceptre_role"},
		{"iam_role_session_duration", "sceptre_role_session_duration"},
		{"role_arn", "cloudformation_service_role"},
		{"template_path", "template"},
	}
}

// oldKeys warns of old names.
func oldKeys(d *document) []*stacks.Problem {
	var out []*stacks.Problem
	for _, a := range aliases() {
		if f, ok := field(d.fields, a.old); ok {
			out = append(out, &stacks.Problem{
				Pos:  f.Pos,
				What: "key " + a.old + " is an old name",
				Tip:  "write " + a.now + " instead",
			})
		}
	}
	return out
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
