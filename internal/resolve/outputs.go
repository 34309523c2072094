package resolve

import (
	"context"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/deployer-cli/deployer/stacks"
)

const outputForm = "path/to/stack.yaml::OutputKey"

// stackOutput gives an output of another stack of the project.
func stackOutput(ctx context.Context, c call) (stacks.Value, error) {
	text, err := c.text(outputForm)
	if err != nil {
		return stacks.Value{}, err
	}
	target, key, ok := splitOutput(text)
	if !ok {
		return stacks.Value{}, c.wants(outputForm)
	}
	producer, ok := c.set.stack(target)
	if !ok {
		return stacks.Value{}, c.problem("there is no stack "+string(target)+" in this project, or its file has problems", "")
	}
	return c.output(ctx, producer, key)
}

func (c call) output(ctx context.Context, producer *stacks.Stack, key string) (stacks.Value, error) {
	if c.set.ports.Outputs == nil {
		return stacks.Later(key+" of "+string(producer.Path), producer.Path), nil
	}
	return c.set.ports.Outputs.Output(ctx, c.stack, producer, key)
}

func (s *Set) stack(at stacks.Path) (*stacks.Stack, bool) {
	if s.ports.Project == nil {
		return nil, false
	}
	return s.ports.Project.Stack(at)
}

