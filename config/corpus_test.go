package config_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/deployer-cli/deployer/config"
	"github.com/deployer-cli/deployer/stacks"
)

// corpus is the folder with real projects and what Sceptre made of them. They
// are other people's work and do not lie in this repository.
func corpus(tb testing.TB) string {
	tb.Helper()
	dir := os.Getenv("DEPLOYER_CORPUS")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "corpus")
	}
	if _, err := os.Stat(filepath.Join(dir, "sceptre")); err != nil {
		tb.Skipf("no corpus of real projects at %s; DEPLOYER_CORPUS names another place", dir)
	}
	return filepath.Join(dir, "sceptre")
}

// TestCorpus loads real projects and compares names and merged configs with
// what Sceptre 4.6.0 loaded.
func TestCorpus(t *testing.T) {
	t.Parallel()
	lists, err := filepath.Glob(filepath.Join(corpus(t), "*", "golden", "*.stacks.json"))
	if err != nil || len(lists) == 0 {
		t.Fatalf("no goldens: %v", err)
	}
	for _, list := range lists {
		group := strings.TrimSuffix(filepath.Base(list), ".stacks.json")
		dir := filepath.Dir(filepath.Dir(list))
		t.Run(filepath.Base(dir)+"/"+group, func(t *testing.T) {
			t.Parallel()
			compareWithSceptre(t, dir, group)
		})
	}
}

func compareWithSceptre(t *testing.T, dir, group string) {
	t.Helper()
	golden := filepath.Join(dir, "golden", group)
	var names map[string]string
	readJSON(t, golden+".stacks.json", &names)
	p := loadReal(t, dir, group)
	selection, err := p.Select(group)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Problems(selection.Stacks); err != nil {
		t.Fatal(err)
	}
	for file, want := range names {
		st, ok := p.Stack(stacks.Path(strings.TrimSuffix(file, ".yaml")))
		if !ok {
			t.Errorf("%s is not there: %v", file, p.Problems([]stacks.Path{stacks.Path(strings.TrimSuffix(file, ".yaml"))}))
			continue
		}
		if st.Name != want {
			t.Errorf("%s: name %s, want %s", file, st.Name, want)
		}
	}
	// The merged configs stand in no particular order and without names: they
	// are compared as a set, of the stacks that are listed.
	want := goldenConfigs(t, golden+".config.json")
	listed := slices.Clone(selection.Stacks)
	for file := range names { // what the group depends on stands outside of it
		listed = append(listed, stacks.Path(strings.TrimSuffix(file, ".yaml")))
	}
	listed = stacks.SortPaths(listed)
	for _, at := range listed {
		st, ok := p.Stack(at)
		if !ok {
			continue // said above
		}
		got := parts(t, withOutputs(st))
		i, missing := closest(want, got)
		if len(missing) > 0 {
			t.Errorf("%s: Sceptre has\n%s", at, strings.Join(missing, "\n"))
			continue
		}
		want = slices.Delete(want, i, i+1)
	}
	for _, w := range want {
		t.Errorf("no stack has the config %v", w)
	}
	t.Logf("%d names and %d merged configs agree", len(names), len(listed))
}

func loadReal(tb testing.TB, dir, group string) *config.Project {
	tb.Helper()
	var varFiles []config.VarFile
	if data, err := os.ReadFile(filepath.Join(dir, "stub-vars.yaml")); err == nil {
		varFiles = append(varFiles, config.VarFile{Name: "stub-vars.yaml", Data: data})
	}
	vars, err := config.MergeVars(varFiles, nil, false)
	if err != nil {
		tb.Fatal(err)
	}
	p, err := config.Load(os.DirFS(dir), config.Options{Vars: vars, CommandPath: group, ProjectPath: "PROJECT"})
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

func readJSON(tb testing.TB, name string, into any) {
	tb.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		tb.Fatal(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		tb.Fatal(err)
	}
}

// goldenConfigs reads the documents of a golden, one after the other.
func goldenConfigs(tb testing.TB, name string) []map[string]string {
	tb.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		tb.Fatal(err)
	}
	var out []map[string]string
	for dec := json.NewDecoder(bytes.NewReader(data)); ; {
		var doc any
		if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
			return out
		} else if err != nil {
			tb.Fatal(err)
		}
		out = append(out, parts(tb, doc))
	}
}

