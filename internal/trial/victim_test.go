package trial_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/deployer-cli/deployer/internal/sandbox"
	"github.com/deployer-cli/deployer/internal/sandbox/store"
)

// patience is how long one run may take. None needs more than seconds.
const patience = 2 * time.Minute

// victim is a project, an AWS on loopback, and processes that die when the AWS
// receives a certain call.
type victim struct {
	dir  string
	aws  *sandbox.Server
	http *httptest.Server

	mu    sync.Mutex
	blow  blow
	calls int           // of the run that goes on
	cmd   *exec.Cmd     // the run
	ended chan struct{} // closed when it is no more
	dead  bool          // we killed it

	byName string // a stack that was deleted by its name
}

// newVictim makes one; close ends it. Its time runs two hundred times as fast.
func newVictim(t testing.TB, dir string, seed uint64) *victim {
	t.Helper()
	v := &victim{dir: dir, aws: sandbox.New(sandbox.Options{
		Store: store.NewMemory(), Speed: 200, Seed: seed,
		Durations: func(string) (create, update, remove time.Duration) {
			return 15 * time.Second, 15 * time.Second, 15 * time.Second
		},
	})}
	v.http = httptest.NewServer(v)
	return v
}

// ran is how a run ended.
type ran struct {
	exit   int
	killed bool
	calls  int
	stdout string
	stderr string
}

// run runs the program until it ends or the blow falls.
func (v *victim) run(ctx context.Context, b blow, args ...string) (ran, error) {
	exe, err := os.Executable()
	if err != nil {
		return ran{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var out, talk bytes.Buffer
	cmd := exec.CommandContext(ctx, exe)
	cmd.Args, cmd.Dir, cmd.Stdout, cmd.Stderr = append([]string{"deployer"}, args...), v.dir, &out, &talk
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + v.dir, "NO_COLOR=1", "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test",
		"AWS_EC2_METADATA_DISABLED=true", "AWS_ENDPOINT_URL=" + v.http.URL,
	}
	v.mu.Lock()
	v.blow, v.calls, v.cmd, v.ended, v.dead = b, 0, cmd, make(chan struct{}), false
	err = cmd.Start()
	v.mu.Unlock()
	if err != nil {
		return ran{}, err
	}
	err = cmd.Wait()
	close(v.ended)
	v.mu.Lock()
	defer v.mu.Unlock()
	r := ran{cmd.ProcessState.ExitCode(), v.dead, v.calls, out.String(), talk.String()}
	v.blow = blow{}
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		return r, err
	}
	if r.exit < 0 && !r.killed {
		return r, fmt.Errorf("%s: ended by nobody, or did not end within %s\n%s", strings.Join(args, " "), patience, r.stderr)
	}
	if strings.Contains(r.stderr, "WARNING: DATA RACE") || strings.Contains(r.stderr, "panic: ") {
		return r, fmt.Errorf("%s: %s", strings.Join(args, " "), r.stderr)
	}
	return r, nil
}

// ServeHTTP answers as the sandbox does, or kills the one who asks.
func (v *victim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v.mu.Lock()
	v.calls++
	b, fatal := v.blow, v.calls == v.blow.at
	v.mu.Unlock()
	if fatal && !b.applied {
		v.kill()
		panic(http.ErrAbortHandler) // the call is lost
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler) // it never arrived as a whole
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	answer := httptest.NewRecorder()
	dropped := v.answer(answer, r)
	v.note(body)
	if fatal {
		v.kill()
	}
	if fatal || dropped {
		panic(http.ErrAbortHandler) // the answer is lost
	}
	maps.Copy(w.Header(), answer.Header())
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes()) // the client may be gone
}

// answer tells whether the answer was lost by a fault.
func (v *victim) answer(w http.ResponseWriter, r *http.Request) (dropped bool) {
	defer func() {
		if broken := recover(); broken != nil {
			if err, ok := broken.(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
				panic(broken)
			}
			dropped = true
		}
	}()
	v.aws.ServeHTTP(w, r)
	return false
}

// kill ends the run with SIGKILL and waits until it is no more.
func (v *victim) kill() {
	v.mu.Lock()
	v.dead = true
	process, ended := v.cmd.Process, v.ended
	v.mu.Unlock()
	_ = process.Kill() // it may have ended by itself
	<-ended
}

// note looks out for deletions by name: a stack of that name may be another by now.
func (v *victim) note(body []byte) {
	form, err := url.ParseQuery(string(body))
	if err == nil && form.Get("Action") == "DeleteStack" && !strings.HasPrefix(form.Get("StackName"), "arn:") {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.byName = form.Get("StackName")
	}
}
