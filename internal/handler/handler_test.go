package handler_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/deployer-cli/deployer/internal/handler"
	"github.com/deployer-cli/deployer/internal/program"
	"github.com/deployer-cli/deployer/internal/web"
	"github.com/deployer-cli/deployer/stacks"
	"github.com/deployer-cli/deployer/templates"
)

// world is everything outside, and notes what it is asked.
type world struct {
	mu      sync.Mutex
	asked   []string
	texts   map[string]string // by address or bucket/key
	offline bool
	run     func(args []string) ([]byte, error)
}

func (w *world) note(s string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked = append(w.asked, s)
}

func (w *world) Get(_ context.Context, r web.Request) ([]byte, error) {
	w.note(fmt.Sprint(r.URL, " ", r.Retries, " ", r.Timeout))
	if text, ok := w.texts[r.URL]; ok {
		return []byte(text), nil
	}
	return nil, &web.Error{URL: r.URL, Status: 404, Tries: 1}
}

func (w *world) Fetch(_ context.Context, a stacks.Access, bucket, key string) ([]byte, error) {
	w.note(a.Region + " " + bucket + " " + key)
	if text, ok := w.texts[bucket+"/"+key]; ok {
		return []byte(text), nil
	}
	return nil, errors.New("there is no such object")
}

func (w *world) Answer(ctx context.Context, _ stacks.Access, args []string, stdin []byte) ([]byte, error) {
	w.note(strings.Join(args, " "))
	if w.run != nil {
		return w.run(args)
	}
	return program.Output(ctx, program.Program{Args: args, Stdin: stdin, Env: []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}})
}

// loader is a loader of the project in dir with all handlers.
func (w *world) loader(t *testing.T, dir string) *templates.Loader {
	t.Helper()
	h := handler.New(handler.Ports{
		Runner: w, Web: w, Project: dir, Dir: dir,
		Objects: func() (handler.Objects, bool) { return w, !w.offline },
	})
	return templates.NewLoader(os.DirFS(dir), templates.Options{
		Types: h.Types(), Formats: h.Formats(),
		Handlers: func(kind string) (templates.Handler, bool) { return h.SAM, kind == "sam" },
	})
}

// stack is one whose template has the given arguments.
func stack(pairs ...string) *stacks.Stack {
	st := &stacks.Stack{Path: "dev/app", File: "config/dev/app.yaml", Access: stacks.Access{Region: "eu-west-1"}}
	st.Template = stacks.Source{Type: "file", Pos: stacks.Pos{File: st.File, Line: 1, Column: 1}}
	args := stacks.Value{Kind: stacks.Map}
	for i := 0; i < len(pairs); i += 2 {
		args.Fields = append(args.Fields, stacks.Field{Key: pairs[i], Value: stacks.String(pairs[i+1])})
		switch pairs[i] {
		case "type":
			st.Template.Type = pairs[i+1]
		case "path":
			st.Template.Path = pairs[i+1]
		}
	}
	st.Template.Args = args
	return st
}

func data(key string, v stacks.Value) stacks.Value {
	return stacks.Value{Kind: stacks.Map, Fields: []stacks.Field{{Key: key, Value: v}}}
}

func TestFetched(t *testing.T) {
	t.Parallel()
	w := &world{texts: map[string]string{
		"https://x.test/a.yaml?v=1": "a: 1",
		"https://x.test/b.j2?v=1":   "b: {{ sceptre_user_data.x }}",
		"https://x.test/plain":      "c: 1",
		"bucket/deep/d.yaml":        "d: 1",
		"bucket/e.j2":               "e: {{ sceptre_user_data.x }}",
	}}
	l := w.loader(t, t.TempDir())
	for _, tt := range []struct {
		st   *stacks.Stack
		want string
	}{
		{stack("type", "http", "url", "https://x.test/a.yaml?v=1"), "a: 1"},
		{stack("type", "http", "url", "https://x.test/b.j2?v=1"), "b: a & b"}, // Sceptre would write &amp;
		{stack("type", "http", "url", "https://x.test/plain"), "c: 1"},
		{stack("type", "s3", "path", "bucket/deep/d.yaml"), "d: 1"},
		{stack("type", "s3", "path", "bucket/e.j2"), "e: a & b"},
	} {
		for range 2 {
			body, err := l.Render(t.Context(), tt.st, data("x", stacks.String("a & b")))
			if err != nil || string(body.Text) != tt.want || body.Late {
				t.Errorf("%s: %q, %v", tt.want, body.Text, err)
			}
		}
	}
	if len(w.asked) != 5 {
		t.Errorf("fetched more than once: %q", w.asked)
	}
}

