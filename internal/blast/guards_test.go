package blast_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/deployer-cli/deployer/internal/blast"
	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/stacks"
)

type spoiling struct {
	name  string
	spoil func(f *blast.Facts)
	fails string // guards, with blanks between; "" for none
	why   string // a part of what the first of them says
	code  int
}

// spoilings has for each guard what passes, what fails, and what cannot be read.
func spoilings() []spoiling {
	add := func(f *blast.Facts, key string, v any) {
		value, ok := v.(stacks.Value)
		if !ok {
			value = stacks.String(v.(string))
		}
		f.Environment.Break.Fields = append(f.Environment.Break.Fields, stacks.Field{Key: key, Value: value})
	}
	return []spoiling{
		{"nothing", func(*blast.Facts) {}, "", "", 0},

		{"environment not known", func(f *blast.Facts) {
			f.Environment = nil
			at(f, "dev/network").Stack.Environment = nil
			at(f, "dev/app").Stack.Environment = nil
		}, "G1 G9", "not known", 3},
		{"nothing chosen", func(f *blast.Facts) { f.Targets = nil }, "G1", "nothing was chosen", 3},
		{"undeclared", func(f *blast.Facts) { f.Environment.Declared, f.Environment.Class = false, "" }, "G1 G9", "not declared", 3},
		{"persistent", func(f *blast.Facts) { f.Environment.Class = stacks.Persistent }, "G1 G9", "is persistent", 3},
		{"production", func(f *blast.Facts) { f.Environment.Class = stacks.Production }, "G1 G3 G9", "is production", 3},
		{"misspelt", func(f *blast.Facts) { f.Environment.Class = "develop" }, "G1 G3 G9", "is develop", 3},
		{"production word", func(f *blast.Facts) { f.Environment.Name = "live" }, "G1 G3 G4 G9", "says production", 3},

		{"not allowed", func(f *blast.Facts) { f.Environment.Break = stacks.Value{} }, "G2", "not true", 3},
		{"never", func(f *blast.Facts) { f.Environment.Break = block("allow", "never") }, "G2", "never", 3},
		{"allowed as a text", func(f *blast.Facts) { f.Environment.Break = block("allow", "true") }, "G2 G6 G13 G15", "true, false or never", 3},
		{"never around it", func(f *blast.Facts) {
			outer := environment("", stacks.Development)
			outer.Break = block("allow", "never")
			f.Environments = append(f.Environments, outer)
		}, "G2", "never", 3},
		{"never on the target", func(f *blast.Facts) { at(f, "dev/network").Stack.Break = block("allow", "never") }, "G2", "allow: never", 3},
		{"never on what goes with it", func(f *blast.Facts) { at(f, "dev/app").Stack.Break = block("allow", "never") }, "G2", "dev/app", 3},
		{"never elsewhere", func(f *blast.Facts) { at(f, "dev/queue").Stack.Break = block("allow", "never") }, "", "", 0},
		{"break block unreadable", func(f *blast.Facts) { at(f, "dev/app").Stack.Break = block("alow", yes()) }, "G2", "not known", 3},

		{"account not listed", func(f *blast.Facts) { f.Environment.Accounts = []string{"444444444444"} }, "G3", "these credentials", 3},
		{"account listed", func(f *blast.Facts) { f.Environment.Accounts = []string{account} }, "", "", 0},
		{"region not listed", func(f *blast.Facts) { f.Environment.Regions = []string{"us-east-1"} }, "G3", "this is eu-west-1", 3},
		{"account not known", func(f *blast.Facts) { f.Account = "" }, "G3", "not known", 3},
		{"stack in another account", func(f *blast.Facts) { at(f, "dev/app").Live.Account = "444444444444" }, "G3", "it lives in", 3},
		{"production's account", func(f *blast.Facts) { f.Environments[1].Accounts = []string{account} }, "G3", "production environment prod", 3},
		{"production's account, acknowledged", func(f *blast.Facts) {
			f.Environments[1].Accounts = []string{account}
			add(f, "shared_account", "acknowledged")
		}, "", "", 0},
		{"production's account not written down", func(f *blast.Facts) { f.Environments[1].Accounts = nil }, "G3", "not written down", 3},
		{"environments not known", func(f *blast.Facts) { f.Environments = nil }, "G3", "not known", 3},

		{"tag missing", func(f *blast.Facts) { at(f, "dev/app").Live.Tags = at(f, "dev/app").Live.Tags[:3] }, "G4", "no tag deployer:stack", 3},
		{"no tags", func(f *blast.Facts) { at(f, "dev/network").Live.Tags = nil }, "G4", "no tag", 3},
		{"tag of another environment", func(f *blast.Facts) { setTag(at(f, "dev/network"), stacks.TagEnvironment, "qa") }, "G4", "deployer:environment=qa", 3},
		{"tag of another project", func(f *blast.Facts) { setTag(at(f, "dev/network"), stacks.TagProject, "p2") }, "G4", "deployer:project=p2", 3},
		{"tag says production", func(f *blast.Facts) { setTag(at(f, "dev/network"), stacks.TagClass, "production") }, "G4 G9", "deployer:class=production", 3},

		{"termination protection", func(f *blast.Facts) { at(f, "dev/app").Live.TerminationProtection = true }, "G5", "termination protection", 3},
		{"protect: true", func(f *blast.Facts) { at(f, "dev/network").Stack.Protect = true }, "G5", "protect: true", 3},
		{"stack policy denies", func(f *blast.Facts) {
			at(f, "dev/network").Policy = blast.Got(`{"Statement":[{"Effect":"Allow","Action":"Update:*","Principal":"*","Resource":"*"},{"Effect":"Deny","Action":"Update:Delete","Principal":"*","Resource":"LogicalResourceId/V*"}]}`, nil)
		}, "G5", "Vpc", 3},
		{"stack policy of another form", func(f *blast.Facts) {
			at(f, "dev/network").Policy = blast.Got(`{"Statement":{"Effect":"Allow","Action":["Update:*"],"Principal":"*","Resource":"*"}}`, nil)
		}, "G5", "not understood", 3}, // one statement without a list is none to AWS
		{"stack policy allows all", func(f *blast.Facts) {
			at(f, "dev/network").Policy = blast.Got(`{"Statement":[{"Effect":"Allow","Action":["Update:*"],"Principal":"*","Resource":"*"}]}`, nil)
		}, "", "", 0},
		{"stack policy says nothing of it", func(f *blast.Facts) {
			at(f, "dev/network").Policy = blast.Got(`{"Statement":[{"Effect":"Allow","NotAction":"Update:Delete","Principal":"*","Resource":"*"}]}`, nil)
		}, "G5", "does not let", 3},
		{"stack policy unreadable", func(f *blast.Facts) { at(f, "dev/app").Policy = blast.Got("", errDenied) }, "G5", "cannot be read", 3},
		{"stack policy not read", func(f *blast.Facts) { at(f, "dev/app").Policy = blast.Known[string]{} }, "G5", "was not read", 3},
		{"resource protects itself", func(f *blast.Facts) {
			at(f, "dev/app").Template = blast.Got(strings.Replace(appTemplate, "GroupDescription: g", "GroupDescription: g, DeletionProtection: 'true'", 1), nil)
		}, "G5", "deletion protection", 3},

		{"outside the window", func(f *blast.Facts) { add(f, "window", block("cron", "0 10 * * MON-THU", "for", "6h")) }, "G6", "which it is not now", 3},
		{"inside the window", func(f *blast.Facts) { add(f, "window", block("cron", "0 10 * * SUN", "for", "6h")) }, "", "", 0},
		{"window unreadable", func(f *blast.Facts) { add(f, "window", block("cron", "whenever", "for", "6h")) }, "G2 G6 G13 G15", "window", 3},
		{"frozen", func(f *blast.Facts) { f.Environment.Guard = block("freeze", stacks.Strings("2026-11-22/P1D")) }, "G6", "frozen", 3},
		{"frozen yesterday", func(f *blast.Facts) { f.Environment.Guard = block("freeze", stacks.Strings("2026-11-20/P1D")) }, "", "", 0},
		{"frozen around it", func(f *blast.Facts) { around(f).Guard = block("freeze", stacks.Strings("2026-11-22/P1D")) }, "G6", "all is frozen", 3},
		{"frozen around it yesterday", func(f *blast.Facts) { around(f).Guard = block("freeze", stacks.Strings("2026-11-20/P1D")) }, "", "", 0},
		{"freeze around it unreadable", func(f *blast.Facts) { around(f).Guard = block("freeze", stacks.Strings("soon")) }, "G6", "guard.freeze", 3},
		{"freeze unreadable", func(f *blast.Facts) { f.Environment.Guard = block("freeze", stacks.Strings("soon")) }, "G6", "guard.freeze", 3},
		{"lever engaged", func(f *blast.Facts) { f.Lever.Value = blast.Lever{Engaged: true, By: "bob", Reason: "demo"} }, "G6", "by bob: demo", 3},
		{"lever unreadable", func(f *blast.Facts) { f.Lever = blast.Got(blast.Lever{}, errDenied) }, "G6", "cannot be told", 3},
		{"lever not read", func(f *blast.Facts) { f.Lever = blast.Known[blast.Lever]{} }, "G6", "not read", 3},
		{"no time", func(f *blast.Facts) { f.Now = time.Time{} }, "G6", "not known", 3},

		{"another break open", func(f *blast.Facts) { f.Open.Value = []blast.Open{{ID: "b-1", Environment: "qa"}} }, "G7", "b-1", 7},
		{"this break open", func(f *blast.Facts) { f.Break = "b-1"; f.Open.Value = []blast.Open{{ID: "b-1"}} }, "", "", 0},
		{"open breaks unreadable", func(f *blast.Facts) { f.Open = blast.Got([]blast.Open(nil), errDenied) }, "G7", "cannot be told", 7},
		{"target being updated", func(f *blast.Facts) { at(f, "dev/network").Live.Status = stacks.UpdateInProgress }, "G7", "UPDATE_IN_PROGRESS", 7},
		{"dependent being updated", func(f *blast.Facts) { at(f, "dev/queue").Live.Status = stacks.UpdateInProgress }, "G7", "dev/queue", 7},

		{"steady probe fails", func(f *blast.Facts) { f.Probes.Value[0].OK = false; f.Probes.Value[0].Why = "503" }, "G8", "site: 503", 6},
		{"steady probe not asked", func(f *blast.Facts) { f.Probes.Value[0].Unknown = true }, "G8", "could not be asked", 6},
		{"guard probe fails", func(f *blast.Facts) { f.Probes.Value[1].OK = false }, "G8", "live", 6},
		{"evidence fails", func(f *blast.Facts) {
			f.Probes.Value = append(f.Probes.Value, blast.Probed{Name: "e", Role: "evidence"})
		}, "", "", 0},
		{"role misspelt", func(f *blast.Facts) { f.Probes.Value = append(f.Probes.Value, blast.Probed{Name: "e", Role: "guards"}) }, "G8", "probe e", 6},
		{"no steady probe", func(f *blast.Facts) { f.Probes.Value = f.Probes.Value[1:] }, "G8", "no steady probe", 6},
		{"probes unreadable", func(f *blast.Facts) { f.Probes = blast.Got([]blast.Probed(nil), errDenied) }, "G8", "not read", 6},
		{"target not well", func(f *blast.Facts) { at(f, "dev/network").Live.Status = stacks.UpdateRollbackFailed }, "G8", "UPDATE_ROLLBACK_FAILED", 6},

		{"an importer comes too", func(f *blast.Facts) { f.Exports.Value[0].Importers.Value = []string{"dev-queue"} }, "", "", 0},
		{"only", func(f *blast.Facts) { f.Only = true }, "G9", "it would have to go first", 3},
		{"excluded", func(f *blast.Facts) { f.Choice.Exclude = []string{"qa/*", "dev/app"} }, "G9", "--exclude dev/app keeps it, and it would have to go first", 3},
		{"something else excluded", func(f *blast.Facts) { f.Choice.Exclude = []string{"dev/none", "qa/**"} }, "", "", 0},
		{"an importer that was not read", func(f *blast.Facts) { f.Exports.Value[0].Importers.Value = []string{"qa-app"} }, "G9", "qa-app", 3},
		{"importers unreadable", func(f *blast.Facts) { f.Exports.Value[0].Importers = blast.Got([]string(nil), errDenied) }, "G9", "who imports", 3},
		{"exports unreadable", func(f *blast.Facts) { f.Exports = blast.Got([]blast.Export(nil), errDenied) }, "G9", "AccessDenied", 3},
		{"an importer in production", func(f *blast.Facts) {
			f.Stacks.Value = append(f.Stacks.Value, seen(f.Environments[1], "prod/app", queueTemplate))
			f.Exports.Value[0].Importers.Value = []string{"prod-app"}
		}, "G9", "prod is production", 3},
		{"stacks of its own", func(f *blast.Facts) { holdsStacks(f, "AWS::CloudFormation::StackSet", "") }, "G9", "holds stacks of its own", 3},
		{"a product", func(f *blast.Facts) { holdsStacks(f, "AWS::ServiceCatalog::CloudFormationProvisionedProduct", "") }, "G9", "holds stacks of its own", 3},
		{"a Beanstalk environment", func(f *blast.Facts) { holdsStacks(f, "AWS::ElasticBeanstalk::Environment", "") }, "G9", "holds stacks of its own", 3},
		{"stacks of its own, kept", func(f *blast.Facts) { holdsStacks(f, "AWS::CloudFormation::StackSet", "DeletionPolicy: Retain, ") }, "", "", 0},
		{"an importer that no file describes", func(f *blast.Facts) {
			s := seen(f.Environment, "dev/other", queueTemplate)
			s.Stack = nil
			f.Stacks.Value = append(f.Stacks.Value, s)
			f.Exports.Value[0].Importers.Value = []string{"dev-other"}
		}, "G9", "no file", 3},
		{"what sits on it is persistent", func(f *blast.Facts) {
			e := environment("staging", stacks.Persistent)
			at(f, "dev/app").Stack.Environment = e
		}, "G9", "staging is persistent", 3},
		{"a stack that was not read", func(f *blast.Facts) { at(f, "dev/queue").Resources = blast.Got([]stacks.Resource(nil), errDenied) }, "G9", "cannot be told", 3},
		{"a template that was not read", func(f *blast.Facts) {
			at(f, "dev/queue").Template = blast.Got("", errDenied)
			at(f, "dev/queue").Resources.Value[0].Type = "AWS::Lambda::Function"
		}, "G9", "its template", 3},
		{"a template that does not matter", func(f *blast.Facts) {
			at(f, "dev/queue").Template = blast.Got("", errDenied)
			at(f, "dev/queue").Resources.Value[0].Type = "AWS::CloudWatch::Alarm"
		}, "", "", 0},
		{"the target does not live", func(f *blast.Facts) { f.Targets = []stacks.Path{"dev/nothing"} }, "G9", "nothing to break", 3},
		{"live stacks unreadable", func(f *blast.Facts) { f.Stacks = blast.Got([]blast.Seen(nil), errDenied) }, "G9", "could not be read", 3},
		{"a nested stack", func(f *blast.Facts) { at(f, "dev/network").Live.ParentID = at(f, "dev/queue").Live.ID }, "G9", "nested", 3},
		{"an instance of a StackSet", func(f *blast.Facts) {
			at(f, "dev/network").Live.Name = "StackSet-base-0f7a1b2c-1111-2222-3333-444455556666"
		}, "G9", "StackSet", 3},

		{"a database is lost", func(f *blast.Facts) {
			at(f, "dev/app").Template = blast.Got(strings.Replace(appTemplate, "DeletionPolicy: Retain", "DeletionPolicy: Delete", 1), nil)
		}, "G10", "data would be lost", 3},
		{"a database is expendable", func(f *blast.Facts) {
			at(f, "dev/app").Template = blast.Got(strings.Replace(appTemplate, "DeletionPolicy: Retain", "DeletionPolicy: Delete", 1), nil)
			at(f, "dev/app").Stack.Break = block("data", block("Bucket", "expendable"))
			f.Contents = map[string]blast.Known[bool]{"dev-app-bucket": blast.Got(false, nil)}
		}, "", "", 0},
		{"another is expendable", func(f *blast.Facts) {
			at(f, "dev/app").Template = blast.Got(strings.Replace(appTemplate, "DeletionPolicy: Retain", "DeletionPolicy: Delete", 1), nil)
			at(f, "dev/app").Stack.Break = block("data", block("Table", "expendable"))
		}, "G2 G10", "names Table, and the live stack has no such resource", 3},
		{"a misspelt one is expendable", func(f *blast.Facts) {
			at(f, "dev/app").Stack.Break = block("data", block("Buckt", "expendable"))
		}, "G2", "names Buckt, and the live stack has no such resource", 3},
		{"contents unreadable", func(f *blast.Facts) { at(f, "dev/network").Resources = blast.Got([]stacks.Resource(nil), errDenied) }, "G9 G10", "is not known", 3},

		{"it is the state bucket", func(f *blast.Facts) { f.Stands.Value[0].Names = []string{"dev-app-bucket"} }, "G11", "is the state bucket", 3},
		{"by its ARN", func(f *blast.Facts) { f.Stands.Value[0].Names = []string{"arn:aws:s3:::dev-app-bucket"} }, "G11", "is the state bucket", 3},
		{"topic of a stack that stays", func(f *blast.Facts) {
			at(f, "dev/app").Resources.Value[1] = stacks.Resource{LogicalID: "Bucket", Type: "AWS::SNS::Topic", PhysicalID: "arn:aws:sns:eu-west-1:333333333333:told", Status: "CREATE_COMPLETE"}
			at(f, "dev/queue").Live.Notifications = []string{"arn:aws:sns:eu-west-1:333333333333:told"}
		}, "G11", "is the notification topic of dev/queue", 3},
		{"stands unreadable", func(f *blast.Facts) { f.Stands = blast.Got([]blast.Stand(nil), errDenied) }, "G11", "not known", 3},
		{"the service role of another", func(f *blast.Facts) {
			at(f, "dev/app").Resources.Value = append(at(f, "dev/app").Resources.Value, stacks.Resource{LogicalID: "Role", Type: "AWS::IAM::Role", PhysicalID: "deploy"})
			at(f, "dev/queue").Live.ServiceRole = "arn:aws:iam::333333333333:role/deploy"
		}, "G11", "service role of dev/queue", 3},

		{"a secret that cannot be had", func(f *blast.Facts) {
			f.Secrets["dev/app"] = blast.Got([]blast.Secret{{Parameter: "Password", Why: "ParameterNotFound"}}, nil)
		}, "G12", "ParameterNotFound", 3},
		{"a secret in the file", func(f *blast.Facts) {
			f.Secrets["dev/network"] = blast.Got([]blast.Secret{{Parameter: "Password", Literal: true, Obtainable: true}}, nil)
		}, "G12", "stands in its file", 3},
		{"a secret that can be had", func(f *blast.Facts) {
			f.Secrets["dev/app"] = blast.Got([]blast.Secret{{Parameter: "Password", Obtainable: true}}, nil)
		}, "", "", 0},
		{"secrets unreadable", func(f *blast.Facts) { delete(f.Secrets, "dev/app") }, "G12", "not read", 3},

		{"too many targets", func(f *blast.Facts) {
			add(f, "max_targets", num("1"))
			f.Targets = append(f.Targets, "dev/queue")
		}, "G13", "max_targets", 3},
		{"too many in all", func(f *blast.Facts) { add(f, "max_total", num("1")) }, "G13", "max_total", 3},
		{"just as many", func(f *blast.Facts) { add(f, "max_total", num("2")) }, "", "", 0},
		{"too many drawn", func(f *blast.Facts) { f.Choice.Random, f.OutOf = 1, 1 }, "G13", "max_percent", 3},
		{"half are drawn", func(f *blast.Facts) { f.Choice.Random, f.OutOf = 1, 2 }, "", "", 0},
		{"drawn of nobody knows how many", func(f *blast.Facts) { f.Choice.Percent, f.OutOf = 1, 0 }, "G13", "max_percent", 3},
		{"too soon", func(f *blast.Facts) {
			add(f, "cooldown", "24h")
			f.Past.Value = []blast.Past{{Break: "b-0", Stack: "dev/app", At: noon().Add(-time.Hour)}}
		}, "G13", "cooldown", 3},
		{"late enough", func(f *blast.Facts) {
			add(f, "cooldown", "24h")
			f.Past.Value = []blast.Past{{Break: "b-0", Stack: "dev/app", At: noon().Add(-25 * time.Hour)}, {Stack: "dev/queue", At: noon()}}
		}, "", "", 0},
		{"past unreadable", func(f *blast.Facts) { add(f, "cooldown", "24h"); f.Past = blast.Got([]blast.Past(nil), errDenied) }, "G13", "not known", 3},

		{"no permit", func(f *blast.Facts) { add(f, "permit", "required") }, "G15", "there is none", 3},
		{"permit unreadable", func(f *blast.Facts) {
			add(f, "permit", "required")
			f.Permits = blast.Got([]blast.Permit(nil), errDenied)
		}, "G15", "cannot be read", 3},
		{"a permit", func(f *blast.Facts) { permit(f, func(*blast.Permit) {}) }, "", "", 0},
		{"permit expired", func(f *blast.Facts) { permit(f, func(p *blast.Permit) { p.Until = noon() }) }, "G15", "expired", 3},
		{"permit revoked", func(f *blast.Facts) { permit(f, func(p *blast.Permit) { p.Revoked = true }) }, "G15", "revoked", 3},
		{"permit of another environment", func(f *blast.Facts) { permit(f, func(p *blast.Permit) { p.Environment = "two" }) }, "G15", "there is none", 3},
		{"what goes too is of an environment without a permit", func(f *blast.Facts) { second(f) }, "G15", "break.permit of two is required, and there is none", 3},
		{"a permit for each", func(f *blast.Facts) {
			p := second(f)
			p.ID, p.Environment, p.Include = "q", "two", []string{"dev/app"}
			f.Permits.Value = append(f.Permits.Value, p)
		}, "", "", 0},
		{"permit for another kind", func(f *blast.Facts) { permit(f, func(p *blast.Permit) { p.Kinds = []string{"lambda-zero"} }) }, "G15", "lambda-zero", 3},
		{"permit for another", func(f *blast.Facts) {
			permit(f, func(p *blast.Permit) { p.Callers = []string{"arn:aws:iam::*:user/bob"} })
		}, "G15", "not for", 3},
		{"permit for nobody", func(f *blast.Facts) { permit(f, func(p *blast.Permit) { p.Callers = nil }) }, "G15", "not for", 3},
		{"permit leaves out what goes too", func(f *blast.Facts) { permit(f, func(p *blast.Permit) { p.Include = []string{"dev/net*"} }) }, "G15", "dev/app", 3},
		{"permit excludes it", func(f *blast.Facts) { permit(f, func(p *blast.Permit) { p.Exclude = []string{"**/network"} }) }, "G15", "dev/network", 3},
	}
}

