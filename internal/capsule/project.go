package capsule

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/deployer-cli/deployer/stacks"
)

// Project makes a project that launches exactly what was captured: a file's
// path, relative to the project, to its text. Each stack stands at its own path
// with its name, its values and the template written out; secrets are the calls
// that give them; the environment's block is as it was. An id that came from
// another of the captured stacks is asked of that stack, since it will have
// another one. Hooks are left out: what they run is not in a capsule.
func Project(all []Capsule) (map[string][]byte, error) {
	all = slices.Clone(all)
	slices.SortFunc(all, func(a, b Capsule) int { return cmp.Compare(a.Stack, b.Stack) })
	if err := fit(all); err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for _, g := range groups(all) {
		files[path.Join("config", string(g.at), "config.yaml")] = []byte(g.text)
	}
	for _, c := range all {
		template := "templates/" + string(c.Stack) + extension(c.Template.Original)
		files[template] = []byte(c.Template.Original)
		text, err := stackFile(c, all, strings.TrimPrefix(template, "templates/"))
		if err != nil {
			return nil, err
		}
		files["config/"+string(c.Stack)+".yaml"] = []byte(text)
	}
	return files, nil
}

// fit refuses capsules that do not make one project.
func fit(all []Capsule) error {
	if len(all) == 0 {
		return errors.New("there are no capsules to make a project of")
	}
	seen := map[stacks.Path]bool{}
	for _, c := range all {
		file := "config/" + string(c.Stack) + ".yaml"
		switch {
		case seen[c.Stack]:
			return fmt.Errorf("%s was captured twice", c.Stack)
		case !fs.ValidPath(file) || c.Stack.Base() == "config" || c.Stack == "":
			return fmt.Errorf("%q is no path of a stack", c.Stack)
		case c.Environment.Path != "" && !fs.ValidPath(string(c.Environment.Path)), !c.Stack.Within(c.Environment.Path):
			return fmt.Errorf("%s does not lie in the environment %s", c.Stack, c.Environment.Name)
		case c.ProjectID != all[0].ProjectID || c.Realm != all[0].Realm:
			return fmt.Errorf("%s and %s are of different projects or realms", all[0].Stack, c.Stack)
		}
		seen[c.Stack] = true
	}
	return nil
}

// extension is a template's. Only .j2 files go through Jinja.
func extension(body string) string {
	if strings.HasPrefix(strings.TrimSpace(body), "{") {
		return ".json"
	}
	return ".yaml"
}

// groupFile is one config.yaml.
type groupFile struct {
	at   stacks.Path
	text string
}

// groups are the folders that need a config.yaml: the top, for what all stacks
// share, and each environment's own, for its block.
func groups(all []Capsule) []groupFile {
	blocks := map[stacks.Path]string{"": ""}
	for _, c := range all {
		if e := c.Environment; e.Declared {
			blocks[e.Path] = e.Block
		}
	}
	var out []groupFile
	for _, at := range sortedKeys(blocks) {
		text := ""
		if at == "" && all[0].ProjectID != "" {
			text = "project_id: " + quote(all[0].ProjectID) + "\n"
		}
		if blocks[at] != "" {
			text += "environment:" + behind(blocks[at], 0) + "\n"
		}
		out = append(out, groupFile{at, text})
	}
	return out
}

// stackFile writes a stack's config. Every key that a file above might give is
// written, so that nothing is inherited.
func stackFile(c Capsule, all []Capsule, template string) (string, error) {
	f := file{from: sources(c, all)}
	f.put("project_code", stacks.String(c.ProjectCode))
	f.put("stack_name", stacks.String(c.Name))
	f.put("region", stacks.String(cmp.Or(c.Access.Region, c.Region)))
	f.put("profile", orNull(c.Access.Profile))
	if c.Access.RoleCall != "" {
		f.text("sceptre_role", c.Access.RoleCall)
	} else {
		f.put("sceptre_role", orNull(c.Access.Role))
	}
	f.put("sceptre_role_session_duration", orNone(c.Access.RoleSeconds))
	f.put("template", mapOf("type", stacks.String("file"), "path", stacks.String(template)))
	f.put("template_bucket_name", orNull(c.Bucket))
	f.put("template_key_prefix", orNull(c.KeyPrefix))
	f.put("dependencies_inheritance", stacks.String("override"))
	f.put("dependencies", dependencies(c, all))
	f.parameters(c.Parameters)
	f.tags(c.Tags)
	topics := stacks.Value{Kind: stacks.List}
	for _, n := range c.Notifications {
		topics.Items = append(topics.Items, drawn(n, f.from))
	}
	f.put("notifications", topics)
	role := orNull(c.ServiceRole)
	if c.ServiceRole != "" {
		role = drawn(c.ServiceRole, f.from)
	}
	f.put("cloudformation_service_role", role)
	f.put("termination_protection", boolean(c.TerminationProtection))
	f.put("on_failure", orNull(c.OnFailure))
	f.put("disable_rollback", boolean(c.DisableRollback))
	f.put("stack_timeout", orNone(c.TimeoutMinutes))
	policy := stacks.Value{}
	if c.Policy != "" {
		var err error
		if policy, err = fromJSON(c.Policy); err != nil {
			return "", fmt.Errorf("the stack policy of %s: %w", c.Stack, err)
		}
	}
	f.put("stack_policy", policy)
	f.text("break", c.Break)
	return f.String(), nil
}

