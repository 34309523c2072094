package config

import (
	"fmt"
	"strings"

	"github.com/deployer-cli/deployer/internal/cfnyaml"
	"github.com/deployer-cli/deployer/internal/jinja"
	"github.com/deployer-cli/deployer/stacks"
)

// VarFile is a file of variables, read.
type VarFile struct {
	Name string
	Data []byte
}

// MergeVars makes the variables that Jinja sees as var. Later files replace
// the top-level keys of earlier ones; with merge, maps are merged at every
// depth. Assignments (a.b=value, values are strings) come last.
//
// The error is a *multierror.Error of *stacks.Problem.
func MergeVars(files []VarFile, assignments []string, merge bool) (*jinja.Dict, error) {
	vars := jinja.NewDict()
	var problems []*stacks.Problem
	for _, f := range files {
		d, problem := readVars(f)
		if problem != nil {
			problems = append(problems, problem)
			continue
		}
		overlay(vars, d, merge)
	}
	for _, a := range assignments {
		if problem := assign(vars, a); problem != nil {
			problems = append(problems, problem)
		}
	}
	if len(problems) > 0 {
		return nil, combine(problems)
	}
	return vars, nil
}

func readVars(f VarFile) (*jinja.Dict, *stacks.Problem) {
	data := strings.TrimPrefix(string(f.Data), byteOrderMark)
	node, _, err := cfnyaml.Parse([]byte(data))
	if err != nil {
		return nil, syntaxProblem(f.Name, data, nil, err)
	}
	v := converter{file: f.Name}.value(node)
	if v.Kind == stacks.Null {
		return jinja.NewDict(), nil
	}
	if v.Kind != stacks.Map {
		return nil, &stacks.Problem{Pos: v.Pos, What: "a file of variables must hold keys and values", Why: "this one holds " + v.Kind.String()}
	}
	var problem *stacks.Problem
	v.Walk(func(w stacks.Value) bool {
		if w.Kind == stacks.Call && problem == nil {
			problem = &stacks.Problem{Pos: w.Pos, What: "resolvers are not allowed in a file of variables", Why: "!" + w.Call.Name + " stands there"}
		}
		return problem == nil
	})
	if problem != nil {
		return nil, problem
	}
	return jinjaDict(v.Fields), nil
}

// overlay lays from over onto.
func overlay(onto, from *jinja.Dict, merge bool) {
	for _, k := range from.Keys() {
		v, _ := from.Get(k)
		if merge {
			below, _ := onto.Get(k)
			a, isMap := below.(*jinja.Dict)
			b, both := v.(*jinja.Dict)
			if isMap && both {
				overlay(a, b, merge)
				continue
			}
		}
		onto.Set(k, v)
	}
}

// assign carries out one --var: a.b=value. Everything after the first equals
// sign is the value.
func assign(vars *jinja.Dict, assignment string) *stacks.Problem {
	key, value, ok := strings.Cut(assignment, "=")
	if !ok {
		return &stacks.Problem{
			What: fmt.Sprintf("--var %s cannot be used", assignment), Why: "there is no equals sign in it", Tip: "write --var NAME=VALUE",
		}
	}
	parts := strings.Split(key, ".")
	at := vars
	for i, part := range parts {
		if part == "" {
			return &stacks.Problem{What: fmt.Sprintf("--var %s cannot be used", assignment), Why: "a name in it is empty", Tip: "write --var NAME=VALUE"}
		}
		if i == len(parts)-1 {
			at.Set(part, value)
			break
		}
		below, there := at.Get(part)
		next, isMap := below.(*jinja.Dict)
		if there && !isMap {
			return &stacks.Problem{
				What: fmt.Sprintf("--var %s cannot be used", assignment),
				Why:  strings.Join(parts[:i+1], ".") + " is a plain value and holds no keys",
			}
		}
		if !there {
			next = jinja.NewDict()
			at.Set(part, next)
		}
		at = next
	}
	return nil
}
