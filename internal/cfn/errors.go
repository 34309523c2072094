package cfn

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/internal/awsconf"
	"github.com/deployer-cli/deployer/stacks"
)

// The texts that CloudFormation tells cases apart by: nearly everything comes
// with the one code ValidationError (cloudformation.md 1.3).
var (
	noStack = regexp.MustCompile(`^Stack\b.*\bdoes not exist\.?$`)
	busy    = regexp.MustCompile(`\bis in ([A-Z_]+) state and can ?not be\b|\bwhile in status ([A-Z_]+)|\bcannot be updated from \[([A-Z_]+)\] state|\bcannot be called from current stack status\b`)
)

// Codes that CloudFormation answers with.
const (
	codeExists       = "AlreadyExistsException"
	codeTokenUsed    = "TokenAlreadyExistsException"
	codeNoChangeSet  = "ChangeSetNotFound"
	codeChangeSet    = "InvalidChangeSetStatus"
	codeNoStack      = "StackNotFoundException"
	codeCapabilities = "InsufficientCapabilitiesException"
)

// translate turns an error of the SDK's into one of ours. stack is the stack
// that the call was about.
func translate(ctx context.Context, err error, call awsconf.Call, stack string) error {
	err = awsconf.Explain(ctx, err, call)
	answer, ok := awsconf.Answer(err)
	if !ok {
		return err
	}
	text := answer.Message
	switch {
	case answer.Code == codeNoStack, noStack.MatchString(text):
		return &stacks.NotFoundError{Name: stack}
	case noChanges(text):
		return &stacks.NoChangesError{Name: stack}
	case answer.Code == codeExists && !strings.Contains(text, "ChangeSet"),
		strings.Contains(text, "already exists and cannot be created again"):
		return &stacks.ExistsError{Name: stack}
	case strings.Contains(text, "TerminationProtection is enabled"):
		return &stacks.ProtectedError{Name: stack}
	}
	if m := busy.FindStringSubmatch(text); m != nil {
		return &stacks.BusyError{Name: stack, Status: stacks.Status(m[1] + m[2] + m[3]), Why: text}
	}
	return advise(answer)
}

// noChanges tells whether a text says, in any of its wordings, that there is
// nothing to do.
func noChanges(text string) bool {
	t := strings.ToLower(text)
	return strings.Contains(t, "no updates are to be performed") ||
		strings.Contains(t, "didn't contain changes") ||
		strings.Contains(t, "did not contain changes") ||
		strings.Contains(t, "no changes to be performed")
}

// advise adds what helps with errors that users meet often.
func advise(e *stacks.ServiceError) *stacks.ServiceError {
	if e.Tip != "" {
		return e
	}
	switch {
	case e.Code == codeCapabilities:
		e.Tip = "deployer grants every capability; something between it and AWS takes them away"
	case strings.Contains(e.Message, "cannot be deleted as it is in use by"):
		e.Tip = "launch or delete the stacks that import it first"
	case strings.Contains(e.Message, "do not exist in the template"):
		e.Tip = "take the parameter out of the stack's config, or declare it in the template"
	case strings.Contains(e.Message, "must have values"):
		e.Tip = "give the parameters in the stack's config, or a Default in the template"
	case strings.Contains(e.Message, "Role ") && strings.Contains(e.Message, "cannot be assumed"):
		e.Tip = "cloudformation_service_role has to trust cloudformation.amazonaws.com, and you need iam:PassRole for it"
	}
	return e
}

// hasCode tells whether err is a plain answer with the given code.
func hasCode(err error, codes ...string) bool {
	e, ok := awsconf.Answer(err)
	return ok && slices.Contains(codes, e.Code)
}

// isNotFound tells whether err says that a stack does not exist.
func isNotFound(err error) bool {
	_, ok := errors.AsType[*stacks.NotFoundError](err)
	return ok
}

// NoOutputError says that a stack lives and has no such output.
type NoOutputError struct {
	Stack  string
	Key    string
	Status stacks.Status
	Have   []string
}

// Error names the stack and the output.
func (e *NoOutputError) Error() string {
	return fmt.Sprintf("stack %s has no output %s", e.Stack, e.Key)
}

// Hint lists the outputs that there are.
func (e *NoOutputError) Hint() string {
	switch {
	case !e.Status.Exists(), e.Status.InProgress() && len(e.Have) == 0:
		return fmt.Sprintf("the stack is %s; outputs are there when it is complete", e.Status)
	case len(e.Have) == 0:
		return "it has no outputs at all"
	}
	return "it has " + strings.Join(e.Have, ", ")
}

// TooLargeError says that a template can only be sent by way of a bucket.
type TooLargeError struct{ Size int }

// Error gives both sizes.
func (e *TooLargeError) Error() string {
	return fmt.Sprintf("the template is too large to send: it has %d bytes, CloudFormation takes %d", e.Size, maxBody)
}

// Hint names the key that helps.
func (e *TooLargeError) Hint() string {
	return "add template_bucket_name: to the stack's or its group's config, so that it goes through S3"
}

// ExitCode is 2: nothing was touched.
func (e *TooLargeError) ExitCode() int { return 2 }
