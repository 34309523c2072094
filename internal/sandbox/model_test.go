package sandbox_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"pgregory.net/rapid"

	"github.com/deployer-cli/deployer/internal/sandbox"
	"github.com/deployer-cli/deployer/internal/sandbox/store"
)

// modelTemplate is a random template as the model sees it: what depends on what,
// and which values can be told in advance.
type modelTemplate struct {
	deps    map[string][]string
	values  map[string]string // of SSM parameters whose value is a literal
	retain  map[string]bool
	export  string // value of the export <stack>-out, "" for none
	imports string // name of an export
	body    string
}

// drawTemplate makes a random template: a graph of parameters and topics.
func drawTemplate(t *rapid.T) *modelTemplate {
	m := &modelTemplate{deps: map[string][]string{}, values: map[string]string{}, retain: map[string]bool{}}
	resources := map[string]any{}
	for i := range rapid.IntRange(1, 5).Draw(t, "size") {
		if i > 0 && rapid.IntRange(0, 4).Draw(t, "leave out") == 0 {
			continue
		}
		id := fmt.Sprintf("R%d", i)
		value := any(rapid.SampledFrom([]string{"one", "two", "three"}).Draw(t, "value"))
		literal := value
		for j := range i {
			other := fmt.Sprintf("R%d", j)
			if _, there := m.deps[other]; there && rapid.Bool().Draw(t, "depends") {
				m.deps[id] = append(m.deps[id], other)
				value = map[string]any{"Fn::Sub": fmt.Sprint(literal) + " ${" + other + "}"}
			}
		}
		m.deps[id] = append(m.deps[id], []string{}...)
		r := map[string]any{"Type": "AWS::SNS::Topic", "Properties": map[string]any{"DisplayName": value}, "DependsOn": append([]string{}, m.deps[id]...)}
		if i%2 == 0 {
			r["Type"], r["Properties"] = "AWS::SSM::Parameter", map[string]any{"Type": "String", "Value": value}
			if value == literal {
				m.values[id] = fmt.Sprint(literal)
			}
		}
		if rapid.IntRange(0, 5).Draw(t, "retain") == 0 {
			r["DeletionPolicy"], m.retain[id] = "Retain", true
		}
		resources[id] = r
	}
	if rapid.IntRange(0, 3).Draw(t, "import") == 0 {
		m.imports = rapid.SampledFrom([]string{"a-out", "b-out"}).Draw(t, "of")
		m.deps["Importer"] = nil
		resources["Importer"] = map[string]any{"Type": "AWS::SNS::Topic", "Properties": map[string]any{"DisplayName": map[string]any{"Fn::ImportValue": m.imports}}}
	}
	doc := map[string]any{"Resources": resources}
	if rapid.Bool().Draw(t, "export") {
		m.export = rapid.SampledFrom([]string{"x", "y"}).Draw(t, "exported")
		doc["Outputs"] = map[string]any{"Out": map[string]any{"Value": m.export, "Export": map[string]any{"Name": map[string]any{"Fn::Sub": "${AWS::StackName}-out"}}}}
	}
	raw, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	m.body = string(raw)
	return m
}

