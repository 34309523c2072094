package prepare

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/stacks"
)

// What CloudFormation allows (API reference, Tag).
const (
	maxTags     = 50
	maxTagKey   = 128
	maxTagValue = 256
)

// tags resolves the stack's tags and adds deployer's own.
func (m *making) tags() {
	var tags []stacks.Tag
	for _, f := range m.stack.Tags {
		if !m.tagKey(f) {
			continue
		}
		v, ok := m.resolve(f.Key, f.Value)
		if !ok || v.Kind == stacks.Null {
			continue
		}
		text, ok := m.tagText(v)
		switch {
		case !ok:
			m.fail(m.wrong(f.Pos, "tag "+f.Key, notText(v), ""))
		case len([]rune(text)) > maxTagValue && !IsLate(text):
			m.fail(m.wrong(f.Pos, "tag "+f.Key, fmt.Sprintf("its value is longer than %d characters", maxTagValue), ""))
		default:
			tags = setTag(tags, stacks.Tag{Key: f.Key, Value: text})
			if v.Secret && text != "" {
				m.out.Secrets = append(m.out.Secrets, text)
			}
		}
	}
	for _, t := range m.stack.OwnTags() {
		tags = setTag(tags, t)
	}
	if len(tags) > maxTags {
		m.fail(m.wrong(m.stack.Pos, "stack_tags", fmt.Sprintf("%d tags with deployer's own, and CloudFormation takes %d", len(tags), maxTags), ""))
	}
	slices.SortFunc(tags, func(a, b stacks.Tag) int { return cmp.Compare(a.Key, b.Key) })
	m.out.Tags = tags
}

// tagKey refuses keys that belong to others. Were deployer's own tags free to
// write, a config could make a live stack say that it is not production.
func (m *making) tagKey(f stacks.Field) bool {
	why := ""
	lower := strings.ToLower(f.Key)
	switch {
	case strings.HasPrefix(lower, "aws:"):
		why = "tags that begin with aws: belong to AWS"
	case strings.HasPrefix(lower, stacks.TagPrefix):
		why = "tags that begin with " + stacks.TagPrefix + " are set by deployer alone"
	case f.Key == "":
		why = "a tag needs a key"
	case len([]rune(f.Key)) > maxTagKey:
		why = fmt.Sprintf("its key is longer than %d characters", maxTagKey)
	}
	if why != "" {
		m.fail(m.wrong(f.Pos, "tag "+f.Key, why, ""))
	}
	return why == ""
}

// tagText gives a tag's value as Sceptre does, which hands booleans to Python's
// str: a stack that Sceptre launched must not differ by the case of a letter.
func (m *making) tagText(v stacks.Value) (string, bool) {
	if v.Kind == stacks.Bool {
		if v.Text == "true" {
			return "True", true
		}
		return "False", true
	}
	return m.plain(v)
}

func setTag(tags []stacks.Tag, t stacks.Tag) []stacks.Tag {
	if i := slices.IndexFunc(tags, func(o stacks.Tag) bool { return o.Key == t.Key }); i >= 0 {
		tags[i] = t
		return tags
	}
	return append(tags, t)
}