// second moves dev/app to another environment that requires a permit as well; there
// is one for dev.
func second(f *blast.Facts) blast.Permit {
	permit(f, func(p *blast.Permit) { p.Include = []string{"dev/network"} })
	two := environment("two", stacks.Development)
	two.Break.Fields = append(two.Break.Fields, stacks.Field{Key: "permit", Value: stacks.String("required")})
	at(f, "dev/app").Stack.Environment = two
	at(f, "dev/app").Live.Tags = tags(two, "dev/app")
	f.Environments = append(f.Environments, two)
	return f.Permits.Value[0]
}

// around puts an environment around that of the targets.
func around(f *blast.Facts) *stacks.Environment {
	outer := environment("all", stacks.Development)
	outer.Path = ""
	f.Environments = append(f.Environments, outer)
	return outer
}

// permit requires a permit and gives one that fits, spoilt.
func permit(f *blast.Facts, spoil func(*blast.Permit)) {
	f.Environment.Break.Fields = append(f.Environment.Break.Fields, stacks.Field{Key: "permit", Value: stacks.String("required")})
	p := blast.Permit{ID: "p", Environment: "dev", Until: noon().Add(time.Hour), Include: []string{"dev/**"}, Kinds: []string{blast.DeleteStack}, Callers: []string{"arn:aws:iam::333333333333:user/*"}}
	spoil(&p)
	f.Permits.Value = []blast.Permit{p}
}

