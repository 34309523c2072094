package notify_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/deployer-cli/deployer/internal/notify"
	"github.com/deployer-cli/deployer/stacks"
)

func text(s string) stacks.Value { return stacks.String(s) }

func block(pairs ...any) stacks.Value {
	v := stacks.Value{Kind: stacks.Map}
	for i := 0; i < len(pairs); i += 2 {
		v.Fields = append(v.Fields, stacks.Field{Key: pairs[i].(string), Value: pairs[i+1].(stacks.Value), Pos: stacks.Pos{File: "config/dev/config.yaml", Line: i/2 + 1}})
	}
	return v
}

var yes = stacks.Value{Kind: stacks.Bool, Text: "true"}

func TestParse(t *testing.T) {
	t.Parallel()
	got, err := notify.Parse(block(
		"team", block("webhook", block("env", text("TEAM_WEBHOOK"))),
		"topic", block("sns", text("arn:aws:sns:eu-west-2:333333333333:gameday"), "full_detail", yes),
		"pager", block("command", stacks.Strings("scripts/page.sh")),
		"fn", block("lambda", text("recovery-listener")),
	))
	at := func(line int) stacks.Pos { return stacks.Pos{File: "config/dev/config.yaml", Line: line} }
	want := []notify.Target{
		{Name: "fn", Lambda: "recovery-listener", Pos: at(4)},
		{Name: "pager", Command: []string{"scripts/page.sh"}, Pos: at(3)},
		{Name: "team", Webhook: "TEAM_WEBHOOK", Pos: at(1)},
		{Name: "topic", SNS: "arn:aws:sns:eu-west-2:333333333333:gameday", FullDetail: true, Pos: at(2)},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v\n%v", got, want, err)
	}
	if none, err := notify.Parse(stacks.Value{}); len(none) != 0 || err != nil {
		t.Errorf("nothing declared: %v, %v", none, err)
	}
}

func TestParseTellsEverythingThatIsWrong(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		in   stacks.Value
		want string
	}{
		"no map":            {text("x"), "notify cannot be used: it must be a map"},
		"no target":         {block("a", text("https://hush")), "config.yaml:1: notify.a cannot be used: it must be a map"},
		"an address":        {block("a", block("webhook", text("https://hush"))), "the address itself is a secret"},
		"address as a name": {block("a", block("webhook", block("env", text("https://hush")))), "it must be the name of a variable"},
		"webhook and more":  {block("a", block("webhook", block("env", text("X"), "url", text("hush")))), "it must be {env: NAME}"},
		"no topic":          {block("a", block("sns", text("arn:aws:sqs:eu-west-2:333333333333:q"))), "it must be the ARN of a topic"},
		"password":          {block("a", block("command", stacks.Strings("curl", "https://me:hush@x/"))), "its word 2 holds an address with a user or a password"},
		"two":               {block("a", block("lambda", text("x"), "command", stacks.Strings("y"))), "exactly one of"},
		"none":              {block("a", block("full_detail", yes)), "exactly one of"},
		"no truth":          {block("a", block("lambda", text("x"), "full_detail", text("yes"))), "true or false"},
		"function":          {block("a", block("lambda", text("a b"))), "the name or the ARN of a function"},
		"unknown":           {block("a", block("mail", text("x"))), "notify.a.mail cannot be used: there is no such key"},
		"twice":             {block("a", block("lambda", text("x")), "a", block("lambda", text("x"))), "a name of its own"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := notify.Parse(tt.in)
			if err == nil || got != nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hush") {
				t.Errorf("%v, %v", got, err)
			}
			if _, ok := errors.AsType[*stacks.Problem](err); !ok {
				t.Errorf("%T is no problem of a file", err)
			}
		})
	}
}

// FuzzParse: whatever comes, it is targets of one kind each, or a problem, and no
// problem shows what somebody wrote.
func FuzzParse(f *testing.F) {
	f.Add("team", "webhook", "env", "TEAM_WEBHOOK", true)
	f.Add("topic", "sns", "", "arn:aws:sns:eu-west-2:333333333333:gameday", false)
	f.Add("fn", "lambda", "", "arn:aws:lambda:eu-west-2:333333333333:function:x:live", false)
	f.Add("pager", "command", "", "scripts/page.sh", true)
	f.Add("", "webhook", "url", "https://hooks.example/hush", true)
	f.Fuzz(func(t *testing.T, name, kind, inner, value string, full bool) {
		v := text(value)
		if inner != "" {
			v = block(inner, v)
		}
		if kind == "command" {
			v = stacks.Strings(strings.Fields(value)...)
		}
		target := block(kind, v)
		if full {
			target.Fields = append(target.Fields, stacks.Field{Key: "full_detail", Value: yes})
		}
		got, err := notify.Parse(block(name, target))
		if err != nil {
			if secret := "https://hooks.example/hush"; value == secret && strings.Contains(err.Error(), secret) && !strings.Contains(name+kind+inner, secret) {
				t.Fatal(err)
			}
			if _, ok := errors.AsType[*stacks.Problem](err); !ok || got != nil {
				t.Fatalf("%v, %T: %v", got, err, err)
			}
			return
		}
		if len(got) != 1 || got[0].Name != name || got[0].Kind() != kind || got[0].FullDetail != full {
			t.Fatalf("%+v", got)
		}
	})
}
