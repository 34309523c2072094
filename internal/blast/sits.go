package blast

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/internal/cfntemplate"
	"github.com/deployer-cli/deployer/internal/restype"
	"github.com/deployer-cli/deployer/stacks"
)

// sits tells why the stacks of user cannot stay when those of base go: "" when
// they can. doubt says that it cannot be told. may tells of two types whether one can
// sit on the other, and whether a value that nobody can see counts as doing so.
func (w *world) sits(base []container, user *unit, may func(container, user string) (sits, guess bool)) (why string, doubt Blank) {
	for _, m := range user.members {
		if len(m.unread) > 0 {
			doubt = cmp.Or(doubt, Blank{"it cannot be told whether it uses what goes: " + strings.Join(m.unread, ", "), fmt.Sprintf("let the caller read the resources of %s (cloudformation:ListStackResources)", m.Title())})
		}
		for _, r := range m.Resources.Value {
			named, unsure := m.onAny(r, base, may)
			if named != "" {
				return named, Blank{}
			}
			doubt = cmp.Or(doubt, unsure)
		}
	}
	return "", doubt
}

// onAny tells on which of the containers a resource sits, "" for none.
func (m *member) onAny(r stacks.Resource, base []container, may func(container, user string) (sits, guess bool)) (why string, doubt Blank) {
	for i := range base {
		sits, guess := may(base[i].Type, r.Type)
		if r.Status == deleted || !sits {
			continue
		}
		named, unsure := m.names(r, &base[i])
		if named {
			return fmt.Sprintf("its %s (%s) uses %s %s", r.LogicalID, r.Type, base[i].Type, m.w.f.Veil.Masked(base[i].PhysicalID)), Blank{}
		}
		if guess {
			doubt = cmp.Or(doubt, unsure)
		}
	}
	return "", doubt
}

// beside is how stacks of one region sit on each other.
func beside(container, user string) (sits, guess bool) {
	return restype.SitsOn(container, user), true
}

// across is how they do from one region to another.
func across(container, user string) (sits, guess bool) {
	return restype.Crosses(container, user), restype.Worldwide(container)
}

// names tells whether a resource names a container, or why that is not sure.
func (m *member) names(r stacks.Resource, c *container) (named bool, unsure Blank) {
	h := m.holds(r)
	switch {
	case c.among(h.texts), h.unknown && c.within(m.texts(m.w.f)):
		return true, Blank{}
	case m.blind != "":
		return false, Blank{"it cannot be told whether it uses what goes: " + m.blind, fmt.Sprintf("let the caller read the template of %s (cloudformation:GetTemplate)", m.Title())}
	case len(h.missing) > 0:
		return false, m.unresolved(r, h.missing[0])
	case len(h.opaque) > 0:
		return false, m.hidden(r, h.opaque[0])
	}
	return false, Blank{}
}

// among tells whether one of the texts names the container: is one of its names,
// or a list with one in it, or an ARN that has its id in it.
func (c *container) among(texts []string) bool {
	return slices.ContainsFunc(texts, func(text string) bool {
		return slices.ContainsFunc(c.names, func(name string) bool { return is(text, name) })
	})
}

func is(text, name string) bool {
	if text == name {
		return true
	}
	if part := strings.SplitN(text, ":", 6); part[0] == "arn" && len(part) == 6 {
		// Of what type it is, and then its names: an alias or a version may follow.
		kind, below, _ := strings.Cut(strings.ReplaceAll(part[5], "/", ":"), ":")
		held := kind == name && (part[2] == "s3" || part[2] == "sns") // a key in the bucket, a subscription to the topic
		if held || strings.Contains(":"+below+":", ":"+name+":") || strings.HasSuffix(text, "/"+name) || strings.HasSuffix(text, ":"+name) {
			return true
		}
	}
	if strings.ContainsAny(text, ",|") {
		for part := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ',' || r == '|' }) {
			if strings.TrimSpace(part) == name {
				return true
			}
		}
	}
	return distinct(name) && spoken(text, name)
}

// distinct tells whether a name is long and odd enough that a text does not hold
// it by chance.
func distinct(name string) bool {
	return len(name) >= 10 && strings.ContainsAny(name, "0123456789")
}

// within tells whether one of the texts speaks of the container anywhere.
func (c *container) within(texts []string) bool {
	return slices.ContainsFunc(texts, func(text string) bool {
		return slices.ContainsFunc(c.names, func(name string) bool { return spoken(text, name) })
	})
}

// spoken finds a name in a text where it is not a part of a longer word.
func spoken(text, name string) bool {
	for from := 0; ; {
		i := strings.Index(text[from:], name)
		if i < 0 || name == "" {
			return false
		}
		i += from
		end := i + len(name)
		if (i == 0 || !wordly(text[i-1])) && (end == len(text) || !wordly(text[end])) {
			return true
		}
		from = i + 1
	}
}

func wordly(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '-' || c == '_'
}

// container is a live resource that others may sit on, with its names.
type container struct {
	stacks.Resource
	names []string
}

// containers lists the resources of a unit that others may sit on.
func (u *unit) containers() []container {
	var out []container
	for _, m := range u.members {
		aliases := m.aliases()
		for _, r := range m.Resources.Value {
			if restype.IsContainer(r.Type) && r.PhysicalID != "" && r.Status != deleted && !strings.HasPrefix(m.deletionPolicy(r), retain) {
				out = append(out, container{Resource: r, names: names(r.PhysicalID, aliases[r.LogicalID])})
			}
		}
	}
	return out
}

func names(physical string, aliases []string) []string {
	out := []string{physical}
	if strings.Contains(physical, "|") {
		out = append(out, strings.Split(physical, "|")...)
	}
	out = append(out, aliases...)
	slices.Sort(out)
	return slices.DeleteFunc(slices.Compact(out), func(s string) bool { return s == "" })
}

// aliases learns by which other names the resources of a stack go, from the
// outputs that give them away.
func (m *member) aliases() map[string][]string {
	out := map[string][]string{}
	if m.parsed() == nil {
		return out
	}
	for _, o := range m.Live.Outputs {
		refs, attributes := cfntemplate.Refs(m.template.Outputs[o.Key].Value)
		for _, id := range refs {
			out[id] = append(out[id], o.Value)
		}
		for _, a := range attributes {
			if identifies(a[1]) {
				out[a[0]] = append(out[a[0]], o.Value)
			}
		}
	}
	return out
}

// identifies tells whether an attribute names its resource. An address range, an
// address or a port does not.
func identifies(attribute string) bool {
	for _, end := range []string{"Arn", "ARN", "Id", "ID", "Name"} {
		if strings.HasSuffix(attribute, end) {
			return true
		}
	}
	return false
}
