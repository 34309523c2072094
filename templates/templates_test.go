package templates_test

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/deployer-cli/deployer/stacks"
	"github.com/deployer-cli/deployer/templates"
)

const bucket = "Resources:\n  Bucket:\n    Type: AWS::S3::Bucket\n"

// stack is a stack whose template has the given path.
func stack(path string) *stacks.Stack {
	return &stacks.Stack{
		Path:     "dev/app",
		Name:     "demo-dev-app",
		File:     "config/dev/app.yaml",
		Template: stacks.Source{Type: "file", Path: path, Pos: stacks.Pos{File: "config/dev/app.yaml", Line: 1, Column: 1}},
	}
}

func data(fields ...stacks.Field) stacks.Value { return stacks.Value{Kind: stacks.Map, Fields: fields} }

func field(key string, v stacks.Value) stacks.Field { return stacks.Field{Key: key, Value: v} }

func loader(files map[string]string) *templates.Loader {
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return templates.NewLoader(fsys, templates.Options{})
}

func TestRenderAsIs(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"templates/a.yaml":       bucket,
		"templates/b.yml":        bucket,
		"templates/c.template":   "---\n" + bucket,
		"templates/d.json":       `{"Resources":{"B":{"Type":"AWS::S3::Bucket"}}}`,
		"templates/net/vpc.YAML": bucket,
		"shared/e.yaml":          bucket,
		"templates/bom.yaml":     "\ufeff" + bucket,
		"templates/curly.yaml":   "# {{ not Jinja }}\n" + bucket,
	}
	for path, want := range map[string]string{
		"a.yaml":           files["templates/a.yaml"],
		"b.yml":            files["templates/b.yml"],
		"c.template":       files["templates/c.template"],
		"d.json":           files["templates/d.json"],
		"net/vpc.YAML":     bucket,
		`net\vpc.YAML`:     bucket,
		"./net/../a.yaml":  bucket,
		"../shared/e.yaml": bucket,
		"bom.yaml":         bucket,
		"curly.yaml":       files["templates/curly.yaml"],
	} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			l := loader(files)
			body, err := l.Render(t.Context(), stack(path), stacks.Value{})
			if err != nil {
				t.Fatal(err)
			}
			if string(body.Text) != want || !body.Exact || body.Late {
				t.Errorf("body = %+v, want the text as it is", body)
			}
			if _, err := l.Parse(body.Text); err != nil {
				t.Errorf("cannot be parsed: %v", err)
			}
		})
	}
}

