package cfn_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deployer-cli/deployer/internal/cfn"
	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/stacks"
)

func TestCreateSendsEverything(t *testing.T) {
	t.Parallel()
	f := newFake()
	c := change(stacks.Create, "web")
	d := c.Desired
	d.Stack.OnFailure, d.Stack.TimeoutMinutes, d.Stack.TerminationProtection = "DELETE", 30, new(true)
	d.Stack.Environment = &stacks.Environment{Name: "dev", Mode: "express", Class: stacks.Development}
	d.Parameters = []stacks.Parameter{{Key: "A", Value: "1"}, {Key: "Kept", Previous: true}, {Key: "Empty"}}
	d.Tags = []stacks.Tag{{Key: "team", Value: "a"}}
	d.Notifications, d.ServiceRole, d.Policy = []string{"arn:topic"}, "arn:role", []byte(`{"Statement":[]}`)
	op, err := cloud(f).Writer(clearance(t, step("web", false))).Create(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	expectForm(t, f.last(t, "CreateStack"), map[string]string{
		"StackName": "web", "ClientRequestToken": "token-web", "TemplateBody": "Resources: {}", "OnFailure": "DELETE", "TimeoutInMinutes": "30",
		"EnableTerminationProtection": "true", "DeploymentConfig.Mode": "EXPRESS", "RoleARN": "arn:role", "StackPolicyBody": `{"Statement":[]}`,
		"NotificationARNs.member.1": "arn:topic", "Tags.member.1.Key": "team", "Tags.member.1.Value": "a", "DisableRollback": "",
		"Parameters.member.1.ParameterKey": "A", "Parameters.member.1.ParameterValue": "1",
		"Parameters.member.2.ParameterKey": "Empty", "Parameters.member.3.ParameterKey": "",
		"Capabilities.member.1": "CAPABILITY_IAM", "Capabilities.member.2": "CAPABILITY_NAMED_IAM", "Capabilities.member.3": "CAPABILITY_AUTO_EXPAND",
	})
	if op.StackID != arn("web") || op.OperationID == "" || op.Token != "token-web" || op.Verb != stacks.Create || op.Path != "dev/web" {
		t.Errorf("operation %+v", op)
	}
	if d := time.Since(op.Accepted); d < 0 || d > time.Minute {
		t.Errorf("accepted %s ago", d)
	}
}

func TestUpdateSendsEverything(t *testing.T) {
	t.Parallel()
	f := newFake()
	c := change(stacks.Update, "web")
	c.DisableRollback, c.KeepParameters = true, []string{"Theirs", "A"}
	c.Desired.Parameters = []stacks.Parameter{{Key: "A", Value: "1"}, {Key: "Kept", Previous: true}}
	if _, err := cloud(f).Writer(clearance(t, step("web", true))).Update(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	form := f.last(t, "UpdateStack")
	expectForm(t, form, map[string]string{
		"StackName": arn("web"), "ClientRequestToken": "token-web", "DisableRollback": "true",
		"Parameters.member.1.ParameterValue": "1", "Parameters.member.2.ParameterKey": "Kept", "Parameters.member.2.UsePreviousValue": "true",
		"Parameters.member.3.ParameterKey": "Theirs", "Parameters.member.3.UsePreviousValue": "true", "Parameters.member.4.ParameterKey": "",
	})
	for _, list := range []string{"Tags", "NotificationARNs"} {
		if v, ok := form[list]; !ok || v[0] != "" {
			t.Errorf("%s is not sent empty, so that live ones would stay: %v", list, v)
		}
	}
}

func TestOtherWrites(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	tests := map[string]struct {
		write  func(*cfn.Writer, stacks.Target) error
		action string
		form   map[string]string
	}{
		"delete": {
			func(w *cfn.Writer, s stacks.Target) error { _, err := w.Delete(ctx, s, []string{"Bucket"}); return err },
			"DeleteStack",
			map[string]string{"StackName": arn("web"), "RetainResources.member.1": "Bucket", "ClientRequestToken": "token-web", "RoleARN": "arn:role"},
		},
		"cancel": {
			func(w *cfn.Writer, s stacks.Target) error { _, err := w.Cancel(ctx, s); return err },
			"CancelUpdateStack",
			map[string]string{"StackName": arn("web"), "ClientRequestToken": "token-web"},
		},
		"continue": {
			func(w *cfn.Writer, s stacks.Target) error { _, err := w.Continue(ctx, s, []string{"Db"}); return err },
			"ContinueUpdateRollback",
			map[string]string{"StackName": arn("web"), "ResourcesToSkip.member.1": "Db", "RoleARN": "arn:role"},
		},
		"force": {
			func(w *cfn.Writer, s stacks.Target) error { _, err := w.ForceContinue(ctx, s); return err },
			"ContinueUpdateRollback",
			map[string]string{"StackName": arn("web"), "ForceRollback": "true"},
		},
		"rollback": {
			func(w *cfn.Writer, s stacks.Target) error { _, err := w.Rollback(ctx, s); return err },
			"RollbackStack",
			map[string]string{"StackName": arn("web"), "ClientRequestToken": "token-web"},
		},
		"policy": {
			func(w *cfn.Writer, s stacks.Target) error { return w.SetPolicy(ctx, s, []byte("{}")) },
			"SetStackPolicy",
			map[string]string{"StackName": arn("web"), "StackPolicyBody": "{}"},
		},
		"protect": {
			func(w *cfn.Writer, s stacks.Target) error { return w.Protect(ctx, s, true) },
			"UpdateTerminationProtection",
			map[string]string{"EnableTerminationProtection": "true"},
		},
		"unprotect": {
			func(w *cfn.Writer, s stacks.Target) error { return w.Protect(ctx, s, false) },
			"UpdateTerminationProtection",
			map[string]string{"EnableTerminationProtection": "false"},
		},
		"execute": {
			func(w *cfn.Writer, s stacks.Target) error { _, err := w.Execute(ctx, s, "set-1", true); return err },
			"ExecuteChangeSet",
			map[string]string{"ChangeSetName": "set-1", "StackName": arn("web"), "ClientRequestToken": "token-web", "DisableRollback": "true"},
		},
		"discard": {
			func(w *cfn.Writer, s stacks.Target) error { return w.Discard(ctx, s, "set-1") },
			"DeleteChangeSet",
			map[string]string{"ChangeSetName": "set-1", "StackName": arn("web")},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake()
			s := web()
			s.Role = "arn:role"
			if err := tt.write(cloud(f).Writer(clearance(t, step("web", true))), s); err != nil {
				t.Fatal(err)
			}
			expectForm(t, f.last(t, tt.action), tt.form)

			var none guard.Clearance
			before := f.total()
			err := tt.write(cloud(f).Writer(none), s)
			if _, ok := errors.AsType[*guard.Refusal](err); !ok {
				t.Errorf("without a clearance: %v", err)
			}
			if f.total() != before {
				t.Error("something was sent without a clearance")
			}
		})
	}
}

func TestClearanceComesUntouched(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		step   guard.Step
		change func(*cfn.Options)
		code   int
	}{
		"another verb":     {guard.Step{Path: "dev/web", Name: "web", StackID: arn("web"), Verbs: []stacks.Verb{stacks.Update}}, nil, 3},
		"another stack id": {guard.Step{Path: "dev/web", Name: "web", StackID: arn("other")}, nil, 5},
		"another run":      {step("web", true), func(o *cfn.Options) { o.Run = "run-2" }, 3},
		"another account": {step("web", true), func(o *cfn.Options) {
			o.Account = func(context.Context, stacks.Access) (string, error) { return "999999999999", nil }
		}, 5},
		"another endpoint": {step("web", true), func(o *cfn.Options) { o.Endpoint = "http://elsewhere" }, 3},
		"too late":         {step("web", true), func(o *cfn.Options) { o.Now = func() time.Time { return time.Now().Add(48 * time.Hour) } }, 3},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake()
			change := tt.change
			if change == nil {
				change = func(*cfn.Options) {}
			}
			_, err := cloud(f, change).Writer(clearance(t, tt.step)).Delete(t.Context(), web(), nil)
			r, ok := err.(*guard.Refusal) //nolint:errorlint // untouched means not even wrapped
			if !ok || r.ExitCode() != tt.code || f.total() != 0 {
				t.Errorf("%T %v after %d calls, want exit %d before any", err, err, f.total(), tt.code)
			}
		})
	}
}

