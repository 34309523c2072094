package config

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/deployer-cli/deployer/stacks"
)

// shape says what a value in one of deployer's own blocks may be.
type shape struct {
	keys  map[string]shape                  // a map with these keys only
	each  *shape                            // a map with any names, or the items of a list
	list  bool                              // each is for the items of a list
	check func(v stacks.Value) string       // a scalar; the answer says what is wrong, "" for nothing
	whole func(v stacks.Value) (why string) // something about the whole map
}

// verify reports everything in v that is not as s says. name is how the
// value is called in messages.
func (s shape) verify(name string, v stacks.Value) []*stacks.Problem {
	if s.check != nil {
		if why := s.check(v); why != "" {
			return []*stacks.Problem{{Pos: v.Pos, What: name + " cannot be used", Why: why}}
		}
		return nil
	}
	if s.list {
		return s.verifyList(name, v)
	}
	if v.Kind != stacks.Map {
		return []*stacks.Problem{{Pos: v.Pos, What: name + " must be a map", Why: "it is " + shown(v)}}
	}
	var out []*stacks.Problem
	for _, f := range v.Fields {
		within := name + "." + f.Key
		inner, known := s.keys[f.Key]
		switch {
		case known:
			out = append(out, inner.verify(within, f.Value)...)
		case s.each != nil:
			out = append(out, s.each.verify(within, f.Value)...)
		default:
			out = append(out, s.unknown(name, f))
		}
	}
	if s.whole != nil && len(out) == 0 {
		if why := s.whole(v); why != "" {
			out = append(out, &stacks.Problem{Pos: v.Pos, What: name + " cannot be used", Why: why})
		}
	}
	return out
}

func (s shape) verifyList(name string, v stacks.Value) []*stacks.Problem {
	if v.Kind != stacks.List {
		return []*stacks.Problem{{Pos: v.Pos, What: name + " must be a list", Why: "it is " + shown(v)}}
	}
	var out []*stacks.Problem
	for i, item := range v.Items {
		out = append(out, s.each.verify(fmt.Sprintf("%s[%d]", name, i), item)...)
	}
	return out
}

func (s shape) unknown(name string, f stacks.Field) *stacks.Problem {
	p := &stacks.Problem{Pos: f.Pos, What: "unknown key " + f.Key + " in " + name}
	if meant := nearest(f.Key, maps.Keys(s.keys)); meant != "" {
		p.Tip = "did you mean " + meant + "?"
	} else {
		p.Tip = "known keys: " + strings.Join(slices.Sorted(maps.Keys(s.keys)), ", ")
	}
	return p
}

func listOf(item shape) shape { return shape{list: true, each: &item} }

func named(each shape) shape { return shape{each: &each} }

func text(v stacks.Value) string {
	if v.Kind != stacks.Text || v.Text == "" {
		return "it must be a string, and is " + shown(v)
	}
	return ""
}

// word is a text that is kept with the records of a break, such as one of a command.
func word(v stacks.Value) string {
	if stacks.HoldsPassword(v.Text) {
		return "it holds an address with a user or a password, which would be kept with the records of a break"
	}
	return text(v)
}

func boolean(v stacks.Value) string {
	if v.Kind == stacks.Bool {
		return ""
	}
	why := "it must be true or false, and is " + shown(v)
	if v.Kind == stacks.Text {
		why += "; leave the quotes out"
	}
	return why
}

// number takes whole numbers from least to most; most 0 is no bound.
func number(least, most int) func(stacks.Value) string {
	want := fmt.Sprintf("a whole number from %d", least)
	if most > 0 {
		want += fmt.Sprintf(" to %d", most)
	}
	return func(v stacks.Value) string {
		n, err := strconv.Atoi(v.Text)
		if v.Kind != stacks.Int || err != nil || n < least || (most > 0 && n > most) {
			return "it must be " + want + ", and is " + shown(v)
		}
		return ""
	}
}

func oneOf(words ...string) func(stacks.Value) string {
	return func(v stacks.Value) string {
		if v.Kind == stacks.Text && slices.Contains(words, v.Text) {
			return ""
		}
		why := "it must be " + strings.Join(words, " or ") + ", and is " + shown(v)
		if meant := nearest(v.Text, slices.Values(words)); meant != "" && v.Kind == stacks.Text {
			why += "; did you mean " + meant + "?"
		}
		return why
	}
}

func either(a, b func(stacks.Value) string) func(stacks.Value) string {
	return func(v stacks.Value) string {
		if a(v) == "" {
			return ""
		}
		return b(v)
	}
}

// period takes durations such as 30s, 5m, 24h and 2d.
func period(v stacks.Value) string {
	if v.Kind == stacks.Text {
		if _, err := stacks.Period(v.Text); err == nil {
			return ""
		}
	}
	return "it must be a duration such as 90s, 30m, 24h or 2d, and is " + shown(v)
}

// zone takes names of time zones by their form; whether this machine knows the
// zone is for the one who uses it.
func zone(v stacks.Value) string {
	return matching(`^[A-Za-z]+([/_+-][A-Za-z0-9_+-]+)*$`, "a time zone such as Europe/London")(v)
}

// matching compiles its pattern when the first value is checked: shapes are made
// for each environment, and most of their keys never stand in one.
func matching(pattern, want string) func(stacks.Value) string {
	re := sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) })
	return func(v stacks.Value) string {
		if v.Kind == stacks.Text && re().MatchString(v.Text) {
			return ""
		}
		return "it must be " + want + ", and is " + shown(v)
	}
}

func leaf(check func(stacks.Value) string) shape { return shape{check: check} }
