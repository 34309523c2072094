package cfntemplate

import (
	"slices"
	"strconv"
	"strings"
)

// functions are the names CloudFormation lists when it meets one it does not know.
const functions = "Fn::Base64, Fn::GetAtt, Fn::GetAZs, Fn::ImportValue, Fn::Join, Fn::Split, Fn::FindInMap, Fn::Select, Ref, " +
	"Fn::Equals, Fn::If, Fn::Not, Condition, Fn::And, Fn::Or, Fn::Contains, Fn::EachMemberEquals, Fn::EachMemberIn, " +
	"Fn::ValueOf, Fn::ValueOfAll, Fn::RefAll, Fn::Sub, Fn::Cidr"

func supported(name string) bool {
	switch name {
	case fnTransform, fnStackOutput, "Fn::Length", "Fn::ToJsonString":
		return true
	}
	return slices.Contains(strings.Split(functions, ", "), name)
}

func unsupported(name string) *Error {
	return refuse("Template error: Encountered unsupported function: %s Supported functions are: [%s]", name, functions)
}

// checkShape refuses a call whose argument, as far as it is literal, can never be
// right.
func (t *Template) checkShape(name string, arg any) *Error {
	wrong := ""
	switch name {
	case fnRef:
		if s, ok := text(arg); (!ok || s == "") && (!isCall(arg) || !t.extended()) {
			wrong = "Template format error: every Ref object must have a single String value."
		}
	case fnGetAtt:
		if _, _, ok := getAttArgs(arg); !ok {
			wrong = textGetAtt
		}
	case fnSub:
		return checkSub(arg)
	case "Fn::FindInMap":
		return t.checkFindInMap(arg)
	case "Fn::Length", "Fn::ToJsonString":
		return t.checkExtension(name, arg)
	case fnTransform:
		return checkTransform(arg)
	case fnStackOutput:
		if m, ok := arg.(map[string]any); !ok || checkStackOutput(m) != nil {
			wrong = textStackOutput
		}
	case fnIf, fnEquals, fnNot, fnAnd, fnOr:
		wrong = logicalShape(name, arg)
	default:
		if !supported(name) {
			return unsupported(name)
		}
		wrong = listShape(name, arg)
	}
	if wrong == "" {
		return nil
	}
	return refuse("%s", wrong)
}

func checkSub(arg any) *Error {
	s, _, err := subArgs(arg)
	if err != nil {
		return err
	}
	_, err = pieces(s)
	return err
}

func (t *Template) checkFindInMap(arg any) *Error {
	items, ok := listOf(arg, 3, 4)
	if !ok || len(items) == 4 && !t.extended() {
		return refuse(textFindInMap)
	}
	if slices.ContainsFunc(items[:3], func(v any) bool { return !scalarOrCall(v) }) {
		return refuse(textFindInMap)
	}
	return nil
}

func (t *Template) checkExtension(name string, arg any) *Error {
	if err := (&evaluator{t: t}).needExtensions(name); err != nil {
		return asError(err)
	}
	_, isList := arg.([]any)
	_, isMap := arg.(map[string]any)
	switch {
	case name == "Fn::Length" && !isList && !isCall(arg):
		return refuse(textLength)
	case name != "Fn::Length" && !isList && !isMap:
		return refuse(textToJSON)
	default:
		return nil
	}
}

func checkTransform(arg any) *Error {
	m, _ := arg.(map[string]any)
	if _, ok := m["Name"].(string); !ok {
		return refuse("Key Name of transform definition must be a string.")
	}
	return nil
}

func logicalShape(name string, arg any) string {
	switch name {
	case fnIf:
		items, ok := listOf(arg, 3, 3)
		if !ok {
			return textIf
		}
		if _, ok := items[0].(string); !ok {
			return textIf
		}
	case fnEquals:
		items, ok := listOf(arg, 2, 2)
		if !ok || slices.ContainsFunc(items, func(v any) bool { return !scalarOrCall(v) }) {
			return textEquals
		}
	case fnNot:
		if _, ok := listOf(arg, 1, 1); !ok {
			return textNot
		}
	default:
		if _, ok := listOf(arg, 2, 10); !ok {
			return strings.ReplaceAll(textAndOr, "%s", name)
		}
	}
	return ""
}

func scalarOrCall(v any) bool {
	_, ok := text(v)
	return ok || isCall(v)
}

// listShape judges the functions of strings and lists.
func listShape(name string, arg any) string {
	switch name {
	case "Fn::Join":
		return joinShape(arg)
	case "Fn::Split":
		items, ok := listOf(arg, 2, 2)
		if !ok || !scalarOrCall(items[1]) {
			return textSplit
		}
		if s, ok := items[0].(string); (!ok || s == "") && !isCall(items[0]) {
			return textSplit
		}
	case "Fn::Select":
		return selectShape(arg)
	case "Fn::Base64":
		if !scalarOrCall(arg) {
			return textBase64
		}
	case "Fn::GetAZs":
		if _, ok := arg.(string); !ok && !isCall(arg) {
			return textGetAZs
		}
	case "Fn::Cidr":
		items, ok := listOf(arg, 2, 3)
		if !ok || slices.ContainsFunc(items, func(v any) bool { return !scalarOrCall(v) }) {
			return textCidr
		}
	case fnImport:
		if s, ok := text(arg); (!ok || s == "") && !isCall(arg) {
			return textImport
		}
	}
	return ""
}

func joinShape(arg any) string {
	items, ok := listOf(arg, 2, 2)
	if !ok {
		return textJoin
	}
	if _, ok := items[0].(string); !ok && !isCall(items[0]) {
		return textJoin
	}
	if isCall(items[1]) {
		return ""
	}
	parts, ok := items[1].([]any)
	if !ok || slices.ContainsFunc(parts, func(v any) bool { return !scalarOrCall(v) }) {
		return textJoin
	}
	return ""
}

func selectShape(arg any) string {
	items, ok := listOf(arg, 2, 2)
	if !ok {
		return textSelect
	}
	from, literal := items[1].([]any)
	if !literal && !isCall(items[1]) {
		return textSelect
	}
	if isCall(items[0]) {
		return ""
	}
	written, _ := text(items[0])
	index, err := strconv.Atoi(strings.TrimSpace(written))
	if err != nil || index < 0 || literal && index >= len(from) {
		return textSelect
	}
	return ""
}
