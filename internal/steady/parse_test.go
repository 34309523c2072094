package steady_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/deployer-cli/deployer/internal/steady"
	"github.com/deployer-cli/deployer/stacks"
)

func text(s string) stacks.Value { return stacks.String(s) }

func number(s string) stacks.Value { return stacks.Value{Kind: stacks.Int, Text: s} }

// block makes a map of keys and values in turn; every key has a place.
func block(pairs ...any) stacks.Value {
	v := stacks.Value{Kind: stacks.Map}
	for i := 0; i < len(pairs); i += 2 {
		v.Fields = append(v.Fields, stacks.Field{Key: pairs[i].(string), Value: pairs[i+1].(stacks.Value), Pos: stacks.Pos{File: "config/dev/config.yaml", Line: i/2 + 1}})
	}
	return v
}

func TestParse(t *testing.T) {
	t.Parallel()
	got, err := steady.Parse(block(
		"site", block("http", block("url", text("https://dev.example/health"), "status", number("200"), "body_contains", text("ok"), "max_latency", text("2s")),
			"every", text("10s"), "timeout", text("4s"), "stable_for", text("1m"), "role", text("guard")),
		"db", block("tcp", text("db.dev.example:5432")),
		"queue", block("command", stacks.Strings("scripts/roundtrip.sh", "--fast")),
		"alarms", block("cloudwatch_alarm", text("demo-dev-5xx")),
		"stacks", block("cloudformation", text("dev/**"), "role", text("evidence")),
	))
	if err != nil {
		t.Fatal(err)
	}
	at := func(line int) stacks.Pos { return stacks.Pos{File: "config/dev/config.yaml", Line: line} }
	want := []steady.Probe{
		{Name: "alarms", Role: steady.Steady, Every: 5 * time.Second, Timeout: 15 * time.Second, StableFor: 30 * time.Second, Alarm: "demo-dev-5xx", Pos: at(4)},
		{Name: "db", Role: steady.Steady, Every: 5 * time.Second, Timeout: 3 * time.Second, StableFor: 30 * time.Second, TCP: "db.dev.example:5432", Pos: at(2)},
		{Name: "queue", Role: steady.Steady, Every: 5 * time.Second, Timeout: 3 * time.Second, StableFor: 30 * time.Second, Command: []string{"scripts/roundtrip.sh", "--fast"}, Pos: at(3)},
		{
			Name: "site", Role: steady.Guard, Every: 10 * time.Second, Timeout: 4 * time.Second, StableFor: time.Minute,
			HTTP: &steady.HTTP{URL: "https://dev.example/health", Status: 200, Contains: "ok", MaxLatency: 2 * time.Second}, Pos: at(1),
		},
		{Name: "stacks", Role: steady.Evidence, Every: 5 * time.Second, Timeout: 15 * time.Second, StableFor: 30 * time.Second, Stacks: "dev/**", Pos: at(5)},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if none, err := steady.Parse(stacks.Value{}); len(none) != 0 || err != nil {
		t.Errorf("nothing declared: %v, %v", none, err)
	}
}

func TestParseTellsEverythingThatIsWrong(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		in   stacks.Value
		want []string
	}{
		"no map":         {text("x"), []string{"probes cannot be used: it must be a map of probes by name, and is a string"}},
		"no probe":       {block("a", text("x")), []string{"probes.a cannot be used: it must be a map"}},
		"nothing asked":  {block("a", block("every", text("5s"))), []string{"probes.a cannot be used: it needs exactly one of"}},
		"two at once":    {block("a", block("tcp", text("h:1"), "cloudwatch_alarm", text("x"))), []string{"exactly one of"}},
		"twice":          {block("a", block("tcp", text("h:1")), "a", block("tcp", text("h:2"))), []string{"config.yaml:2: probes.a cannot be used: every probe needs a name of its own"}},
		"several":        {block("a", block("tcp", text("h"), "every", text("5")), "b", block("http", block("status", number("99")))), []string{"probes.a.tcp", "probes.a.every", "probes.b.http.status", "probes.b.http cannot be used: url is missing"}},
		"port":           {block("a", block("tcp", text("h:99999"))), []string{"its port must be a number from 1 to 65535"}},
		"port by name":   {block("a", block("tcp", text("h:https"))), []string{"its port"}},
		"no host":        {block("a", block("tcp", text(":80"))), []string{"host:port"}},
		"ftp":            {block("a", block("http", block("url", text("ftp://hush:hush@x/")))), []string{"probes.a.http.url cannot be used: it must be an http or https address"}},
		"password":       {block("a", block("http", block("url", text("https://me:hush@x/")))), []string{"probes.a.http.url cannot be used: it holds a user or a password"}},
		"password, tcp":  {block("a", block("tcp", text("hush@h:1"))), []string{"host:port"}},
		"password, word": {block("a", block("command", stacks.Strings("curl", "https://me:hush@x/"))), []string{"its word 2 holds an address with a user or a password"}},
		"resolver":       {block("a", block("cloudwatch_alarm", stacks.Value{Kind: stacks.Call, Call: &stacks.Invocation{Name: "env"}})), []string{"it must be a string, and is a resolver call"}},
		"empty command":  {block("a", block("command", stacks.Strings())), []string{"list of a program"}},
		"nested command": {block("a", block("command", stacks.Value{Kind: stacks.List, Items: []stacks.Value{text("x"), stacks.Strings("y")}})), []string{"its word 2 must be a string"}},
		"unknown key":    {block("a", block("tcp", text("h:1"), "interval", text("5s"))), []string{"probes.a.interval cannot be used: there is no such key"}},
		"role":           {block("a", block("tcp", text("h:1"), "role", text("guards"))), []string{"steady, guard or evidence"}},
		"glob":           {block("a", block("cloudformation", text("dev/["))), []string{"no pattern of stack paths"}},
		"slow":           {block("a", block("http", block("url", text("http://h/"), "max_latency", text("5s")))), []string{"max_latency cannot be used: it is longer than the probe's timeout of 3s"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := steady.Parse(tt.in)
			if err == nil || got != nil {
				t.Fatalf("%v, %v", got, err)
			}
			if _, ok := errors.AsType[*stacks.Problem](err); !ok {
				t.Errorf("%T is no problem of a file", err)
			}
			for _, w := range tt.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%q is not in\n%v", w, err)
				}
			}
			if strings.Contains(err.Error(), "hush") {
				t.Errorf("a password is shown: %v", err)
			}
		})
	}
}

