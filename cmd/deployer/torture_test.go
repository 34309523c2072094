package main_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/deployer-cli/deployer/internal/sandbox"
	"github.com/deployer-cli/deployer/internal/sandbox/store"
)

// tortured is how many stacks the launch has that is killed.
const tortured = 30

// TestTorture kills a launch of thirty stacks at every boundary of a call, once
// before and once after the call is applied, and launches again: the end state
// must be the same, and no stack made twice.
func TestTorture(t *testing.T) {
	t.Parallel()
	if os.Getenv("DEPLOYER_TORTURE") == "" {
		t.Skip("takes minutes: set DEPLOYER_TORTURE=1, or run make torture")
	}
	plain := newVictim(t, 0, false)
	plain.launch(t)
	plain.check(t)
	total := plain.calls
	t.Logf("an undisturbed launch of %d stacks makes %d calls", tortured, total)
	for n := range total {
		for _, applied := range []bool{false, true} {
			t.Run(fmt.Sprintf("call=%d/applied=%v", n+1, applied), func(t *testing.T) {
				t.Parallel()
				v := newVictim(t, n+1, applied)
				v.launch(t)
				v.check(t)
			})
		}
	}
}

// victim is a project, an AWS on loopback, and a process that dies when the AWS
// receives a certain call.
type victim struct {
	dir    string
	vars   []string
	aws    *sandbox.Server
	killAt int  // the call that kills; 0 for none
	after  bool // it is applied before

	mu      sync.Mutex
	cmd     *exec.Cmd
	ended   chan struct{} // closed when the launch is no more
	killed  bool
	calls   int
	created map[string]int
	deleted int
}

func newVictim(t *testing.T, killAt int, after bool) *victim {
	t.Helper()
	v := &victim{
		dir: t.TempDir(), killAt: killAt, after: after, ended: make(chan struct{}), created: map[string]int{},
		aws: sandbox.New(sandbox.Options{
			Store: store.NewMemory(), Speed: 100,
			Durations: func(string) (create, update, remove time.Duration) {
				return 5 * time.Second, 5 * time.Second, 5 * time.Second
			},
		}),
	}
	layered(t, v.dir, tortured)
	server := httptest.NewServer(v)
	t.Cleanup(server.Close)
	v.vars = []string{"AWS_ENDPOINT_URL=" + server.URL}
	return v
}

// launch runs the launch that is killed.
func (v *victim) launch(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	v.mu.Lock()
	v.cmd = process(ctx, t, v.dir, v.vars, "launch", "dev", "-y", "-o", "json")
	err := v.cmd.Start()
	v.mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	err = v.cmd.Wait()
	close(v.ended)
	v.mu.Lock()
	defer v.mu.Unlock()
	if err != nil && !v.killed {
		t.Errorf("the launch failed without being killed: %v", err)
	}
	v.killAt = 0
}

// check launches again and looks at the end state.
func (v *victim) check(t *testing.T) {
	t.Helper()
	again := child(t, v.dir, v.vars, "launch", "dev", "-y", "-o", "json")
	if again.Exit != 0 {
		t.Errorf("the second launch: exit %d\n%s%s", again.Exit, again.Stdout, again.Stderr)
		return
	}
	again.result(t).all(t, tortured, "created", "unchanged")
	child(t, v.dir, v.vars, "launch", "dev", "-y", "-o", "json").result(t).all(t, tortured, "unchanged")
	for stack, status := range statuses(t, v.dir, v.vars...) {
		if status != "CREATE_COMPLETE" {
			t.Errorf("%s is %s", stack, status)
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.created) != tortured || v.deleted != 0 {
		t.Errorf("%d stacks created, %d deleted", len(v.created), v.deleted)
	}
	for stack, n := range v.created {
		if n != 1 {
			t.Errorf("%s was created %d times", stack, n)
		}
	}
}

// ServeHTTP answers as the sandbox does, or kills the one who asks.
func (v *victim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v.mu.Lock()
	v.calls++
	fatal := v.calls == v.killAt
	v.mu.Unlock()
	if fatal && !v.after {
		v.kill()
		panic(http.ErrAbortHandler) // the call is lost
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler) // it never arrived as a whole
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	answer := httptest.NewRecorder()
	v.aws.ServeHTTP(answer, r)
	v.note(body, answer.Code)
	if fatal {
		v.kill()
		panic(http.ErrAbortHandler) // the answer is lost
	}
	maps.Copy(w.Header(), answer.Header())
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes()) // the client may be gone
}

// kill ends the process with SIGKILL and waits until it is no more.
func (v *victim) kill() {
	v.mu.Lock()
	v.killed = true
	process := v.cmd.Process
	v.mu.Unlock()
	_ = process.Kill() // it may have ended by itself
	<-v.ended
}

// note counts the stacks that were created and deleted.
func (v *victim) note(body []byte, status int) {
	form, err := url.ParseQuery(string(body))
	if err != nil || status != http.StatusOK {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	switch form.Get("Action") {
	case "CreateStack":
		v.created[form.Get("StackName")]++
	case "DeleteStack":
		v.deleted++
	}
}
