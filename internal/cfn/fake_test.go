package cfn_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/deployer-cli/deployer/internal/awsconf"
	"github.com/deployer-cli/deployer/internal/cfn"
	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/stacks"
)

const (
	account = "111111111111"
	run     = "run-1"
)

var access = stacks.Access{Region: "eu-west-1"}

// answer is what a scripted service says to one call; it may be nil for "go on
// as usual".
type answer func(w http.ResponseWriter, r *http.Request) bool

// fake is a CloudFormation of a few dozen lines: stacks that take their time,
// pages, tokens, events, and whatever a test wants to go wrong.
type fake struct {
	mu     sync.Mutex
	stacks []*fakeStack // newest last
	calls  map[string]int
	forms  []url.Values
	page   int                          // stacks on a page
	speed  int                          // how many times faster stacks are
	before func(action string) answer   // asked first; nil answer goes on
	hide   func(id string) bool         // stacks that a listing does not show
	stale  func(s *fakeStack) time.Time // when a read is of; zero is now
}

type fakeStack struct {
	id, name, token, operation string
	created, updated           time.Time
	phases                     []phase // of all operations, in time order
}

// phase is a status from a moment on.
type phase struct {
	at        time.Time
	status    string
	reason    string
	token     string
	operation string
	resource  string // of a resource instead of the stack
}

func newFake() *fake { return &fake{calls: make(map[string]int), page: 100} }

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	f.mu.Lock()
	defer f.mu.Unlock()
	action := r.Form.Get("Action")
	f.calls[action]++
	f.forms = append(f.forms, r.Form)
	w.Header().Set("Date", time.Now().UTC().Format(http.TimeFormat))
	if f.before != nil {
		if a := f.before(action); a != nil && a(w, r) {
			return
		}
	}
	switch action {
	case "CreateStack":
		f.create(w, r)
	case "DescribeStacks":
		f.describe(w, r)
	case "ListStacks":
		f.list(w, r)
	case "DescribeStackEvents":
		f.events(w, r)
	default:
		fmt.Fprintf(w, `<%sResponse><%sResult></%sResult></%sResponse>`, action, action, action, action)
	}
}

func (f *fake) total() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, c := range f.calls {
		n += c
	}
	return n
}

func (f *fake) count(action string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls[action]
}

// last returns the newest request of an action.
func (f *fake) last(t *testing.T, action string) url.Values {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, form := range slices.Backward(f.forms) {
		if form.Get("Action") == action {
			return form
		}
	}
	t.Fatalf("no %s was called", action)
	return nil
}

func (f *fake) create(w http.ResponseWriter, r *http.Request) {
	name, token := r.Form.Get("StackName"), r.Form.Get("ClientRequestToken")
	for _, s := range f.stacks {
		if s.name == name && s.token != token {
			fail(w, 400, "AlreadyExistsException", "Stack ["+name+"] already exists")
			return
		}
		if s.name == name {
			fmt.Fprintf(w, `<CreateStackResponse><CreateStackResult><StackId>%s</StackId></CreateStackResult></CreateStackResponse>`, s.id)
			return
		}
	}
	s := f.add(name, token)
	fmt.Fprintf(w, `<CreateStackResponse><CreateStackResult><StackId>%s</StackId><OperationId>%s</OperationId></CreateStackResult></CreateStackResponse>`, s.id, s.operation)
}

// add begins a stack that takes between 20 and 60 seconds, by its name.
func (f *fake) add(name, token string) *fakeStack {
	now := time.Now()
	sum := sha256.Sum256([]byte(name))
	took := 20*time.Second + time.Duration(sum[0])*150*time.Millisecond
	took /= time.Duration(max(f.speed, 1))
	s := &fakeStack{id: arn(name), name: name, token: token, operation: "op-" + hex.EncodeToString(sum[:4]), created: now}
	s.phases = []phase{
		{at: now, status: "CREATE_IN_PROGRESS", reason: "User Initiated", token: token},
		{at: now.Add(took / 20), status: "CREATE_IN_PROGRESS", resource: "Thing", token: token},
		{at: now.Add(took - took/20), status: "CREATE_COMPLETE", resource: "Thing", token: token},
		{at: now.Add(took), status: "CREATE_COMPLETE", token: token},
	}
	f.stacks = append(f.stacks, s)
	return s
}

func arn(name string) string {
	return fmt.Sprintf("arn:aws:cloudformation:eu-west-1:%s:stack/%s/0001", account, name)
}

