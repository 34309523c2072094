package blast_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/deployer-cli/deployer/internal/blast"
	"github.com/deployer-cli/deployer/stacks"
)

// TestNoSecretIsNamed: a secret in the name of a resource stands nowhere in a plan, and
// what could be put back by that name only is refused.
func TestNoSecretIsNamed(t *testing.T) {
	t.Parallel()
	with := func(kind, body string) *blast.Facts {
		f := good()
		f.Kind = kind
		s := seen(f.Environment, "dev/data", "Resources:\n  R:\n    Type: AWS::S3::Bucket\n    "+body, "R AWS::S3::Bucket b-hunter2")
		f.Stacks.Value, f.Targets = append(f.Stacks.Value, s), []stacks.Path{"dev/data"}
		f.Secrets["dev/data"] = f.Secrets["dev/app"]
		f.Contents = map[string]blast.Known[bool]{"b-hunter2": blast.Got(false, nil)}
		f.Veil = stacks.NewVeil("hunter2")
		return f
	}
	injected := with("disable-rule", "DeletionPolicy: Delete")
	injected.Injections = []stacks.Injection{{Kind: injected.Kind, Stack: "dev/data", LogicalID: "R", PhysicalID: "r-hunter2", Says: "stops r-hunter2", Type: "AWS::Events::Rule"}}
	for name, c := range map[string]struct {
		facts *blast.Facts
		want  []string
	}{
		"goes":     {with(blast.DeleteStack, "DeletionPolicy: Delete"), nil},
		"is kept":  {with(blast.DeleteStack, "DeletionPolicy: Retain"), []string{"G12"}},
		"injected": {injected, []string{"G12"}},
	} {
		p := blast.Make(c.facts)
		if got := failed(p.Verdicts); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v fail", name, got)
		}
		text, err := json.Marshal(p)
		if err != nil || strings.Contains(string(text), "hunter2") {
			t.Errorf("%s: %v %s", name, err, text)
		}
	}
}

// TestNoSecretOnTheWay: nor does one in the reason for which another stack goes.
func TestNoSecretOnTheWay(t *testing.T) {
	t.Parallel()
	id := at(good(), "dev/network").Resources.Value[0].PhysicalID
	for _, veil := range []stacks.Veil{{}, stacks.NewVeil(id)} {
		f := good()
		f.Targets, f.Veil = []stacks.Path{"dev/network"}, veil
		text, err := json.Marshal(blast.Make(f).Steps)
		if err != nil || strings.Contains(string(text), id) == veil.Holds(id) {
			t.Errorf("%v %s", err, text)
		}
	}
}