// transitions are those of cloudformation.md, section 1.2.
var transitions = map[string]string{
	"":                                    "CREATE_IN_PROGRESS REVIEW_IN_PROGRESS",
	"REVIEW_IN_PROGRESS":                  "CREATE_IN_PROGRESS DELETE_IN_PROGRESS",
	"CREATE_IN_PROGRESS":                  "CREATE_COMPLETE CREATE_FAILED ROLLBACK_IN_PROGRESS DELETE_IN_PROGRESS",
	"CREATE_COMPLETE":                     "UPDATE_IN_PROGRESS DELETE_IN_PROGRESS",
	"CREATE_FAILED":                       "UPDATE_IN_PROGRESS DELETE_IN_PROGRESS",
	"ROLLBACK_IN_PROGRESS":                "ROLLBACK_COMPLETE ROLLBACK_FAILED DELETE_IN_PROGRESS",
	"ROLLBACK_COMPLETE":                   "DELETE_IN_PROGRESS",
	"ROLLBACK_FAILED":                     "DELETE_IN_PROGRESS",
	"UPDATE_IN_PROGRESS":                  "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS UPDATE_FAILED UPDATE_ROLLBACK_IN_PROGRESS",
	"UPDATE_COMPLETE_CLEANUP_IN_PROGRESS": "UPDATE_COMPLETE",
	"UPDATE_COMPLETE":                     "UPDATE_IN_PROGRESS DELETE_IN_PROGRESS",
	"UPDATE_FAILED":                       "UPDATE_IN_PROGRESS UPDATE_ROLLBACK_IN_PROGRESS DELETE_IN_PROGRESS",
	"UPDATE_ROLLBACK_IN_PROGRESS":         "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS UPDATE_ROLLBACK_FAILED",
	"UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS": "UPDATE_ROLLBACK_COMPLETE",
	"UPDATE_ROLLBACK_COMPLETE":                     "UPDATE_IN_PROGRESS DELETE_IN_PROGRESS",
	"UPDATE_ROLLBACK_FAILED":                       "UPDATE_ROLLBACK_IN_PROGRESS DELETE_IN_PROGRESS",
	"DELETE_IN_PROGRESS":                           "DELETE_COMPLETE DELETE_FAILED",
	"DELETE_FAILED":                                "DELETE_IN_PROGRESS",
}

// modelStack is what the model knows of one stack.
type modelStack struct {
	name, status, token string
	before              string         // the token of what the running operation cut short, until it begins
	good, next          *modelTemplate // there; being made
	events              int
	protected           bool
}

// model is an independent, simple idea of what the sandbox does.
type model struct {
	t      *rapid.T
	door   door
	path   string // of the store on disk, "" in memory
	db     *store.SQLite
	memory *store.Memory
	now    time.Time
	stacks map[string]*modelStack // by id, all that ever were
	sets   map[string]*modelTemplate
	step   int
}

func newModel(t *rapid.T, dir string) *model {
	m := &model{t: t, memory: store.NewMemory(), now: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC), stacks: map[string]*modelStack{}, sets: map[string]*modelTemplate{}}
	if rapid.IntRange(0, 3).Draw(t, "disk") == 0 {
		m.path = filepath.Join(dir, "state.db")
	}
	m.open()
	return m
}

func (m *model) open() {
	var state sandbox.Store = m.memory
	if m.path != "" {
		db, err := store.Open(m.path)
		if err != nil {
			m.t.Fatal(err)
		}
		m.db, state = db, db
	}
	m.door = inProcess(sandbox.Options{Store: state, Speed: 1, Seed: 7, Now: func() time.Time { return m.now }})
}

// named is the living stack of a name.
func (m *model) named(name string) (id string, st *modelStack) {
	for id, st := range m.stacks {
		if st.name == name && st.status != "DELETE_COMPLETE" {
			return id, st
		}
	}
	return "", nil
}

// accepted tells whether a call was; a refusal must be one of CloudFormation's.
func (m *model) accepted(err error) bool {
	if err != nil && code(err) == "" {
		m.t.Fatalf("not a refusal: %v", err)
	}
	return err == nil
}

// allow holds an accepted call against the statuses it is allowed in.
func (m *model) allow(what string, st *modelStack, statuses string) {
	if st == nil || !slices.Contains(strings.Fields(statuses), st.status) {
		m.t.Fatalf("%s was accepted for %+v", what, st)
	}
}

const updatableStatuses = "CREATE_COMPLETE UPDATE_COMPLETE UPDATE_ROLLBACK_COMPLETE UPDATE_FAILED CREATE_FAILED"

func (m *model) begin(id, name, token string, next *modelTemplate) {
	st := m.stacks[id]
	if st == nil {
		st = &modelStack{name: name}
		m.stacks[id] = st
	}
	st.before, st.token, st.next = st.token, token, next
}