// splitOutput cuts "path.yaml::Key" in two.
func splitOutput(text string) (target stacks.Path, key string, ok bool) {
	name, key, ok := strings.Cut(strings.TrimSpace(text), "::")
	if !ok || name == "" || key == "" || strings.Contains(key, "::") {
		return "", "", false
	}
	name = path.Clean(strings.ReplaceAll(name, `\`, "/"))
	return stacks.Path(strings.TrimSuffix(strings.TrimPrefix(name, "/"), ".yaml")), key, true
}

const externalForm = `"stack-name::OutputKey [profile[::region[::role]]]"`

// external is the argument of !stack_output_external, read.
type external struct {
	stack, key string
	access     stacks.Access
}

// stackOutputExternal gives an output of a stack by CloudFormation's name for
// it. Where that is a stack of the project it is waited for like any other.
func stackOutputExternal(ctx context.Context, c call) (stacks.Value, error) {
	text, err := c.text(externalForm)
	if err != nil {
		return stacks.Value{}, err
	}
	e, ok := readExternal(text, c.stack)
	if !ok {
		return stacks.Value{}, c.wants(externalForm)
	}
	if producer, ok := c.set.ours(e, c.stack); ok {
		return c.output(ctx, producer, e.key)
	}
	if c.set.ports.External == nil {
		return stacks.Later(e.key + " of " + e.stack), nil
	}
	value, _, err := c.set.cache.get(ctx, source{kind: c.name, access: e.access, name: e.stack, key: e.key},
		func(ctx context.Context) (string, bool, error) {
			value, err := c.set.ports.External.ExternalOutput(ctx, e.access, e.stack, e.key)
			return value, false, err
		})
	return stacks.String(value), err
}

// readExternal reads the argument. What it leaves out is the consumer's own.
func readExternal(text string, consumer *stacks.Stack) (external, bool) {
	words := strings.Fields(strings.NewReplacer(`"`, "", `'`, "").Replace(text))
	if len(words) == 0 || len(words) > 2 {
		return external{}, false
	}
	name, key, ok := strings.Cut(words[0], "::")
	if !ok || name == "" || key == "" {
		return external{}, false
	}
	e := external{stack: name, key: key}
	if consumer != nil {
		e.access = consumer.Access
	}
	if len(words) == 2 {
		parts := strings.Split(words[1], "::")
		if len(parts) > 3 {
			return external{}, false
		}
		for i, field := range []*string{&e.access.Profile, &e.access.Region, &e.access.Role} {
			if i < len(parts) && parts[i] != "" {
				*field = parts[i]
			}
		}
	}
	return e, true
}

// ours finds the stack of the project that an external output comes from. It
// has to be reached with the same identity in the same region; of several,
// such as one in each environment, the consumer's own environment decides.
func (s *Set) ours(e external, consumer *stacks.Stack) (*stacks.Stack, bool) {
	names, ok := s.ports.Project.(Namer)
	if !ok {
		return nil, false
	}
	var found []*stacks.Stack
	for _, st := range names.Named(e.stack) {
		a, b := st.Access, e.access
		if st == consumer || a.Profile != b.Profile || a.Region != b.Region || a.Role != b.Role {
			continue
		}
		if consumer != nil && st.Environment == consumer.Environment {
			return st, true
		}
		found = append(found, st)
	}
	if len(found) != 1 {
		return nil, false
	}
	return found[0], true
}

// stackAttr gives another value of the stack's own config, or its group's.
func stackAttr(ctx context.Context, c call) (stacks.Value, error) {
	text, err := c.text("a key, or keys joined by dots")
	if err != nil {
		return stacks.Value{}, err
	}
	if slices.Contains(c.trail, text) {
		return stacks.Value{}, c.problem("it leads back to itself: "+strings.Join(append(c.trail, text), " → "), "")
	}
	v, rest, why := lookUp(c.stack, text)
	if why != "" {
		return stacks.Value{}, c.problem(why, "")
	}
	inside := c
	inside.trail = append(slices.Clone(c.trail), text)
	inside.key = lastKey(text)
	inside.inner = true
	v, err = c.set.value(ctx, inside, v)
	if err != nil || len(rest) == 0 {
		return v, err
	}
	// The way led into a call; go on in what it gave.
	if v.Kind == stacks.Unknown {
		return v, nil
	}
	found, _, why := descend(v, rest)
	if why != "" {
		return stacks.Value{}, c.problem(why, "")
	}
	found.Secret = found.Secret || v.Secret
	return found, nil
}

func lastKey(dotted string) string { return dotted[strings.LastIndexByte(dotted, '.')+1:] }

// lookUp finds a dotted key in a stack: its attributes first, then its
// group's custom keys, then its own. rest is what remains of the way where it
// leads into a call.
func lookUp(st *stacks.Stack, dotted string) (v stacks.Value, rest []string, why string) {
	keys := strings.Split(dotted, ".")
	if st == nil {
		return v, nil, "there is no stack to look into"
	}
	v, ok := attribute(st, keys[0])
	if !ok {
		v, ok = st.Group.Get(keys[0])
	}
	if !ok {
		v, ok = st.Config.Get(keys[0])
	}
	if !ok {
		return v, nil, "neither the stack nor its group has a key " + keys[0]
	}
	return descend(v, keys[1:])
}

// attribute gives the keys that mean something to the tools, in the form in
// which the stack has them.
func attribute(st *stacks.Stack, key string) (stacks.Value, bool) {
	switch key {
	case "name":
		return stacks.String(string(st.Path)), true
	case "stack_name", "external_name":
		return stacks.String(st.Name), true
	case "parameters":
		return stacks.Value{Kind: stacks.Map, Fields: st.Parameters}, true
	case "stack_tags", "tags":
		return stacks.Value{Kind: stacks.Map, Fields: st.Tags}, true
	case "sceptre_user_data":
		return st.UserData, true
	case "protect", "protected":
		return stacks.Value{Kind: stacks.Bool, Text: strconv.FormatBool(st.Protect)}, true
	case "template", "region", "profile", "project_code", "sceptre_role", "cloudformation_service_role",
		"template_bucket_name", "template_key_prefix", "dependencies", "notifications", "hooks", "on_failure",
		"stack_timeout", "ignore", "obsolete", "disable_rollback":
		return st.Config.Get(key)
	}
	return stacks.Value{}, false
}

// descend goes down the keys, and stops at a call.
func descend(v stacks.Value, keys []string) (stacks.Value, []string, string) {
	secret := false
	for i, k := range keys {
		secret = secret || v.Secret
		switch v.Kind {
		case stacks.Call:
			return v, keys[i:], ""
		case stacks.Map:
			next, ok := v.Get(k)
			if !ok {
				return v, nil, "there is no key " + k
			}
			v = next
		case stacks.List:
			next, ok := item(v.Items, k)
			if !ok {
				return v, nil, "the list of " + strconv.Itoa(len(v.Items)) + " has no item " + k
			}
			v = next
		default:
			return v, nil, v.Kind.String() + " has no key " + k
		}
	}
	v.Secret = v.Secret || secret
	return v, nil, ""
}

// item picks from a list; -1 is the last one.
func item(items []stacks.Value, index string) (stacks.Value, bool) {
	n, err := strconv.Atoi(index)
	if n < 0 {
		n += len(items)
	}
	if err != nil || n < 0 || n >= len(items) {
		return stacks.Value{}, false
	}
	return items[n], true
}
