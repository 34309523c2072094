package awsconf

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/smithy-go"

	"github.com/deployer-cli/deployer/stacks"
)

// ConfigError says that AWS cannot be reached as things are set up. Nothing was
// touched.
type ConfigError struct {
	What  string
	Why   string
	Tip   string
	cause error
}

// Error says what is missing and why.
func (e *ConfigError) Error() string { return e.What + ": " + e.Why }

// Hint tells how to mend it.
func (e *ConfigError) Hint() string { return e.Tip }

// ExitCode is 2: a matter of configuration.
func (e *ConfigError) ExitCode() int { return 2 }

// Unwrap gives the SDK's error.
func (e *ConfigError) Unwrap() error { return e.cause }

// credentialsError is a failure to get credentials, as against one of a call.
type credentialsError struct{ err error }

// Error gives the provider's words.
func (e *credentialsError) Error() string {
	return "the AWS credentials cannot be renewed: " + lastWords(e.err)
}

// Unwrap gives the provider's error.
func (e *credentialsError) Unwrap() error { return e.err }

// Call is one call to AWS, for the words about its failure.
type Call struct {
	Service   string // CloudFormation, S3, …
	Operation string // CreateStack, …
	Access    stacks.Access
	Write     bool // it changes something, so that silence leaves the outcome open
}

func (c Call) name() string { return c.Service + " " + c.Operation }

// Explain turns what the SDK returned into one of our errors: an answer that
// says no is a *stacks.ServiceError; silence, a broken service and credentials
// that ran out are a *stacks.UnknownError. A context that ended explains
// itself, but for a write that was under way.
func Explain(ctx context.Context, err error, c Call) error {
	if err == nil {
		return nil
	}
	if ours(err) {
		return err
	}
	if no, ok := errors.AsType[*gateError](err); ok {
		if !no.attempts {
			return no.err
		}
		return &stacks.UnknownError{
			What: "whether " + c.name() + " was accepted is not known", Cause: no.err,
			Tip: "run the command again to find out",
		}
	}
	if ctx.Err() != nil {
		if !c.Write {
			return context.Cause(ctx)
		}
		return &stacks.UnknownError{
			What: c.name() + " was interrupted", Cause: context.Cause(ctx),
			Tip: "AWS may have accepted it; run the command again to find out",
		}
	}
	if ce, ok := errors.AsType[*credentialsError](err); ok {
		return &stacks.UnknownError{
			What: c.name() + " could not be sent", Cause: ce,
			Tip: renewTip(c.Access), Everywhere: true,
		}
	}
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return explainAnswer(err, api, c)
	}
	return explainSilence(err, c)
}

// ours tells whether err is in our words already.
func ours(err error) bool {
	if _, ok := errors.AsType[*stacks.ServiceError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*stacks.UnknownError](err); ok {
		return true
	}
	_, ok := errors.AsType[*ConfigError](err)
	return ok
}

// explainAnswer is for what the service said.
func explainAnswer(err error, api smithy.APIError, c Call) error {
	code, message := api.ErrorCode(), oneLine(api.ErrorMessage())
	se := &stacks.ServiceError{Service: c.Service, Operation: c.Operation, Code: code, Message: message}
	switch {
	case expiredCode(code):
		se.Tip = renewTip(c.Access)
		return &stacks.UnknownError{What: "the AWS credentials have expired", Cause: se, Tip: se.Tip, Everywhere: true}
	case rejectedCode(code):
		se.Tip = "AWS does not accept these credentials: " + renewTip(c.Access)
	case deniedCode(code):
		se.Tip = deniedTip(c)
	case code == "LimitExceededException":
		se.Tip = "a quota of the account is used up: delete what is not needed, or ask AWS for more"
	case classify(err) == throttle:
		return &stacks.UnknownError{What: c.name() + " was throttled for too long", Cause: se, Tip: "somebody else uses up the account's rate limit; try later or with a smaller --max-concurrency"}
	case classify(err) == passing:
		return &stacks.UnknownError{What: c.name() + " failed inside AWS", Cause: se, Tip: "try again later; https://health.aws.amazon.com shows known trouble"}
	}
	return se
}

