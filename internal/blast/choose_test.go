package blast_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/deployer-cli/deployer/internal/blast"
	"github.com/deployer-cli/deployer/stacks"
)

func candidates(names ...string) []blast.Candidate {
	var out []blast.Candidate
	for _, n := range names {
		out = append(out, blast.Candidate{Path: stacks.Path(n), Name: strings.ReplaceAll(n, "/", "-"), Account: account, Region: region, Tags: map[string]string{"tier": n[len(n)-1:]}})
	}
	return out
}

func TestChoose(t *testing.T) {
	t.Parallel()
	all := candidates("dev/net/a", "dev/net/b", "dev/app", "dev/web", "qa/app")
	tests := map[string]struct {
		choice blast.Choice
		want   string // "" with an error
		err    string
	}{
		"path":            {blast.Choice{Paths: []stacks.Path{"dev/app"}}, "dev/app", ""},
		"group":           {blast.Choice{Paths: []stacks.Path{"dev/net"}}, "dev/net/a dev/net/b", ""},
		"paths, twice":    {blast.Choice{Paths: []stacks.Path{"dev/web", "dev/app", "dev/web"}}, "dev/app dev/web", ""},
		"glob":            {blast.Choice{Globs: []string{"*/app"}}, "dev/app qa/app", ""},
		"deep glob":       {blast.Choice{Globs: []string{"**/a*"}}, "dev/app dev/net/a qa/app", ""},
		"all of dev":      {blast.Choice{Globs: []string{"dev/**"}}, "dev/app dev/net/a dev/net/b dev/web", ""},
		"exclude":         {blast.Choice{Paths: []stacks.Path{"dev"}, Exclude: []string{"dev/net/*", "dev/w?b"}}, "dev/app", ""},
		"tag":             {blast.Choice{Paths: []stacks.Path{"dev"}, Tags: map[string]string{"tier": "b"}}, "dev/net/b dev/web", ""},
		"no such path":    {blast.Choice{Paths: []stacks.Path{"dev/nett"}}, "", "no stack and no group"},
		"path is no word": {blast.Choice{Paths: []stacks.Path{"dev/ap"}}, "", "no stack"},
		"no such glob":    {blast.Choice{Globs: []string{"dev/x*"}}, "", "no stack fits"},
		"bad glob":        {blast.Choice{Globs: []string{"dev/["}}, "", "no pattern"},
		"bad exclusion":   {blast.Choice{Paths: []stacks.Path{"dev"}, Exclude: []string{"dev/["}}, "", "no pattern"},
		"nothing left":    {blast.Choice{Paths: []stacks.Path{"dev"}, Tags: map[string]string{"tier": "z"}}, "", "nothing is left"},
		"nothing named":   {blast.Choice{}, "", "nothing is left"},
		"no seed":         {blast.Choice{Paths: []stacks.Path{"dev"}, Random: 1}, "", "no seed"},
		"both draws":      {blast.Choice{Paths: []stacks.Path{"dev"}, Random: 1, Percent: 10, Seed: "s"}, "", "either"},
		"negative":        {blast.Choice{Paths: []stacks.Path{"dev"}, Random: -1, Seed: "s"}, "", "either"},
		"too many":        {blast.Choice{Paths: []stacks.Path{"dev"}, Random: 5, Seed: "s"}, "", "5 stacks"},
		"percent":         {blast.Choice{Paths: []stacks.Path{"dev"}, Percent: 50, Seed: "s"}, "dev/app dev/web", ""},
		"few percent":     {blast.Choice{Paths: []stacks.Path{"dev"}, Percent: 1, Seed: "s"}, "dev/web", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := blast.Choose(all, tt.choice)
			if text := joined(got); text != tt.want || (err == nil) != (tt.err == "") {
				t.Fatalf("got %q, %v", text, err)
			}
			if err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("got %v", err)
			}
			if e, ok := errors.AsType[*blast.ChoiceError](err); err != nil && (!ok || e.ExitCode() != 2) {
				t.Errorf("%T", err)
			}
		})
	}
}

func joined(paths []stacks.Path) string {
	var out []string
	for _, p := range paths {
		out = append(out, string(p))
	}
	return strings.Join(out, " ")
}

// TestSeedIsGolden: the same seed draws the same stacks on every machine and in
// every version. The values are from Python's hmac, and must never change.
func TestSeedIsGolden(t *testing.T) {
	t.Parallel()
	var names []string
	for i := range 12 {
		names = append(names, fmt.Sprintf("dev/s%02d", i))
	}
	for seed, want := range map[string]string{
		"2026-11-22": "dev/s00 dev/s06 dev/s07 dev/s11",
		"gameday":    "dev/s00 dev/s02 dev/s03 dev/s04",
		"7":          "dev/s04 dev/s07 dev/s10 dev/s11",
	} {
		got, err := blast.Choose(candidates(names...), blast.Choice{Paths: []stacks.Path{"dev"}, Random: 4, Seed: seed})
		if err != nil || joined(got) != want {
			t.Errorf("%s: %q, %v", seed, joined(got), err)
		}
	}
}

// TestANewStackDoesNotReshuffle: with one stack more, at most one of the drawn is
// another.
func TestANewStackDoesNotReshuffle(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 30).Draw(t, "stacks")
		var names []string
		for i := range n {
			names = append(names, fmt.Sprintf("dev/s%d", i))
		}
		c := blast.Choice{Paths: []stacks.Path{"dev"}, Random: rapid.IntRange(1, n).Draw(t, "random"), Seed: rapid.StringN(1, 10, -1).Draw(t, "seed")}
		was, err := blast.Choose(candidates(names...), c)
		if err != nil {
			t.Fatal(err)
		}
		more := candidates(append(names, "dev/new")...)
		slices.Reverse(more)
		now, err := blast.Choose(more, c)
		if err != nil {
			t.Fatal(err)
		}
		lost := 0
		for _, p := range was {
			if !slices.Contains(now, p) {
				lost++
			}
		}
		if lost > 1 || lost == 1 && !slices.Contains(now, "dev/new") || len(now) != c.Random {
			t.Fatalf("%v became %v", was, now)
		}
	})
}