// act does one random thing.
func (m *model) act() {
	t, ctx, cfn := m.t, m.t.Context(), m.door.cfn()
	m.step++
	name, token := rapid.SampledFrom([]string{"a", "b"}).Draw(t, "stack"), fmt.Sprintf("token-%d", m.step)
	id, st := m.named(name)
	off := rapid.Bool().Draw(t, "no rollback")
	switch what := m.choose(st); what {
	case "create":
		tpl := drawTemplate(t)
		in := &cloudformation.CreateStackInput{StackName: &name, TemplateBody: &tpl.body, ClientRequestToken: &token}
		in.OnFailure = rapid.SampledFrom([]types.OnFailure{"", types.OnFailureDelete, types.OnFailureDoNothing}).Draw(t, "on failure")
		if out, err := cfn.CreateStack(ctx, in); m.accepted(err) {
			if st != nil {
				m.allow("CreateStack", st, "REVIEW_IN_PROGRESS")
			}
			m.begin(*out.StackId, name, token, tpl)
		}
	case "update":
		tpl := drawTemplate(t)
		out, err := cfn.UpdateStack(ctx, &cloudformation.UpdateStackInput{StackName: &name, TemplateBody: &tpl.body, ClientRequestToken: &token, DisableRollback: &off})
		if m.accepted(err) {
			m.allow("UpdateStack", st, updatableStatuses)
			m.begin(*out.StackId, name, token, tpl)
		}
	case "change":
		m.change(name, st)
	case "execute":
		m.execute(id, st, token, off)
	case "delete":
		m.remove(id, st, token)
	case "protect":
		_, err := cfn.UpdateTerminationProtection(ctx, &cloudformation.UpdateTerminationProtectionInput{StackName: &name, EnableTerminationProtection: &off})
		if m.accepted(err) && st != nil {
			st.protected = off
		}
	default:
		m.recover(what, name, st, token)
	}
}

// choose prefers what the stack's status allows.
func (m *model) choose(st *modelStack) string {
	all := []string{"create", "update", "change", "execute", "delete", "protect", "cancel", "continue", "rollback"}
	if rapid.IntRange(0, 4).Draw(m.t, "anything") == 0 {
		return rapid.SampledFrom(all).Draw(m.t, "what")
	}
	status := ""
	if st != nil {
		status = st.status
	}
	sensible := map[string][]string{
		"": {"create", "create", "change"}, "REVIEW_IN_PROGRESS": {"execute", "execute", "create", "change"},
		"UPDATE_IN_PROGRESS": {"cancel", "update", "delete"}, "UPDATE_ROLLBACK_FAILED": {"continue", "continue", "delete"},
		"UPDATE_FAILED": {"rollback", "update"}, "CREATE_FAILED": {"update", "rollback", "delete"},
		"ROLLBACK_COMPLETE": {"delete"}, "ROLLBACK_FAILED": {"delete"}, "DELETE_FAILED": {"delete"},
	}[status]
	if sensible == nil {
		sensible = []string{"update", "update", "change", "execute", "delete", "protect"}
	}
	return rapid.SampledFrom(sensible).Draw(m.t, "what")
}

func (m *model) change(name string, st *modelStack) {
	tpl := drawTemplate(m.t)
	kind := types.ChangeSetTypeUpdate
	if st == nil || st.status == "REVIEW_IN_PROGRESS" {
		kind = types.ChangeSetTypeCreate
	}
	out, err := m.door.cfn().CreateChangeSet(m.t.Context(), &cloudformation.CreateChangeSetInput{
		StackName: &name, ChangeSetName: new(fmt.Sprintf("set-%d", m.step)), ChangeSetType: kind, TemplateBody: &tpl.body,
	})
	if m.accepted(err) {
		m.sets[*out.Id] = tpl
		if st == nil {
			m.stacks[*out.StackId] = &modelStack{name: name}
		}
	}
}