func TestForStacks(t *testing.T) {
	t.Parallel()
	got := steady.ForStacks([]stacks.Path{"dev/network", "dev/web"})
	if len(got) != 2 || got[1].Name != "dev/web" || got[1].Stacks != "dev/web" || got[1].Kind() != "cloudformation" || got[1].Role != steady.Steady || got[1].Timeout != steady.DefaultAWSTimeout {
		t.Errorf("%+v", got)
	}
}

// valueOf makes any value of bytes: what a config could hold, and more.
func valueOf(data *[]byte, depth int) stacks.Value {
	next := func() byte {
		if len(*data) == 0 {
			return 0
		}
		b := (*data)[0]
		*data = (*data)[1:]
		return b
	}
	words := []string{"", "http", "tcp", "command", "cloudwatch_alarm", "cloudformation", "url", "status", "body_contains", "max_latency", "every", "timeout", "stable_for", "role", "guard", "200", "5s", "2d", "h:1", "dev/**", "dev/[", "\x00", "\xff", "https://u:p@h/?t=1"}
	keys := words[:len(words)-1]
	v := stacks.Value{Kind: stacks.Kind(next() % 10), Text: words[int(next())%len(words)]}
	if depth == 0 {
		return v
	}
	switch v.Kind {
	case stacks.List:
		for range next() % 4 {
			v.Items = append(v.Items, valueOf(data, depth-1))
		}
	case stacks.Map:
		for range next() % 5 {
			v.Fields = append(v.Fields, stacks.Field{Key: keys[int(next())%len(keys)], Value: valueOf(data, depth-1)})
		}
	case stacks.Call:
		v.Call = &stacks.Invocation{Name: "x"}
	default:
	}
	return v
}

// FuzzParse: whatever comes, it is probes that can be looked at, or a problem.
func FuzzParse(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{6, 0, 1, 1, 6, 0, 2, 1, 6, 0, 1, 6, 4, 19, 10, 4, 16})
	f.Add([]byte{6, 0, 1, 1, 6, 0, 1, 2, 4, 18})
	f.Add([]byte("8000800a\"/")) // a pattern that is an address was shown
	f.Add([]byte{6, 0, 1, 1, 6, 0, 1, 3, 5, 0, 1, 4, 6})
	f.Fuzz(func(t *testing.T, data []byte) {
		probes, err := steady.Parse(valueOf(&data, 4))
		if err != nil {
			if probes != nil || strings.Contains(err.Error(), "u:p@") {
				t.Fatalf("%v, %v", probes, err)
			}
			if _, ok := errors.AsType[*stacks.Problem](err); !ok {
				t.Fatalf("%T: %v", err, err)
			}
			return
		}
		for _, p := range probes {
			if p.Name == "" || p.Kind() == "" || p.Role == "" || p.Every <= 0 || p.Timeout <= 0 || p.StableFor <= 0 || p.Target() == "" || p.HTTP != nil && strings.Contains(p.Target(), "u:p@") {
				t.Fatalf("%+v", p)
			}
		}
	})
}
