package picture_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/deployer-cli/deployer/internal/blast"
	"github.com/deployer-cli/deployer/internal/picture"
	"github.com/deployer-cli/deployer/stacks"
)

var update = flag.Bool("update", false, "write the goldens")

// formats are all ways to draw a plan, by the ending of their files.
var formats = map[string]func(io.Writer, *blast.Plan) error{"txt": picture.Text, "dot": picture.Dot, "mmd": picture.Mermaid, "svg": picture.SVG}

// somePlan has a stack of every role, data covered in every way, a reason of every
// form, and a name that no format may take as it is.
func somePlan() *blast.Plan {
	covers := []string{blast.Retained, blast.Snapshot, blast.Expendable, blast.Generated, blast.Passing, blast.Uncovered}
	holders := make([]blast.Holder, 0, len(covers))
	for _, c := range covers {
		holders = append(holders, blast.Holder{Stack: "dev/data", LogicalID: "Data" + c, Cover: c, Parameter: "Snapshot"})
	}
	return &blast.Plan{
		Targets: []stacks.Path{"dev/network"},
		Steps: []blast.Step{
			{Stack: `dev/"<web>"&#`, Why: []string{
				"it imports shop-dev-network-with-a-long-PrivateSubnets of dev/network", "it imports shop-Vpc of dev/network",
				"its Web (AWS::EC2::Instance) uses AWS::EC2::SecurityGroup sg-1 of dev/data",
			}},
			{Stack: "dev/data", After: []stacks.Path{`dev/"<web>"&#`}, Why: []string{"a reason in words that nobody foresaw, and rather a long one of dev/network"}},
			{Stack: "dev/job", Why: []string{"it was chosen too"}},
			{Stack: "dev/network", Target: true, Why: []string{"it was chosen"}, After: []stacks.Path{`dev/"<web>"&#`, "dev/data", "dev/job"}},
		},
		Radius: blast.Radius{
			Stacks:     []blast.StackRadius{{Stack: "dev/data", Holders: holders}},
			Dependents: []blast.Dependent{{Stack: "dev/alarms", Loses: []stacks.Path{"dev/data", `dev/"<web>"&#`}}},
		},
	}
}

func draw(t *testing.T, format string, p *blast.Plan) string {
	t.Helper()
	var out bytes.Buffer
	if err := formats[format](&out, p); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestGoldens(t *testing.T) {
	t.Parallel()
	for format := range formats {
		got, name := draw(t, format, somePlan()), filepath.Join("testdata", "radius."+format)
		if *update {
			if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s: got\n%s", name, got)
		}
	}
}

// Every format names every stack, what becomes of all data, and every role.
func TestAllIsSaid(t *testing.T) {
	t.Parallel()
	for format := range formats {
		text := draw(t, format, somePlan())
		for _, want := range []string{
			"dev/data", "dev/network", "dev/alarms", "Datauncovered", "WOULD BE LOST", "lost: called expendable", "leaves a snapshot for Snapshot",
			"chosen", "must go first", "stays, and loses its dependency", "needs it",
		} {
			if !strings.Contains(text, want) {
				t.Errorf("%s does not say %q:\n%s", format, want, text)
			}
		}
	}
}

// The SVG is well-formed whatever stacks are called, and draws every stack once.
func TestSVGIsWellFormed(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]*blast.Plan{"some": somePlan(), "none": {}, "one": {Steps: []blast.Step{{Stack: "a", Target: true}}}} {
		text := draw(t, "svg", p)
		dec := xml.NewDecoder(strings.NewReader(text))
		for {
			_, err := dec.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v in\n%s", name, err, text)
			}
		}
		if got, want := strings.Count(text, `<rect class="box`), len(p.Steps)+len(p.Radius.Dependents)+3; got != want {
			t.Errorf("%s: %d boxes, want %d with the legend's", name, got, want)
		}
	}
}

// What waits for a stack that it never heard of, and a circle, end the drawing as
// anything else does.
func TestOddPlans(t *testing.T) {
	t.Parallel()
	p := &blast.Plan{Steps: []blast.Step{
		{Stack: "a", After: []stacks.Path{"b", "nowhere"}}, {Stack: "b", After: []stacks.Path{"a"}},
	}, Radius: blast.Radius{Dependents: []blast.Dependent{{Stack: "c", Loses: []stacks.Path{"gone"}}}}}
	for format := range formats {
		if draw(t, format, p) == "" {
			t.Errorf("%s: nothing", format)
		}
	}
}
