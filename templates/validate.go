package templates

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/internal/cfntemplate"
	"github.com/deployer-cli/deployer/internal/restype"
	"github.com/deployer-cli/deployer/stacks"
)

// What CloudFormation takes (API reference, CreateStack).
const (
	maxInline = 51_200    // bytes of a template in the request itself
	maxBody   = 1_048_576 // bytes of a template in S3
	maxName   = 128
)

// Finding is something that CloudFormation would refuse, found without asking
// it.
type Finding struct {
	Pos  stacks.Pos
	Text string
	Hint string
}

// String gives "file:line:column: text".
func (f Finding) String() string {
	if f.Pos.File == "" {
		return f.Text
	}
	return f.Pos.String() + ": " + f.Text
}

// Validate finds what is wrong with a stack as far as its files tell: with its
// name, its template, and the parameters it gives to the template. Findings are
// sorted by place.
func (l *Loader) Validate(st *stacks.Stack, body Body, given []stacks.Parameter) []Finding {
	found := slices.Concat(checkName(st), checkSize(st, body))
	t, err := l.Parse(body.Text)
	switch {
	case err != nil && body.Late: // it may be no template before it is complete
	case err != nil:
		found = append(found, inBody(st, body, located{text: message(err), pos: lineOf(err)}))
	default:
		for _, f := range l.checkTemplate(body.Text, t) {
			found = append(found, inBody(st, body, f))
		}
		if !body.Late {
			found = append(found, checkGiven(st, t, given)...)
		}
	}
	slices.SortStableFunc(found, func(a, b Finding) int { return comparePos(a.Pos, b.Pos) })
	return slices.Compact(found)
}

// located is a finding within a body.
type located struct {
	text, hint string
	pos        [2]int // line and column
}

// checkTemplate says what is wrong with a template whoever uses it, once for
// all stacks that share it.
func (l *Loader) checkTemplate(body []byte, t *cfntemplate.Template) []located {
	found, _ := l.facts.get(sum(body), func() ([]located, error) {
		var out []located
		for _, e := range t.Check() {
			out = append(out, located{text: e.Message, hint: nearType(e.Message), pos: [2]int{e.Line, e.Column}})
		}
		for _, f := range cfntemplate.CheckProperties(t) {
			out = append(out, located{f.Text, f.Hint, [2]int{f.Line, f.Column}})
		}
		return out, nil
	})
	return found
}

// nearType is a hint with the resource type that was meant, for a message that
// names one nobody knows.
func nearType(message string) string {
	_, rest, ok := strings.Cut(message, "Unrecognized resource types: [")
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(strings.TrimSuffix(rest, "]"), ",")
	if near, ok := restype.Nearest(name); ok {
		return "did you mean " + near
	}
	return ""
}

func comparePos(a, b stacks.Pos) int {
	return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
}

func message(err error) string {
	if te, ok := errors.AsType[*cfntemplate.Error](err); ok {
		return te.Message
	}
	return err.Error()
}

func lineOf(err error) [2]int {
	if te, ok := errors.AsType[*cfntemplate.Error](err); ok {
		return [2]int{te.Line, te.Column}
	}
	return [2]int{}
}

// inBody places a finding in the file a body came from. Lines of a rendered
// body are not lines of the file; they go into the text.
func inBody(st *stacks.Stack, body Body, f located) Finding {
	out := Finding{Pos: stacks.Pos{File: body.File}, Text: f.text, Hint: f.hint}
	switch {
	case body.Exact:
		out.Pos.Line, out.Pos.Column = f.pos[0], f.pos[1]
	case f.pos[0] > 0:
		out.Text = fmt.Sprintf("line %d of what it renders to: %s", f.pos[0], f.text)
		out.Hint = cmp.Or(f.hint, "see it with deployer generate "+string(st.Path))
	}
	return out
}

func checkGiven(st *stacks.Stack, t *cfntemplate.Template, given []stacks.Parameter) []Finding {
	where := map[string]stacks.Pos{}
	for _, f := range st.Parameters {
		where[f.Key] = f.Pos
	}
	var found []Finding
	for _, p := range CheckParameters(t, given) {
		pos, ok := where[p.Key]
		if !ok {
			pos = stacks.Pos{File: st.File}
		}
		found = append(found, Finding{Pos: pos, Text: "parameter " + p.Key + ": " + p.Why, Hint: p.Tip})
	}
	return found
}

// checkName applies CloudFormation's rule for stack names.
func checkName(st *stacks.Stack) []Finding {
	why, tip := "", ""
	switch {
	case len(st.Name) > maxName:
		why = fmt.Sprintf("it has %d characters, and CloudFormation takes %d", len(st.Name), maxName)
	case validName(st.Name):
		return nil
	case strings.ContainsAny(st.Name, "_. "):
		why = "it may hold letters, digits and hyphens only"
		tip = "set stack_name: " + suggestion(st.Name)
	default:
		why = "it has to begin with a letter and may hold letters, digits and hyphens only"
	}
	pos := st.Pos
	if pos.File == "" {
		pos.File = st.File
	}
	return []Finding{{Pos: pos, Text: "stack name " + quote(st.Name) + ": " + why, Hint: tip}}
}

func validName(name string) bool {
	for i, r := range name {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || r != '-' && (r < '0' || r > '9')) {
			return false
		}
	}
	return name != ""
}

func suggestion(name string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("_. ", r) {
			return '-'
		}
		return r
	}, name)
}

// checkSize applies CloudFormation's limits for templates.
func checkSize(st *stacks.Stack, body Body) []Finding {
	size := len(body.Text)
	pos := stacks.Pos{File: body.File}
	switch {
	case size > maxBody:
		return []Finding{{
			Pos:  pos,
			Text: fmt.Sprintf("the template has %d bytes, and CloudFormation takes %d", size, maxBody),
			Hint: "split it into several stacks",
		}}
	case size > maxInline && st.Bucket.Kind == stacks.Null:
		return []Finding{{
			Pos:  pos,
			Text: fmt.Sprintf("the template has %d bytes: more than %d have to go through S3, and no bucket is given", size, maxInline),
			Hint: "set template_bucket_name in the group's config.yaml",
		}}
	}
	return nil
}
