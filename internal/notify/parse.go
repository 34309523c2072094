package notify

import (
	"regexp"

	"github.com/deployer-cli/deployer/stacks"
)

// Parse reads the notify block of an environment and gives the targets sorted by
// name. All that is wrong comes at once, as *stacks.Problem; no target is given
// then.
func Parse(v stacks.Value) ([]Target, error) {
	r := &reader{}
	var out []Target
	for _, f := range r.Named("notify", "target", v) {
		out = append(out, r.target(f))
	}
	if err := r.Err(); err != nil {
		return nil, err
	}
	return out, nil
}

// reader reads targets.
type reader struct{ stacks.Reader }

func (r *reader) target(f stacks.Field) Target {
	t := Target{Name: f.Key, Pos: f.Pos}
	what := "notify." + f.Key
	if f.Value.Kind != stacks.Map {
		r.Fail(what, f.Pos, "it must be a map such as {webhook: {env: TEAM_WEBHOOK}}, and is "+f.Value.Kind.String())
		return t
	}
	kinds := 0
	for _, g := range f.Value.Fields {
		key := what + "." + g.Key
		if g.Key == "full_detail" {
			if g.Value.Kind != stacks.Bool {
				r.Fail(key, g.Pos, "it must be true or false, and is "+g.Value.Kind.String())
			}
			t.FullDetail = g.Value.Kind == stacks.Bool && g.Value.Text == "true"
			continue
		}
		kinds++
		r.kind(&t, key, g)
	}
	if kinds != 1 {
		r.Fail(what, f.Pos, "it needs exactly one of webhook, sns, command, lambda")
	}
	return t
}

func (r *reader) kind(t *Target, what string, f stacks.Field) {
	switch f.Key {
	case "webhook":
		t.Webhook = r.webhook(what, f)
	case "sns":
		t.SNS = r.Text(what, f)
		if t.SNS != "" && !regexp.MustCompile(`^arn:[a-z-]+:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}(\.fifo)?$`).MatchString(t.SNS) {
			r.Fail(what, f.Pos, "it must be the ARN of a topic, such as arn:aws:sns:eu-west-2:333333333333:gameday")
		}
	case "command":
		t.Command = r.Command(what, f)
	case "lambda":
		t.Lambda = r.Text(what, f)
		if t.Lambda != "" && !regexp.MustCompile(`^(arn:[a-z-]+:lambda:[a-z0-9-]+:\d{12}:function:)?[A-Za-z0-9_-]{1,140}(:[A-Za-z0-9$_-]+)?$`).MatchString(t.Lambda) {
			r.Fail(what, f.Pos, "it must be the name or the ARN of a function")
		}
	default:
		r.Fail(what, f.Pos, "there is no such key; known are webhook, sns, command, lambda, full_detail")
	}
}

func (r *reader) webhook(what string, f stacks.Field) string {
	name, ok := f.Value.Get("env")
	if f.Value.Kind != stacks.Map || !ok || len(f.Value.Fields) != 1 {
		r.Fail(what, f.Pos, "it must be {env: NAME}, NAME being the variable that holds the address: the address itself is a secret")
		return ""
	}
	if name.Kind != stacks.Text || !regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`).MatchString(name.Text) {
		r.Fail(what+".env", f.Pos, "it must be the name of a variable, such as TEAM_WEBHOOK")
		return ""
	}
	return name.Text
}
