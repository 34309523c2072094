package config_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/deployer-cli/deployer/config"
	"github.com/deployer-cli/deployer/internal/jinja"
	"github.com/deployer-cli/deployer/stacks"
)

const small = `-- config/config.yaml --
project_code: demo
region: eu-west-1
-- config/dev.yaml --
template: {path: a}
-- config/dev/network.yaml --
template: {path: a}
-- config/dev/inner/app.yaml --
template: {path: a}
-- config/dev/bad.yaml --
template: [
-- config/empty/config.yaml --
custom: 1
-- config/config/x.yaml --
template: {path: a}
`

func TestSelect(t *testing.T) {
	t.Parallel()
	p, err := load(t, small, config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ arg, want, wrong string }{
		{"", " group config/x dev dev/bad dev/inner/app dev/network", ""},
		{".", " group config/x dev dev/bad dev/inner/app dev/network", ""},
		{"./", " group config/x dev dev/bad dev/inner/app dev/network", ""},
		{"dev", "dev group dev/bad dev/inner/app dev/network", ""},
		{"dev/", "dev group dev/bad dev/inner/app dev/network", ""},
		{"./dev//", "dev group dev/bad dev/inner/app dev/network", ""},
		{`dev\network`, "dev/network dev/network", ""},
		{"dev.yaml", "dev dev", ""},
		{"dev/network", "dev/network dev/network", ""},
		{"dev/network.yaml", "dev/network dev/network", ""},
		{"dev/bad", "dev/bad dev/bad", ""},
		{"dev/inner/../network", "dev/network dev/network", ""},
		{"empty", "empty group", ""},
		{"config/dev/network.yaml", "dev/network dev/network", ""},
		{"config", "config group config/x", ""},
		{"config/config/x", "config/x config/x", ""},
		{"dev/netwok", "", "did you mean dev/network?"},
		{"dev/network/", "", "did you mean dev/network?"},
		{"network", "", "did you mean dev/network?"},
		{"devv", "", "did you mean dev?"},
		{"dev/network.yml", "", "rename it to dev/network.yaml"},
		{"..", "", "groups: config, dev, empty"},
		{"../dev", "", ""},
		{"something/else/entirely", "", "groups: config, dev, empty"},
	} {
		t.Run(tt.arg, func(t *testing.T) {
			t.Parallel()
			s, err := p.Select(tt.arg)
			if err != nil {
				problem, ok := errors.AsType[*stacks.Problem](err)
				if !ok || tt.want != "" || !strings.Contains(problem.Tip, tt.wrong) {
					t.Errorf("got %v (%+v), want %q", err, problem, tt.wrong)
				}
				return
			}
			words := []string{string(s.Path)}
			if s.Group {
				words = append(words, "group")
			}
			for _, p := range s.Stacks {
				words = append(words, string(p))
			}
			if got := strings.Join(words, " "); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestBrokenFilesKeepToThemselves(t *testing.T) {
	t.Parallel()
	p, err := load(t, small, config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Problems([]stacks.Path{"dev/network", "dev/inner/app"}); err != nil {
		t.Errorf("others' problems: %v", err)
	}
	if got := problems(p.Problems([]stacks.Path{"dev/bad"})); len(got) != 1 || got[0].Pos.File != "config/dev/bad.yaml" {
		t.Errorf("got %v", got)
	}
	if _, ok := p.Stack("dev/bad"); ok {
		t.Error("a broken stack is given out")
	}
	if st, ok := p.Stack("dev/network"); !ok || st.Name != "demo-dev-network" || len(p.Named(st.Name)) != 1 {
		t.Errorf("got %+v", st)
	}
	if p.Problems(nil) == nil {
		t.Error("nothing is wrong with all of them")
	}
}

func TestBrokenGroups(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, text, fatal, broken string
	}{
		{"no config folder", "-- templates/a.yaml --\nx\n", "config: no config folder", ""},
		{"syntax", "-- config/dev/config.yaml --\na: [\n-- config/dev/a.yaml --\ntemplate: {path: a}\n", "config/dev/config.yaml:", "config/dev/config.yaml:"},
		{"list", "-- config/dev/config.yaml --\n- a\n-- config/dev/a.yaml --\ntemplate: {path: a}\n", "must hold keys and values", "must hold keys and values"},
		// With other variables it may be right: only its own stacks suffer.
		{"variable", "-- config/dev/config.yaml --\na: {{ var.x }}\n-- config/dev/in/a.yaml --\ntemplate: {path: a}\n", "", "has no attribute 'x'"},
		{"j2_environment", "-- config/config.yaml --\nj2_environment: {trim_blocks: 1}\n-- config/dev/a.yaml --\ntemplate: {path: a}\n", "", "j2_environment cannot be used: trim_blocks"},
		{"required keys", "-- config/dev/a.yaml --\ntemplate: {path: a}\n", "", "project_code is missing"},
		{"project_id", "-- config/config.yaml --\nproject_id: [a]\n", "project_id must be a string", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p, err := load(t, tt.text, config.Options{})
			check := func(what string, err error, want string) {
				if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
					t.Errorf("%s: got %v, want %q", what, err, want)
				}
			}
			check("fatal", err, tt.fatal)
			if p != nil {
				check("broken", p.Problems(nil), tt.broken)
			}
		})
	}
}

func TestOddFiles(t *testing.T) {
	t.Parallel()
	fsys := fstest.MapFS{
		"config/config.yaml": {Data: []byte("project_code: demo\nregion: r\n")},
		"config/bom.yaml":    {Data: []byte("\ufefftemplate: {path: a}\n")},
		"config/utf16.yaml":  {Data: []byte("\xff\xfet\x00e\x00")},
		"config/latin.yaml":  {Data: []byte("template: {path: a}\n# caf\xe9\n")},
		"config/zero.yaml":   {Data: []byte("template: \x00")},
		"config/crlf.yaml":   {Data: []byte("template: {path: a}\r\nparameters: {A: b}\r\n")},
		"config/.#a.yaml":    {Data: []byte("not: [read")},
		"config/unread.yaml": {Mode: 0o755 | os.ModeDir},
	}
	p, err := config.Load(fsys, config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, st := range p.Stacks() {
		got = append(got, string(st.Path))
	}
	if want := []string{"bom", "crlf"}; !slices.Equal(got, want) {
		t.Errorf("stacks %v, want %v", got, want)
	}
	for _, want := range []string{"UTF-16", "byte 0xe9 is not UTF-8", "zero byte"} {
		if err := p.Problems(nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in %v", want, err)
		}
	}
	if n := len(problems(p.Problems(nil))); n != 3 {
		t.Errorf("%d problems, want one for each file", n)
	}
	if w := p.Warnings(); len(w) != 1 || !strings.Contains(w[0].What, "byte order mark") {
		t.Errorf("warnings %v", w)
	}
}

func TestSymbolicLinks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	link := func(to, name string) {
		t.Helper()
		if err := os.Symlink(to, filepath.Join(dir, "config", name)); err != nil {
			t.Skipf("no symbolic links here: %v", err)
		}
	}
	write("config/config.yaml", "project_code: demo\nregion: r\n")
	write("config/dev/a.yaml", "template: {path: a}\n")
	write("shared/b.yaml", "template: {path: b}\n")
	link("../shared", "linked")
	link("dev/a.yaml", "c.yaml")
	link("nowhere.yaml", "broken.yaml")
	link("..", "dev/loop")
	link("nowhere.txt", "harmless.txt")
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = root.Close() }()
	p, err := config.Load(root.FS(), config.Options{})
	for _, want := range []string{"config/broken.yaml: symbolic link cannot be followed", "symbolic links go in a circle"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in %v", want, err)
		}
	}
	for _, want := range []stacks.Path{"linked/b", "c", "dev/a"} {
		if _, ok := p.Stack(want); !ok {
			t.Errorf("%s is not read", want)
		}
	}
}