func TestUnknownParameterIsNotSent(t *testing.T) {
	t.Parallel()
	f := newFake()
	c := change(stacks.Create, "web")
	c.Desired.Parameters = []stacks.Parameter{{Key: "Vpc", Unknown: true}}
	_, err := cloud(f).Writer(clearance(t, step("web", false))).Create(t.Context(), c)
	if err == nil || !strings.Contains(err.Error(), "Vpc") || f.total() != 0 {
		t.Errorf("%v after %d calls", err, f.total())
	}
}

func TestRefusalsAreTyped(t *testing.T) {
	t.Parallel()
	is := func(want error) func(error) bool {
		return func(err error) bool { return err != nil && want.Error() == err.Error() }
	}
	const arnWeb = "arn:aws:cloudformation:eu-west-1:111111111111:stack/web/0001"
	tests := map[string]struct {
		code, message string
		ok            func(error) bool
	}{
		"nothing to do":       {"ValidationError", "No updates are to be performed.", is(&stacks.NoChangesError{Name: "web"})},
		"nothing, no stop":    {"ValidationError", "No updates are to be performed", is(&stacks.NoChangesError{Name: "web"})},
		"nothing, change set": {"ValidationError", "The submitted information didn't contain changes. Submit different information to create a change set.", is(&stacks.NoChangesError{Name: "web"})},
		"gone":                {"ValidationError", "Stack with id web does not exist", is(&stacks.NotFoundError{Name: "web"})},
		"gone, brackets":      {"ValidationError", "Stack [web] does not exist", is(&stacks.NotFoundError{Name: "web"})},
		"gone, colon":         {"ValidationError", "Stack: web does not exist", is(&stacks.NotFoundError{Name: "web"})},
		"exists":              {"AlreadyExistsException", "Stack [web] already exists", is(&stacks.ExistsError{Name: "web"})},
		"protected":           {"ValidationError", "Stack [web] cannot be deleted while TerminationProtection is enabled", is(&stacks.ProtectedError{Name: "web"})},
		"busy":                {"ValidationError", "Stack:" + arnWeb + " is in UPDATE_IN_PROGRESS state and can not be updated.", busy("UPDATE_IN_PROGRESS")},
		"rolled back":         {"ValidationError", "Stack:" + arnWeb + " is in ROLLBACK_COMPLETE state and can not be updated.", busy("ROLLBACK_COMPLETE")},
		"busy for delete":     {"ValidationError", "Stack [" + arnWeb + "] cannot be deleted while in status UPDATE_IN_PROGRESS", busy("UPDATE_IN_PROGRESS")},
		"do nothing":          {"ValidationError", "This stack cannot be updated from [CREATE_FAILED] state because it contains [on-failure: DO_NOTHING]. Please use disable-rollback option instead during stack creation.", busy("CREATE_FAILED")},
		"too late":            {"ValidationError", "CancelUpdateStack cannot be called from current stack status", busy("")},
		"in use":              {"ValidationError", "Export VPC cannot be deleted as it is in use by app", service("ValidationError")},
		"other":               {"ValidationError", "Parameters: [A, B] must have values", service("ValidationError")},
		"no change set":       {"ChangeSetNotFound", "ChangeSet [x] does not exist", service("ChangeSetNotFound")},
		"quota":               {"LimitExceededException", "Limit for stack has been exceeded", service("LimitExceededException")},
		"resource":            {"ValidationError", "Resource Bucket does not exist for stack web", service("ValidationError")},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake()
			f.before = refuse("UpdateStack", 400, tt.code, tt.message)
			_, err := cloud(f).Writer(clearance(t, step("web", true))).Update(t.Context(), change(stacks.Update, "web"))
			if !tt.ok(err) {
				t.Errorf("%T: %v", err, err)
			}
		})
	}
}

