package cfntemplate

import (
	"regexp"
	"strings"
)

// variable is ${…} in a string of Fn::Sub.
var variable = regexp.MustCompile(`\$\{([^}]*)\}`)

var variableName = regexp.MustCompile(`^[A-Za-z0-9_.:]+$`)

// piece is a part of a string of Fn::Sub: literal text or the name of a variable.
type piece struct{ literal, name string }

// pieces takes a string of Fn::Sub apart. ${!Literal} is the text ${Literal}.
func pieces(s string) ([]piece, *Error) {
	var out []piece
	end := 0
	for _, m := range variable.FindAllStringSubmatchIndex(s, -1) {
		if m[0] > end {
			out = append(out, piece{literal: s[end:m[0]]})
		}
		end = m[1]
		name := s[m[2]:m[3]]
		if literal, ok := strings.CutPrefix(name, "!"); ok {
			out = append(out, piece{literal: "${" + literal + "}"})
			continue
		}
		name = strings.TrimSpace(name)
		if !variableName.MatchString(name) {
			return nil, refuse(textSubName)
		}
		out = append(out, piece{name: name})
	}
	if end < len(s) {
		out = append(out, piece{literal: s[end:]})
	}
	return out, nil
}

// subArgs takes the argument of Fn::Sub apart.
func subArgs(arg any) (string, map[string]any, *Error) {
	if s, ok := text(arg); ok {
		return s, nil, nil
	}
	items, ok := listOf(arg, 2, 2)
	if !ok {
		return "", nil, refuse(textSub)
	}
	s, isText := text(items[0])
	local, isMap := items[1].(map[string]any)
	if !isText || !isMap {
		return "", nil, refuse(textSub)
	}
	return s, local, nil
}

// subNames are the variables of a call of Fn::Sub that its own map does not give;
// none when the call is malformed.
func subNames(arg any) []string {
	s, local, err := subArgs(arg)
	if err != nil {
		return nil
	}
	parts, err := pieces(s)
	if err != nil {
		return nil
	}
	var names []string
	for _, p := range parts {
		if _, ok := local[p.name]; p.name != "" && !ok {
			names = append(names, p.name)
		}
	}
	return names
}