func TestGuards(t *testing.T) {
	t.Parallel()
	for _, s := range spoilings() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			f := good()
			s.spoil(f)
			p := blast.Make(f)
			if got := strings.Join(failed(p.Verdicts), " "); got != s.fails {
				t.Fatalf("%q fail, want %q:\n%+v", got, s.fails, p.Verdicts)
			}
			if code := blast.Code(p.Verdicts); code != s.code || blast.Passed(p.Verdicts) != (s.code == 0) {
				t.Errorf("code %d, want %d", code, s.code)
			}
			if s.fails == "" {
				return
			}
			first, _, _ := strings.Cut(s.fails, " ")
			i := slices.IndexFunc(p.Verdicts, func(v blast.Verdict) bool { return v.Guard == first })
			if v := p.Verdicts[i]; !strings.Contains(v.Why, s.why) || v.Title == "" || len(v.Findings) == 0 {
				t.Errorf("%+v does not say %q", v, s.why)
			}
		})
	}
}

// TestPairs: two failures of different guards are both shown, with the code of
// the more serious.
func TestPairs(t *testing.T) {
	t.Parallel()
	picked := []string{
		"never on the target", "account not listed", "tag missing", "termination protection", "lever engaged", "another break open", "steady probe fails",
		"an importer that was not read", "by its ARN", "a secret in the file", "too soon", "no permit",
	}
	all := spoilings()
	find := func(name string) spoiling {
		return all[slices.IndexFunc(all, func(s spoiling) bool { return s.name == name })]
	}
	for i, first := range picked {
		for _, second := range picked[i+1:] {
			a, b := find(first), find(second)
			f := good()
			a.spoil(f)
			b.spoil(f)
			got := failed(blast.Make(f).Verdicts)
			if !slices.Contains(got, a.fails) || !slices.Contains(got, b.fails) || len(got) != 2 {
				t.Errorf("%s and %s: %v", first, second, got)
			}
		}
	}
	f := good()
	find("another break open").spoil(f)
	find("steady probe fails").spoil(f)
	if code := blast.Code(blast.Make(f).Verdicts); code != 7 { // what the other break did to the probes is no reason of its own
		t.Errorf("code %d", code)
	}
	find("lever engaged").spoil(f)
	if code := blast.Code(blast.Make(f).Verdicts); code != 3 {
		t.Errorf("code %d", code)
	}
}