func (m *model) execute(id string, st *modelStack, token string, off bool) {
	if st == nil {
		return
	}
	cfn, ctx := m.door.cfn(), m.t.Context()
	sets, err := cfn.ListChangeSets(ctx, &cloudformation.ListChangeSetsInput{StackName: &id})
	if err != nil || len(sets.Summaries) == 0 {
		return
	}
	chosen := sets.Summaries[len(sets.Summaries)-1]
	in := &cloudformation.ExecuteChangeSetInput{ChangeSetName: chosen.ChangeSetId, ClientRequestToken: &token, DisableRollback: &off}
	if _, err := cfn.ExecuteChangeSet(ctx, in); m.accepted(err) {
		m.allow("ExecuteChangeSet", st, updatableStatuses+" REVIEW_IN_PROGRESS")
		if chosen.ExecutionStatus != types.ExecutionStatusAvailable {
			m.t.Fatalf("a change set that is %s was executed", chosen.ExecutionStatus)
		}
		m.begin(id, st.name, token, m.sets[*chosen.ChangeSetId])
	}
}

func (m *model) remove(id string, st *modelStack, token string) {
	in := &cloudformation.DeleteStackInput{StackName: new("nobody"), ClientRequestToken: &token}
	if st != nil {
		in.StackName = &st.name
		if st.status == "DELETE_FAILED" && rapid.Bool().Draw(m.t, "force") {
			in.DeletionMode = types.DeletionModeForceDeleteStack
		}
	}
	if _, err := m.door.cfn().DeleteStack(m.t.Context(), in); !m.accepted(err) || st == nil || strings.HasPrefix(st.status, "DELETE_IN") {
		return
	}
	if st.protected {
		m.t.Fatalf("a protected stack is deleted: %+v", st)
	}
	if used := m.user(st); used != "" {
		m.t.Fatalf("%s is deleted while %s uses its export", st.name, used)
	}
	if strings.HasPrefix(st.status, "UPDATE_") && strings.HasSuffix(st.status, "IN_PROGRESS") {
		m.t.Fatalf("a stack that is %s is deleted", st.status)
	}
	m.begin(id, st.name, token, nil)
}

// user is a stack that certainly imports this one's export.
func (m *model) user(st *modelStack) string {
	for _, other := range m.stacks {
		if other.good != nil && other.good.imports == st.name+"-out" && st.good != nil && st.good.export != "" &&
			slices.Contains(strings.Fields("CREATE_COMPLETE UPDATE_COMPLETE UPDATE_ROLLBACK_COMPLETE"), other.status) {
			return other.name
		}
	}
	return ""
}

func (m *model) recover(what, name string, st *modelStack, token string) {
	cfn, ctx := m.door.cfn(), m.t.Context()
	var err error
	allowed := ""
	switch what {
	case "cancel":
		allowed = "UPDATE_IN_PROGRESS"
		_, err = cfn.CancelUpdateStack(ctx, &cloudformation.CancelUpdateStackInput{StackName: &name, ClientRequestToken: &token})
	case "continue":
		allowed = "UPDATE_ROLLBACK_FAILED"
		_, err = cfn.ContinueUpdateRollback(ctx, &cloudformation.ContinueUpdateRollbackInput{StackName: &name, ClientRequestToken: &token})
	case "rollback":
		allowed = "CREATE_FAILED UPDATE_FAILED"
		_, err = cfn.RollbackStack(ctx, &cloudformation.RollbackStackInput{StackName: &name, ClientRequestToken: &token})
	}
	if m.accepted(err) {
		m.allow(what, st, allowed)
		st.token = token
	}
}

// check holds the sandbox against the model.
func (m *model) check() {
	for id, st := range m.stacks {
		m.follow(id, st)
		m.content(id, st)
	}
	m.exports()
}

