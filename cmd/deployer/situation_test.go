package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/deployer-cli/deployer/internal/sandbox"
)

// situation is what stands around a command that wants to write: the environment
// block, what people gave, who types what where.
type situation struct {
	class, account, region string
	bucket                 string // "" is this machine only
	sealed                 bool   // it takes no writes
	approvals              int
	approvers              string
	freeze                 string
	lease                  bool // is required
	protect                bool
	project                string // project_id, instead of the one that the live tags name
	twins                  bool   // other files have the stacks' names

	locked   string        // what the lock of somebody else says, "" for none
	clock    time.Duration // how far AWS's clock is ahead of ours
	user     string
	terminal bool
	typed    string
	yes      bool
	digest   string // instead of the plan's
	edited   bool   // the plan file, by a byte
}

const (
	here       = "123456789012"
	environs   = "main" // a name that says nothing of its class
	everybody  = "arn:aws:iam::*:user/*"
	frozenNow  = "2000-01-01/2999-01-01"
	heldByThem = `{"environment":"main","run":"theirs","command":"launch","owner":{"arn":"arn:aws:iam::123456789012:user/mallory","account":"123456789012"},"host":"elsewhere","pid":1,"taken":"2026-01-01T00:00:00Z","beat":"2999-01-01T00:00:00Z"}`
)

// block is the environment block of a situation.
func (s situation) block() string {
	var b strings.Builder
	fmt.Fprintf(&b, "environment:\n  class: %s\n", s.class)
	if s.account != "" {
		fmt.Fprintf(&b, "  accounts: [%q]\n", s.account)
	}
	if s.region != "" {
		fmt.Fprintf(&b, "  regions: [%s]\n", s.region)
	}
	if s.bucket != "" {
		fmt.Fprintf(&b, "  state: {bucket: %s}\n", s.bucket)
	}
	fmt.Fprintf(&b, "  guard:\n    approvals: %d\n", s.approvals)
	if s.approvers != "" {
		fmt.Fprintf(&b, "    approvers: [%q]\n", s.approvers)
	}
	if s.freeze != "" {
		fmt.Fprintf(&b, "    freeze: [%q]\n", s.freeze)
	}
	if s.lease {
		b.WriteString("    lease: {required: true}\n")
	}
	return b.String()
}

// place is a project of two stacks, one of them with a change that waits, and an
// AWS that keeps a record.
type place struct {
	t        testing.TB
	dir      string
	aws      *recorder
	plan     []byte
	obsolete bool // a is
}

// newPlace lets both stacks live under a class.
func newPlace(t testing.TB, dir string, class string) *place {
	p := &place{t: t, dir: dir, aws: newRecorder(sandbox.Options{Speed: 1})}
	if _, err := p.aws.server.Seed(t.Context(), []byte("buckets: [records]\n")); err != nil {
		t.Fatal(err)
	}
	p.project("")
	write(t, dir, "templates/topic.yaml", "Parameters: {Name: {Type: String, Default: first}}\nResources:\n  Topic: {Type: AWS::SNS::Topic, Properties: {DisplayName: !Ref Name}}\n")
	p.stacks("first", false)
	p.block(situation{class: class, account: here})
	agree := "y\n"
	if class == "production" {
		agree = "main 2 changes 0 deletes\n"
	}
	p.must("dora", typing{agree, true}, "launch", environs)
	p.stacks("second", false)
	return p
}

// stacks writes the configs: what b is to be called, and whether it is protected.
func (p *place) stacks(name string, protect bool) {
	more := "hooks: {before_create_change_set: [!cmd \"true\"]}\n"
	if protect {
		more += "protect: true\n"
	}
	old := ""
	if p.obsolete {
		old = "obsolete: true\n"
	}
	write(p.t, p.dir, "config/main/a.yaml", "template: {path: topic.yaml}\n"+old+more)
	write(p.t, p.dir, "config/main/b.yaml", "template: {path: topic.yaml}\nparameters: {Name: "+name+"}\n"+more)
}

func (p *place) block(s situation) { write(p.t, p.dir, "config/main/config.yaml", s.block()) }

// project writes the project's own config.
func (p *place) project(id string) {
	write(p.t, p.dir, "config/config.yaml", "project_code: shop\nproject_id: "+orText(id, "00112233445566aa")+"\nregion: eu-west-1\n")
}