// TestNothingReadNothingBroken: facts that nobody filled in fail every guard that
// reads anything.
func TestNothingReadNothingBroken(t *testing.T) {
	t.Parallel()
	for _, v := range blast.Make(&blast.Facts{Targets: []stacks.Path{"dev/a"}, Kind: blast.DeleteStack}).Verdicts {
		switch v.Guard {
		case "G2", "G4", "G5", "G10", "G12", "G13", "G15":
			continue // they are about stacks and environments, of which there are none
		}
		if v.OK {
			t.Errorf("%s passes", v.Guard)
		}
	}
	f := &blast.Facts{Now: noon(), Targets: []stacks.Path{"dev/network"}, Kind: blast.DeleteStack, Caller: guard.Identity{ARN: "x"}}
	g := good()
	f.Stacks, f.Environment, f.Environments = g.Stacks, g.Environment, g.Environments
	for i := range f.Stacks.Value {
		f.Stacks.Value[i].Resources, f.Stacks.Value[i].Policy, f.Stacks.Value[i].Template = blast.Known[[]stacks.Resource]{}, blast.Known[string]{}, blast.Known[string]{}
	}
	if got := failed(blast.Make(f).Verdicts); !slices.Equal(got, []string{"G3", "G4", "G5", "G6", "G7", "G8", "G9", "G10", "G11", "G12"}) {
		t.Errorf("only %v fail", got)
	}
}

// holdsStacks puts a resource with stacks of its own, called expendable, into dev/app.
func holdsStacks(f *blast.Facts, typ, policy string) {
	app := at(f, "dev/app")
	app.Template.Value += "  Set: {Type: '" + typ + "', " + policy + "Properties: {}}\n"
	app.Resources.Value = append(app.Resources.Value, stacks.Resource{LogicalID: "Set", Type: typ, PhysicalID: "set-1", Status: "CREATE_COMPLETE"})
	app.Stack.Break = block("data", block("Set", "expendable"))
}
