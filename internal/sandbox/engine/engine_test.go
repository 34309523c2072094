package engine

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "rewrite golden files")

// memory is a transaction over maps.
type memory struct {
	tables map[string]map[string][]byte
	writes int
}

func newMemory() *memory { return &memory{tables: map[string]map[string][]byte{}} }

func (m *memory) Get(table, key string) ([]byte, bool, error) {
	v, ok := m.tables[table][key]
	return v, ok, nil
}

func (m *memory) Put(table, key string, value []byte) error {
	m.writes++
	if m.tables[table] == nil {
		m.tables[table] = map[string][]byte{}
	}
	m.tables[table][key] = bytes.Clone(value)
	return nil
}

func (m *memory) Delete(table, key string) error {
	m.writes++
	delete(m.tables[table], key)
	return nil
}

func (m *memory) Scan(table, prefix, after string, yield func(string, []byte) bool) error {
	for _, k := range slices.Sorted(maps.Keys(m.tables[table])) {
		if strings.HasPrefix(k, prefix) && k > after && !yield(k, m.tables[table][k]) {
			break
		}
	}
	return nil
}

func (m *memory) clone() *memory {
	c := newMemory()
	for t, rows := range m.tables {
		c.tables[t] = maps.Clone(rows)
	}
	return c
}

func (m *memory) dump() string {
	var b strings.Builder
	for _, t := range slices.Sorted(maps.Keys(m.tables)) {
		for _, k := range slices.Sorted(maps.Keys(m.tables[t])) {
			fmt.Fprintf(&b, "%s %q %s\n", t, k, m.tables[t][k])
		}
	}
	return b.String()
}

var (
	home  = Account{AccountID: "123456789012", Region: "eu-west-1"}
	epoch = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
)

// world is an engine, its store and its time.
type world struct {
	t     testing.TB
	e     *Engine
	tx    *memory
	now   time.Time
	acct  Account
	fault func(q FaultQuery) FaultAnswer
	files map[string]string
	ssm   map[string]string

	updates int
}

func newWorld(tb testing.TB) *world {
	tb.Helper()
	w := &world{t: tb, tx: newMemory(), now: epoch, acct: home, files: map[string]string{}, ssm: map[string]string{}}
	w.e = New(Config{
		Seed: 1,
		Fault: func(_ Tx, q FaultQuery) (FaultAnswer, error) {
			if w.fault == nil {
				return FaultAnswer{}, nil
			}
			return w.fault(q), nil
		},
		Fetch: func(_ Tx, _ Account, url string) ([]byte, error) {
			if text, ok := w.files[url]; ok {
				return []byte(text), nil
			}
			return nil, invalid("S3 error: Access Denied")
		},
		Parameter: func(_ Tx, _ Account, name string) (string, bool, error) {
			v, ok := w.ssm[name]
			return v, ok, nil
		},
		Dynamic: func(_ Tx, _ Account, ref string) (string, error) {
			if v, ok := w.ssm[strings.TrimPrefix(ref, "ssm:")]; ok {
				return v, nil
			}
			return "", invalid("Parameters: [%s] cannot be found.", ref)
		},
	})
	return w
}

func (w *world) try(action string, in any) (any, error) {
	w.t.Helper()
	if _, err := w.e.Advance(w.tx, w.now); err != nil {
		w.t.Fatalf("advance: %v", err)
	}
	return w.e.Call(w.tx, w.now, w.acct, action, in)
}

// do calls and expects an answer.
func do[O any](w *world, action string, in any) *O {
	w.t.Helper()
	out, err := w.try(action, in)
	if err != nil {
		w.t.Fatalf("%s: %v", action, err)
	}
	typed, ok := out.(*O)
	if !ok {
		w.t.Fatalf("%s answers %T", action, out)
	}
	return typed
}

// refused calls and expects a refusal.
func (w *world) refused(action string, in any) string {
	w.t.Helper()
	out, err := w.try(action, in)
	if err == nil {
		w.t.Fatalf("%s: accepted with %+v", action, out)
	}
	e, ok := err.(*Error) //nolint:errorlint // refusals are not wrapped
	if !ok {
		w.t.Fatalf("%s: %v", action, err)
	}
	return e.Code + ": " + e.Message
}