func TestRenderProblems(t *testing.T) {
	t.Parallel()
	fsys := fstest.MapFS{
		"templates/network.yaml": &fstest.MapFile{Data: []byte(bucket)},
		"templates/empty.yaml":   &fstest.MapFile{Data: []byte(" \n")},
		"templates/utf16.yaml":   &fstest.MapFile{Data: []byte("\xff\xfeR\x00")},
		"templates/latin.yaml":   &fstest.MapFile{Data: []byte("Description: caf\xe9\n")},
		"templates/net/a.yaml":   &fstest.MapFile{Data: []byte(bucket)},
		"templates/x.txt":        &fstest.MapFile{Data: []byte(bucket)},
		"templates/noending":     &fstest.MapFile{Data: []byte(bucket)},
		"templates/gen.py":       &fstest.MapFile{Data: []byte("def sceptre_handler(d): pass")},
		"templates/hole.j2":      &fstest.MapFile{Data: []byte("A: 1\nB: {{ sceptre_user_data.nope }}\n")},
		"templates/blank.j2":     &fstest.MapFile{Data: []byte("{{ sceptre_user_data.none }}")},
	}
	for _, tt := range []struct{ kind, path, want, hint string }{
		{"file", "", "config/dev/app.yaml:1:1: template: no path is given", ""},
		{"file", "nowhere.yaml", "template templates/nowhere.yaml: the file does not exist", ""},
		{"file", "netwrok.yaml", "the file does not exist", "did you mean templates/network.yaml"},
		{"file", "network.yml", "the file does not exist", "there is a templates/network.yaml"},
		{"file", "net", "it is a directory, not a file", ""},
		{"file", "/etc/passwd", "leads out of the project", ""},
		{"file", `C:\x.yaml`, "leads out of the project", ""},
		{"file", "../../etc/passwd", "leads out of the project", ""},
		{"file", "empty.yaml", "the template is empty", ""},
		{"file", "utf16.yaml", "the text is UTF-16", "UTF-8"},
		{"file", "latin.yaml", "the text is not UTF-8", "UTF-8"},
		{"file", "x.txt", "it ends in .txt", ""},
		{"file", "noending", "a template's name ends in", ""},
		{"file", "gen.py", "Python are not plugged in", ""},
		{"s3", "bucket/a.yaml", "template of type s3: not plugged in", ""},
		{"http", "", "template of type http: not plugged in", ""},
		{"sam", "a.yaml", "template of type sam: not plugged in", ""},
		{"flie", "a.yaml", "template of type flie: there is no such type", "did you mean type: file"},
		{"file", "hole.j2", "templates/hole.j2:2:", "sceptre_user_data"},
		{"file", "blank.j2", "renders to nothing", ""},
	} {
		t.Run(tt.kind+" "+tt.path, func(t *testing.T) {
			t.Parallel()
			st := stack(tt.path)
			st.Template.Type = tt.kind
			_, err := templates.NewLoader(fsys, templates.Options{}).Render(t.Context(), st, data(field("none", stacks.String(""))))
			p, ok := errors.AsType[*stacks.Problem](err)
			if !ok {
				t.Fatalf("error is %v, want a *stacks.Problem", err)
			}
			if !strings.Contains(p.Error(), tt.want) || !strings.Contains(p.Hint(), tt.hint) {
				t.Errorf("problem %q, hint %q; want %q, hint %q", p.Error(), p.Hint(), tt.want, tt.hint)
			}
		})
	}
}

func TestRenderJinja(t *testing.T) {
	t.Parallel()
	l := loader(map[string]string{
		"templates/net/vpc.j2":     "{% include 'part.j2' %}Name: {{ sceptre_user_data.name }}\n",
		"templates/net/part.j2":    "# near\n",
		"templates/part.j2":        "# far\n",
		"templates/other/vpc.j2":   "{% include 'part.j2' %}Name: x\n",
		"templates/other/up.j2":    "{% include '../part.j2' %}Name: x\n",
		"templates/settings.j2":    "A: 1\n",
		"templates/secret.j2":      "A: {{ sceptre_user_data.name }}\nB: {{ sceptre_user_data.pw }}\n",
		"templates/late.j2":        "A: {{ sceptre_user_data.vpc }}\n",
		"templates/late-miss.j2":   "A: {{ sceptre_user_data.vpc }}\nB: {{ sceptre_user_data.nope }}\n",
		"templates/unused-late.j2": "A: {{ sceptre_user_data.name }}\n",
	})
	secret := stacks.String("hunter2")
	secret.Secret = true
	values := data(
		field("name", stacks.String("main")),
		field("pw", secret),
		field("vpc", stacks.Later("VpcId of dev/network", "dev/network")),
	)
	for _, tt := range []struct {
		path, want string
		late       bool
		secrets    string
	}{
		{"net/vpc.j2", "# nearName: main", false, ""},
		{"other/vpc.j2", "# farName: x", false, ""},
		{"secret.j2", "A: main\nB: hunter2", false, "hunter2"},
		{"late.j2", "A: DeployerLaterVpcIdofdevnetwork", true, ""},
		{"late-miss.j2", "", true, ""},
		{"unused-late.j2", "A: main", false, ""},
	} {
		t.Run(tt.path, func(t *testing.T) {
			t.Parallel()
			body, err := l.Render(t.Context(), stack(tt.path), values)
			if err != nil {
				t.Fatal(err)
			}
			got := strings.ReplaceAll(string(body.Text), "near\n", "near")
			got = strings.ReplaceAll(got, "far\n", "far")
			if strings.TrimSpace(got) != tt.want || body.Late != tt.late || body.Exact || strings.Join(body.Secrets, ",") != tt.secrets {
				t.Errorf("body = %+v with text %q, want %+v", body, got, tt)
			}
			if tt.late != (len(body.After) == 1) {
				t.Errorf("waits for %v", body.After)
			}
		})
	}
	if _, err := l.Render(t.Context(), stack("other/up.j2"), values); err == nil {
		t.Error("an include led out of the template's directory")
	}
	st := stack("settings.j2")
	st.Group = data(field("j2_environment", data(field("trim_blcks", stacks.Value{Kind: stacks.Bool, Text: "true"}))))
	if _, err := l.Render(t.Context(), st, values); err == nil || !strings.Contains(err.Error(), "trim_blcks") {
		t.Errorf("a wrong setting of j2_environment gives %v", err)
	}
}

