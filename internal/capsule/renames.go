package capsule

import (
	"cmp"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/stacks"
)

// Renames are the ids and attributes of rebuilt resources, old to new.
type Renames map[string]string

// shortest is how long an id must be to be looked for inside other values: a
// shorter one may stand there by chance.
const shortest = 5

// Rename finds what has another id now: stacks, their resources by logical id,
// and those of their outputs that are ids or attributes of resources.
func Rename(before []Capsule, now map[stacks.Path]Observation) Renames {
	out := Renames{}
	for _, c := range before {
		if seen, ok := now[c.Stack]; ok && seen.Live != nil {
			out.put(c.StackID, seen.Live.ID)
			out.resources(c, seen)
			out.outputs(c, seen)
		}
	}
	return out
}

func (r Renames) put(was, is string) {
	if was != is && len(was) >= shortest && is != "" {
		r[was] = is
	}
}

func (r Renames) resources(c Capsule, seen Observation) {
	for _, was := range c.Resources {
		for _, is := range seen.Resources {
			if is.LogicalID == was.LogicalID && is.Type == was.Type {
				r.put(was.PhysicalID, is.PhysicalID)
			}
		}
	}
}

func (r Renames) outputs(c Capsule, seen Observation) {
	t := templateOf(c.Template)
	for _, was := range c.Outputs {
		if is, ok := seen.Live.Output(was.Key); ok && attribute(t, was.Key) && kind(was.Value) == kind(is) {
			r.put(was.Value, is)
		}
	}
}

type renaming struct{ was, is string }

// ordered gives the longest first, so that an ARN goes before the id in it.
func (r Renames) ordered() []renaming {
	out := make([]renaming, 0, len(r))
	for was, is := range r {
		out = append(out, renaming{was, is})
	}
	slices.SortFunc(out, func(a, b renaming) int {
		return cmp.Or(cmp.Compare(len(b.was), len(a.was)), cmp.Compare(a.was, b.was))
	})
	return out
}

// substitute puts new ids in the place of old ones. What was put in is not
// looked at again.
func substitute(s string, all []renaming) string {
	if len(all) == 0 || s == "" {
		return s
	}
	pairs := make([]string, 0, 2*len(all))
	for _, r := range all {
		pairs = append(pairs, r.was, r.is)
	}
	return strings.NewReplacer(pairs...).Replace(s)
}

// kind is what sort of value a text is: another value of the same kind may stand
// in its place when a resource was rebuilt.
func kind(s string) string {
	if strings.Contains(s, ",") {
		var kinds []string
		for part := range strings.SplitSeq(s, ",") {
			kinds = append(kinds, kind(strings.TrimSpace(part)))
		}
		return "list of " + strings.Join(slices.Compact(kinds), ",")
	}
	if parts := strings.SplitN(s, ":", 6); len(parts) == 6 && parts[0] == "arn" {
		name := parts[5]
		if i := strings.IndexAny(name, ":/"); i >= 0 {
			return "arn of " + parts[2] + " " + name[:i]
		}
		return "arn of " + parts[2]
	}
	if scheme, _, ok := strings.Cut(s, "://"); ok {
		return "address " + scheme
	}
	if prefix, digits, ok := cutLast(s, "-"); ok && len(digits) >= 8 && only(digits, "0123456789abcdef") {
		return "id " + prefix
	}
	switch {
	case s == "":
		return ""
	case only(s, "0123456789"):
		return "number"
	case only(s, "0123456789."):
		return "address"
	}
	return "text"
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

func only(s, letters string) bool { return strings.Trim(s, letters) == "" }