func (w *world) pass(d time.Duration) {
	w.t.Helper()
	w.now = w.now.Add(d)
	if _, err := w.e.Advance(w.tx, w.now); err != nil {
		w.t.Fatalf("advance: %v", err)
	}
}

// settle lets time pass until nothing is due.
func (w *world) settle() {
	w.t.Helper()
	for range 10000 {
		at, ok, err := w.e.NextDue(w.tx)
		if err != nil {
			w.t.Fatal(err)
		}
		if !ok {
			return
		}
		w.pass(at.Sub(w.now))
	}
	w.t.Fatal("never settles")
}

func (w *world) create(name, template string, params ...string) string {
	w.t.Helper()
	in := &CreateStackInput{StackName: name, TemplateBody: template, ClientRequestToken: "token-create", Parameters: parameters(params)}
	return do[CreateStackOutput](w, "CreateStack", in).StackId
}

func parameters(pairs []string) []Parameter {
	var out []Parameter
	for i := 0; i+1 < len(pairs); i += 2 {
		out = append(out, Parameter{ParameterKey: pairs[i], ParameterValue: new(pairs[i+1])})
	}
	return out
}

func (w *world) update(name, template string, params ...string) {
	w.t.Helper()
	w.updates++
	token := fmt.Sprintf("token-update-%d", w.updates)
	do[UpdateStackOutput](w, "UpdateStack", &UpdateStackInput{StackName: name, TemplateBody: template, ClientRequestToken: token, Parameters: parameters(params)})
}

func (w *world) delete(name string) {
	w.t.Helper()
	do[DeleteStackOutput](w, "DeleteStack", &DeleteStackInput{StackName: name, ClientRequestToken: "token-delete"})
}

func (w *world) stack(name string) Stack {
	w.t.Helper()
	return do[DescribeStacksOutput](w, "DescribeStacks", &DescribeStacksInput{StackName: name}).Stacks[0]
}

func (w *world) status(name, want string) Stack {
	w.t.Helper()
	st := w.stack(name)
	if st.StackStatus != want {
		w.t.Fatalf("%s is %s (%s), want %s\n%s", name, st.StackStatus, st.StackStatusReason, want, w.stream(name))
	}
	return st
}

// events returns all events of a stack, oldest first.
func (w *world) events(name string) []StackEvent {
	w.t.Helper()
	var all []StackEvent
	in := &DescribeStackEventsInput{StackName: name}
	for {
		out := do[DescribeStackEventsOutput](w, "DescribeStackEvents", in)
		all = append(all, out.StackEvents...)
		if out.NextToken == "" {
			break
		}
		in.NextToken = out.NextToken
	}
	slices.Reverse(all)
	return all
}

// stream writes the events of a stack as goldens do.
func (w *world) stream(name string) string {
	w.t.Helper()
	var b strings.Builder
	for _, e := range w.events(name) {
		id := "uuid"
		if rest, ok := strings.CutPrefix(e.EventId, e.LogicalResourceId+"-"); ok {
			id = "random"
			if strings.HasPrefix(rest, e.ResourceStatus) {
				id = "status"
			}
		}
		fmt.Fprintf(&b, "%8.3f %s %s [%s] id=%s token=%s", e.Timestamp.Sub(epoch).Seconds(), e.LogicalResourceId, e.ResourceStatus, *e.PhysicalResourceId, id, e.ClientRequestToken)
		if e.DetailedStatus != "" {
			fmt.Fprintf(&b, " detailed=%s", e.DetailedStatus)
		}
		if e.ResourceStatusReason != "" {
			fmt.Fprintf(&b, " reason=%q", e.ResourceStatusReason)
		}
		if e.ResourceProperties != "" {
			fmt.Fprintf(&b, " props=%s", e.ResourceProperties)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// topics is a template of n topics.
func topics(n int) string {
	var b strings.Builder
	b.WriteString("Resources:\n")
	for i := range n {
		fmt.Fprintf(&b, "  Topic%d: {Type: AWS::SNS::Topic}\n", i)
	}
	return b.String()
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (run with -update to accept):\n%s", path, got)
	}
}
