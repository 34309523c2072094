package cfntemplate

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"
)

// join evaluates Fn::Join.
func (e *evaluator) join(arg any) (any, error) {
	items, ok := listOf(arg, 2, 2)
	if !ok {
		return nil, refuse(textJoin)
	}
	delimiter, list, err := e.two(items)
	if err != nil {
		return nil, err
	}
	if u, ok := unknownIn(delimiter, list); ok {
		return u, nil
	}
	between, ok := delimiter.(string)
	parts, isList := list.([]any)
	if !ok || !isList {
		return nil, refuse(textJoin)
	}
	texts := make([]string, len(parts))
	for i, p := range parts {
		if u, ok := p.(Unknown); ok {
			return u, nil
		}
		if texts[i], ok = text(p); !ok {
			return nil, refuse(textJoin)
		}
	}
	return strings.Join(texts, between), nil
}

// two evaluates the two items of a call.
func (e *evaluator) two(items []any) (first, second any, err error) {
	if first, err = e.value(items[0]); err != nil {
		return nil, nil, err
	}
	second, err = e.value(items[1])
	return first, second, err
}

// split evaluates Fn::Split.
func (e *evaluator) split(arg any) (any, error) {
	items, ok := listOf(arg, 2, 2)
	if !ok {
		return nil, refuse(textSplit)
	}
	delimiter, source, err := e.two(items)
	if err != nil {
		return nil, err
	}
	if u, ok := unknownIn(delimiter, source); ok {
		return u, nil
	}
	between, ok := delimiter.(string)
	s, isText := text(source)
	if !ok || !isText || between == "" {
		return nil, refuse(textSplit)
	}
	return normal(strings.Split(s, between)), nil
}

// choose evaluates Fn::Select.
func (e *evaluator) choose(arg any) (any, error) {
	items, ok := listOf(arg, 2, 2)
	if !ok {
		return nil, refuse(textSelect)
	}
	index, list, err := e.two(items)
	if err != nil {
		return nil, err
	}
	if u, ok := unknownIn(index, list); ok {
		return u, nil
	}
	written, _ := text(index)
	at, bad := strconv.Atoi(strings.TrimSpace(written))
	from, ok := list.([]any)
	if bad != nil || !ok {
		return nil, refuse(textSelect)
	}
	if at < 0 || at >= len(from) || from[at] == nil {
		return nil, refuse("Template error: Fn::Select cannot select nonexistent value at index %d", at)
	}
	return from[at], nil
}

// zones evaluates Fn::GetAZs.
func (e *evaluator) zones(arg any) (any, error) {
	v, err := e.value(arg)
	if err != nil {
		return nil, err
	}
	if u, ok := v.(Unknown); ok {
		return u, nil
	}
	region, ok := v.(string)
	if !ok {
		return nil, refuse(textGetAZs)
	}
	if region == "" {
		region = e.env.Region
	}
	if e.env.Zones == nil || region == "" {
		return Unknown{"availability zones are not known"}, nil
	}
	return normal(e.env.Zones(region)), nil
}

// base64 evaluates Fn::Base64.
func (e *evaluator) base64(arg any) (any, error) {
	v, err := e.value(arg)
	if err != nil {
		return nil, err
	}
	if u, ok := v.(Unknown); ok {
		return u, nil
	}
	s, ok := text(v)
	if !ok {
		return nil, refuse(textBase64)
	}
	return base64.StdEncoding.EncodeToString([]byte(s)), nil
}

// length evaluates Fn::Length.
func (e *evaluator) length(arg any) (any, error) {
	if err := e.needExtensions("Fn::Length"); err != nil {
		return nil, err
	}
	v, err := e.value(arg)
	if err != nil {
		return nil, err
	}
	if u, ok := v.(Unknown); ok {
		return u, nil
	}
	items, ok := v.([]any)
	if !ok {
		return nil, refuse(textLength)
	}
	return int64(len(items)), nil
}

// toJSON evaluates Fn::ToJsonString.
func (e *evaluator) toJSON(arg any) (any, error) {
	if err := e.needExtensions("Fn::ToJsonString"); err != nil {
		return nil, err
	}
	v, err := e.value(arg)
	if err != nil {
		return nil, err
	}
	if u, ok := unknownBelow(v); ok {
		return u, nil
	}
	switch v.(type) {
	case []any, map[string]any:
	default:
		return nil, refuse(textToJSON)
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, refuse(textToJSON)
	}
	return strings.TrimSuffix(out.String(), "\n"), nil
}

func (e *evaluator) needExtensions(name string) error {
	if e.t.extended() {
		return nil
	}
	return refuse("Template format error: Unresolved function %s: it needs the transform %s", name, languageExtensions)
}
