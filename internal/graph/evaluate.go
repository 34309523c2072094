package graph

import (
	"strings"

	"github.com/deployer-cli/deployer/internal/cfntemplate"
	"github.com/deployer-cli/deployer/stacks"
	"github.com/deployer-cli/deployer/templates"
)

// reading is one stack's view of its template: the same names come out
// differently for each stack.
type reading struct {
	source *Source
	facts  *facts
	env    *cfntemplate.Env
	known  map[string]bool // conditions; those that are not known are missing
}

func newReading(s *Source, f *facts, account string) *reading {
	r := &reading{source: s, facts: f, env: environment(s, account)}
	if f.asks {
		if known, err := s.Template.EvalConditions(r.env); err == nil {
			r.known = known
			r.env.Conditions = known
		}
	}
	return r
}

// environment is what a template can be evaluated in before there is a stack.
func environment(s *Source, account string) *cfntemplate.Env {
	env := &cfntemplate.Env{
		Parameters: make(map[string]any, len(s.Template.Parameters)),
		AccountID:  account,
		Region:     s.Stack.Access.Region,
		StackName:  s.Stack.Name,
	}
	env.Partition, env.URLSuffix = partition(env.Region)
	for name, p := range s.Template.Parameters {
		env.Parameters[name] = argument(p, s.Parameters[name])
	}
	return env
}

// partition is where a region belongs, and the domain of its services.
func partition(region string) (name, suffix string) {
	switch {
	case region == "":
		return "", ""
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn", "amazonaws.com.cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov", "amazonaws.com"
	}
	return "aws", "amazonaws.com"
}

// argument is the value of a template parameter: as given, else its default.
func argument(p cfntemplate.Parameter, given any) any {
	text, ok := given.(string)
	switch {
	case ok:
	case given != nil:
		return given
	case p.Default == nil:
		return cfntemplate.Unknown{Why: p.Name + " has no value"}
	default:
		text = *p.Default
	}
	switch {
	case strings.Contains(text, templates.LateMark):
		return cfntemplate.Unknown{Why: p.Name + " is known later"}
	case p.IsSSM():
		return cfntemplate.Unknown{Why: p.Name + " is what an SSM parameter holds"}
	}
	return p.Value(text)
}

// holds tells whether something under these conditions counts. What is not
// known counts: an edge too many makes a run wait, one too few makes it fail.
func (r *reading) holds(when []condition) bool {
	for _, c := range when {
		if value, known := r.known[c.name]; known && value != c.want {
			return false
		}
	}
	return true
}

// certain tells whether something under these conditions counts for sure.
func (r *reading) certain(when []condition) bool {
	for _, c := range when {
		if value, known := r.known[c.name]; !known || value != c.want {
			return false
		}
	}
	return true
}

// text evaluates a value that has to be one text; false where it is not known.
func (r *reading) text(v any) (string, bool) {
	got, err := r.source.Template.Eval(v, r.env)
	if err != nil {
		return "", false
	}
	text, ok := got.(string)
	return text, ok && text != "" && !strings.Contains(text, templates.LateMark)
}

// member evaluates one entry of a function's argument; "" where it is absent.
func (r *reading) member(args map[string]any, key string) (string, bool) {
	v, ok := args[key]
	if !ok {
		return "", true
	}
	return r.text(v)
}

// pos is a place in the stack's template, as exact as its rendering allows.
func (r *reading) pos(line, column int) stacks.Pos {
	src := r.source.Stack.Template
	if src.Type != "" && src.Type != "file" || src.Path == "" {
		return src.Pos
	}
	pos := stacks.Pos{File: templates.Folder + "/" + src.Path}
	if !strings.HasSuffix(src.Path, ".j2") && !strings.HasSuffix(src.Path, ".py") {
		pos.Line, pos.Column = line, column
	}
	return pos
}
