package sandbox

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/deployer-cli/deployer/internal/sandbox/engine"
	"github.com/deployer-cli/deployer/internal/sandbox/wire"
)

// maxBody bounds a request, an object put to S3 included.
const maxBody = 64 << 20

// protocol is how a request is written and its answer must be.
type protocol int

const (
	protocolQuery protocol = iota
	protocolJSON
	protocolREST
	protocolEC2  // query with another shape of errors
	protocolCBOR // Smithy's RPC v2
)

// call is one request on its way through the server.
type call struct {
	id       string
	r        *http.Request
	body     []byte
	form     url.Values // of query requests
	protocol protocol
	json     string // content type of JSON answers

	service   string // as in the signature's scope: cloudformation, sts, s3, ssm, …
	action    string
	region    string
	accessKey string

	mutates bool
	jumps   bool // a read of CloudFormation, which moves the clock at full speed

	at     time.Time // simulated time of the answer
	caller caller
	stack  string // what a CloudFormation request is about, for faults
}

func (c *call) account() engine.Account {
	return engine.Account{AccountID: c.caller.Account, Region: c.region}
}

func (s *Server) newCall(r *http.Request) *call {
	c := &call{id: s.requestID(), r: r, region: s.opts.Region}
	c.scope()
	if c.region == "" {
		c.region = s.opts.Region
	}
	return c
}

// scope reads who signs for what: the Authorization header, or the query of a
// presigned URL. Signatures are not checked, any credentials will do.
func (c *call) scope() {
	credential := ""
	if header := c.r.Header.Get("Authorization"); header != "" {
		_, rest, _ := strings.Cut(header, "Credential=")
		credential, _, _ = strings.Cut(rest, ",")
	} else if c.r.URL != nil && c.r.URL.RawQuery != "" {
		credential = c.r.URL.Query().Get("X-Amz-Credential")
	}
	parts := strings.Split(strings.TrimSpace(credential), "/")
	if n := len(parts); n >= 5 { // a key may hold slashes, the scope may not
		c.accessKey = strings.Join(parts[:n-4], "/")
		c.region, c.service = parts[n-3], parts[n-2]
	}
}

// read takes the body in and finds out what is asked.
func (c *call) read(s *Server, r *http.Request) error {
	if err := c.readBody(r); err != nil {
		return err
	}
	if isHealth(r) {
		c.protocol, c.service = protocolREST, "health"
		return nil
	}
	if err := c.identify(); err != nil {
		return err
	}
	if c.protocol == protocolREST && c.service == "" {
		c.service = "s3"
	}
	if c.protocol == protocolREST && c.service != "s3" {
		c.route()
	}
	_, known := s.services[c.service]
	if !known && c.service != "s3" {
		return c.absent()
	}
	return nil
}

