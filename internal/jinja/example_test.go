package jinja_test

import (
	"fmt"

	"github.com/deployer-cli/deployer/internal/jinja"
)

func ExampleEnvironment_Render() {
	env := jinja.New(jinja.Options{TrimBlocks: true})
	vars := jinja.NewDict()
	vars.Set("region", "eu-west-1")
	vars.Set("zones", jinja.FromGo([]string{"a", "b"}))
	out, err := env.Render("config.yaml", `Zones:
{% for zone in zones %}
  - {{ region ~ zone }}
{% endfor %}`, vars)
	fmt.Println(out, err)
	_, err = env.Render("config.yaml", "Name: {{ name }}", vars)
	fmt.Println(err)
	// Output:
	// Zones:
	//   - eu-west-1a
	//   - eu-west-1b
	//  <nil>
	// config.yaml:1:10: 'name' is undefined
}