func busy(status stacks.Status) func(error) bool {
	return func(err error) bool {
		e, ok := errors.AsType[*stacks.BusyError](err)
		return ok && e.Status == status && e.Name == "web"
	}
}

func service(code string) func(error) bool {
	return func(err error) bool {
		e, ok := errors.AsType[*stacks.ServiceError](err)
		return ok && e.Code == code
	}
}

func TestLostAnswerIsNotDoubled(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		forgets bool
		old     string // the id of the stack that is replaced
	}{
		"idempotent token":            {false, ""},
		"service that forgets tokens": {true, ""},
		"forgets, and it is replaced": {true, arn("web") + "-old"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFake()
				lost := 0
				cl := cloudOver(client{handler: f, drop: func(r *http.Request) bool {
					lost++
					return r.Form.Get("Action") == "CreateStack" && lost == 1
				}})
				f.before = func(action string) answer {
					if !c.forgets || action != "CreateStack" {
						return nil
					}
					return func(w http.ResponseWriter, _ *http.Request) bool {
						if len(f.stacks) == 0 {
							return false
						}
						fail(w, 400, "AlreadyExistsException", "Stack [web] already exists")
						return true
					}
				}
				wanted := change(stacks.Create, "web")
				wanted.StackID = c.old
				op, err := cl.Writer(clearance(t, step("web", false))).Create(t.Context(), wanted)
				if err != nil || op.StackID != arn("web") || op.Token != "token-web" {
					t.Fatalf("%+v, %v", op, err)
				}
				if len(f.stacks) != 1 || f.count("CreateStack") != 2 {
					t.Errorf("%d stacks after %d calls", len(f.stacks), f.count("CreateStack"))
				}
				if p, _, err := await(t.Context(), cl, op); err != nil || p.Status != stacks.CreateComplete {
					t.Errorf("%+v, %v", p, err)
				}
			})
		})
	}
}

