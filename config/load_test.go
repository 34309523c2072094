package config_test

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/hashicorp/go-multierror"

	"github.com/deployer-cli/deployer/config"
	"github.com/deployer-cli/deployer/internal/cfnyaml"
	"github.com/deployer-cli/deployer/stacks"
)

var update = flag.Bool("update", false, "write the wanted results of testdata")

// load reads the project in a text of the txtar form.
func load(tb testing.TB, text string, opts config.Options) (*config.Project, error) {
	tb.Helper()
	_, fsys := unpack(text)
	return config.Load(fsys, opts)
}

// unpack cuts a text of the txtar form, "-- name --" before each file, into
// its comment and files.
func unpack(text string) (comment string, files fstest.MapFS) {
	files = fstest.MapFS{}
	var file *fstest.MapFile
	var head strings.Builder
	for line := range strings.Lines(text) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "-- "); ok && strings.HasSuffix(name, " --") {
			file = &fstest.MapFile{}
			files[strings.TrimSuffix(name, " --")] = file
			continue
		}
		if file == nil {
			head.WriteString(line)
			continue
		}
		file.Data = append(file.Data, line...)
	}
	return head.String(), files
}

// wantHead stands before what a project's test wants to see.
const wantHead = "-- want --\n"

// TestProjects loads every project in testdata and compares all that is read
// with the file called want.
func TestProjects(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("no projects: %v", err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			t.Parallel()
			raw, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			project, want, _ := strings.Cut(string(raw), wantHead)
			comment, fsys := unpack(project)
			got := dump(t, fsys, comment)
			if *update {
				if err := os.WriteFile(name, []byte(project+wantHead+got), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

// dump is a project as read, in words. Lines of comment that begin with --var
// are assignments.
func dump(tb testing.TB, fsys fs.FS, comment string) string {
	tb.Helper()
	var assignments []string
	for line := range strings.Lines(comment) {
		if a, ok := strings.CutPrefix(strings.TrimSpace(line), "--var "); ok {
			assignments = append(assignments, a)
		}
	}
	vars, err := config.MergeVars(nil, assignments, false)
	if err != nil {
		tb.Fatal(err)
	}
	p, err := config.Load(fsys, config.Options{
		Vars: vars, Environ: map[string]string{"USER": "ada"}, CommandPath: "dev/app", ProjectPath: "PROJECT",
	})
	var b strings.Builder
	told(&b, "unusable", err)
	if p == nil {
		return b.String()
	}
	told(&b, "broken", p.Problems(nil))
	for _, w := range p.Warnings() {
		fmt.Fprintf(&b, "warning: %s\n", full(w))
	}
	for _, e := range p.Environments() {
		fmt.Fprintf(&b, "environment %s: declared=%t class=%s accounts=%v regions=%v\n", e.Name, e.Declared, e.Class.Word(), e.Accounts, e.Regions)
	}
	for _, st := range p.Stacks() {
		b.WriteString(dumpStack(tb, st))
	}
	return b.String()
}

func told(b *strings.Builder, what string, err error) {
	for _, p := range problems(err) {
		fmt.Fprintf(b, "%s: %s\n", what, full(p))
	}
}

func full(p *stacks.Problem) string {
	if p.Tip == "" {
		return p.Error()
	}
	return p.Error() + " (" + p.Tip + ")"
}

// problems are the problems in an error of this package's.
func problems(err error) []*stacks.Problem {
	all, ok := errors.AsType[*multierror.Error](err)
	if !ok {
		return nil
	}
	var out []*stacks.Problem
	for _, e := range all.Errors {
		p, ok := errors.AsType[*stacks.Problem](e)
		if !ok {
			panic(fmt.Sprintf("%v is no problem", e))
		}
		out = append(out, p)
	}
	return out
}

func dumpStack(tb testing.TB, st *stacks.Stack) string {
	tb.Helper()
	var deps []string
	for _, d := range st.Dependencies {
		deps = append(deps, string(d.Path)+"@"+d.Pos.String())
	}
	m := map[string]any{
		"name": st.Name, "environment": st.Environment.Name, "template": st.Template.Type + " " + st.Template.Path,
		"parameters": strings.Join(fields(st.Parameters), "\n"), "tags": strings.Join(fields(st.Tags), "\n"), "access": fmt.Sprintf("%+v", st.Access),
		"user_data": st.UserData.Plain(), "dependencies": strings.Join(deps, " "),
		"hooks": fmt.Sprint(hooks(st)), "project": st.ProjectCode + " " + st.ProjectID, "protect": st.Protect,
		"role": st.ServiceRole.Text, "flags": flags(st),
		"notifications": fmt.Sprint(plainAll(st.Notifications)),
	}
	for k, v := range m {
		switch v {
		case nil, "", "[]", false:
			delete(m, k)
		}
	}
	if v, ok := st.Config.Get("custom"); ok {
		m["custom"] = v.Plain()
	}
	out, err := cfnyaml.Marshal(m)
	if err != nil {
		tb.Fatal(err)
	}
	return fmt.Sprintf("stack %s (%s)\n%s", st.Path, st.Pos, indent(string(out)))
}

func indent(s string) string {
	return "  " + strings.ReplaceAll(strings.TrimSuffix(s, "\n"), "\n", "\n  ") + "\n"
}

func flags(st *stacks.Stack) string {
	var out []string
	add := func(on bool, name string) {
		if on {
			out = append(out, name)
		}
	}
	add(st.Ignore, "ignore")
	add(st.Obsolete, "obsolete")
	add(st.DisableRollback, "disable_rollback")
	add(st.TimeoutMinutes > 0, fmt.Sprint("timeout=", st.TimeoutMinutes))
	add(st.OnFailure != "", "on_failure="+st.OnFailure)
	add(st.TerminationProtection != nil && *st.TerminationProtection, "termination_protection")
	return strings.Join(out, " ")
}

func plainAll(values []stacks.Value) []any {
	var out []any
	for _, v := range values {
		out = append(out, v.Plain())
	}
	return out
}

func fields(list []stacks.Field) []string {
	var out []string
	for _, f := range list {
		s := fmt.Sprint(f.Value.Plain())
		if f.Value.Kind != stacks.Text && f.Value.Kind != stacks.Call {
			s += " " + f.Value.Kind.String()
		}
		out = append(out, f.Key+"="+s)
	}
	return out
}

func hooks(st *stacks.Stack) []string {
	var out []string
	for _, h := range st.Hooks {
		for _, v := range h.Hooks {
			out = append(out, h.Name+" "+v.Call.String())
		}
	}
	return out
}