func TestSettingsOfTheGroup(t *testing.T) {
	t.Parallel()
	w := &world{texts: map[string]string{"https://x.test/a.yaml": "a: 1"}}
	st := stack("type", "http", "url", "https://x.test/a.yaml")
	st.Group = data("http_template_handler", stacks.Value{Kind: stacks.Map, Fields: []stacks.Field{
		{Key: "retries", Value: stacks.Value{Kind: stacks.Int, Text: "2"}}, {Key: "timeout", Value: stacks.Value{Kind: stacks.Int, Text: "9"}},
	}})
	if _, err := w.loader(t, t.TempDir()).Render(t.Context(), st, stacks.Value{}); err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprint("https://x.test/a.yaml 2 ", 9*time.Second); w.asked[0] != want {
		t.Errorf("%s, want %s", w.asked[0], want)
	}
}

func TestProblemsOfFetching(t *testing.T) {
	t.Parallel()
	l := (&world{}).loader(t, t.TempDir())
	for want, st := range map[string]*stacks.Stack{
		"it has no url": stack("type", "http"),
		"https://x.test/a: the server answered 404":      stack("type", "http", "url", "https://x.test/a"),
		"it is no object in a bucket":                    stack("type", "s3", "path", "bucket"),
		"template s3://b/k.yaml of dev/app: there is no": stack("type", "s3", "path", "b/k.yaml"),
		"it has no path":                                 stack("type", "sam"),
		"it has no artifact_bucket_name":                 stack("type", "sam", "path", "x.yaml"),
		"template x.yaml of dev/app: the file does not":  stack("type", "sam", "path", "x.yaml", "artifact_bucket_name", "b"),
		"template of type cdk: there is no such type":    stack("type", "cdk"),
		"a SAM template has to be .yaml or .json here":   stack("type", "sam", "path", "x.j2", "artifact_bucket_name", "b"),
	} {
		_, err := l.Render(t.Context(), st, stacks.Value{})
		p, ok := errors.AsType[*stacks.Problem](err)
		if !ok || !strings.Contains(p.Error(), want) || p.Pos.File != "config/dev/app.yaml" {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func TestOfflineIsLater(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file(t, dir, "app.yaml", "x")
	w := &world{offline: true}
	for _, st := range []*stacks.Stack{stack("type", "s3", "path", "b/k.yaml"), stack("type", "sam", "path", "app.yaml", "artifact_bucket_name", "b")} {
		body, err := w.loader(t, dir).Render(t.Context(), st, stacks.Value{})
		if err != nil || !body.Late || len(w.asked) != 0 {
			t.Errorf("%s: %+v, %v after %q", st.Template.Type, body, err, w.asked)
		}
	}
}

func file(t *testing.T, dir, name, text string) {
	t.Helper()
	full := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(full, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestSAM(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file(t, dir, "src/app/template.yaml", "x")
	w := &world{}
	w.run = func(args []string) ([]byte, error) {
		for i, a := range args {
			if a == "--output-template-file" {
				return nil, os.WriteFile(args[i+1], []byte("packed: 1"), 0o600)
			}
		}
		return nil, nil
	}
	st := stack("type", "sam", "path", "src/app/template.yaml", "artifact_bucket_name", "artifacts", "artifact_prefix", "ns")
	st.Template.Args.Fields = append(st.Template.Args.Fields, stacks.Field{Key: "build_args", Value: data("use-container", stacks.Value{Kind: stacks.Bool, Text: "true"})})
	l := w.loader(t, dir)
	for range 2 {
		body, err := l.Render(t.Context(), st, stacks.Value{})
		if err != nil || string(body.Text) != "packed: 1" {
			t.Fatalf("%q, %v", body.Text, err)
		}
	}
	if len(w.asked) != 2 || !strings.HasPrefix(w.asked[0], "sam build --cached") || !strings.HasSuffix(w.asked[0], "--use-container") ||
		!strings.Contains(w.asked[1], "--s3-bucket artifacts --s3-prefix ns/dev/app/sam_artifacts --region eu-west-1") {
		t.Errorf("%q", w.asked)
	}
	w = &world{run: func([]string) ([]byte, error) { return nil, &program.NotFoundError{Program: "sam"} }}
	if _, err := w.loader(t, dir).Render(t.Context(), st, stacks.Value{}); err == nil || !strings.Contains(err.Error(), "there is no SAM CLI") {
		t.Errorf("%v", err)
	}
}

const counting = `
import sys
def sceptre_handler(sceptre_user_data):
    d = sceptre_user_data
    return 'Description: %s' % ' '.join('%s=%r' % (k, d[k]) for k in d)
`

func python(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("there is no python3")
	}
}

func TestPython(t *testing.T) {
	t.Parallel()
	python(t)
	dir := t.TempDir()
	file(t, dir, "templates/deep/a.py", counting)
	w := &world{}
	l := w.loader(t, dir)
	d := stacks.Value{Kind: stacks.Map, Fields: []stacks.Field{
		{Key: "z", Value: stacks.Value{Kind: stacks.Int, Text: "1"}},
		{Key: "a", Value: stacks.Value{Kind: stacks.Float, Text: "2.0"}},
		{Key: "b", Value: stacks.Value{Kind: stacks.Bool, Text: "true"}},
		{Key: "n", Value: stacks.Value{}},
		{Key: "l", Value: stacks.Strings("x", "é")},
		{Key: "s", Value: stacks.Value{Kind: stacks.Text, Text: "hush", Secret: true}},
	}}
	for range 2 {
		body, err := l.Render(t.Context(), stack("path", "deep/a.py"), d)
		if want := "Description: z=1 a=2.0 b=True n=None l=['x', 'é'] s='hush'"; err != nil || string(body.Text) != want {
			t.Fatalf("%q, %v", body.Text, err)
		}
		if len(body.Secrets) != 1 || body.File != "templates/deep/a.py" {
			t.Errorf("%+v", body)
		}
	}
	if len(w.asked) != 1 {
		t.Errorf("ran %d times", len(w.asked))
	}
	if _, err := l.Render(t.Context(), stack("path", "deep/a.py"), stacks.Value{}); err != nil || len(w.asked) != 2 {
		t.Errorf("no data is empty data: %v, ran %d times", err, len(w.asked))
	}
}

// TestPythonWithLateData: a template that can do with a placeholder is drafted
// with it, one that stumbles over it is known later.
func TestPythonWithLateData(t *testing.T) {
	t.Parallel()
	python(t)
	dir := t.TempDir()
	file(t, dir, "templates/a.py", counting)
	file(t, dir, "templates/n.py", "def sceptre_handler(d):\n    return str(int(d['x']))\n")
	l := (&world{}).loader(t, dir)
	late := data("x", stacks.Later("Id of dev/db", "dev/db"))
	body, err := l.Render(t.Context(), stack("path", "a.py"), late)
	if err != nil || !body.Late || string(body.Text) != "Description: x='DeployerLaterIdofdevdb'" || len(body.After) != 1 {
		t.Errorf("%+v, %v", body, err)
	}
	body, err = l.Render(t.Context(), stack("path", "n.py"), late)
	if err != nil || !body.Late || len(body.Text) != 0 || len(body.After) != 1 || body.After[0] != "dev/db" {
		t.Errorf("%+v, %v", body, err)
	}
	if _, err = l.Render(t.Context(), stack("path", "n.py"), data("x", stacks.String("no"))); err == nil || !strings.Contains(err.Error(), "templates/n.py:2:1: template of dev/app: ValueError") {
		t.Errorf("%v", err)
	}
}

func TestWithoutPython(t *testing.T) {
	t.Parallel()
	w := &world{run: func([]string) ([]byte, error) { return nil, &program.NotFoundError{Program: "python3"} }}
	dir := t.TempDir()
	file(t, dir, "templates/a.py", counting)
	_, err := w.loader(t, dir).Render(t.Context(), stack("path", "a.py"), stacks.Value{})
	if err == nil || !strings.Contains(err.Error(), "there is no python3 on the path") {
		t.Errorf("%v", err)
	}
}

func TestCostly(t *testing.T) {
	t.Parallel()
	l := (&world{}).loader(t, t.TempDir())
	for _, st := range []*stacks.Stack{stack("type", "http"), stack("type", "s3"), stack("type", "sam"), stack("path", "a.py")} {
		if !l.Costly(st) {
			t.Errorf("%s %s is free", st.Template.Type, st.Template.Path)
		}
	}
	for _, p := range []string{"a.yaml", "a.json", "a.j2"} {
		if l.Costly(stack("path", p)) || templates.NewLoader(fstest.MapFS{}, templates.Options{}).Costly(stack("path", "a.py")) {
			t.Errorf("%s is costly", p)
		}
	}
}
