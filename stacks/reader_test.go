package stacks_test

import (
	"strings"
	"testing"

	"github.com/deployer-cli/deployer/stacks"
)

func TestWithoutPasswords(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"https://dev.example/health":                       "",
		"https://dev.example/a@b":                          "",
		"https://dev.example?who=a@b":                      "",
		"mail me@dev.example":                              "",
		"git@github.com:a/b":                               "",
		"https://me:hush@dev.example/health":               "https://dev.example/health",
		"https://hush@dev.example":                         "https://dev.example",
		"HTTPS://me:h@u@sh@dev.example/":                   "HTTPS://dev.example/",
		"curl -f https://me:hush@a/ redis://:hush@b:6379/": "curl -f https://a/ redis://b:6379/",
		`{"url":"https://me:hush@a/"}`:                     `{"url":"https://a/"}`,
	} {
		if got := stacks.HoldsPassword(text); got != (want != "") {
			t.Errorf("%s holds a password: %v", text, got)
		}
		if want == "" {
			want = text
		}
		if got := stacks.WithoutPasswords(text); got != want || stacks.HoldsPassword(got) {
			t.Errorf("%s: %s", text, got)
		}
	}
}

func TestReader(t *testing.T) {
	t.Parallel()
	text := stacks.String
	list := func(items ...stacks.Value) stacks.Field {
		return stacks.Field{Key: "k", Value: stacks.Value{Kind: stacks.List, Items: items}}
	}
	for name, c := range map[string]struct {
		read func(*stacks.Reader)
		want string // of the error; "" for none
	}{
		"a command":   {func(r *stacks.Reader) { r.Command("c", list(text("a"), text(""))) }, ""},
		"no program":  {func(r *stacks.Reader) { r.Command("c", list(text(""))) }, "its word 1 must be a string"},
		"nothing":     {func(r *stacks.Reader) { r.Command("c", list()) }, "it must be a list"},
		"no list":     {func(r *stacks.Reader) { r.Command("c", stacks.Field{Value: text("hush")}) }, "it must be a list"},
		"a password":  {func(r *stacks.Reader) { r.Command("c", list(text("curl"), text("https://me:hush@a/"))) }, "its word 2 holds an address with"},
		"a map in it": {func(r *stacks.Reader) { r.Command("c", list(text("a"), stacks.Value{Kind: stacks.Map})) }, "its word 2 must be a string, and is a map"},
		"no text":     {func(r *stacks.Reader) { r.Text("t", stacks.Field{Value: stacks.Value{Kind: stacks.Int, Text: "7"}}) }, "it must be a string"},
		"no map":      {func(r *stacks.Reader) { r.Named("probes", "probe", text("hush")) }, "probes cannot be used: it must be a map of probes by name"},
		"the same name": {func(r *stacks.Reader) {
			r.Named("n", "probe", stacks.Value{Kind: stacks.Map, Fields: []stacks.Field{{Key: "a"}, {Key: "a"}}})
		}, "n.a cannot be used: every probe needs a name of its own"},
	} {
		var r stacks.Reader
		c.read(&r)
		err := r.Err()
		if (err != nil) != (c.want != "") || err != nil && (!strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hush")) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestShownAddress(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"https://me:hush@dev.example/health?token=hush#hush": "https://dev.example/health",
		"http://dev.example:8080/a%2Fb":                      "http://dev.example:8080/a%2Fb",
		"hush":                                               "an address",
		"http://[hush":                                       "an address",
		"":                                                   "an address",
	} {
		if got := stacks.ShownAddress(in); got != want {
			t.Errorf("%s is shown as %s", in, got)
		}
	}
}