func TestMergeVars(t *testing.T) {
	t.Parallel()
	a := config.VarFile{Name: "a.yaml", Data: []byte("m: {x: 1, y: {z: 1}}\nl: [1]\ns: text\n")}
	b := config.VarFile{Name: "b.yaml", Data: []byte("m: {y: {w: 2}}\nl: [2]\n")}
	for _, tt := range []struct {
		name   string
		files  []config.VarFile
		assign []string
		merge  bool
		want   string
	}{
		{"later file replaces", []config.VarFile{a, b}, nil, false, "map[l:[2] m:map[y:map[w:2]] s:text]"},
		{"merged", []config.VarFile{a, b}, nil, true, "map[l:[2] m:map[x:1 y:map[w:2 z:1]] s:text]"},
		{"assignment wins", []config.VarFile{a}, []string{"s=other", "m.x=2"}, false, "map[l:[1] m:map[x:2 y:map[z:1]] s:other]"},
		{"first equals sign", nil, []string{"a=b=c", "e="}, false, "map[a:b=c e:]"},
		{"nested", nil, []string{"a.b.c=x", "a.b.d=y"}, false, "map[a:map[b:map[c:x d:y]]]"},
		{"map replaced by a text", []config.VarFile{a}, []string{"m=x"}, false, "map[l:[1] m:x s:text]"},
		{"empty file", []config.VarFile{{Name: "e"}}, nil, false, "map[]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			vars, err := config.MergeVars(tt.files, tt.assign, tt.merge)
			if err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprint(jinja.ToGo(vars)); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestMergeVarsProblems(t *testing.T) {
	t.Parallel()
	_, err := config.MergeVars(
		[]config.VarFile{
			{Name: "bad.yaml", Data: []byte("a: [")},
			{Name: "list.yaml", Data: []byte("- a")},
			{Name: "call.yaml", Data: []byte("a: !ssm x")},
			{Name: "good.yaml", Data: []byte("a: 1")},
		},
		[]string{"noequals", "a.b=x", ".x=1", "c..d=1"}, false)
	got := err.Error()
	for _, want := range []string{
		"bad.yaml:", "list.yaml:1:1: a file of variables must hold keys and values", "call.yaml:1:4: resolvers are not allowed",
		"--var noequals cannot be used: there is no equals sign in it", "--var a.b=x cannot be used: a is a plain value and holds no keys",
		"--var .x=1 cannot be used: a name in it is empty", "--var c..d=1 cannot be used",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in %s", want, got)
		}
	}
}

// TestStarters loads the projects that deployer brings along: nothing may be
// wrong or odd in them.
func TestStarters(t *testing.T) {
	t.Parallel()
	starters := os.DirFS(filepath.Join("..", "templates", "starters"))
	names, err := fs.ReadDir(starters, ".")
	if err != nil || len(names) == 0 {
		t.Fatalf("no starters: %v", err)
	}
	for _, d := range names {
		sub, err := fs.Sub(starters, d.Name())
		if err != nil {
			t.Fatal(err)
		}
		p, err := config.Load(sub, config.Options{})
		if err != nil {
			t.Errorf("%s: %v", d.Name(), err)
			continue
		}
		if err := p.Problems(nil); err != nil || len(p.Stacks()) == 0 {
			t.Errorf("%s: %d stacks, %v", d.Name(), len(p.Stacks()), err)
		}
		for _, w := range p.Warnings() {
			t.Errorf("%s: %s", d.Name(), full(w))
		}
	}
}

func TestVariablesDoNotLeak(t *testing.T) {
	t.Parallel()
	// What one file does to a list of its group's is not seen by another.
	var text strings.Builder
	text.WriteString("-- config/config.yaml --\nproject_code: demo\nregion: r\nnames: [a]\nj2_environment: {extensions: [jinja2.ext.do]}\n")
	for i := range 30 {
		fmt.Fprintf(&text, "-- config/s%d.yaml --\n{%% do names.append('x') %%}\ntemplate: {path: a}\nparameters: {N: \"{{ names | length }}\"}\n", i)
	}
	p, err := load(t, text.String(), config.Options{})
	if err != nil || p.Problems(nil) != nil {
		t.Fatal(err, p.Problems(nil))
	}
	for _, st := range p.Stacks() {
		if got := st.Parameters[0].Value.Text; got != "2" {
			t.Errorf("%s sees %s names", st.Path, got)
		}
	}
}

func TestPlacesAfterJinja(t *testing.T) {
	t.Parallel()
	p, err := load(t, `-- config/config.yaml --
project_code: demo
region: r
-- config/a.yaml --
{% set list = [1, 2, 3] %}
{% for i in list %}
# {{ i }}
{% endfor %}
template: {path: a}
parameters:
{% for i in list %}
  P{{ i }}: v{{ i }}
{% endfor %}
  Map: {a: 1}
  {{ "Bad" }}: {a: 1}
`, config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range problems(p.Problems(nil)) {
		got = append(got, p.Pos.String())
	}
	if want := []string{"config/a.yaml:10:8", "config/a.yaml:11"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func FuzzLoad(f *testing.F) {
	for _, seed := range []string{
		"environment: {class: development}\n", "template: {path: a}\nparameters: {A: !x [1]}\n", "a: &a [*a]\n", "{% for i in [1] %}\n- {{ i }}\n{% endfor %}",
		"environment:\n  class: {{ x }}\n", "break: {allow: never, data: {A: {snapshot_parameter: 1}}}", "dependencies: [a, ../b, '']\n", "stack_name: \"\"\n",
		"j2_environment: {block_start_string: '<%'}\n", "required_version: '~=4.0, !=4.1.*'\n", "\ufeff\t\x00", "hooks: {a: !cmd {run: [x]}}\n", "environment: {{\n",
		"stack_tags_inheritance: merge\nstack_tags: [a]\n", "region: ~\nprofile: 010\n",
	} {
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, group, stack string) {
		fsys := fstest.MapFS{
			"config/config.yaml":     {Data: []byte("project_code: demo\nregion: r\nstack_tags: {A: b}\n")},
			"config/dev/config.yaml": {Data: []byte(group)},
			"config/a.yaml":          {Data: []byte("template: {path: a}\n")},
			"config/dev/a.yaml":      {Data: []byte(stack)},
		}
		p, err := config.Load(fsys, config.Options{})
		told := problems(err)
		if err != nil && len(told) == 0 {
			t.Fatalf("an error of another kind: %v", err)
		}
		told = append(told, problems(p.Problems(nil))...)
		for _, q := range told {
			if q.Pos.File == "" || q.What == "" {
				t.Fatalf("a problem without place or words: %+v", q)
			}
		}
		for _, e := range p.Environments() {
			if e.Declared && e.Name == "dev" && !strings.Contains(group, string(e.Class)) {
				t.Fatalf("class %s is nowhere in the file", e.Class)
			}
		}
		for _, st := range p.Stacks() {
			if st.Environment == nil || st.Name == "" || st.Access.Region == "" {
				t.Fatalf("an incomplete stack: %+v", st)
			}
		}
	})
}

// TestNoEnvironmentIsLostByAFilesName: a group's settings in a file that is not read
// would protect nothing, and say so to nobody.
func TestNoEnvironmentIsLostByAFilesName(t *testing.T) {
	t.Parallel()
	const production = "environment:\n  class: production\n  accounts: [\"123456789012\"]\n"
	for name, c := range map[string]struct {
		text  string
		wrong bool
	}{
		"config/main/config.yml":        {production, true},
		"config/main/Config.yaml":       {production, true},
		"config/main/config.YML":        {"'environment' : {class: production}\n", true},
		"config/main/other/config.yml":  {"{environment: {class: production}}\n", true},
		"config/main/plain/config.yml":  {"region: eu-west-1\n", false},
		"config/main/config.yaml":       {production, false},
		"config/main/config.other.yaml": {production, false}, // as Sceptre does
	} {
		p, err := load(t, small+"-- "+name+" --\n"+c.text, config.Options{})
		if !c.wrong {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		found := slices.ContainsFunc(problems(err), func(o *stacks.Problem) bool {
			return o.Pos.File == name && strings.Contains(o.What, "declares an environment")
		})
		if !found {
			t.Errorf("%s: %v %v", name, p, err)
		}
	}
}