func (f *fake) describe(w http.ResponseWriter, r *http.Request) {
	name := r.Form.Get("StackName")
	var members []string
	start, _ := strconv.Atoi(r.Form.Get("NextToken"))
	n, next := 0, ""
	for _, s := range slices.Backward(f.stacks) {
		at := f.asOf(s)
		p := s.phaseAt(at)
		switch {
		case name != "" && name != s.id && (name != s.name || p.status == "DELETE_COMPLETE"):
			continue
		case name == "" && (p.status == "DELETE_COMPLETE" || f.hide != nil && f.hide(s.id)):
			continue
		case name == "":
			if n++; n <= start {
				continue
			}
			if n > start+f.page {
				next = strconv.Itoa(start + f.page)
				continue
			}
		}
		members = append(members, s.xml(at, p))
	}
	if name != "" && len(members) == 0 {
		fail(w, 400, "ValidationError", "Stack with id "+name+" does not exist")
		return
	}
	fmt.Fprintf(w, `<DescribeStacksResponse><DescribeStacksResult><Stacks>%s</Stacks>`, strings.Join(members, ""))
	if next != "" {
		fmt.Fprintf(w, `<NextToken>%s</NextToken>`, next)
	}
	fmt.Fprint(w, `</DescribeStacksResult></DescribeStacksResponse>`)
}

// list lists the deleted stacks, newest first.
func (f *fake) list(w http.ResponseWriter, r *http.Request) {
	start, _ := strconv.Atoi(r.Form.Get("NextToken"))
	var members []string
	for _, s := range slices.Backward(f.stacks) {
		if p := s.phaseAt(f.asOf(s)); p.status == "DELETE_COMPLETE" {
			members = append(members, fmt.Sprintf(`<member><StackId>%s</StackId><StackName>%s</StackName><StackStatus>%s</StackStatus></member>`, s.id, s.name, p.status))
		}
	}
	next, end := "", len(members)
	if end > start+f.page {
		end = start + f.page
		next = "<NextToken>" + strconv.Itoa(end) + "</NextToken>"
	}
	fmt.Fprintf(w, `<ListStacksResponse><ListStacksResult><StackSummaries>%s</StackSummaries>%s</ListStacksResult></ListStacksResponse>`, strings.Join(members[min(start, end):end], ""), next)
}

func (f *fake) asOf(s *fakeStack) time.Time {
	if f.stale != nil {
		if at := f.stale(s); !at.IsZero() {
			return at
		}
	}
	return time.Now()
}

// phaseAt is the stack's last own phase at a time.
func (s *fakeStack) phaseAt(at time.Time) phase {
	out := phase{status: "CREATE_IN_PROGRESS"}
	for _, p := range s.phases {
		if p.resource == "" && !p.at.After(at) {
			out = p
		}
	}
	return out
}

