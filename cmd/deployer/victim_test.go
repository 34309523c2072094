package main_test

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/deployer-cli/deployer/internal/sandbox"
	"github.com/deployer-cli/deployer/internal/sandbox/store"
)

// tortured is how many stacks the launch has that something happens to.
const tortured = 30

// victim is a project and an AWS on loopback that counts what is created and
// deleted in it.
type victim struct {
	dir  string
	vars []string
	aws  *sandbox.Server

	mu      sync.Mutex
	created map[string]int
	deleted int
}

func newVictim(t *testing.T) *victim {
	t.Helper()
	v := &victim{
		dir: t.TempDir(), created: map[string]int{},
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

// ServeHTTP answers as the sandbox does.
func (v *victim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler) // it never arrived as a whole
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	answer := httptest.NewRecorder()
	v.aws.ServeHTTP(answer, r)
	v.note(body, answer.Code)
	maps.Copy(w.Header(), answer.Header())
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes()) // the client may be gone
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
