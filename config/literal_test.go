package config_test

import (
	"strings"
	"testing"

	"github.com/deployer-cli/deployer/config"
)

// TestEnvironmentBlock holds one environment block per row, in the group dev
// or the one named, and what is wrong with it.
func TestEnvironmentBlock(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, group, block, want string }{
		{"good", "dev", "environment:\n  class: development\n", ""},
		{"good in quotes", "dev", "\"environment\": {class: development}\n", ""},
		{"quoted class", "dev", "environment: {class: \"development\"}\n", ""},
		{"comment with brace", "dev", "environment: {class: development} # {x}\n", ""},
		{"misspelt class", "dev", "environment:\n  class: devel0pment\n", `:2:10: class cannot be used: it must be production or persistent or development, and is "devel0pment"; did you mean development?`},
		{"upper case", "prod", "environment: {class: Production, accounts: [\"111111111111\"]}\n", "did you mean production?"},
		{"no class", "dev", "environment:\n  regions: [eu-west-1]\n", ":1:1: environment dev has no class"},
		{"empty", "dev", "environment:\n", "environment dev has no class"},
		{"weaker than name", "prod", "environment: {class: development}\n", ":1:22: class development is weaker than the name says"},
		{"weaker word", "eu-live", "environment: {class: persistent}\n", "is weaker than the name says"},
		{"not a word", "nonprod", "environment: {class: development}\n", ""},
		{"product", "product", "environment: {class: development}\n", ""},
		{"accounts missing", "prod", "environment: {class: production}\n", "environment prod has no accounts"},
		{"accounts empty", "prod", "environment: {class: production, accounts: []}\n", "environment prod has no accounts"},
		{"account as number", "prod", "environment: {class: production, accounts: [111111111111]}\n", "YAML reads an account id without quotes as a number"},
		{"account octal", "prod", "environment: {class: production, accounts: [012345670123]}\n", "even as an octal one"},
		{"account with 8 is a string", "prod", "environment: {class: production, accounts: [012345678901]}\n", ""},
		{"account short", "dev", "environment: {class: development, accounts: [\"1\"]}\n", "it must be a string of 12 digits"},
		{"accounts no list", "dev", "environment: {class: development, accounts: \"111111111111\"}\n", "accounts must be a list"},
		{"unknown key", "dev", "environment:\n  class: development\n  brake: {allow: true}\n", ":3:3: unknown key brake in environment"},
		{"unknown key in break", "dev", "environment:\n  class: development\n  break:\n    alow: true\n", ":4:5: unknown key alow in environment.break"},
		{"string boolean", "dev", "environment: {class: development, break: {allow: \"true\"}}\n", `environment.break.allow cannot be used: it must be true, false or never, and is "true"; leave the quotes out`},
		{"never", "dev", "environment: {class: development, break: {allow: never}}\n", ""},
		{"yes is a boolean", "dev", "environment: {class: development, break: {allow: yes}}\n", ""},
		{"bad number", "dev", "environment: {class: development, break: {max_percent: 101}}\n", "it must be a whole number from 1 to 100"},
		{"bad duration", "dev", "environment: {class: development, break: {rto: 30}}\n", "it must be a duration"},
		{"sexagesimal", "dev", "environment: {class: development, break: {rto: 1:30}}\n", "it must be a duration"},
		{"window", "dev", "environment: {class: development, break: {window: {cron: \"0 10 * *\", for: 6h}}}\n", "it must have five fields"},
		{"two probes", "dev", "environment: {class: development, probes: {a: {tcp: \"x:1\", cloudformation: \"dev/**\"}}}\n", "it needs exactly one of"},
		{"bad notify", "dev", "environment: {class: development, notify: {a: {webhok: {env: X}}}}\n", "unknown key webhok"},
		{"address of another kind", "dev", "environment: {class: development, probes: {a: {http: {url: \"ftp://me:hush@x/\"}}}}\n", "it must be an http or https address, and is an address"},
		{"webhook by its address", "dev", "environment: {class: development, notify: {a: {webhook: \"https://hooks.example/hush\"}}}\n", "notify.a.webhook must be a map: it is an address"},
		{"bad region", "dev", "environment: {class: development, regions: [ireland]}\n", "it must be a region such as eu-west-1"},
		{"bad mode", "dev", "environment: {class: development, mode: fast}\n", "environment.mode cannot be used"},
		{"express", "dev", "environment: {class: development, mode: express}\n", ""},
		{"express elsewhere", "dev", "environment: {class: persistent, mode: express}\n", "mode express is for development only"},
		{"approvals alone", "dev", "environment: {class: persistent, guard: {approvals: 2}}\n", "guard.approvals needs environment.state"},
		{"reserved name", "plan", "environment: {class: development}\n", "an environment cannot be called plan"},
		{"expression", "dev", "environment:\n  class: {{ var.class }}\n", ":2:1: the environment block must be literal: there is Jinja in it"},
		{"expression in quotes", "dev", "environment: {class: \"{{ 'development' }}\"}\n", "must be literal"},
		{"condition around", "dev", "{% if var.x is defined %}\nenvironment: {class: development}\n{% endif %}\n", "must be literal: after Jinja it is not there"},
		{"condition inside", "dev", "environment:\n  class: development\n{% if true %}\n  accounts: []\n{% endif %}\n", "must be literal"},
		{"only after rendering", "dev", "{{ 'environment' }}: {class: development}\n", "it does not stand in the file itself"},
		{"whole block", "dev", "environment: {{ {'class': 'development'} }}\n", "it does not stand in the file itself"},
		{"commented out", "dev", "{#\nenvironment: {class: development}\n#}\n", "must be literal"},
		{"resolver", "dev", "environment: {class: !environment_variable CLASS}\n", "!environment_variable is a resolver call"},
		{"resolver as block", "dev", "environment: !file env.yaml\n", "must be literal"},
		{"anchor from outside", "dev", "x: &c development\nenvironment:\n  class: *c\n", ""},
		{"merge key", "dev", "x: &e {environment: {class: development}}\n<<: *e\n", "it does not stand in the file itself"},
		{"twice", "dev", "environment: {class: development}\nregion: x\nenvironment: {class: persistent}\n", "environment stands twice"},
		{"key twice", "dev", "environment:\n  class: development\n  class: persistent\n", ":3:3:"},
		{"windows line ends", "dev", "environment:\r\n  class: development\r\n  regions: [eu-west-1]\r\nregion: x\r\n", ""},
		{"no last newline", "dev", "environment: {class: development}", ""},
		{"space before colon", "dev", "environment : {class: development}\n", ""},
		{"flow over lines", "dev", "environment: {\n  class: development\n}\nregion: x\n", ""},
		{"indented document", "dev", "  environment: {class: development}\n", "it does not stand in the file itself"},
		{"custom delimiters above", "dev", "environment: {class: [[ var.x ]]}\n", "class cannot be used"},
		{"own plain key", "dev", "environment: staging\n", ""},
		{"own key with Jinja", "dev", "environment: {{ 'staging' }}\n", ""},
		{"own list", "dev", "environment: [a]\n", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := load(t, "-- config/"+tt.group+"/config.yaml --\n"+tt.block, config.Options{})
			var texts []string
			for _, p := range problems(err) {
				texts = append(texts, full(p))
				if p.Pos.File != "config/"+tt.group+"/config.yaml" || p.Pos.Line == 0 {
					t.Errorf("%s has no place", full(p))
				}
			}
			got := strings.Join(texts, "\n")
			if tt.name == "anchor from outside" {
				if got == "" {
					t.Error("an alias to outside the block is taken as literal")
				}
				return
			}
			if (tt.want == "") != (got == "") || !strings.Contains(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestNoFlagChangesAClass tries the ways in which a variable might.
func TestNoFlagChangesAClass(t *testing.T) {
	t.Parallel()
	vars, err := config.MergeVars(nil, []string{"class=development", "environment=x", "block=environment: {class: development}"}, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		"environment: {class: {{ var.class }}}\n",
		"environment: {class: production, accounts: [\"111111111111\"]}\n{{ var.block }}\n",
		"{{ var.block }}\n",
		"{% set e = 'environment' %}\n{{ e }}:\n  class: {{ var.class }}\n",
		"environment:\n  class: production\n  accounts: [\"111111111111\"]\n{% if var.class == 'development' %}\n  class: development\n{% endif %}\n",
	} {
		p, err := load(t, "-- config/main/config.yaml --\n"+text+"-- config/main/a.yaml --\ntemplate: {path: a}\n", config.Options{Vars: vars})
		if err == nil {
			t.Errorf("%q is accepted", text)
		}
		for _, e := range p.Environments() {
			if e.Class == "development" {
				t.Errorf("%q makes it development", text)
			}
		}
	}
}
