package deployer_test

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"iter"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// endsPath matches what stands before a folder that is no root's.
var endsPath = regexp.MustCompile(`[\w.}/-]$`)

// TestNothingNamesAMachine keeps folders of the machines we work on, and the hosts
// that packages come from there, out of all files.
func TestNothingNamesAMachine(t *testing.T) {
	t.Parallel()
	// In pieces, for this file is looked at too.
	hosts := []string{"go" + "proxy", "registry." + "npmjs", "proxy." + "golang.org", "arti" + "factory", "jf" + "rog."}
	folders := []string{"/" + "work/", "/" + "root/"}
	for name, text := range ourFiles(t) {
		for _, host := range hosts {
			if strings.Contains(text, host) {
				t.Errorf("%s names %s", name, host)
			}
		}
		for _, folder := range folders {
			for rest := text; ; {
				before, after, found := strings.Cut(rest, folder)
				if !found {
					break
				}
				// As the end of another path, or of an address, it is none of ours.
				if !endsPath.MatchString(before[max(0, len(before)-4):]) {
					t.Errorf("%s names %s", name, folder)
				}
				rest = after
			}
		}
	}
}

// TestScriptsAreNamedAfterCommands keeps testdata/script searchable: what stands
// before the first underscore is a command, or one of the topics that concern many.
func TestScriptsAreNamedAfterCommands(t *testing.T) {
	t.Parallel()
	docs, err := os.ReadFile("docs/commands.md")
	if err != nil {
		t.Fatal(err)
	}
	known := []string{"flags", "format", "hook", "plugin", "resolver", "sceptre", "secret", "template"}
	for _, m := range regexp.MustCompile(`(?m)^## ([a-z-]+)$`).FindAllStringSubmatch(string(docs), -1) {
		known = append(known, m[1])
	}
	scripts, err := os.ReadDir("testdata/script")
	if err != nil {
		t.Fatal(err)
	}
	form := regexp.MustCompile(`^([a-z-]+)_[a-z0-9_-]+\.txtar$`)
	for _, s := range scripts {
		m := form.FindStringSubmatch(s.Name())
		if m == nil {
			t.Errorf("%s is not named <command>_<case>.txtar", s.Name())
		} else if !slices.Contains(known, m[1]) {
			t.Errorf("%s: %s is no command, nor one of the topics", s.Name(), m[1])
		}
	}
	if len(known) < 20 || len(scripts) < 20 {
		t.Errorf("%d known names, %d scripts", len(known), len(scripts))
	}
}

// TestPackagesSayWhatTheyAre wants one comment a package: what it is in the first
// sentence, and somewhere after it what it never does.
func TestPackagesSayWhatTheyAre(t *testing.T) {
	t.Parallel()
	docs, kinds := map[string][]string{}, map[string]string{}
	for name, text := range ourFiles(t) {
		if path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, text, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		dir := path.Dir(name)
		kinds[dir] = "Package "
		if f.Name.Name == "main" {
			kinds[dir] = "Command "
		}
		if docs[dir] = append(docs[dir], ""); f.Doc != nil {
			docs[dir] = append(docs[dir], f.Doc.Text())
		}
	}
	never := regexp.MustCompile(`\b(never|nothing|neither|no|nor)\b`)
	for dir, texts := range docs {
		texts = slices.DeleteFunc(texts, func(s string) bool { return s == "" })
		if len(texts) != 1 {
			t.Errorf("%s: %d package comments, want one", dir, len(texts))
			continue
		}
		first, rest, _ := strings.Cut(texts[0], ".\n\n")
		if !strings.HasPrefix(first, kinds[dir]+path.Base(dir)+" ") {
			t.Errorf("%s: the package comment begins with %.40q", dir, first)
		}
		if !never.MatchString(first + rest) {
			t.Errorf("%s: the package comment does not say what the package never does", dir)
		}
	}
}

// TestFuzzTargetsAreReachable holds to it that make fuzz, which looks for targets
// by their first line, finds every one and nothing else.
func TestFuzzTargetsAreReachable(t *testing.T) {
	t.Parallel()
	bySearch := regexp.MustCompile(`(?m)^func (Fuzz[A-Za-z0-9_]+)`)
	seen := map[string]string{}
	for name, text := range ourFiles(t) {
		if !strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		var found []string
		for _, m := range bySearch.FindAllStringSubmatch(text, -1) {
			found = append(found, m[1])
		}
		for _, target := range fuzzTargets(f) {
			at := path.Dir(name) + " " + target
			if other := seen[at]; other != "" {
				t.Errorf("%s stands in %s and %s: go test -fuzz takes one", target, other, name)
			}
			seen[at] = name
			if i := slices.Index(found, target); i >= 0 {
				found = slices.Delete(found, i, i+1)
			} else {
				t.Errorf("%s: make fuzz does not find %s", name, target)
			}
		}
		for _, wrong := range found {
			t.Errorf("%s: make fuzz takes %s for a target", name, wrong)
		}
		if len(fuzzTargets(f)) > 0 && strings.Contains(text[:f.Package-1], "//go:build") {
			t.Errorf("%s has targets and a build constraint", name)
		}
	}
	if len(seen) < 10 {
		t.Errorf("only %d fuzz targets", len(seen))
	}
}

func fuzzTargets(f *ast.File) []string {
	var out []string
	for _, d := range f.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Recv != nil || !strings.HasPrefix(fn.Name.Name, "Fuzz") || len(fn.Type.Params.List) != 1 {
			continue
		}
		star, _ := fn.Type.Params.List[0].Type.(*ast.StarExpr)
		if star == nil {
			continue
		}
		if sel, _ := star.X.(*ast.SelectorExpr); sel != nil && sel.Sel.Name == "F" {
			out = append(out, fn.Name.Name)
		}
	}
	return out
}

// ourFiles gives the text of every file of the repository by its name; what is
// built or downloaded is left out.
func ourFiles(t *testing.T) map[string]string {
	t.Helper()
	root := os.DirFS(".")
	out := map[string]string{}
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && slices.Contains([]string{".git", ".deployer", "bin", "dist", "rapid", "fuzz"}, d.Name()):
			return fs.SkipDir
		case !d.Type().IsRegular():
			return nil
		}
		text, err := fs.ReadFile(root, name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil // another test's, gone meanwhile
		}
		out[name] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// sources gives the Go files that are no tests, in order.
func sources(t *testing.T) iter.Seq2[string, string] {
	t.Helper()
	all := ourFiles(t)
	return func(yield func(name, text string) bool) {
		for _, name := range slices.Sorted(maps.Keys(all)) {
			outside := strings.Contains(name, "testdata/") || strings.Contains(name, "/gen/")
			if path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") || outside {
				continue
			}
			if !yield(name, all[name]) {
				return
			}
		}
	}
}