// follow reads the events that are new and moves the model along.
func (m *model) follow(id string, st *modelStack) {
	events := m.events(id)
	for _, e := range events[st.events:] {
		got, own := aws.ToString(e.ClientRequestToken), *e.PhysicalResourceId == id
		if own && got == st.token {
			st.before = got // from here on nothing speaks of what was before
		}
		if got != st.token && got != st.before {
			m.t.Fatalf("%s %s has the token %q, the operation's is %q", *e.LogicalResourceId, e.ResourceStatus, got, st.token)
		}
		if !own {
			continue
		}
		status := string(e.ResourceStatus)
		if !slices.Contains(strings.Fields(transitions[st.status]), status) {
			m.t.Fatalf("%s went from %q to %s", st.name, st.status, status)
		}
		st.status = status
		switch status {
		case "CREATE_COMPLETE", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS":
			st.good = st.next
		case "DELETE_COMPLETE":
			st.good = nil
		}
	}
	st.events = len(events)
	out, err := m.door.cfn().DescribeStacks(m.t.Context(), &cloudformation.DescribeStacksInput{StackName: &id})
	if err != nil || string(out.Stacks[0].StackStatus) != st.status {
		m.t.Fatalf("%s should be %s: %v %v", st.name, st.status, out, err)
	}
}

func (m *model) events(id string) []types.StackEvent {
	var all []types.StackEvent
	p := cloudformation.NewDescribeStackEventsPaginator(m.door.cfn(), &cloudformation.DescribeStackEventsInput{StackName: &id})
	for p.HasMorePages() {
		page, err := p.NextPage(m.t.Context())
		if err != nil {
			m.t.Fatal(err)
		}
		all = append(all, page.StackEvents...)
	}
	slices.Reverse(all)
	return all
}

// content compares the resources of a stack with what its template makes.
func (m *model) content(id string, st *modelStack) {
	alive, kept := map[string]types.StackResource{}, map[string]bool{}
	out, err := m.door.cfn().DescribeStackResources(m.t.Context(), &cloudformation.DescribeStackResourcesInput{StackName: &id})
	if err != nil {
		m.t.Fatal(err)
	}
	for _, r := range out.StackResources {
		switch r.ResourceStatus {
		case types.ResourceStatusDeleteComplete, types.ResourceStatusDeleteSkipped:
			kept[*r.LogicalResourceId] = true
		default:
			alive[*r.LogicalResourceId] = r
		}
	}
	tpl := st.good
	switch st.status {
	case "CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE":
		if tpl != nil {
			m.complete(st, tpl, alive)
		}
	case "ROLLBACK_COMPLETE", "DELETE_COMPLETE":
		if len(alive) > 0 {
			m.t.Fatalf("%s is %s and has %v", st.name, st.status, slices.Sorted(maps.Keys(alive)))
		}
	case "CREATE_IN_PROGRESS":
		m.supported(st, st.next, alive)
	}
}

// supported looks for resources without what they depend on.
func (m *model) supported(st *modelStack, tpl *modelTemplate, alive map[string]types.StackResource) {
	for name := range alive {
		for _, needed := range tpl.deps[name] {
			if r, ok := alive[needed]; !ok || r.ResourceStatus == types.ResourceStatusCreateInProgress {
				m.t.Fatalf("%s of %s (%s) is there without %s", name, st.name, st.status, needed)
			}
		}
	}
}

func (m *model) complete(st *modelStack, tpl *modelTemplate, alive map[string]types.StackResource) {
	for name, r := range alive {
		if _, wanted := tpl.deps[name]; !wanted && r.ResourceStatus != types.ResourceStatusDeleteFailed {
			m.t.Fatalf("%s of %s is %s, its template does not have it", name, st.name, r.ResourceStatus)
		}
	}
	for name := range tpl.deps {
		r, ok := alive[name]
		if !ok || !strings.HasSuffix(string(r.ResourceStatus), "_COMPLETE") {
			m.t.Fatalf("%s of %s (%s) is %q", name, st.name, st.status, r.ResourceStatus)
		}
		want, literal := tpl.values[name]
		if !literal {
			continue
		}
		out, err := m.door.ssm().GetParameter(m.t.Context(), &ssm.GetParameterInput{Name: r.PhysicalResourceId})
		if err != nil || *out.Parameter.Value != want {
			m.t.Fatalf("%s of %s should be %q: %+v %v", name, st.name, want, out, err)
		}
	}
	m.supported(st, tpl, alive)
}

