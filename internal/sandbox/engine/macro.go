package engine

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/internal/cfntemplate"
	"github.com/deployer-cli/deployer/internal/cfnyaml"
)

const (
	macroLanguage   = "AWS::LanguageExtensions"
	macroInclude    = "AWS::Include"
	macroServerless = "AWS::Serverless-2016-10-31"
	fnTransform     = "Fn::Transform"

	// Macros of AWS's that only add what the sandbox does not make anyway: the
	// function that rotates a secret, the hook of a deployment, a product's values.
	macroSecrets2020 = "AWS::SecretsManager-2020-07-23" //nolint:gosec // a name
	macroSecrets2024 = "AWS::SecretsManager-2024-09-16" //nolint:gosec // a name
	macroBlueGreen   = "AWS::CodeDeployBlueGreen"
	macroCatalog     = "AWS::ServiceCatalog"
)

// active is the hash of the template a target stands for: what its macros made of
// it, or its own.
func (t *target) active() string { return cmp.Or(t.Out, t.Body) }

// hasMacros reports whether macros must run before a template means anything. The
// language extensions are part of the template language here.
func hasMacros(t *cfntemplate.Template) bool {
	return slices.ContainsFunc(t.Transforms, func(name string) bool { return name != macroLanguage }) || calls(t.Doc)
}

// calls reports whether a macro is called anywhere inside a value.
func calls(v any) bool {
	switch v := v.(type) {
	case []any:
		return slices.ContainsFunc(v, calls)
	case map[string]any:
		for k, item := range v {
			if k == fnTransform || calls(item) {
				return true
			}
		}
	}
	return false
}

// transform runs the macros of a target's template.
func (s *session) transform(st *stack, t *target) error {
	tpl, err := s.template(t.Body)
	if err != nil {
		return err
	}
	t.Out = ""
	if !hasMacros(tpl) {
		return nil
	}
	env, err := s.environment(st, tpl, t)
	if err != nil {
		return err
	}
	m := macros{s: s, st: st, tpl: tpl, env: env}
	doc, err := m.document()
	if err != nil {
		return err
	}
	text, err := cfnyaml.MarshalJSON(doc)
	if err != nil {
		return invalid("Template format error: %v", err)
	}
	processed, err := s.parse(string(text))
	if err != nil {
		return err
	}
	if problems := processed.Check(); len(problems) > 0 {
		return templateError(problems[0])
	}
	t.Out = s.saveBody(string(text))
	return nil
}

// macros runs the macros of one template.
type macros struct {
	s   *session
	st  *stack
	tpl *cfntemplate.Template
	env *cfntemplate.Env
}

func (m macros) failed(name, format string, args ...any) error {
	return invalid("Transform "+name+" failed with: "+format, args...)
}

// document is the whole template with its macros run, inner ones first.
func (m macros) document() (map[string]any, error) {
	doc := maps.Clone(m.tpl.Doc)
	delete(doc, "Transform")
	v, err := m.value(doc)
	if err != nil {
		return nil, err
	}
	doc, ok := v.(map[string]any)
	if !ok {
		return nil, invalid("Template format error: unsupported structure.")
	}
	declared, isList := m.tpl.Doc["Transform"].([]any)
	if !isList && m.tpl.Doc["Transform"] != nil {
		declared = []any{m.tpl.Doc["Transform"]}
	}
	for _, item := range declared {
		if doc, err = m.whole(doc, item); err != nil {
			return nil, err
		}
	}
	return doc, nil
}

// whole runs one macro of the Transform section.
func (m macros) whole(doc map[string]any, item any) (map[string]any, error) {
	name, _ := item.(string)
	call, _ := item.(map[string]any)
	if call != nil {
		name, _ = call["Name"].(string)
	}
	switch name {
	case macroLanguage:
		doc["Transform"] = macroLanguage
		return doc, nil
	case macroServerless:
		return m.serverless(doc)
	case macroSecrets2020, macroSecrets2024, macroBlueGreen, macroCatalog:
		return doc, nil
	case macroInclude:
		part, err := m.include(call["Parameters"])
		if err != nil {
			return nil, err
		}
		more, ok := part.(map[string]any)
		if !ok {
			return nil, m.failed(name, "The specified S3 object's content should be a map")
		}
		for section, v := range more {
			old, oldMap := doc[section].(map[string]any)
			add, addMap := v.(map[string]any)
			if oldMap && addMap {
				old = maps.Clone(old)
				maps.Copy(old, add)
				v = old
			}
			doc[section] = v
		}
		return doc, nil
	}
	return nil, m.unknown(name)
}

func (m macros) unknown(name string) error {
	if !strings.Contains(name, "::") {
		name = m.st.Account + "::" + name
	}
	return invalid("No transform named %s found", name)
}

// value replaces the calls of macros inside a value.
func (m macros) value(v any) (any, error) {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			var err error
			if out[i], err = m.value(item); err != nil {
				return nil, err
			}
		}
		return out, nil
	case map[string]any:
		return m.object(v)
	}
	return v, nil
}

func (m macros) object(v map[string]any) (any, error) {
	out := make(map[string]any, len(v))
	for _, k := range slices.Sorted(maps.Keys(v)) {
		if k == fnTransform {
			continue
		}
		item, err := m.value(v[k])
		if err != nil {
			return nil, err
		}
		out[k] = item
	}
	call, has := v[fnTransform].(map[string]any)
	if !has {
		return out, nil
	}
	if name, _ := call["Name"].(string); name != macroInclude {
		return nil, m.unknown(name)
	}
	part, err := m.include(call["Parameters"])
	if err != nil {
		return nil, err
	}
	more, isMap := part.(map[string]any)
	switch {
	case len(out) == 0:
		return part, nil
	case !isMap:
		return nil, m.failed(macroInclude, "The specified S3 object's content should be a map")
	}
	maps.Copy(out, more)
	return out, nil
}

// include reads the snippet that the parameters of AWS::Include name.
func (m macros) include(parameters any) (any, error) {
	given, _ := parameters.(map[string]any)
	v, err := m.tpl.Eval(given["Location"], m.env)
	if err != nil {
		return nil, templateError(err)
	}
	location, _ := scalars(v).(string)
	bucket, name, ok := strings.Cut(strings.TrimPrefix(location, "s3://"), "/")
	if !strings.HasPrefix(location, "s3://") || !ok || bucket == "" || name == "" {
		return nil, m.failed(macroInclude, "The location parameter is not a valid S3 uri.")
	}
	text, err := m.s.fetch(m.st.account(), "https://s3."+suffix(m.st.Region)+"/"+bucket+"/"+name)
	if err != nil {
		if m.s.err != nil {
			return nil, m.s.err
		}
		if strings.Contains(reasonOf(err), "bucket does not exist") {
			return nil, m.failed(macroInclude, "S3 bucket [%s] does not exist.", bucket)
		}
		why, _, _ := strings.Cut(strings.TrimPrefix(reasonOf(err), "S3 error: "), "\n")
		return nil, m.failed(macroInclude, "%s", why)
	}
	node, _, err := cfnyaml.Parse([]byte(text))
	if err != nil {
		return nil, m.failed(macroInclude, "The specified S3 object's content should be valid Yaml/JSON")
	}
	return node.Long(), nil
}