func TestStackOfSomebodyElse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.add("web", "their-token")
		_, err := cloud(f).Writer(clearance(t, step("web", false))).Create(t.Context(), change(stacks.Create, "web"))
		if _, ok := errors.AsType[*stacks.ExistsError](err); !ok {
			t.Errorf("%T: %v", err, err)
		}
	})
}

// bucket is an Uploader that remembers.
type bucket struct{ got []string }

func (b *bucket) Upload(_ context.Context, bucket, key string, _ []byte) (string, error) {
	b.got = append(b.got, bucket+" "+key)
	return "https://" + bucket + ".s3.eu-west-1.amazonaws.com/" + key, nil
}

func TestLargeTemplates(t *testing.T) {
	t.Parallel()
	f, b := newFake(), new(bucket)
	c := cloud(f, func(o *cfn.Options) {
		o.Uploader = func(guard.Clearance, stacks.Target) cfn.Uploader { return b }
	})
	ch := change(stacks.Create, "web")
	w := c.Writer(clearance(t, step("web", false)))
	ch.Desired.Body = []byte(strings.Repeat("x", 51_200))
	if _, err := w.Create(t.Context(), ch); err != nil || len(b.got) != 0 || cfn.NeedsBucket(ch.Desired.Body) {
		t.Errorf("51,200 bytes: %v, uploaded %v", err, b.got)
	}
	ch.Desired.Body = []byte(strings.Repeat("x", 51_201))
	before := f.total()
	_, err := w.Create(t.Context(), ch)
	e, ok := errors.AsType[*cfn.TooLargeError](err)
	if !ok || e.ExitCode() != 2 || !strings.Contains(e.Hint(), "template_bucket_name") || f.total() != before || !cfn.NeedsBucket(ch.Desired.Body) {
		t.Errorf("without a bucket: %v after %d calls", err, f.total()-before)
	}
	ch.Desired.Bucket, ch.Desired.Stack.KeyPrefix = "templates", "/cf/"
	if _, err := w.Create(t.Context(), ch); err != nil {
		t.Fatal(err)
	}
	form := f.last(t, "CreateStack")
	if u := form.Get("TemplateURL"); !strings.HasPrefix(u, "https://templates.s3.eu-west-1.amazonaws.com/cf/web/") || !strings.HasSuffix(u, ".template") || form.Get("TemplateBody") != "" {
		t.Errorf("url %q", u)
	}
	if len(b.got) != 1 {
		t.Errorf("uploaded %v", b.got)
	}
}

