package awsconf

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"syscall"

	"github.com/aws/smithy-go"
)

// class says what another attempt would be good for.
type class uint8

const (
	permanent class = iota // the same again
	passing                // it may work now
	throttle               // it will work later
	lapsed                 // it will work with other credentials
)

// throttleCode tells whether AWS asks for fewer calls. LimitExceededException
// is not among them, although the SDK thinks so: it is a quota, and does not
// pass.
func throttleCode(code string) bool {
	switch code {
	case "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled", "RequestThrottledException",
		"TooManyRequestsException", "RequestLimitExceeded", "BandwidthLimitExceeded", "SlowDown",
		"EC2ThrottledException", "PriorRequestNotComplete", "ProvisionedThroughputExceededException":
		return true
	}
	return false
}

// passingCode tells whether an error answer is about this moment only.
func passingCode(code string) bool {
	switch code {
	case "RequestTimeout", "RequestTimeoutException", "InternalFailure", "InternalError", "InternalServerError",
		"InternalServiceError", "ServiceUnavailable", "ServiceUnavailableException", "TransactionInProgressException":
		return true
	}
	return false
}

// expiredCode tells whether credentials were good once.
func expiredCode(code string) bool {
	switch code {
	case "ExpiredToken", "ExpiredTokenException", "RequestExpired":
		return true
	}
	return false
}

// rejectedCode tells whether AWS does not know the credentials.
func rejectedCode(code string) bool {
	switch code {
	case "InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch", "InvalidSignatureException",
		"InvalidAccessKeyId", "AuthFailure", "MissingAuthenticationToken", "IncompleteSignature":
		return true
	}
	return false
}

// deniedCode tells whether the caller is known and may not.
func deniedCode(code string) bool {
	switch code {
	case "AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError", "OptInRequired", "Forbidden":
		return true
	}
	return false
}

// classify says whether err is worth another attempt.
func classify(err error) class {
	if err == nil {
		return permanent
	}
	if _, ok := errors.AsType[*credentialsError](err); ok {
		return lapsed
	}
	if _, ok := errors.AsType[*smithy.CanceledError](err); ok {
		return permanent
	}
	if c, ok := classifyAnswer(err); ok {
		return c
	}
	switch why(err) {
	case whyUnknownHost, whyTLS:
		return permanent
	case whyTimeout, whyRefused, whyLost, whyGarbled:
		return passing
	case whyOther:
	}
	return permanent
}

// refused tells whether AWS cannot have accepted what ended so: it said no, or was
// never asked.
func refused(err error) bool {
	switch classify(err) {
	case throttle, lapsed:
		return true
	case permanent:
		if err != nil && answer(err) {
			return true
		}
	case passing:
	}
	switch why(err) {
	case whyUnknownHost, whyTLS, whyRefused:
		return true
	case whyOther, whyTimeout, whyLost, whyGarbled:
	}
	op, ok := errors.AsType[*net.OpError](err)
	return ok && (op.Op == "dial" || op.Op == "proxyconnect")
}

// unreachable tells whether err may come from a network that is gone, although
// it looks like a mistake in an address: a machine that slept finds no names
// for a while.
func unreachable(err error) bool {
	switch why(err) {
	case whyUnknownHost, whyTLS:
		return true
	case whyOther, whyTimeout, whyRefused, whyLost, whyGarbled:
	}
	return false
}

// classifyAnswer judges by what the service answered, if it did.
func classifyAnswer(err error) (class, bool) {
	status := statusOf(err)
	if s, ok := errors.AsType[interface {
		error
		RetryableError() bool
	}](err); ok && s.RetryableError() {
		return passing, true // a clock that is wrong, corrected by the SDK
	}
	api, isAPI := errors.AsType[smithy.APIError](err)
	switch {
	case isAPI && throttleCode(api.ErrorCode()), status == http.StatusTooManyRequests:
		return throttle, true
	case isAPI && passingCode(api.ErrorCode()):
		return passing, true
	case status >= http.StatusInternalServerError && status != http.StatusNotImplemented:
		return passing, true
	case isAPI && (expiredCode(api.ErrorCode()) || rejectedCode(api.ErrorCode())):
		return lapsed, true
	case isAPI:
		return permanent, true
	}
	return permanent, false
}

// reason is why there was no answer, or none that can be read.
type reason uint8

const (
	whyOther reason = iota
	whyUnknownHost
	whyTLS
	whyTimeout
	whyRefused
	whyLost
	whyGarbled
)

// why finds out what kept an answer from us.
func why(err error) reason {
	if isTLS(err) {
		return whyTLS
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok && dns.IsNotFound {
		return whyUnknownHost
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		return whyRefused
	}
	if t, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err); ok && t.Timeout() {
		return whyTimeout
	}
	if _, ok := errors.AsType[interface {
		error
		ConnectionError() bool
	}](err); ok {
		return whyLost
	}
	if _, ok := errors.AsType[*smithy.DeserializationError](err); ok {
		return whyGarbled
	}
	if statusOf(err) != 0 { // it was answered, and not even the error could be read
		return whyGarbled
	}
	return whyOther
}

// statusOf is the HTTP status of the answer, 0 when there was none.
func statusOf(err error) int {
	s, ok := errors.AsType[interface {
		error
		HTTPStatusCode() int
	}](err)
	if !ok {
		return 0
	}
	return s.HTTPStatusCode()
}

func isTLS(err error) bool {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return true
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return true
	}
	if _, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		return true
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return true
	}
	_, ok := errors.AsType[tls.AlertError](err)
	return ok
}
