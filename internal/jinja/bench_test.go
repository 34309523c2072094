package jinja

import (
	"strings"
	"testing"
)

const smallTemplate = `template:
  path: vpc.yaml
parameters:
  Region: {{ stack_group_config.region }}
  Env: {{ var.env|default("dev") }}
{% if stack_group_config.big %}  Size: large{% else %}  Size: small{% endif %}
{% for az in stack_group_config.zones %}  Zone{{ loop.index }}: {{ az }}
{% endfor %}`

func benchVars() *Dict {
	return FromGo(map[string]any{
		"var":                map[string]any{},
		"stack_group_config": map[string]any{"region": "eu-west-1", "big": false, "zones": []any{"a", "b"}},
	}).(*Dict)
}

func BenchmarkSmall(b *testing.B) {
	e, vars := New(Options{}), benchVars()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := e.Render("t", smallTemplate, vars); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	e := New(Options{})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := e.parseSource("t", smallTemplate); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPlainText(b *testing.B) {
	e, text := New(Options{}), strings.Repeat("Key: value\n", 100)
	for b.Loop() {
		if _, err := e.Render("t", text, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLoop(b *testing.B) {
	e := New(Options{})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := e.Render("t", "{% for i in range(1000) %}{{ i * 2 }},{% endfor %}", nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		New(Options{})
	}
}
