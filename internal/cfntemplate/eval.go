package cfntemplate

import (
	"regexp"
	"strings"
)

// Eval gives v, a part of the template, with all functions replaced by their
// values: string, int64, float64, bool, []any, map[string]any and, where something
// is not known, Unknown. Entries that are AWS::NoValue are removed.
func (t *Template) Eval(v any, env *Env) (any, error) {
	return t.evaluator(env).final(v)
}

// EvalConditions gives the values of the conditions that are known in env.
func (t *Template) EvalConditions(env *Env) (map[string]bool, error) {
	fresh := *env
	fresh.Conditions = nil
	e := t.evaluator(&fresh)
	known := make(map[string]bool, len(t.Conditions))
	for _, name := range sortedKeys(t.Conditions) {
		if skipped(name) {
			continue
		}
		v, err := e.condition(name, "Condition")
		if err != nil {
			return nil, err
		}
		if v != maybe {
			known[name] = v == yes
		}
	}
	return known, nil
}

// evaluator is one evaluation. It remembers the conditions it has met.
type evaluator struct {
	t      *Template
	env    *Env
	solved map[string]truth
	busy   map[string]bool
	rule   bool // the functions of the Rules section are allowed
}

func (t *Template) evaluator(env *Env) *evaluator {
	return &evaluator{t: t, env: env, solved: map[string]truth{}, busy: map[string]bool{}}
}

// final evaluates v and then the dynamic references in what came out.
func (e *evaluator) final(v any) (any, error) {
	out, err := e.value(v)
	if err != nil || e.env.Dynamic == nil {
		return out, err
	}
	return e.dynamic(out)
}

// value evaluates v.
func (e *evaluator) value(v any) (any, error) {
	switch v := v.(type) {
	case []any:
		return e.list(v)
	case map[string]any:
		if name, arg, ok := asCall(v); ok {
			out, err := e.call(name, arg)
			return out, placed(err, e.t.places.of(v))
		}
		return e.object(v)
	default:
		return v, nil
	}
}

func (e *evaluator) list(items []any) (any, error) {
	out := make([]any, 0, len(items))
	for _, item := range items {
		v, err := e.value(item)
		if err != nil {
			return nil, err
		}
		if v != NoValue {
			out = append(out, v)
		}
	}
	return out, nil
}

func (e *evaluator) object(m map[string]any) (any, error) {
	out := make(map[string]any, len(m))
	for _, k := range sortedKeys(m) {
		if k == fnTransform {
			out[k] = Unknown{"a macro has not run"}
			continue
		}
		v, err := e.value(m[k])
		if err != nil {
			return nil, err
		}
		if v != NoValue {
			out[k] = v
		}
	}
	return out, nil
}

func (e *evaluator) call(name string, arg any) (any, error) {
	switch name {
	case fnRef:
		return e.ref(arg)
	case fnGetAtt:
		return e.getAtt(arg)
	case fnSub:
		return e.sub(arg)
	case fnIf:
		return e.branch(arg)
	case "Fn::Join":
		return e.join(arg)
	case "Fn::Split":
		return e.split(arg)
	case "Fn::Select":
		return e.choose(arg)
	case "Fn::FindInMap":
		return e.findInMap(arg)
	case fnImport:
		return e.importValue(arg)
	case fnStackOutput:
		return e.stackOutput(arg)
	case "Fn::Base64":
		return e.base64(arg)
	case "Fn::Cidr":
		return e.cidr(arg)
	case fnGetAZs:
		return e.zones(arg)
	case "Fn::Length":
		return e.length(arg)
	case "Fn::ToJsonString":
		return e.toJSON(arg)
	case fnTransform:
		return Unknown{"a macro has not run"}, nil
	default:
		return e.logical(name, arg)
	}
}

// logical evaluates a function that gives true or false.
func (e *evaluator) logical(name string, arg any) (any, error) {
	if e.rule && listedByAWS(name) {
		return Unknown{name + " is known to AWS only"}, nil
	}
	v, err := e.boolean(map[string]any{name: arg})
	if err != nil {
		return nil, err
	}
	if v == maybe {
		return Unknown{name + " of a value that is not known"}, nil
	}
	return v == yes, nil
}

// unknownIn returns the first Unknown among vs.
func unknownIn(vs ...any) (Unknown, bool) {
	for _, v := range vs {
		if u, ok := v.(Unknown); ok {
			return u, true
		}
	}
	return Unknown{}, false
}

// unknownBelow returns an Unknown anywhere in v.
func unknownBelow(v any) (Unknown, bool) {
	switch v := v.(type) {
	case Unknown:
		return v, true
	case []any:
		for _, item := range v {
			if u, ok := unknownBelow(item); ok {
				return u, true
			}
		}
	case map[string]any:
		for _, k := range sortedKeys(v) {
			if u, ok := unknownBelow(v[k]); ok {
				return u, true
			}
		}
	}
	return Unknown{}, false
}

// normal gives what an Env function answered the types Eval promises.
func normal(v any) any {
	switch v := v.(type) {
	case []string:
		out := make([]any, len(v))
		for i, s := range v {
			out[i] = s
		}
		return out
	case int:
		return int64(v)
	case nil:
		return Unknown{"no value was given"}
	default:
		return v
	}
}

var dynamicReference = regexp.MustCompile(`\{\{resolve:[^{}]*\}\}`)

// dynamic replaces the {{resolve:…}} references in v, which is evaluated. It
// changes nothing in place: parts of v may belong to who answered for Env.
func (e *evaluator) dynamic(v any) (any, error) {
	switch v := v.(type) {
	case string:
		return e.dynamicText(v)
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			var err error
			if out[i], err = e.dynamic(item); err != nil {
				return nil, err
			}
		}
		return out, nil
	case map[string]any:
		out := make(map[string]any, len(v))
		for _, k := range sortedKeys(v) {
			var err error
			if out[k], err = e.dynamic(v[k]); err != nil {
				return nil, err
			}
		}
		return out, nil
	default:
		return v, nil
	}
}

func (e *evaluator) dynamicText(s string) (any, error) {
	if !strings.Contains(s, "{{resolve:") {
		return s, nil
	}
	var failed error
	out := dynamicReference.ReplaceAllStringFunc(s, func(reference string) string {
		value, err := e.env.Dynamic(reference)
		if err != nil && failed == nil {
			failed = err
		}
		return value
	})
	return out, failed
}
