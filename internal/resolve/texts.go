package resolve

import (
	"context"
	"strings"

	"github.com/deployer-cli/deployer/stacks"
)

// parts resolves a raw call's argument, a list of two.
func (c call) parts(ctx context.Context, form string) (first, second stacks.Value, err error) {
	arg, err := c.resolved(ctx, c.arg)
	if err != nil {
		return first, second, err
	}
	if arg.Kind == stacks.Unknown {
		return arg, arg, nil
	}
	if arg.Kind != stacks.List || len(arg.Items) != 2 {
		return first, second, c.wants(form)
	}
	return arg.Items[0], arg.Items[1], nil
}

// waits answers for a call that cannot be made yet: something in its argument
// is Unknown.
func (c call) waits(hint string, args ...stacks.Value) (stacks.Value, bool) {
	all := stacks.Value{Kind: stacks.List, Items: args}
	after, unknown := all.HasUnknown()
	if !unknown {
		return stacks.Value{}, false
	}
	v := stacks.Later(hint, after...)
	v.Secret, v.Pos = all.HasSecret(), c.pos
	return v, true
}

// join strings a list together.
func join(ctx context.Context, c call) (stacks.Value, error) {
	const form = "[separator, [items]]"
	sep, items, err := c.parts(ctx, form)
	if err != nil {
		return stacks.Value{}, err
	}
	if items.Kind == stacks.Unknown {
		v, _ := c.waits(shape(items), sep, items)
		return v, nil
	}
	if (sep.Kind != stacks.Text && sep.Kind != stacks.Unknown) || items.Kind != stacks.List {
		return stacks.Value{}, c.wants(form)
	}
	texts := make([]string, 0, len(items.Items))
	for _, i := range items.Items {
		if !i.IsScalar() && i.Kind != stacks.Unknown {
			return stacks.Value{}, c.problem("an item to join is "+i.Kind.String(), "")
		}
		texts = append(texts, shape(i))
	}
	joined := strings.Join(texts, shape(sep))
	if v, unknown := c.waits(joined, sep, items); unknown {
		return v, nil
	}
	plain := make([]string, 0, len(items.Items))
	for _, i := range items.Items {
		plain = append(plain, pythonText(i))
	}
	out := stacks.String(strings.Join(plain, sep.Text))
	out.Secret = sep.HasSecret() || items.HasSecret()
	return out, nil
}

// split cuts a string into a list.
func split(ctx context.Context, c call) (stacks.Value, error) {
	const form = "[separator, string]"
	sep, text, err := c.parts(ctx, form)
	if err != nil {
		return stacks.Value{}, err
	}
	if v, unknown := c.waits(shape(text)+" split", sep, text); unknown {
		return v, nil
	}
	if sep.Kind != stacks.Text || sep.Text == "" || text.Kind != stacks.Text {
		return stacks.Value{}, c.wants(form)
	}
	out := stacks.Strings(strings.Split(text.Text, sep.Text)...)
	out.Secret = sep.Secret || text.Secret
	for i := range out.Items {
		out.Items[i].Secret, out.Items[i].Pos = out.Secret, c.pos
	}
	return out, nil
}

// selectItem picks one item of a list or map. Only what is picked has to be
// known.
func selectItem(ctx context.Context, c call) (stacks.Value, error) {
	const form = "[index or key, list or map]"
	index, from, err := c.parts(ctx, form)
	if err != nil {
		return stacks.Value{}, err
	}
	if index.Kind == stacks.Unknown || from.Kind == stacks.Unknown {
		v, _ := c.waits("item "+shape(index)+" of "+shape(from), index, from)
		return v, nil
	}
	if !index.IsScalar() {
		return stacks.Value{}, c.wants(form)
	}
	if from.Kind != stacks.List && from.Kind != stacks.Map {
		return stacks.Value{}, c.wants(form)
	}
	out, found := item(from.Items, index.Text)
	if from.Kind == stacks.Map {
		out, found = from.Get(index.Text)
	}
	if !found {
		return stacks.Value{}, c.problem("there is no item "+index.Text+" in "+from.Kind.String(), "")
	}
	out.Secret = out.Secret || from.Secret || index.Secret
	return out, nil
}

// sub puts values into a format string, as Python's str.format does with
// named fields.
func sub(ctx context.Context, c call) (stacks.Value, error) {
	const form = `["text {name}", {name: value}]`
	format, values, err := c.parts(ctx, form)
	if err != nil {
		return stacks.Value{}, err
	}
	if format.Kind == stacks.Unknown || values.Kind == stacks.Unknown {
		v, _ := c.waits(shape(format), format, values)
		return v, nil
	}
	if format.Kind != stacks.Text || values.Kind != stacks.Map {
		return stacks.Value{}, c.wants(form)
	}
	text, used, why := formatted(format.Text, values)
	if why != "" {
		return stacks.Value{}, c.problem(why, "")
	}
	hint := text
	if format.Secret {
		hint = shape(format)
	}
	if v, unknown := c.waits(hint, append(used, format)...); unknown {
		return v, nil
	}
	out := stacks.String(text)
	out.Secret = format.Secret
	for _, u := range used {
		out.Secret = out.Secret || u.HasSecret()
	}
	return out, nil
}

// shape is how a value looks in a hint: what is known as it is, what is not
// between angle brackets, and secrets never.
func shape(v stacks.Value) string {
	switch {
	case v.Secret:
		return "****"
	case v.Kind == stacks.Unknown:
		return "<" + v.Hint + ">"
	case v.IsScalar():
		return pythonText(v)
	}
	return v.Kind.String()
}

// pythonText is what Python's str gives for a value.
func pythonText(v stacks.Value) string {
	switch v.Kind {
	case stacks.Bool:
		if v.Text == "true" {
			return "True"
		}
		return "False"
	case stacks.Null:
		return "None"
	default:
		return v.Text
	}
}

// previous stays a call: prepare knows what to make of it.
func previous(ctx context.Context, c call) (stacks.Value, error) {
	if c.inner {
		return stacks.Value{}, c.problem("it can only be a whole value", "it keeps the live value of one parameter")
	}
	arg, err := c.resolved(ctx, c.arg)
	if err != nil {
		return stacks.Value{}, err
	}
	form := "nothing, or {default: VALUE}"
	switch arg.Kind {
	case stacks.Null:
	case stacks.Text:
		if arg.Text != "" {
			return stacks.Value{}, c.wants(form)
		}
		arg = stacks.Value{}
	case stacks.Map:
		if _, ok := arg.Get("default"); !ok || len(arg.Fields) != 1 {
			return stacks.Value{}, c.wants(form)
		}
	default:
		return stacks.Value{}, c.wants(form)
	}
	return stacks.Value{Kind: stacks.Call, Call: &stacks.Invocation{Name: Previous, Arg: arg}, Secret: arg.HasSecret()}, nil
}
