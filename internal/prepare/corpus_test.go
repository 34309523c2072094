package prepare_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/deployer-cli/deployer/config"
	"github.com/deployer-cli/deployer/internal/cfnyaml"
	"github.com/deployer-cli/deployer/internal/graph"
	"github.com/deployer-cli/deployer/internal/prepare"
	"github.com/deployer-cli/deployer/internal/resolve"
	"github.com/deployer-cli/deployer/stacks"
	"github.com/deployer-cli/deployer/templates"
)

// stubs answers everything outside a project with "stub-" and its name.
type stubs struct{}

func (stubs) Parameter(_ context.Context, _ stacks.Access, name string) (string, bool, error) {
	return "stub-" + name, false, nil
}

func (stubs) ExternalOutput(_ context.Context, _ stacks.Access, stack, key string) (string, error) {
	return "stub-" + stack + "-" + key, nil
}

// corpus is one of the public Sceptre projects that this one is tried on. They
// are not part of the repository.
func corpus(t *testing.T, name string) (dir string, p *config.Project, made *prepare.Preparer) {
	t.Helper()
	dir = os.Getenv("DEPLOYER_CORPUS")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "corpus")
	}
	dir = filepath.Join(dir, "sceptre", name)
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no corpus of projects: set DEPLOYER_CORPUS to its folder (%v)", err)
	}
	var files []config.VarFile
	if data, err := os.ReadFile(filepath.Join(dir, "stub-vars.yaml")); err == nil {
		files = append(files, config.VarFile{Name: "stub-vars.yaml", Data: data})
	}
	vars, err := config.MergeVars(files, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	fsys := os.DirFS(dir)
	p, err = config.Load(fsys, config.Options{Vars: vars, Version: "4.6.0"})
	if err != nil {
		t.Fatal(err)
	}
	for _, st := range p.Stacks() {
		st.Environment = &stacks.Environment{Name: "x"} // its tags are not Sceptre's
	}
	l := templates.NewLoader(fsys, templates.Options{})
	set := resolve.New(resolve.Ports{Project: p, Parameters: stubs{}, External: stubs{}, Files: fsys, Environ: func(string) (string, bool) { return "stub", true }})
	return dir, p, prepare.New(prepare.Ports{Resolver: set, Renderer: l, Parser: l, Files: fsys})
}

// TestCorpusRendersAsInSceptre compares the templates of a project with what
// Sceptre made of them.
func TestCorpusRendersAsInSceptre(t *testing.T) {
	t.Parallel()
	dir, p, made := corpus(t, "dmptool-infrastructure")
	for _, group := range []stacks.Path{"dev", "stg"} {
		golden, err := os.ReadFile(filepath.Join(dir, "golden", string(group)+".templates.json"))
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]int{}
		for docs := json.NewDecoder(bytes.NewReader(golden)); ; {
			var doc any
			if err := docs.Decode(&doc); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			want[canonical(t, doc)]++
		}
		for _, path := range loaded(t, dir, group) {
			st, ok := p.Stack(path)
			if !ok {
				t.Errorf("%s is not in the project", path)
				continue
			}
			draft := made.Source(t.Context(), st)
			if draft.Err != nil {
				t.Errorf("%s: %v", st.Path, draft.Err)
				continue
			}
			if got := canonical(t, draft.Template.Doc); want[got] > 0 {
				want[got]--
			} else {
				t.Errorf("%s: Sceptre made no such template: %.400s", st.Path, got)
			}
		}
		for doc, n := range want {
			if n > 0 {
				t.Errorf("%s: nobody has the template %.200s", group, doc)
			}
		}
	}
}

// loaded lists the stacks that Sceptre loaded for a group.
func loaded(t *testing.T, dir string, group stacks.Path) []stacks.Path {
	t.Helper()
	golden, err := os.ReadFile(filepath.Join(dir, "golden", string(group)+".stacks.json"))
	if err != nil {
		t.Fatal(err)
	}
	var names map[string]string
	if err := json.Unmarshal(golden, &names); err != nil {
		t.Fatal(err)
	}
	var out []stacks.Path
	for name := range names {
		out = append(out, stacks.Path(strings.TrimSuffix(name, ".yaml")))
	}
	return out
}

func canonical(t *testing.T, doc any) string {
	t.Helper()
	text, err := cfnyaml.MarshalJSON(doc)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// excused tells of what really is wrong with the corpus: files that were left
// out of it, mistakes of its authors, and what the test does not plug in.
func excused(err error) bool {
	for _, why := range []string{
		"not plugged in",
		"file does not exist",
		"there is no file src/glue/resources/table_columns.yaml",
		"Encountered unknown tag 'end'",
		"there is no key opensearch_log_collection",
	} {
		if strings.Contains(err.Error(), why) {
			return true
		}
	}
	return false
}

// TestCorpusIsReady prepares and graphs whole projects.
func TestCorpusIsReady(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"dmptool-infrastructure", "cinco", "recover"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, p, made := corpus(t, name)
			if err := p.Problems(nil); err != nil {
				t.Log(err)
			}
			ready := 0
			for _, st := range p.Stacks() {
				_, err := made.Prepare(t.Context(), st)
				switch {
				case err == nil:
					ready++
				case !excused(err):
					t.Errorf("%s: %v", st.Path, err)
				}
			}
			drafts, err := made.Sources(t.Context(), p.Stacks())
			if err != nil {
				t.Fatal(err)
			}
			sources := make([]graph.Source, 0, len(drafts))
			for _, d := range drafts {
				sources = append(sources, graph.Source(d))
			}
			g, err := graph.Make(sources, graph.Options{})
			if err != nil {
				t.Error(err)
			}
			t.Logf("%d of %d stacks ready, %d in order, missing %v", ready, len(drafts), len(g.Order()), g.Missing())
		})
	}
}