// parts are the keys of a config with their values in a form to compare.
// Sceptre has made stacks of dependencies, so they are compared as sets of
// paths without extension.
func parts(tb testing.TB, doc any) map[string]string {
	tb.Helper()
	fields, ok := doc.(map[string]any)
	if !ok {
		tb.Fatalf("a config is a %T", doc)
	}
	out := map[string]string{}
	for k, v := range fields {
		if list, ok := v.([]any); ok && k == "dependencies" {
			names := []string{}
			for _, d := range list {
				names = append(names, strings.TrimSuffix(fmt.Sprint(d), ".yaml"))
			}
			slices.Sort(names)
			v = slices.Compact(names)
		}
		text, err := json.Marshal(v)
		if err != nil {
			tb.Fatal(err)
		}
		out[k] = string(text)
	}
	return out
}

// closest finds the wanted config that differs least from got, and how.
func closest(want []map[string]string, got map[string]string) (int, []string) {
	best, least := -1, []string{"nothing like it"}
	for i, w := range want {
		var differ []string
		for _, k := range slices.Sorted(maps.Keys(w)) {
			if w[k] != got[k] {
				differ = append(differ, fmt.Sprintf("%s: %s\n  and not %s", k, w[k], got[k]))
			}
		}
		for _, k := range slices.Sorted(maps.Keys(got)) {
			if _, ok := w[k]; !ok {
				differ = append(differ, "no "+k+": "+got[k])
			}
		}
		if best < 0 || len(differ) < len(least) {
			best, least = i, differ
		}
	}
	return best, least
}

// withOutputs is a stack's merged config as Sceptre leaves it: a list of
// dependencies has got those of !stack_output too.
func withOutputs(st *stacks.Stack) any {
	fields, _ := pythonForm(st.Config).(map[string]any)
	list, ok := fields["dependencies"].([]any)
	if !ok {
		return fields
	}
	for _, part := range []stacks.Value{{Kind: stacks.Map, Fields: st.Parameters}, st.UserData} {
		part.Walk(func(v stacks.Value) bool {
			if v.Kind == stacks.Call && v.Call.Name == "stack_output" {
				target, _, _ := strings.Cut(v.Call.Arg.Text, "::")
				list = append(list, target)
			}
			return true
		})
	}
	fields["dependencies"] = list
	return fields
}

// pythonForm is a value as the goldens show it: calls as !Name(argument). The
// goldens were made with a stub for ssm.
func pythonForm(v stacks.Value) any {
	switch v.Kind {
	case stacks.Call:
		words := strings.Split(v.Call.Name, "_")
		for i, w := range words {
			words[i] = strings.ToUpper(w[:1]) + w[1:]
		}
		name := strings.Join(words, "")
		if name == "Ssm" {
			name = "StubResolver"
		}
		return "!" + name + "(" + pythonRepr(v.Call.Arg, false) + ")"
	case stacks.List:
		out := []any{}
		for _, i := range v.Items {
			out = append(out, pythonForm(i))
		}
		return out
	case stacks.Map:
		out := map[string]any{}
		for _, f := range v.Fields {
			out[f.Key] = pythonForm(f.Value)
		}
		return out
	default:
		return v.Plain()
	}
}

// pythonRepr is the argument of a call as Python prints it.
func pythonRepr(v stacks.Value, inner bool) string {
	var parts []string
	switch v.Kind {
	case stacks.Text:
		if inner {
			return "'" + v.Text + "'"
		}
		return v.Text
	case stacks.Call:
		return fmt.Sprint(pythonForm(v))
	case stacks.List:
		for _, i := range v.Items {
			parts = append(parts, pythonRepr(i, true))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case stacks.Map:
		for _, f := range v.Fields {
			parts = append(parts, "'"+f.Key+"': "+pythonRepr(f.Value, true))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	default:
		return fmt.Sprint(v.Plain())
	}
}