// twins writes another file for each stack, or removes them.
func (p *place) twins(there bool) {
	for _, name := range []string{"a", "b"} {
		if there {
			write(p.t, p.dir, "config/main/twin-"+name+".yaml", "template: {path: topic.yaml}\nstack_name: shop-main-"+name+"\n")
		} else if err := os.RemoveAll(filepath.Join(p.dir, "config/main/twin-"+name+".yaml")); err != nil {
			p.t.Fatal(err)
		}
	}
}

// must runs a command that has to end well.
func (p *place) must(user string, in typing, args ...string) ran {
	p.t.Helper()
	p.aws.user = user
	r := p.aws.run(p.t, p.dir, in, nil, args...)
	if r.Exit != 0 {
		p.t.Fatalf("%s: deployer %s: exit %d\n%s%s", user, strings.Join(args, " "), r.Exit, r.Stdout, r.Stderr)
	}
	return r
}

// planned makes the plan file, by bob.
func (p *place) planned(args ...string) string {
	p.t.Helper()
	p.must("bob", typing{}, append(append([]string{"plan"}, args...), "--out", "f.plan")...)
	var err error
	if p.plan, err = os.ReadFile(filepath.Join(p.dir, "f.plan")); err != nil {
		p.t.Fatal(err)
	}
	return digestOf(p.t, p.plan)
}

func digestOf(t testing.TB, plan []byte) string {
	t.Helper()
	var file struct{ Digest string }
	if err := json.Unmarshal(plan, &file); err != nil {
		t.Fatal(err)
	}
	return file.Digest
}

// try lays a situation out, runs a command in it, and tells what was sent.
func (p *place) try(s situation, args ...string) (ran, []string) {
	p.t.Helper()
	p.block(s)
	p.project(s.project)
	p.twins(s.twins)
	p.stacks("second", s.protect)
	if p.plan != nil {
		plan := p.plan
		if s.edited {
			plan = bytes.Replace(plan, []byte(`"path": "main`), []byte(`"path": "mail`), 1)
		}
		write(p.t, p.dir, "f.plan", string(plan))
		args = append(args, "--plan", "f.plan", "--digest", orText(s.digest, digestOf(p.t, p.plan)))
	}
	if s.yes {
		args = append(args, "--yes")
	}
	restore := p.lock(s)
	defer restore()
	p.aws.user, p.aws.ahead, p.aws.sealed = s.user, s.clock, s.sealed
	defer func() { p.aws.ahead, p.aws.sealed = 0, false }()
	p.aws.writes()
	r := p.aws.run(p.t, p.dir, typing{s.typed, s.terminal}, nil, args...)
	return r, p.aws.writes()
}

func orText(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// lock puts somebody else's lock where the situation keeps it, until it is
// restored.
func (p *place) lock(s situation) (restore func()) {
	if s.locked == "" {
		return func() {}
	}
	if s.bucket == "" {
		name := filepath.Join(p.dir, ".deployer/aws/state/locks/main.json")
		before, err := os.ReadFile(name)
		if err != nil {
			p.t.Fatal(err)
		}
		write(p.t, p.dir, ".deployer/aws/state/locks/main.json", s.locked)
		return func() { write(p.t, p.dir, ".deployer/aws/state/locks/main.json", string(before)) }
	}
	before := p.object(http.MethodGet, "")
	p.object(http.MethodPut, s.locked)
	return func() {
		if before == "" {
			p.object(http.MethodDelete, "")
			return
		}
		p.object(http.MethodPut, before)
	}
}

// object reads or writes the lock in the bucket.
func (p *place) object(method, body string) string {
	p.t.Helper()
	q, err := http.NewRequestWithContext(p.t.Context(), method, sandbox.Endpoint+"/records/locks/main", strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	q.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20261122/eu-west-1/s3/aws4_request, SignedHeaders=host, Signature=00")
	answer, err := p.aws.server.Client().Do(q)
	if err != nil {
		p.t.Fatal(err)
	}
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	if answer.StatusCode == http.StatusNotFound && method == http.MethodGet {
		return ""
	}
	if answer.StatusCode/100 != 2 {
		p.t.Fatalf("%s of the lock: %s", method, text)
	}
	return string(text)
}
