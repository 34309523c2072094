package main_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/deployer-cli/deployer/internal/sandbox"
)

// seen is a stack as it lives, by name or id; nil where it does not.
func (s *site) seen(name string) *types.Stack {
	out, err := s.sdk.DescribeStacks(s.t.Context(), &cloudformation.DescribeStacksInput{StackName: &name})
	if err != nil || len(out.Stacks) == 0 || out.Stacks[0].StackStatus == types.StackStatusDeleteComplete {
		return nil
	}
	return &out.Stacks[0]
}

// rest waits until nothing is done to a stack any more.
func (s *site) rest(id string) types.StackStatus {
	for range 600 {
		out, err := s.sdk.DescribeStacks(s.t.Context(), &cloudformation.DescribeStacksInput{StackName: &id})
		if err != nil {
			return ""
		}
		if status := out.Stacks[0].StackStatus; !strings.HasSuffix(string(status), "IN_PROGRESS") {
			return status
		}
		time.Sleep(time.Second)
	}
	return ""
}

// retag gives a live stack another tag, or with "none" takes one away.
func (s *site) retag(name, key, value string) bool {
	now := s.seen(name)
	if now == nil {
		return false
	}
	in := &cloudformation.UpdateStackInput{StackName: now.StackId, UsePreviousTemplate: new(true), Capabilities: []types.Capability{types.CapabilityCapabilityNamedIam}}
	for _, p := range now.Parameters {
		in.Parameters = append(in.Parameters, types.Parameter{ParameterKey: p.ParameterKey, UsePreviousValue: new(true)})
	}
	for _, t := range now.Tags {
		if aws.ToString(t.Key) != key {
			in.Tags = append(in.Tags, t)
		}
	}
	if value != "none" {
		in.Tags = append(in.Tags, types.Tag{Key: &key, Value: &value})
	}
	if _, err := s.sdk.UpdateStack(s.t.Context(), in); err != nil {
		return false
	}
	return s.rest(aws.ToString(now.StackId)) == types.StackStatusUpdateComplete
}

func (s *site) shield(name string) bool {
	_, err := s.sdk.UpdateTerminationProtection(s.t.Context(), &cloudformation.UpdateTerminationProtectionInput{StackName: &name, EnableTerminationProtection: new(true)})
	return err == nil
}

// stranger makes a stack that no file describes and that needs another.
func (s *site) stranger(name string, d need) bool {
	value := s.h.imported(d)
	if now := s.seen(s.h.name(d.of)); d.how == lives {
		if now == nil {
			return false
		}
		for _, o := range now.Outputs {
			if aws.ToString(o.OutputKey) == "Hold" {
				value = aws.ToString(o.OutputValue)
			}
		}
	}
	_, err := s.sdk.CreateStack(s.t.Context(), &cloudformation.CreateStackInput{
		StackName: &name, Capabilities: []types.Capability{types.CapabilityCapabilityNamedIam},
		TemplateBody: new("Resources:\n  It: " + s.h.user(d, value) + "\n"),
	})
	return err == nil && s.rest(name) == types.StackStatusCreateComplete
}

// anew takes a stack away and makes it again as it was.
func (s *site) anew(name string) bool {
	now := s.seen(name)
	if now == nil {
		return false
	}
	text, err := s.sdk.GetTemplate(s.t.Context(), &cloudformation.GetTemplateInput{StackName: now.StackId})
	if err != nil {
		return false
	}
	if _, err := s.sdk.DeleteStack(s.t.Context(), &cloudformation.DeleteStackInput{StackName: now.StackId}); err != nil || s.rest(aws.ToString(now.StackId)) != types.StackStatusDeleteComplete {
		return false
	}
	_, err = s.sdk.CreateStack(s.t.Context(), &cloudformation.CreateStackInput{
		StackName: &name, TemplateBody: text.TemplateBody, Parameters: now.Parameters, Tags: now.Tags, Capabilities: []types.Capability{types.CapabilityCapabilityNamedIam},
	})
	return err == nil && s.rest(name) == types.StackStatusCreateComplete
}

// fall does what a blow says, and notes when it began and when it had come.
func (s *site) fall(b *blow) {
	begun := time.Now()
	done := s.deal(b)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.begun = begun
	if done {
		s.landed = time.Now()
	}
}

