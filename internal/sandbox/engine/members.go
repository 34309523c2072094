package engine

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

const maxToken, maxTagKey, maxTagValue = 128, 128, 256

var tokenPattern = regexp.MustCompile(`^[a-zA-Z0-9][-a-zA-Z0-9]*$`)

// checkMembers refuses values that the model of the API does not have. AWS does so
// before it looks anything up.
func checkMembers(in any) error {
	switch in := in.(type) {
	case *CreateStackInput:
		return firstOf(checkToken(in.ClientRequestToken), checkCapabilityNames(in.Capabilities), checkTagLengths(in.Tags))
	case *UpdateStackInput:
		return firstOf(checkToken(in.ClientRequestToken), checkCapabilityNames(in.Capabilities), checkTagLengths(in.Tags))
	case *CreateChangeSetInput:
		return firstOf(checkCapabilityNames(in.Capabilities), checkTagLengths(in.Tags), checkOnFailure(in))
	case *ExecuteChangeSetInput:
		return checkToken(in.ClientRequestToken)
	case *DeleteStackInput:
		return checkToken(in.ClientRequestToken)
	case *CancelUpdateStackInput:
		return checkToken(in.ClientRequestToken)
	case *ContinueUpdateRollbackInput:
		return checkToken(in.ClientRequestToken)
	case *RollbackStackInput:
		return checkToken(in.ClientRequestToken)
	case *ListStacksInput:
		return checkNames("stackStatusFilter", in.StackStatusFilter, stackStatuses())
	}
	return nil
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// checkOnFailure refuses what a change set may not do when its execution fails.
// The text for an update is the sandbox's own.
func checkOnFailure(in *CreateChangeSetInput) error {
	switch in.OnStackFailure {
	case "", "DO_NOTHING", "ROLLBACK":
		return nil
	case "DELETE":
		if in.ChangeSetType == "CREATE" {
			return nil
		}
		return invalid("OnStackFailure DELETE is only valid for change sets of type CREATE")
	}
	return invalid("1 validation error detected: Value '%s' at 'onStackFailure' failed to satisfy constraint: Member must satisfy enum value set: [DO_NOTHING, ROLLBACK, DELETE]", in.OnStackFailure)
}

func checkToken(token string) error {
	switch {
	case token == "":
		return nil
	case !tokenPattern.MatchString(token):
		return invalid("1 validation error detected: Value '%s' at 'clientRequestToken' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9][-a-zA-Z0-9]*", token)
	case len(token) > maxToken:
		return invalid("1 validation error detected: Value '%s' at 'clientRequestToken' failed to satisfy constraint: Member must have length less than or equal to %d", token, maxToken)
	}
	return nil
}

func checkCapabilityNames(given []string) error {
	return checkNames("capabilities", given, []string{"CAPABILITY_AUTO_EXPAND", "CAPABILITY_NAMED_IAM", "CAPABILITY_IAM"})
}

// checkNames refuses a list with a name that is none of the known.
func checkNames(member string, given, known []string) error {
	for _, name := range given {
		if !slices.Contains(known, name) {
			return invalid("1 validation error detected: Value '[%s]' at '%s' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [%s]]",
				strings.Join(given, ", "), member, strings.Join(known, ", "))
		}
	}
	return nil
}

func checkTagLengths(tags []Tag) error {
	for i, t := range tags {
		err := firstOf(checkLength(t.Key, i, "key", maxTagKey), checkLength(t.Value, i, "value", maxTagValue))
		if err != nil {
			return err
		}
	}
	return nil
}

func checkLength(text string, index int, part string, most int) error {
	limit, bound := "greater", 1
	switch n := utf8.RuneCountInString(text); {
	case n > most:
		limit, bound = "less", most
	case n >= 1:
		return nil
	}
	return invalid("1 validation error detected: Value '%s' at 'tags.%d.member.%s' failed to satisfy constraint: Member must have length %s than or equal to %d", text, index+1, part, limit, bound)
}

func stackStatuses() []string {
	return []string{
		createInProgress, createFailed, createComplete, rollbackInProgress, rollbackFailed, rollbackComplete,
		deleteInProgress, deleteFailed, deleteComplete, updateInProgress, updateCleanup, updateComplete, updateFailed,
		undoInProgress, undoFailed, undoCleanup, undoComplete, reviewInProgress, importInProgress, importComplete,
		importUndoInProgress, importUndoFailed, importUndoComplete,
	}
}