func (c *call) readBody(r *http.Request) error {
	if r.Body == nil {
		return nil
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		if tooBig, ok := errors.AsType[*http.MaxBytesError](err); ok {
			err = fmt.Errorf("longer than %d bytes", tooBig.Limit)
		}
		return invalid("IncompleteBody", "the body of the request could not be read: %v", err)
	}
	if len(body) > maxBody {
		return fault(http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", "the body of the request is longer than %d bytes", maxBody)
	}
	c.body = body
	return nil
}

// identify tells the protocols apart: JSON has a target header, query has an
// action in its form or in the URL, the rest is REST.
func (c *call) identify() error {
	if target := c.r.Header.Get("X-Amz-Target"); target != "" {
		return c.identifyJSON(target)
	}
	if c.r.Header.Get("Smithy-Protocol") == "rpc-v2-cbor" {
		return c.identifyCBOR()
	}
	form, isForm := c.formBody()
	values := c.r.URL.Query()
	if isForm {
		var err error
		if values, err = url.ParseQuery(string(form)); err != nil {
			c.protocol = protocolQuery
			return invalid("MalformedQueryString", "the form cannot be read: %v", err)
		}
	}
	if action := values.Get("Action"); action != "" && c.service != "s3" {
		c.identifyQuery(action, values)
		return nil
	}
	c.protocol = protocolREST
	if c.service == "" {
		c.service = serviceOfHost(hostOf(c.r))
	}
	if isQueryService(c.service) {
		c.protocol = protocolQuery
		return invalid("MissingAction", "Action is missing: the request names no operation of %s", c.service)
	}
	return nil
}

// formBody tells whether the body is a form. Some old tools forget the content
// type, so that a body which begins like a form is one too.
func (c *call) formBody() ([]byte, bool) {
	if c.r.Method != http.MethodPost || c.service == "s3" {
		return nil, false
	}
	kind, _, _ := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	looksLike := slices.ContainsFunc([]string{"Action=", "Version="}, func(p string) bool { return strings.HasPrefix(string(c.body[:min(len(c.body), 16)]), p) })
	return c.body, kind == "application/x-www-form-urlencoded" && len(c.body) > 0 || looksLike
}

func (c *call) identifyJSON(target string) error {
	c.protocol, c.json = protocolJSON, "application/x-amz-json-1.1"
	if kind, _, _ := mime.ParseMediaType(c.r.Header.Get("Content-Type")); kind == "application/x-amz-json-1.0" {
		c.json = kind
	}
	prefix, action, ok := strings.Cut(target, ".")
	if !ok || action == "" {
		return invalid("UnknownOperationException", "the header X-Amz-Target names no operation: %.80q", target)
	}
	c.action = action[strings.LastIndexByte(action, '.')+1:]
	switch prefix {
	case "AmazonSSM":
		c.service = "ssm"
	case "secretsmanager":
		c.service = "secretsmanager"
	case "GraniteServiceVersion20100801":
		c.service = "monitoring"
	case "AWSEvents":
		c.service = "events"
	case "CloudApiService":
		c.service = "cloudcontrolapi"
	default:
		if c.service == "" {
			c.service = prefix
		}
	}
	return nil
}

// identifyCBOR reads /service/Name/operation/Name, which may have a prefix.
func (c *call) identifyCBOR() error {
	c.protocol = protocolCBOR
	_, rest, _ := strings.Cut(c.r.URL.Path, "/service/")
	service, action, ok := strings.Cut(rest, "/operation/")
	if !ok || service == "" || action == "" || strings.Contains(action, "/") {
		return invalid("UnknownOperationException", "the path names no operation: %.80q", c.r.URL.Path)
	}
	c.action = action
	switch {
	case strings.HasSuffix(service, "GraniteServiceVersion20100801"):
		c.service = "monitoring"
	case c.service == "":
		c.service = service
	}
	return nil
}

func (c *call) asCBOR(h http.Header) {
	h.Set("Content-Type", "application/cbor")
	h.Set("Smithy-Protocol", "rpc-v2-cbor")
}

func (c *call) identifyQuery(action string, values url.Values) {
	c.protocol, c.action, c.form = protocolQuery, action, values
	if c.service == "" {
		c.service = serviceOfVersion(values.Get("Version"))
	}
	if c.service == "" {
		c.service = serviceOfHost(hostOf(c.r))
	}
	if c.service == "" {
		c.service = "cloudformation"
	}
	if c.service == "ec2" {
		c.protocol = protocolEC2
	}
}

func serviceOfVersion(version string) string {
	switch version {
	case "2010-05-15":
		return "cloudformation"
	case "2011-06-15":
		return "sts"
	case "2010-03-31":
		return "sns"
	case "2010-08-01":
		return "monitoring"
	case "2016-11-15":
		return "ec2"
	case "2014-10-31":
		return "rds"
	}
	return ""
}

// serviceOfHost reads cloudformation.eu-west-1.amazonaws.com and the like.
func serviceOfHost(host string) string {
	first, rest, _ := strings.Cut(host, ".")
	if !strings.Contains(rest, "amazonaws.com") {
		return ""
	}
	if strings.Contains("."+host, ".s3.") || strings.Contains("."+host, ".s3-") {
		return "s3"
	}
	return first
}

func isQueryService(name string) bool {
	return name == "cloudformation" || name == "sts" || name == "sns" || name == "monitoring" || name == "rds"
}

// hostOf is the host a request was sent to, without its port.
func hostOf(r *http.Request) string {
	host := r.Host
	if host == "" && r.URL != nil {
		host = r.URL.Host
	}
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.ToLower(strings.Trim(host, "[]"))
}

func isAddress(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}

// absent refuses what the sandbox does not have.
func (c *call) absent() *engine.Error {
	what := strings.TrimSpace(c.service + " " + c.action)
	if c.action == "" && c.r.URL != nil {
		what += " " + c.r.Method + " " + c.r.URL.Path
	}
	return fault(http.StatusNotImplemented, "NotImplemented",
		"%.120s is not in the sandbox: it answers CloudFormation, STS, S3, SSM, Secrets Manager, SNS, alarms of CloudWatch, and a little of EC2, Lambda, EventBridge and Cloud Control", what)
}

// refuse writes an error in the protocol of the request.
func (c *call) refuse(err error) *answer {
	if e, ok := errors.AsType[*wire.Error](err); ok {
		err = invalid(c.malformed(), "%s", e.Error())
	}
	e := asFault(err)
	a := &answer{status: e.Status, header: http.Header{}}
	if c.service == "monitoring" { // it was a query service, and its clients match on those codes
		a.header.Set("X-Amzn-Query-Error", e.Code+";Sender")
	}
	switch c.protocol {
	case protocolJSON:
		a.header.Set("Content-Type", c.json)
		a.header.Set("X-Amzn-Errortype", e.Code)
		a.body = wire.EncodeJSONError(e.Code, e.Message)
	case protocolCBOR:
		c.asCBOR(a.header)
		a.body = wire.EncodeCBORError(e.Code, e.Message)
	case protocolREST:
		c.refuseREST(a, e)
	case protocolEC2:
		type item struct{ Code, Message string }
		a.header.Set("Content-Type", "text/xml")
		a.body = wire.EncodeXML("Response", "", struct {
			Errors    struct{ Error item }
			RequestID string
		}{struct{ Error item }{item{e.Code, e.Message}}, c.id})
	case protocolQuery:
		a.header.Set("Content-Type", "text/xml")
		a.body = wire.EncodeQueryError(namespaceOf(c.service), c.id, e.Status, e.Code, e.Message)
	}
	return a
}

// refuseREST knows two families: S3's XML, and the JSON of all younger services.
func (c *call) refuseREST(a *answer, e *engine.Error) {
	if c.service == "s3" || c.service == "" {
		a.header.Set("Content-Type", "application/xml")
		a.body = wire.EncodeXMLError(c.id, e.Code, e.Message, c.r.URL.Path)
		return
	}
	a.header.Set("Content-Type", "application/json")
	a.header.Set("X-Amzn-Errortype", e.Code)
	a.body = wire.EncodeJSONError(e.Code, e.Message)
}

func (c *call) malformed() string {
	if c.protocol == protocolJSON || c.protocol == protocolCBOR {
		return "SerializationException"
	}
	return "MalformedInput"
}

func namespaceOf(service string) string {
	switch service {
	case "sts":
		return "https://sts.amazonaws.com/doc/2011-06-15/"
	case "monitoring":
		return "http://monitoring.amazonaws.com/doc/2010-08-01/"
	case "sns":
		return "http://sns.amazonaws.com/doc/2010-03-31/"
	case "rds":
		return "http://rds.amazonaws.com/doc/2014-10-31/"
	default:
		return "http://cloudformation.amazonaws.com/doc/2010-05-15/"
	}
}
