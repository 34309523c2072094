package notify

import (
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/stacks"
)

// Parse reads the notify block of an environment and gives the targets sorted by
// name. All that is wrong comes at once, as *stacks.Problem; no target is given
// then.
func Parse(v stacks.Value) ([]Target, error) {
	r := &reader{}
	var out []Target
	if v.Kind != stacks.Map && v.Kind != stacks.Null {
		r.fail("notify", v.Pos, "it must be a map of targets by name, and is "+v.Kind.String())
	}
	seen := map[string]bool{}
	for _, f := range v.Fields {
		if f.Key == "" || seen[f.Key] {
			r.fail("notify."+f.Key, f.Pos, "every target needs a name of its own")
			continue
		}
		seen[f.Key] = true
		out = append(out, r.target(f))
	}
	if len(r.problems) > 0 {
		return nil, errors.Join(r.problems...)
	}
	slices.SortFunc(out, func(a, b Target) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// reader collects what is wrong. It shows no value: somebody may have written an
// address where the name of its variable belongs.
type reader struct{ problems []error }

func (r *reader) fail(what string, at stacks.Pos, why string) {
	r.problems = append(r.problems, &stacks.Problem{Pos: at, What: what + " cannot be used", Why: why})
}

func (r *reader) target(f stacks.Field) Target {
	t := Target{Name: f.Key, Pos: f.Pos}
	what := "notify." + f.Key
	if f.Value.Kind != stacks.Map {
		r.fail(what, f.Pos, "it must be a map such as {webhook: {env: TEAM_WEBHOOK}}, and is "+f.Value.Kind.String())
		return t
	}
	kinds := 0
	for _, g := range f.Value.Fields {
		key := what + "." + g.Key
		if g.Key == "full_detail" {
			if g.Value.Kind != stacks.Bool {
				r.fail(key, g.Pos, "it must be true or false, and is "+g.Value.Kind.String())
			}
			t.FullDetail = g.Value.Kind == stacks.Bool && g.Value.Text == "true"
			continue
		}
		kinds++
		r.kind(&t, key, g)
	}
	if kinds != 1 {
		r.fail(what, f.Pos, "it needs exactly one of webhook, sns, command, lambda")
	}
	return t
}

func (r *reader) kind(t *Target, what string, f stacks.Field) {
	switch f.Key {
	case "webhook":
		t.Webhook = r.webhook(what, f)
	case "sns":
		t.SNS = r.text(what, f)
		if t.SNS != "" && !regexp.MustCompile(`^arn:[a-z-]+:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}(\.fifo)?$`).MatchString(t.SNS) {
			r.fail(what, f.Pos, "it must be the ARN of a topic, such as arn:aws:sns:eu-west-2:333333333333:gameday")
		}
	case "command":
		t.Command = r.command(what, f)
	case "lambda":
		t.Lambda = r.text(what, f)
		if t.Lambda != "" && !regexp.MustCompile(`^(arn:[a-z-]+:lambda:[a-z0-9-]+:\d{12}:function:)?[A-Za-z0-9_-]{1,140}(:[A-Za-z0-9$_-]+)?$`).MatchString(t.Lambda) {
			r.fail(what, f.Pos, "it must be the name or the ARN of a function")
		}
	default:
		r.fail(what, f.Pos, "there is no such key; known are webhook, sns, command, lambda, full_detail")
	}
}

func (r *reader) webhook(what string, f stacks.Field) string {
	name, ok := f.Value.Get("env")
	if f.Value.Kind != stacks.Map || !ok || len(f.Value.Fields) != 1 {
		r.fail(what, f.Pos, "it must be {env: NAME}, NAME being the variable that holds the address: the address itself is a secret")
		return ""
	}
	if name.Kind != stacks.Text || !regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`).MatchString(name.Text) {
		r.fail(what+".env", f.Pos, "it must be the name of a variable, such as TEAM_WEBHOOK")
		return ""
	}
	return name.Text
}

func (r *reader) command(what string, f stacks.Field) []string {
	if f.Value.Kind != stacks.List || len(f.Value.Items) == 0 {
		r.fail(what, f.Pos, "it must be a list of a program and its arguments, such as [scripts/page.sh]")
		return nil
	}
	out := make([]string, 0, len(f.Value.Items))
	for i, item := range f.Value.Items {
		if !item.IsScalar() || strings.ContainsRune(item.Text, 0) || i == 0 && item.Text == "" {
			r.fail(what, f.Pos, "every word of it must be a string, and one is "+item.Kind.String())
		}
		out = append(out, item.Text)
	}
	return out
}

func (r *reader) text(what string, f stacks.Field) string {
	if f.Value.Kind != stacks.Text || f.Value.Text == "" {
		r.fail(what, f.Pos, "it must be a string, and is "+f.Value.Kind.String())
		return ""
	}
	return f.Value.Text
}
