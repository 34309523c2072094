package stacks

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"unicode"
)

// Unprintable finds a character in a JSON document that a terminal would act on,
// or that would turn the order of what is read, and says where it stands: "" for
// none. Texts under the keys given may hold what they like; whoever shows them
// cleans them.
func Unprintable(doc []byte, except ...string) (where string, err error) {
	var v any
	if err := json.Unmarshal(doc, &v); err != nil {
		return "", err
	}
	return unprintable(v, "", except), nil
}

func unprintable(v any, at string, except []string) string {
	switch v := v.(type) {
	case string:
		if acts(v) {
			return at
		}
	case []any:
		for i, item := range v {
			if where := unprintable(item, fmt.Sprintf("%s[%d]", at, i), except); where != "" {
				return where
			}
		}
	case map[string]any:
		return unprintableMap(v, at, except)
	}
	return ""
}

func unprintableMap(v map[string]any, at string, except []string) string {
	for _, key := range slices.Sorted(maps.Keys(v)) {
		if acts(key) {
			return at + " (a key of it)"
		}
		if slices.Contains(except, key) {
			continue
		}
		if where := unprintable(v[key], at+"."+key, except); where != "" {
			return where
		}
	}
	return ""
}

func acts(s string) bool {
	for _, r := range s {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029' {
			return true
		}
	}
	return false
}
