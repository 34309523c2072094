package config_test

import (
	"strings"
	"testing"

	"github.com/deployer-cli/deployer/config"
	"github.com/deployer-cli/deployer/stacks"
)

// TestProbesOfAStack: the probes that a stack of a development environment names are
// declared there; elsewhere nothing is broken.
func TestProbesOfAStack(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, class, probes, want string }{
		{"declared", "development", "[site]", ""},
		{"none", "development", "[]", ""},
		{"not declared", "development", "[site, nonexistent]", "config/dev/app.yaml:2:24: break.probes names nonexistent: environment dev declares no such probe"},
		{"misspelt", "development", "[sit]", "did you mean site?"},
		{"where nothing is broken", "persistent", "[nonexistent]", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p, err := load(t, "-- config/config.yaml --\nproject_code: demo\nregion: eu-west-1\n"+
				"-- config/dev/config.yaml --\nenvironment: {class: "+tt.class+", probes: {site: {tcp: \"x:1\"}}}\n"+
				"-- config/dev/app.yaml --\ntemplate: {path: a}\nbreak: {probes: "+tt.probes+"}\n", config.Options{})
			if err != nil {
				t.Fatal(err)
			}
			text := ""
			for _, one := range problems(p.Problems([]stacks.Path{"dev/app"})) {
				text += full(one)
			}
			if (text == "") != (tt.want == "") || !strings.Contains(text, tt.want) {
				t.Errorf("%q, want %q", text, tt.want)
			}
		})
	}
}
