package main_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/deployer-cli/deployer/internal/sandbox"
	"github.com/deployer-cli/deployer/internal/sandbox/store"
)

// universe is a project and an AWS that the measures are taken in.
type universe struct {
	dir    string
	aws    *sandbox.Server
	meter  meter
	needs  map[string]string // stack -> the one it waits for
	stacks int
}

// newUniverse makes chains of stacks, each of which takes about three seconds,
// and none of which starts before the one before it in its chain.
func newUniverse(t testing.TB, chains, length int) *universe {
	t.Helper()
	u := &universe{dir: t.TempDir(), needs: map[string]string{}, stacks: chains * length, aws: sandbox.New(sandbox.Options{
		Store: store.NewMemory(), Speed: 1,
		Durations: func(string) (create, update, remove time.Duration) {
			return 1500 * time.Millisecond, 1500 * time.Millisecond, 1500 * time.Millisecond
		},
	})}
	u.meter.aws = u.aws.Client()
	write(t, u.dir, "config/config.yaml", "project_code: many\nproject_id: 00112233445566aa\nregion: eu-west-1\n")
	write(t, u.dir, "config/dev/config.yaml", "environment: {class: development}\n")
	write(t, u.dir, "templates/queue.yaml", "Parameters: {After: {Type: String, Default: none}}\n"+
		"Resources:\n  Queue: {Type: AWS::SQS::Queue, Properties: {Tags: [{Key: after, Value: !Ref After}]}}\nOutputs:\n  Arn: {Value: !GetAtt Queue.Arn}\n")
	for c := range chains {
		for i := range length {
			name := fmt.Sprintf("dev/c%03d-%03d", c, i)
			text := "template: {path: queue.yaml, type: file}\n"
			if i > 0 {
				before := fmt.Sprintf("dev/c%03d-%03d", c, i-1)
				u.needs[name] = before
				text += "parameters: {After: !stack_output " + before + ".yaml::Arn}\n"
			}
			write(t, u.dir, "config/"+name+".yaml", text)
		}
	}
	return u
}

// meter counts what AWS is asked, and how often it wants less of it.
type meter struct {
	aws              *sandbox.InProcess
	calls, throttled atomic.Int64
}

// Do answers a request.
func (m *meter) Do(r *http.Request) (*http.Response, error) {
	m.calls.Add(1)
	answer, err := m.aws.Do(r)
	if err != nil || answer.StatusCode == http.StatusOK {
		return answer, err
	}
	body, err := io.ReadAll(answer.Body)
	if bytes.Contains(body, []byte("<Code>Throttling</Code>")) {
		m.throttled.Add(1)
	}
	answer.Body = io.NopCloser(bytes.NewReader(body))
	return answer, err
}
