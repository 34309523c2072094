package config

import (
	"slices"
	"testing"

	"github.com/deployer-cli/deployer/stacks"
)

func TestSatisfies(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		spec      string
		ok, valid bool
	}{
		{">=4", true, true},
		{">=4.6.1", false, true},
		{"<5,>=4.0", true, true},
		{"==4.6", true, true},
		{"==4.*", true, true},
		{"!=4.6.*", false, true},
		{"~=4.2", true, true},
		{"~=4.2.1", false, true},
		{"~=3.0", false, true},
		{"> 4.5", true, true},
		{"<=4.6.0", true, true},
		{"===4.6.0", true, true},
		{"4.0", false, false},
		{">=x", false, false},
		{"~=4", false, false},
		{">=4.*", false, false},
	} {
		if ok, valid := satisfies("4.6.0", tt.spec); ok != tt.ok || valid != tt.valid {
			t.Errorf("%s: %t %t, want %t %t", tt.spec, ok, valid, tt.ok, tt.valid)
		}
	}
}

func TestSlip(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]string{
		"parmeters": "parameters", "hook": "hooks", "region": "", "vpc_cidr": "", "role": "", "name": "", "ignored": "ignore", "stack_tag": "stack_tags",
		"service": "", "tags": "", "keep": "", "cache": "", "image": "", "stackname": "stack_name", "env": "",
	} {
		if got := slip(word, knownKeys()); got != want {
			t.Errorf("%s: %q, want %q", word, got, want)
		}
	}
	if near := nearest("xyz", slices.Values(knownKeys())); near != "" {
		t.Errorf("%q is near to nothing", near)
	}
}

func TestUndeclaredPath(t *testing.T) {
	t.Parallel()
	for at, want := range map[string]string{
		"": "", "dev": "dev", "dev/ecs": "dev", "services/prod/web": "services/prod", "prod": "prod", "a/b-live/c": "a/b-live", "product/x": "product",
	} {
		if got := undeclaredPath(stacks.Path(at)); string(got) != want {
			t.Errorf("%s: %s, want %s", at, got, want)
		}
	}
}