// explainSilence is for what kept us from an answer.
func explainSilence(err error, c Call) error {
	host := hostOf(err)
	u := &stacks.UnknownError{What: c.name() + " got no answer"}
	switch why(err) {
	case whyUnknownHost:
		u.Cause = fmt.Errorf("the host %s is not known", orSome(host))
		u.Tip = "is the region spelt right (" + orSome(c.Access.Region) + "), and is there a network?"
	case whyTLS:
		u.Cause = fmt.Errorf("the connection to %s is not trusted: %s", orSome(host), lastWords(err))
		u.Tip = "behind a proxy with its own certificates set AWS_CA_BUNDLE; an endpoint without TLS begins with http://"
	case whyTimeout:
		u.Cause = fmt.Errorf("%s does not answer: %s", orSome(host), lastWords(err))
		u.Tip = "is there a network, and does a proxy or firewall let HTTPS through?"
	case whyRefused:
		u.Cause = fmt.Errorf("%s refuses connections", orSome(host))
		u.Tip = "is anything listening at that endpoint (AWS_ENDPOINT_URL)?"
	case whyLost:
		u.Cause = fmt.Errorf("the connection to %s was lost: %s", orSome(host), lastWords(err))
		u.Tip = "run the command again; what AWS has accepted goes on"
	case whyGarbled:
		with := ""
		if status := statusOf(err); status >= http.StatusBadRequest {
			with = fmt.Sprintf("status %d and ", status)
		}
		u.Cause = fmt.Errorf("%s answered %ssomething that is not an answer of %s's", orSome(host), with, c.Service)
		u.Tip = "a proxy or a login page of the network may stand in between; or the endpoint is not an AWS one"
	case whyOther:
		return &stacks.ServiceError{Service: c.Service, Operation: c.Operation, Code: "NotSent", Message: lastWords(err)}
	}
	return u
}

// explainRole is for AssumeRole; nil when err is about something else.
func explainRole(ctx context.Context, err error, a stacks.Access) error {
	call := Call{Service: "STS", Operation: "AssumeRole", Access: a}
	if api, ok := errors.AsType[smithy.APIError](err); ok && a.Role != "" {
		e := explainAnswer(err, api, call)
		if se, ok := errors.AsType[*stacks.ServiceError](e); ok && deniedCode(se.Code) {
			se.Tip = "the role " + a.Role + " has to exist, and its trust policy has to let you in"
		}
		return e
	}
	if why(err) != whyOther && a.Role != "" {
		return Explain(ctx, err, call)
	}
	return nil
}

// Answer gives what AWS answered with err, if it did answer: not where the
// answer only explains why the outcome is unknown.
func Answer(err error) (*stacks.ServiceError, bool) {
	if _, unknown := errors.AsType[*stacks.UnknownError](err); unknown {
		return nil, false
	}
	return errors.AsType[*stacks.ServiceError](err)
}

// IsCredentials tells whether err says that there are no good credentials, so
// that waiting for somebody to renew them makes sense.
func IsCredentials(err error) bool {
	if _, ok := errors.AsType[*credentialsError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*ConfigError](err); ok {
		return true
	}
	se, ok := errors.AsType[*stacks.ServiceError](err)
	return ok && (expiredCode(se.Code) || rejectedCode(se.Code))
}

// IsDenied tells whether err says that the caller is known and may not.
func IsDenied(err error) bool {
	se, ok := errors.AsType[*stacks.ServiceError](err)
	return ok && deniedCode(se.Code)
}

func renewTip(a stacks.Access) string {
	profile := ""
	if a.Profile != "" {
		profile = " --profile " + a.Profile
	}
	return "renew them (aws sso login" + profile + ", or whatever made them) and run the command again"
}

func deniedTip(c Call) string {
	who := "these credentials"
	if c.Access.Role != "" {
		who = c.Access.Role
	}
	prefix := strings.ToLower(strings.ReplaceAll(c.Service, " ", ""))
	return fmt.Sprintf("%s needs the permission %s:%s", who, prefix, c.Operation)
}

// hostOf finds the host that a failed request went to.
func hostOf(err error) string {
	if u, ok := errors.AsType[*url.Error](err); ok {
		if parsed, perr := url.Parse(u.URL); perr == nil {
			return parsed.Host
		}
	}
	if d, ok := errors.AsType[*net.DNSError](err); ok {
		return d.Name
	}
	return ""
}

func orSome(s string) string {
	if s == "" {
		return "the endpoint"
	}
	return s
}

// lastWords is the innermost error's text: what the SDK puts around it names
// requests, attempts and layers that nobody can act on.
func lastWords(err error) string {
	for {
		next := errors.Unwrap(err)
		if joined, ok := err.(interface{ Unwrap() []error }); ok && len(joined.Unwrap()) > 0 {
			next = joined.Unwrap()[0] // a failed attempt stands before the end of the attempts
		}
		if next == nil {
			return oneLine(err.Error())
		}
		err = next
	}
}

// oneLine keeps an error readable in a list.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