// exports compares the exports with the templates that are in force.
func (m *model) exports() {
	want := map[string]string{}
	for _, st := range m.stacks {
		if st.good != nil && st.good.export != "" && st.status != "DELETE_COMPLETE" {
			want[st.name+"-out"] = st.good.export
		}
	}
	out, err := m.door.cfn().ListExports(m.t.Context(), &cloudformation.ListExportsInput{})
	if err != nil {
		m.t.Fatal(err)
	}
	got := map[string]string{}
	for _, e := range out.Exports {
		got[*e.Name] = *e.Value
	}
	if !maps.Equal(got, want) {
		m.t.Fatalf("exports are %v, should be %v", got, want)
	}
	for _, st := range m.stacks {
		stable := st.good != nil && slices.Contains(strings.Fields("CREATE_COMPLETE UPDATE_COMPLETE UPDATE_ROLLBACK_COMPLETE"), st.status)
		if stable && st.good.imports != "" && got[st.good.imports] == "" {
			m.t.Fatalf("%s imports %s, which is gone", st.name, st.good.imports)
		}
	}
}

// restart closes the store and opens it again, or puts another server over the one
// in memory; everything must be as it was.
func (m *model) restart() {
	before := m.everything()
	m.close()
	m.open()
	if after := m.everything(); after != before {
		m.t.Fatalf("before the restart:\n%s\nafter:\n%s", before, after)
	}
}

func (m *model) close() {
	if m.db == nil {
		return
	}
	if err := m.db.Close(); err != nil {
		m.t.Fatal(err)
	}
}

// everything writes down all that a client can see.
func (m *model) everything() string {
	var b strings.Builder
	for _, id := range slices.Sorted(maps.Keys(m.stacks)) {
		out, err := m.door.cfn().DescribeStacks(m.t.Context(), &cloudformation.DescribeStacksInput{StackName: &id})
		if err != nil {
			m.t.Fatal(err)
		}
		res, err := m.door.cfn().ListStackResources(m.t.Context(), &cloudformation.ListStackResourcesInput{StackName: &id})
		if err != nil {
			m.t.Fatal(err)
		}
		tpl, err := m.door.cfn().GetTemplate(m.t.Context(), &cloudformation.GetTemplateInput{StackName: &id})
		if err != nil {
			m.t.Fatal(err)
		}
		raw, err := json.Marshal([]any{out.Stacks, res.StackResourceSummaries, tpl.TemplateBody, m.events(id)})
		if err != nil {
			m.t.Fatal(err)
		}
		b.Write(append(raw, '\n'))
	}
	return b.String()
}

// TestModel does random things to a sandbox, with random faults, and holds
// it against a simple model of CloudFormation after each step.
func TestModel(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	rapid.Check(t, func(r *rapid.T) {
		dir, err := os.MkdirTemp(base, "") //nolint:usetesting // one for each try
		if err != nil {
			r.Fatal(err)
		}
		m := newModel(r, dir)
		defer m.close()
		if p := rapid.IntRange(0, 30).Draw(r, "faults in 100"); p > 0 {
			fault := sandbox.Fault{Fail: true, Message: "struck", Code: "InternalFailure", Probability: float64(p) / 100}
			if _, err := m.door.s.AddFault(r.Context(), fault); err != nil {
				r.Fatal(err)
			}
		}
		for range rapid.IntRange(1, 15).Draw(r, "steps") {
			m.act()
			m.check()
			m.pass(time.Duration(rapid.IntRange(0, 90).Draw(r, "seconds")) * time.Second)
			if rapid.IntRange(0, 5).Draw(r, "restart") == 0 {
				m.restart()
			}
		}
		m.pass(24 * time.Hour)
		for _, st := range m.stacks {
			if strings.HasSuffix(st.status, "IN_PROGRESS") && st.status != "REVIEW_IN_PROGRESS" {
				r.Fatalf("%s is %s for ever", st.name, st.status)
			}
		}
	})
}

func (m *model) pass(d time.Duration) {
	if _, err := m.door.s.Advance(m.t.Context(), d); err != nil {
		m.t.Fatal(err)
	}
	m.check()
}