func TestPropose(t *testing.T) {
	t.Parallel()
	const set = `<ChangeSetId>arn:set</ChangeSetId><ChangeSetName>c1</ChangeSetName><StackId>arn:aws:cloudformation:eu-west-1:111111111111:stack/web/0001</StackId><StackName>web</StackName>`
	tests := map[string]struct {
		answers []string
		err     func(error) bool
		discard int
	}{
		"changes": {[]string{
			set + `<Status>CREATE_PENDING</Status><ExecutionStatus>UNAVAILABLE</ExecutionStatus>`,
			set + `<Status>CREATE_IN_PROGRESS</Status><ExecutionStatus>UNAVAILABLE</ExecutionStatus>`,
			set + `<Status>CREATE_COMPLETE</Status><ExecutionStatus>AVAILABLE</ExecutionStatus><Changes><member><Type>Resource</Type><ResourceChange><Action>Modify</Action><LogicalResourceId>Db</LogicalResourceId><ResourceType>AWS::RDS::DBInstance</ResourceType><Replacement>Conditional</Replacement><Details><member><CausingEntity>Size</CausingEntity><Target><Attribute>Properties</Attribute><Name>AllocatedStorage</Name></Target></member><member><Target><Attribute>Properties</Attribute><Name>AllocatedStorage</Name></Target></member></Details></ResourceChange></member></Changes>`,
		}, func(err error) bool { return err == nil }, 0},
		"none": {
			[]string{set + `<Status>FAILED</Status><ExecutionStatus>UNAVAILABLE</ExecutionStatus><StatusReason>The submitted information didn't contain changes. Submit different information to create a change set.</StatusReason>`},
			func(err error) bool { _, ok := errors.AsType[*stacks.NoChangesError](err); return ok }, 1,
		},
		"none, with a macro": {
			[]string{set + `<Status>FAILED</Status><StatusReason>No updates are to be performed.</StatusReason>`},
			func(err error) bool { _, ok := errors.AsType[*stacks.NoChangesError](err); return ok }, 1,
		},
		"broken": {[]string{set + `<Status>FAILED</Status><StatusReason>Transform AWS::Include failed with: S3 bucket [b] does not exist.</StatusReason>`}, service("FAILED"), 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFake()
				i := 0
				f.before = func(action string) answer {
					if action == "DescribeChangeSet" {
						i++
						return say(action, tt.answers[min(i, len(tt.answers))-1])(action)
					}
					return say("CreateChangeSet", `<Id>arn:set</Id><StackId>`+arn("web")+`</StackId>`)(action)
				}
				got, err := cloud(f).Writer(clearance(t, step("web", true))).Propose(t.Context(), change(stacks.Update, "web"), "c1")
				if !tt.err(err) {
					t.Fatalf("%T: %v", err, err)
				}
				if n := f.count("DeleteChangeSet"); n != tt.discard {
					t.Errorf("%d change sets were discarded", n)
				}
				expectForm(t, f.last(t, "CreateChangeSet"), map[string]string{"ChangeSetType": "UPDATE", "ChangeSetName": "c1", "ClientToken": "token-web"})
				if err == nil {
					want := stacks.ResourceChange{LogicalID: "Db", Type: "AWS::RDS::DBInstance", Action: "modify", Replacement: "conditional", Why: "AllocatedStorage (from Size)"}
					if len(got.Changes) != 1 || got.Changes[0] != want || !got.Ready() {
						t.Errorf("got %+v", got)
					}
				}
			})
		})
	}
}

func TestDiscardIsDone(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.before = refuse("DeleteChangeSet", 404, "ChangeSetNotFound", "ChangeSet [x] does not exist")
	if err := cloud(f).Writer(clearance(t, step("web", true))).Discard(t.Context(), web(), "x"); err != nil {
		t.Error(err)
	}
}

func TestDiscardShell(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		status, sets string
		refused      bool
		deleted      int
	}{
		"shell":                 {"REVIEW_IN_PROGRESS", "", false, 1},
		"shell of somebody":     {"REVIEW_IN_PROGRESS", "<member><ChangeSetName>theirs</ChangeSetName></member>", true, 0},
		"came alive since then": {"CREATE_COMPLETE", "", true, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake()
			f.add("web", "").phases = []phase{{at: time.Now().Add(-time.Hour), status: tt.status}}
			f.before = say("ListChangeSets", "<Summaries>"+tt.sets+"</Summaries>")
			err := cloud(f).Writer(clearance(t, step("web", true))).DiscardShell(t.Context(), web())
			if _, ok := errors.AsType[*stacks.BusyError](err); ok != tt.refused || err != nil && !ok {
				t.Errorf("%v", err)
			}
			if n := f.count("DeleteStack"); n != tt.deleted {
				t.Errorf("%d deletes", n)
			}
		})
	}
}

func TestInterruptedWriteIsUnknown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		ctx, cancel := context.WithCancel(t.Context())
		c := cloudOver(client{handler: f, drop: func(*http.Request) bool { cancel(); return true }})
		_, err := c.Writer(clearance(t, step("web", false))).Create(ctx, change(stacks.Create, "web"))
		if _, ok := errors.AsType[*stacks.UnknownError](err); !ok || !errors.Is(err, context.Canceled) {
			t.Errorf("%T: %v", err, err)
		}
	})
}

func expectForm(t *testing.T, form url.Values, want map[string]string) {
	t.Helper()
	for k, v := range want {
		if form.Get(k) != v {
			t.Errorf("%s is %q, want %q", k, form.Get(k), v)
		}
	}
}

// TestCreateGivesTheDefaultOfWhatIsKept: a parameter that is to stay as it is has no
// previous value in a new stack.
func TestCreateGivesTheDefaultOfWhatIsKept(t *testing.T) {
	t.Parallel()
	f := newFake()
	c := change(stacks.Create, "web")
	c.Desired.Parameters = []stacks.Parameter{{Key: "Bare", Previous: true}, {Key: "Kept", Previous: true, Value: "1"}}
	if _, err := cloud(f).Writer(clearance(t, step("web", false))).Create(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	expectForm(t, f.last(t, "CreateStack"), map[string]string{
		"Parameters.member.1.ParameterKey": "Kept", "Parameters.member.1.ParameterValue": "1", "Parameters.member.2.ParameterKey": "",
	})
}