func TestHandlersPlugIn(t *testing.T) {
	t.Parallel()
	asked := 0
	l := templates.NewLoader(fstest.MapFS{}, templates.Options{
		Types: map[string]templates.Fetch{"http": func(_ context.Context, st *stacks.Stack) (templates.Raw, error) {
			asked++
			return templates.Raw{Name: "https://x/a.py?v=1", File: "https://x/a.py", Text: []byte(st.Path)}, nil
		}},
		Formats: map[string]templates.Format{".py": func(_ context.Context, _ *stacks.Stack, raw templates.Raw, v stacks.Value) (templates.Body, error) {
			return templates.Body{Text: []byte(string(raw.Text) + v.Text), File: raw.File}, nil
		}},
	})
	st := stack("")
	st.Template.Type = "http"
	body, err := l.Render(t.Context(), st, stacks.String("!"))
	if err != nil || string(body.Text) != "dev/app!" || asked != 1 {
		t.Errorf("Render() = %q, %v", body.Text, err)
	}
}

func TestNeedsData(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]bool{"a.yaml": false, "a.json": false, "a.template": false, "a.yml": false, "a.j2": true, "a.py": true} {
		if got := loader(nil).NeedsData(stack(path)); got != want {
			t.Errorf("NeedsData(%s) = %v", path, got)
		}
	}
	sam := stack("a.yaml")
	sam.Template.Type = "sam"
	if !loader(nil).NeedsData(sam) {
		t.Error("a SAM template may be rendered before it is packaged")
	}
}

// countingFS counts how often each file is opened.
type countingFS struct {
	fs.FS
	mu    sync.Mutex
	opens map[string]int
}

func (c *countingFS) Open(name string) (fs.File, error) {
	c.mu.Lock()
	c.opens[name]++
	c.mu.Unlock()
	return c.FS.Open(name)
}

func TestSharedTemplatesAreReadAndParsedOnce(t *testing.T) {
	t.Parallel()
	files := &countingFS{opens: map[string]int{}, FS: fstest.MapFS{
		"templates/a.j2": &fstest.MapFile{Data: []byte(bucket + "# {{ sceptre_user_data.name }}\n")},
	}}
	l := templates.NewLoader(files, templates.Options{})
	var wg sync.WaitGroup
	parsed := make([]any, 64)
	for i := range parsed {
		wg.Go(func() {
			st := stack("a.j2")
			st.Path = stacks.Path(strings.Repeat("x", i+1))
			body, err := l.Render(t.Context(), st, data(field("name", stacks.String("same"))))
			if err != nil {
				t.Error(err)
				return
			}
			parsed[i], err = l.Parse(body.Text)
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if files.opens["templates/a.j2"] != 1 {
		t.Errorf("read %d times", files.opens["templates/a.j2"])
	}
	for _, p := range parsed {
		if p != parsed[0] {
			t.Fatal("equal bodies were parsed more than once")
		}
	}
}

func TestStarters(t *testing.T) {
	t.Parallel()
	entries, err := fs.ReadDir(templates.Starters(), ".")
	if err != nil || len(entries) == 0 {
		t.Errorf("starters: %v, %v", entries, err)
	}
}