// dependencies are those stacks of the project that c depends on and that are
// in it.
func dependencies(c Capsule, all []Capsule) stacks.Value {
	out := stacks.Strings()
	for _, p := range c.After {
		if p != c.Stack && slices.ContainsFunc(all, func(o Capsule) bool { return o.Stack == p }) {
			out.Items = append(out.Items, stacks.String(string(p)+".yaml"))
		}
	}
	return out
}

// file is a config file in the making.
type file struct {
	b    strings.Builder
	from []source
}

func (f *file) String() string { return f.b.String() }

func (f *file) put(key string, v stacks.Value) { f.b.WriteString(key + ":" + after(v, 0) + "\n") }

// text puts a text that yaml made under a key.
func (f *file) text(key, text string) { f.b.WriteString(key + ":" + behind(text, 0) + "\n") }

func (f *file) parameters(parameters []Parameter) {
	var rows []string
	secrets := stacks.Value{Kind: stacks.Map}
	for _, p := range parameters {
		switch {
		case p.Default: // the template gives it
		case p.Secret:
			rows = append(rows, quote(p.Key)+":"+behind(p.Call, 2))
			secrets.Fields = append(secrets.Fields, stacks.Field{Key: p.Key, Value: boolean(true)})
		default:
			rows = append(rows, quote(p.Key)+":"+after(drawn(p.Value, f.from), 2))
		}
	}
	f.rows("parameters", rows)
	f.put("secrets", secrets)
}

func (f *file) tags(tags []Tag) {
	var rows []string
	for _, t := range tags {
		switch lower := strings.ToLower(t.Key); {
		case strings.HasPrefix(lower, stacks.TagPrefix), strings.HasPrefix(lower, "aws:"):
			// deployer and AWS set their own
		case t.Secret:
			rows = append(rows, quote(t.Key)+":"+behind(t.Call, 2))
		default:
			rows = append(rows, quote(t.Key)+":"+after(drawn(t.Value, f.from), 2))
		}
	}
	f.rows("stack_tags", rows)
}

func (f *file) rows(key string, rows []string) {
	if len(rows) == 0 {
		f.b.WriteString(key + ": {}\n")
		return
	}
	f.b.WriteString(key + ":\n  " + strings.Join(rows, "\n  ") + "\n")
}

// orNull is a text, or nothing, which keeps what a file above says from coming
// down.
func orNull(s string) stacks.Value {
	if s == "" {
		return stacks.Value{}
	}
	return stacks.String(s)
}

func orNone(n int) stacks.Value {
	if n <= 0 {
		return stacks.Value{}
	}
	return stacks.Value{Kind: stacks.Int, Text: strconv.Itoa(n)}
}

func boolean(b bool) stacks.Value {
	return stacks.Value{Kind: stacks.Bool, Text: strconv.FormatBool(b)}
}

func mapOf(pairs ...any) stacks.Value {
	out := stacks.Value{Kind: stacks.Map}
	for i := 0; i+1 < len(pairs); i += 2 {
		key, _ := pairs[i].(string)
		v, _ := pairs[i+1].(stacks.Value)
		out.Fields = append(out.Fields, stacks.Field{Key: key, Value: v})
	}
	return out
}

// fromJSON reads a JSON object.
func fromJSON(text string) (stacks.Value, error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v map[string]any
	if err := d.Decode(&v); err != nil {
		return stacks.Value{}, err
	}
	return valueOf(v), nil
}

func valueOf(v any) stacks.Value {
	switch v := v.(type) {
	case bool:
		return boolean(v)
	case json.Number:
		if strings.ContainsAny(v.String(), ".eE") {
			return stacks.Value{Kind: stacks.Float, Text: strings.ToLower(v.String())}
		}
		return stacks.Value{Kind: stacks.Int, Text: v.String()}
	case string:
		return stacks.String(v)
	case []any:
		out := stacks.Value{Kind: stacks.List}
		for _, i := range v {
			out.Items = append(out.Items, valueOf(i))
		}
		return out
	case map[string]any:
		out := stacks.Value{Kind: stacks.Map}
		for _, k := range sortedKeys(v) {
			out.Fields = append(out.Fields, stacks.Field{Key: k, Value: valueOf(v[k])})
		}
		return out
	default:
		return stacks.Value{}
	}
}