func (s *fakeStack) xml(at time.Time, p phase) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<member><StackId>%s</StackId><StackName>%s</StackName><StackStatus>%s</StackStatus><CreationTime>%s</CreationTime>`,
		s.id, s.name, p.status, stamp(s.created))
	if p.reason != "" && strings.Contains(p.status, "ROLLBACK") {
		fmt.Fprintf(&b, `<StackStatusReason>%s</StackStatusReason>`, p.reason)
	}
	if !s.updated.IsZero() && !s.updated.After(at) {
		fmt.Fprintf(&b, `<LastUpdatedTime>%s</LastUpdatedTime>`, stamp(s.updated))
	}
	b.WriteString(`<LastOperations>`)
	for _, past := range slices.Backward(s.phases) {
		if past.operation != "" && !past.at.After(at) {
			fmt.Fprintf(&b, `<member><OperationId>%s</OperationId></member>`, past.operation)
		}
	}
	b.WriteString(`</LastOperations>`)
	fmt.Fprintf(&b, `<Outputs><member><OutputKey>Status</OutputKey><OutputValue>%s</OutputValue></member></Outputs></member>`, p.status)
	return b.String()
}

func (f *fake) events(w http.ResponseWriter, r *http.Request) {
	i := slices.IndexFunc(f.stacks, func(s *fakeStack) bool { return r.Form.Get("StackName") == s.id || r.Form.Get("StackName") == s.name })
	if i < 0 {
		fail(w, 400, "ValidationError", "Stack ["+r.Form.Get("StackName")+"] does not exist")
		return
	}
	s := f.stacks[i]
	at := f.asOf(s)
	fmt.Fprint(w, `<DescribeStackEventsResponse><DescribeStackEventsResult><StackEvents>`)
	for n, p := range slices.Backward(s.phases) {
		if p.at.After(at) {
			continue
		}
		logical, physical, kind := s.name, s.id, "AWS::CloudFormation::Stack"
		if p.resource != "" {
			logical, physical, kind = p.resource, "i-"+p.resource, "AWS::Some::Thing"
		}
		fmt.Fprintf(w, `<member><EventId>e%d</EventId><StackId>%s</StackId><StackName>%s</StackName><LogicalResourceId>%s</LogicalResourceId><PhysicalResourceId>%s</PhysicalResourceId><ResourceType>%s</ResourceType><ResourceStatus>%s</ResourceStatus><ResourceStatusReason>%s</ResourceStatusReason><ClientRequestToken>%s</ClientRequestToken><OperationId>%s</OperationId><Timestamp>%s</Timestamp></member>`,
			n, s.id, s.name, logical, physical, kind, p.status, p.reason, p.token, p.operation, stamp(p.at))
	}
	fmt.Fprint(w, `</StackEvents></DescribeStackEventsResult></DescribeStackEventsResponse>`)
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func fail(w http.ResponseWriter, status int, code, message string) {
	w.WriteHeader(status)
	fmt.Fprintf(w, `<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error><RequestId>r</RequestId></ErrorResponse>`, code, message)
}

// refuse answers every call of one action with an error.
func refuse(action string, status int, code, message string) func(string) answer {
	return func(a string) answer {
		if a != action && action != "*" {
			return nil
		}
		return func(w http.ResponseWriter, _ *http.Request) bool {
			fail(w, status, code, message)
			return true
		}
	}
}

// say answers every call of one action with the inside of its result.
func say(action, result string) func(string) answer {
	return func(a string) answer {
		if a != action {
			return nil
		}
		return func(w http.ResponseWriter, _ *http.Request) bool {
			fmt.Fprintf(w, `<%sResponse><%sResult>%s</%sResult></%sResponse>`, action, action, result, action, action)
			return true
		}
	}
}

// client calls a handler in this process. drop, if set, loses the answer.
type client struct {
	handler http.Handler
	drop    func(r *http.Request) bool
}

func (c client) Do(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	rec := httptest.NewRecorder()
	c.handler.ServeHTTP(rec, r)
	if c.drop != nil && c.drop(r) {
		return nil, &url.Error{Op: "Post", URL: r.URL.String(), Err: io.ErrUnexpectedEOF}
	}
	return rec.Result(), nil
}

func cloudOver(c client, change ...func(*cfn.Options)) *cfn.Cloud {
	configs := awsconf.New(awsconf.Options{
		Realm: stacks.RealmSandbox, HTTPClient: c, Endpoint: "http://sandbox.invalid",
		Keys: &awsconf.Keys{ID: "AKID", Secret: "s"},
	})
	o := cfn.Options{
		Config:  configs.Config,
		Account: func(context.Context, stacks.Access) (string, error) { return account, nil },
		Realm:   stacks.RealmSandbox,
		Run:     run,
	}
	for _, f := range change {
		f(&o)
	}
	return cfn.New(o)
}

func cloud(f *fake, change ...func(*cfn.Options)) *cfn.Cloud {
	return cloudOver(client{handler: f}, change...)
}

// clearance clears a run for stacks that exist (by id) and ones that do not.
func clearance(t *testing.T, steps ...guard.Step) guard.Clearance {
	t.Helper()
	env := &stacks.Environment{Name: "dev", Class: stacks.Development, Declared: true}
	for i := range steps {
		steps[i].Account, steps[i].Region, steps[i].Environment = account, access.Region, env
		if steps[i].Verbs == nil {
			steps[i].Verbs = []stacks.Verb{
				stacks.Create, stacks.Update, stacks.Delete, stacks.Propose, stacks.Execute, stacks.Discard, stacks.Cancel,
				stacks.Continue, stacks.Rollback, stacks.Policy, stacks.Protect, stacks.Unprotect, stacks.Upload,
			}
		}
	}
	c, err := guard.Check(guard.Request{Run: run, Command: "launch", Steps: steps, Yes: true, Now: time.Now(), For: 12 * time.Hour}, nil)
	if err != nil {
		t.Fatalf("no clearance: %v", err)
	}
	return c
}

func change(verb stacks.Verb, name string) stacks.Change {
	c := stacks.Change{Verb: verb, Token: "token-" + name, Desired: &stacks.Desired{
		Stack: &stacks.Stack{Path: stacks.Path("dev/" + name), Name: name, Access: access, Environment: &stacks.Environment{Name: "dev"}},
		Body:  []byte("Resources: {}"),
	}}
	if verb != stacks.Create {
		c.StackID = arn(name)
	}
	return c
}

// web is the stack that most tests are about.
func web() stacks.Target {
	return stacks.Target{Path: "dev/web", Name: "web", StackID: arn("web"), Access: access, Token: "token-web"}
}

func step(name string, exists bool) guard.Step {
	s := guard.Step{Path: stacks.Path("dev/" + name), Name: name}
	if exists {
		s.StackID = arn(name)
	}
	return s
}
