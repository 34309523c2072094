package graph

import (
	"slices"
	"strings"
	"testing"
)

func TestDynamic(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"":                     nil,
		"{{resolve:ssm:/a}}":   {"/a"},
		"{{resolve:ssm:/a:3}}": {"/a"},
		"x{{resolve:ssm:/a}}-{{resolve:ssm-secure:/b:1}}y": {"/a", "/b"},
		"{{resolve:secretsmanager:x}}":                     nil,
		"{{resolve:ssm:":                                   nil,
		"{{resolve:ssm:}}":                                 nil,
		"{{resolve:ssmx:/a}}":                              nil,
	} {
		if got := dynamic(text); !slices.Equal(got, want) {
			t.Errorf("dynamic(%q) = %q, want %q", text, got, want)
		}
	}
}

func FuzzDynamic(f *testing.F) {
	f.Add("{{resolve:ssm:/a:3}} {{resolve:ssm-secure:/b}}")
	f.Add("{{resolve:ssm:{{resolve:ssm:}}")
	f.Fuzz(func(t *testing.T, text string) {
		for _, name := range dynamic(text) {
			if name == "" || strings.Contains(name, ":") || !strings.Contains(text, name) {
				t.Errorf("dynamic(%q) gives %q", text, name)
			}
		}
	})
}
