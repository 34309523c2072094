package stacks_test

import (
	"strings"
	"testing"
	"time"

	"github.com/deployer-cli/deployer/stacks"
)

func TestMatches(t *testing.T) {
	t.Parallel()
	for glob, want := range map[string]string{
		"dev/**":       "dev/network dev/eu/web dev/eu/db",
		"**":           "dev/network dev/eu/web dev/eu/db prod/network top",
		"*":            "top",
		"*/network":    "dev/network prod/network",
		"dev/*":        "dev/network",
		"**/web":       "dev/eu/web",
		"dev/**/db":    "dev/eu/db",
		"dev/**/**/db": "dev/eu/db",
		"**/eu/**":     "dev/eu/web dev/eu/db",
		"dev/eu/[wd]?": "dev/eu/db",
		"dev/network":  "dev/network",
		"dev":          "",
		"":             "",
		"/dev/**":      "",
		"dev/[":        "",
		"de**/network": "dev/network",
	} {
		var got []string
		for _, p := range []stacks.Path{"dev/network", "dev/eu/web", "dev/eu/db", "prod/network", "top"} {
			if p.Matches(glob) {
				got = append(got, string(p))
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q matches %q, not %q", glob, got, want)
		}
	}
	for _, glob := range []string{"", "/a", "a/", "a//b", "a/[", "["} {
		if stacks.CheckGlob(glob) == nil {
			t.Errorf("%q is a pattern", glob)
		}
	}
}

func TestPeriod(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"90s": 90 * time.Second, "30m": 30 * time.Minute, "2d": 48 * time.Hour, "1h30m": 90 * time.Minute,
		"": 0, "0s": 0, "0d": 0, "-1s": 0, "5": 0, "1.5d": 0, "70000d": 0, "d": 0,
	} {
		got, err := stacks.Period(text)
		if got != want || (err == nil) != (want > 0) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}
