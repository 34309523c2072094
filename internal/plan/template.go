package plan

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/internal/cfntemplate"
	"github.com/deployer-cli/deployer/internal/cfnyaml"
	"github.com/deployer-cli/deployer/stacks"
)

// template compares the documents, and says what paper cannot tell.
func (c *comparison) template() {
	s := c.state
	switch {
	case s.new == nil:
		return
	case s.old == nil:
		c.differ("template: the live one cannot be read", Difference{Part: "template", Key: "template", Old: "unreadable", New: "as rendered"})
		return
	}
	if string(s.seen.Template) != string(s.desired.Body) {
		c.documents(cfnyaml.Compare(s.old.template.Doc, s.new.template.Doc))
	}
	c.doubts(s.new.template)
}

// doubts names what makes a template that reads the same change all the same.
func (c *comparison) doubts(t *cfntemplate.Template) {
	switch {
	case len(t.Transforms) > 0:
		c.unsure = append(c.unsure, "its template goes through "+strings.Join(t.Transforms, ", "))
	case hasText(t.Doc, "Fn::Transform"):
		c.unsure = append(c.unsure, "its template calls a macro")
	}
	if hasText(t.Doc, "{{resolve:") || slices.ContainsFunc(c.state.desired.Parameters, func(p stacks.Parameter) bool { return strings.Contains(p.Value, "{{resolve:") }) {
		c.unsure = append(c.unsure, "its template has dynamic references")
	}
	if c.readsOutside(t) {
		c.unsure = append(c.unsure, "its template reads an output of a stack outside the plan")
	}
	for _, id := range t.ResourceNames {
		if r, ok := c.state.new.resource(id); ok && r.Type == "AWS::CloudFormation::Stack" {
			c.unsure = append(c.unsure, "the template of its nested stack "+id+" lies elsewhere")
			return
		}
	}
}

// readsOutside tells whether a Fn::GetStackOutput names a stack whose outputs
// the plan does not follow.
func (c *comparison) readsOutside(t *cfntemplate.Template) bool {
	return slices.ContainsFunc(t.StackOutputs(), func(raw any) bool {
		args, err := t.Eval(raw, c.state.new.env)
		m, ok := args.(map[string]any)
		if err != nil || !ok {
			return true
		}
		_, ok = c.builder.read(c.state, m)
		return !ok
	})
}

// documents tells the differences of two templates: each for a reader of the
// diff, and in one sentence for the cause.
func (c *comparison) documents(found []cfnyaml.Difference) {
	if len(found) == 0 {
		return
	}
	resources, sections := map[string]string{}, map[string]bool{}
	for i, d := range found {
		if d.Path[0] == "Resources" && len(d.Path) > 1 {
			resources[d.Path[1]] = changeWord(d, 2, resources[d.Path[1]])
		} else {
			sections[d.Path[0]] = true
		}
		if i < maxShown {
			c.diff = append(c.diff, c.document(d))
		}
	}
	if more := len(found) - maxShown; more > 0 {
		c.diff = append(c.diff, Difference{Part: "template", Key: "…", New: fmt.Sprintf("%d more differences", more)})
	}
	c.said = append(c.said, "template: "+strings.Join(templateCause(resources, sections), ", "))
}

// maxShown is how many differences of a template a plan tells.
const maxShown = 200

// changeWord says what happens to the part of a document that is depth deep.
func changeWord(d cfnyaml.Difference, depth int, before string) string {
	switch {
	case len(d.Path) > depth || before != "" || !d.Added && !d.Removed:
		return "changed"
	case d.Added:
		return "added"
	default:
		return "removed"
	}
}

func templateCause(resources map[string]string, sections map[string]bool) []string {
	var out []string
	switch ids := sortedKeys(resources); {
	case len(ids) == 1:
		out = append(out, fmt.Sprintf("resource %s %s", ids[0], resources[ids[0]]))
	case len(ids) > 1:
		count := map[string]int{}
		for _, w := range resources {
			count[w]++
		}
		var words []string
		for _, w := range []string{"added", "changed", "removed"} {
			if count[w] > 0 {
				words = append(words, fmt.Sprintf("%d %s", count[w], w))
			}
		}
		out = append(out, words...)
		out[0] = strings.Replace(out[0], " ", " resources ", 1)
	}
	for _, name := range sortedKeys(sections) {
		out = append(out, name+" changed")
	}
	return out
}

// document shows one difference, without the secrets that may stand in it.
func (c *comparison) document(d cfnyaml.Difference) Difference {
	out := Difference{Part: "template", Key: strings.Join(d.Path, ".")}
	before, after := Cover(d.Old, d.New, Secrets(c.state.desired))
	if c.secretPath(d.Path) {
		before, after = hidden, hidden
	}
	if !d.Added {
		out.Old = text(before)
	}
	if !d.Removed {
		out.New = text(after)
	}
	return out
}

// secretPath tells whether a place belongs to the declaration of a NoEcho
// parameter, whose default may be the secret.
func (c *comparison) secretPath(path []string) bool {
	if len(path) < 2 || path[0] != "Parameters" {
		return len(path) == 1 && path[0] == "Parameters"
	}
	return c.state.old.template.Parameters[path[1]].NoEcho || c.state.new.template.Parameters[path[1]].NoEcho
}

// text shows a plain value in one line.
func text(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(data)
}
