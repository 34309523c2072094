package inject_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/deployer-cli/deployer/internal/inject"
)

// TestTheKindsPage: docs/break-kinds.md names every kind, and every operation that
// this package calls.
func TestTheKindsPage(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../docs/break-kinds.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range inject.Kinds() {
		if strings.Count(string(raw), "`"+kind) < 3 {
			t.Errorf("%s is not described", kind)
		}
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			s, ok := n.(*ast.SelectorExpr)
			operation, input := "", false
			if ok {
				operation, input = strings.CutSuffix(s.Sel.Name, "Input")
			}
			if input && !strings.HasSuffix(name, "_test.go") {
				if seen++; !strings.Contains(string(raw), ":"+operation+"`") {
					t.Errorf("%s calls %s, and the page does not say that the role needs it", name, operation)
				}
			}
			return true
		})
	}
	if seen < 10 {
		t.Errorf("only %d operations were seen", seen)
	}
}