func (s *site) deal(b *blow) bool {
	h, name := s.h, s.h.name(b.node)
	switch b.what {
	case "import":
		return s.stranger("late", need{b.node, imports})
	case "move in":
		return s.stranger("late", h.fitting(need{b.node, lives}))
	case "anew":
		if h.nodes[b.node].data != "bucket" && s.alone(b.node) {
			return s.anew(name)
		}
		return s.retag(name, "touched", "yes")
	case "update":
		return s.retag(name, "touched", "yes")
	case "shield":
		return s.shield(name)
	case "class":
		return s.retag(name, "deployer:class", "production")
	case "never":
		s.file(b.node, true)
	case "lever":
		s.seed(`parameters: {/deployer/00112233445566aa/lever: '{"engaged":true,"by":"mallory","reason":"test","at":"2026-01-01T00:00:00Z"}'}` + "\n")
	case "lock":
		s.lock(heldBy("dev"))
	case "expire":
		return s.fault(sandbox.Fault{Expire: true})
	case "ctrl-c":
		s.interrupts <- os.Interrupt
	case "full":
		s.full.Store(true)
	}
	return true
}

// alone tells whether nothing lives that needs a stack.
func (s *site) alone(i int) bool {
	for _, j := range s.h.first(i) {
		if s.seen(s.h.name(j)) != nil {
			return false
		}
	}
	now := s.seen(s.h.name(i))
	return now != nil && !aws.ToBool(now.EnableTerminationProtection) && (s.h.stranger.how == "" || s.h.stranger.of != i)
}

func (s *site) fault(f sandbox.Fault) bool {
	_, err := s.aws.server.AddFault(s.t.Context(), f)
	return err == nil
}

func heldBy(env string) string {
	return strings.Replace(heldByThem, `"environment":"main"`, fmt.Sprintf("%q:%q", "environment", env), 1)
}

// lock puts somebody else's lock in the place of ours; "" takes it away.
func (s *site) lock(text string) {
	const file = ".deployer/aws/state/locks/dev.json"
	switch {
	case s.h.bucket && text != "":
		s.object(http.MethodPut, text)
	case s.h.bucket:
		s.object(http.MethodDelete, "")
	case text != "":
		write(s.t, s.dir, file, text)
	default:
		if err := os.Remove(filepath.Join(s.dir, file)); err != nil && !errors.Is(err, os.ErrNotExist) {
			s.failf("%v", err)
		}
	}
}

func (s *site) object(method, body string) {
	q, err := http.NewRequestWithContext(s.t.Context(), method, sandbox.Endpoint+"/records/locks/dev", strings.NewReader(body))
	if err != nil {
		s.failf("%v", err)
		return
	}
	q.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20261122/eu-west-1/s3/aws4_request, SignedHeaders=host, Signature=00")
	if answer, err := s.aws.server.Client().Do(q); err != nil || answer.StatusCode/100 != 2 {
		s.failf("%s of the lock: %v", method, err)
	}
}

// troubled lets AWS have the fault of the havoc.
func (s *site) troubled() {
	name := s.h.name(s.h.ill)
	f, ok := map[string]sandbox.Fault{
		"throttle":    {Service: "cloudformation", Action: "DeleteStack", Throttle: true, Count: 2},
		"stuck":       {Stack: name, Logical: "It", Phase: "delete", Fail: true, Message: "somebody holds it"},
		"lost answer": {Service: "cloudformation", Action: "DeleteStack", Drop: "answer", Count: 1},
		"stale":       {Service: "cloudformation", Phase: "read", Stale: 20 * time.Second},
		"ill reads":   {Service: "cloudformation", Phase: "read", Status: http.StatusServiceUnavailable, Count: 3},
		"slow":        {Stack: name, Phase: "delete", Slow: 30},
	}[s.h.fault]
	if ok && !s.fault(f) {
		s.failf("no fault")
	}
}

// calm takes back what hinders whoever recovers.
func (s *site) calm() {
	if err := s.aws.server.ClearFaults(s.t.Context()); err != nil {
		s.failf("%v", err)
	}
	s.full.Store(false)
	if b := s.h.amid; b != nil && s.crossed(b.node) { // it may hold what went down when it came: nothing is forced
		if now := s.seen(s.h.name(b.node)); now != nil && now.StackStatus == types.StackStatusDeleteFailed {
			if _, err := s.sdk.DeleteStack(s.t.Context(), &cloudformation.DeleteStackInput{StackName: new("late")}); err != nil {
				s.failf("%v", err)
			}
			s.rest("late")
		}
	}
	for _, b := range []*blow{s.h.before, s.h.amid} {
		switch {
		case b == nil:
		case b.what == "lock":
			s.lock("")
		case b.what == "never":
			s.file(b.node, s.h.nodes[b.node].never)
		}
	}
	for len(s.interrupts) > 0 {
		<-s.interrupts
	}
}
