package deployer_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"slices"
	"strings"
	"testing"
)

// Nothing destructive is reachable without a guard.Clearance. The tests below
// hold the chain link by link, over the code itself:
//
//	guard.Check -> newClearance -> Writer(clearance) -> a Writer's method -> Permits -> the SDK's call
//
// A new call of the SDK has to be filed in reading, or made by a Writer.

// reading lists how the names of SDK operations begin that change nothing, and
// those that hand out credentials only.
func reading(operation string) bool {
	for _, prefix := range []string{"Get", "List", "Describe", "Head", "Validate", "Detect", "Estimate", "AssumeRole", "BatchGet"} {
		if strings.HasPrefix(operation, prefix) {
			return true
		}
	}
	return false
}

// records are deployer's own: what writes them reaches no stack. A lock has to be
// taken before there is a clearance.
const records = "internal/cloud/bucket.go"

// switches are the off switch for breaks, and what was agreed may be broken: SSM
// parameters of deployer's own. Whoever stops breaks must not need a clearance.
const switches = "internal/cloud/lever.go"

// notices tell people and programs of an exercise. They reach no stack, and go
// out when something was refused, too: there is no clearance then.
const notices = "internal/cloud/announce.go"

// writing tells whether a file belongs to a package with a Writer.
func writing(file string) bool {
	return slices.Contains([]string{"internal/cfn", "internal/cloud", "internal/inject"}, path.Dir(file))
}

// TestWritesStandBehindAClearance: every writing call of the SDK is made in a
// method of a Writer, in a function that is given what such a method permitted.
func TestWritesStandBehindAClearance(t *testing.T) {
	t.Parallel()
	writes := 0
	eachFunction(t, func(file string, f *ast.FuncDecl, imports map[string]string) {
		for _, operation := range sdkCalls(f, imports) {
			if reading(operation) {
				continue
			}
			writes++
			switch {
			case file == records && receiver(f) == "Bucket" && slices.Contains([]string{"PutObject", "DeleteObject"}, operation):
			case file == notices && receiver(f) == "Announcer" && slices.Contains([]string{"Publish", "Invoke"}, operation):
			case file == switches && receiver(f) == "Lever" && slices.Contains([]string{"PutParameter", "DeleteParameter"}, operation):
			case !writing(file):
				t.Errorf("%s: %s calls %s: only internal/cfn, internal/cloud and internal/inject write", file, f.Name.Name, operation)
			case receiver(f) == "Writer":
			case file == "internal/cloud/object.go" && f.Name.Name == "put" && operation == "PutObject":
				// The Writer's hand: TestPutIsTheWritersHand.
			default:
				t.Errorf("%s: %s calls %s, and is no method of a Writer", file, f.Name.Name, operation)
			}
		}
	})
	if writes < 20 {
		t.Errorf("only %d writing calls were seen: the test looks past them", writes)
	}
}

// TestWritersAskFirst: in a Writer's method an SDK write stands in a function that
// is handed to do or inBucket, which ask the clearance right before they call it.
func TestWritersAskFirst(t *testing.T) {
	t.Parallel()
	methods := 0
	eachFunction(t, func(file string, f *ast.FuncDecl, imports map[string]string) {
		if receiver(f) != "Writer" {
			return
		}
		methods++
		for _, operation := range sdkCalls(f, imports) {
			if !reading(operation) && !calls(f, "do") && !calls(f, "permit") {
				t.Errorf("%s: %s calls %s and asks nobody", file, f.Name.Name, operation)
			}
		}
		if f.Name.Name == "do" {
			order(t, file, f, "permit", "send")
		}
		if f.Name.Name == "permit" && !calls(f, "Permits") {
			t.Errorf("%s: permit does not ask the clearance", file)
		}
		if f.Name.Name == "Upload" {
			order(t, file, f, "permit", "put")
		}
	})
	if methods < 10 {
		t.Errorf("only %d methods of Writers were seen", methods)
	}
}

// TestPutIsTheWritersHand: the function that puts uploads is called by nobody but
// Writer.Upload.
func TestPutIsTheWritersHand(t *testing.T) {
	t.Parallel()
	seen := 0
	eachFunction(t, func(file string, f *ast.FuncDecl, _ map[string]string) {
		if strings.HasPrefix(file, "internal/cloud/") && calls(f, "put") {
			seen++
			if receiver(f) != "Writer" {
				t.Errorf("%s: %s calls put", file, f.Name.Name)
			}
		}
	})
	if seen == 0 {
		t.Error("nobody calls put: the test looks past it")
	}
}

// TestClearancesComeFromCheck: newClearance is called by guard.Check alone, no
// Clearance is written down anywhere else, and Writers are made from one.
func TestClearancesComeFromCheck(t *testing.T) {
	t.Parallel()
	made := 0
	eachFunction(t, func(file string, f *ast.FuncDecl, _ map[string]string) {
		inGuard := strings.HasPrefix(file, "internal/guard/")
		if calls(f, "newClearance") {
			made++
			if !inGuard || f.Name.Name != "Check" {
				t.Errorf("%s: %s makes a clearance", file, f.Name.Name)
			}
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CompositeLit:
				name := typeName(n.Type)
				if name == "Clearance" && len(n.Elts) > 0 && f.Name.Name != "newClearance" {
					t.Errorf("%s: %s writes a clearance down", file, f.Name.Name)
				}
				if name == "Writer" && writing(file) && f.Name.Name != "Writer" {
					t.Errorf("%s: %s makes a Writer", file, f.Name.Name)
				}
				if name == "envelope" && f.Name.Name != "newClearance" {
					t.Errorf("%s: %s makes an envelope", file, f.Name.Name)
				}
			case *ast.CallExpr:
				if s, ok := n.Fun.(*ast.SelectorExpr); ok && s.Sel.Name == "Writer" && len(n.Args) > 0 {
					if lit, ok := n.Args[0].(*ast.CompositeLit); ok {
						t.Errorf("%s: %s makes a Writer from a clearance of its own: %v", file, f.Name.Name, lit.Type)
					}
				}
			}
			return true
		})
	})
	if made != 1 {
		t.Errorf("%d places make clearances, want guard.Check alone", made)
	}
}

// TestTheTestSees: what the tests above look for is found in code that does it.
func TestTheTestSees(t *testing.T) {
	t.Parallel()
	src := `package x
import "github.com/aws/aws-sdk-go-v2/service/cloudformation"
func bad(cl *cloudformation.Client) { cl.DeleteStack(nil, &cloudformation.DeleteStackInput{}) }
func worse(c interface{ X() }) { in := cloudformation.UpdateStackInput{}; _ = in; c.X() }`
	f, err := parser.ParseFile(token.NewFileSet(), "x.go", src, 0)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok {
			got = append(got, sdkCalls(fn, importsOf(f))...)
		}
	}
	if !slices.Equal(got, []string{"DeleteStack", "UpdateStack"}) {
		t.Errorf("saw %v", got)
	}
}

// sdkCalls lists the operations whose input a function makes: without one no
// operation of the SDK can be called.
func sdkCalls(f *ast.FuncDecl, imports map[string]string) []string {
	var out []string
	ast.Inspect(f, func(n ast.Node) bool {
		s, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		pkg, ok := s.X.(*ast.Ident)
		if !ok || !strings.HasPrefix(imports[pkg.Name], "github.com/aws/aws-sdk-go-v2/service/") {
			return true
		}
		if operation, ok := strings.CutSuffix(s.Sel.Name, "Input"); ok && !strings.HasPrefix(s.Sel.Name, "New") && !slices.Contains(out, operation) {
			out = append(out, operation)
		}
		return true
	})
	return out
}

// calls tells whether a function calls something of that name.
func calls(f *ast.FuncDecl, name string) bool { return position(f, name) != token.NoPos }

// position is where a function first calls something of that name.
func position(f *ast.FuncDecl, name string) token.Pos {
	at := token.NoPos
	ast.Inspect(f, func(n ast.Node) bool {
		c, ok := n.(*ast.CallExpr)
		if ok && at == token.NoPos && typeName(c.Fun) == name {
			at = c.Pos()
		}
		return true
	})
	return at
}

func order(t *testing.T, file string, f *ast.FuncDecl, first, second string) {
	t.Helper()
	a, b := position(f, first), position(f, second)
	if a == token.NoPos || b == token.NoPos || a > b {
		t.Errorf("%s: %s does not call %s before %s", file, f.Name.Name, first, second)
	}
}

func receiver(f *ast.FuncDecl) string {
	if f.Recv == nil || len(f.Recv.List) == 0 {
		return ""
	}
	return typeName(f.Recv.List[0].Type)
}

func typeName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return typeName(e.X)
	case *ast.SelectorExpr:
		return e.Sel.Name
	case *ast.Ident:
		return e.Name
	case *ast.IndexExpr:
		return typeName(e.X)
	}
	return ""
}

func importsOf(f *ast.File) map[string]string {
	out := map[string]string{}
	for _, spec := range f.Imports {
		imp := strings.Trim(spec.Path.Value, `"`)
		name := path.Base(imp)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		out[name] = imp
	}
	return out
}

// eachFunction calls visit for every function of the application that is no
// test. The sandbox answers calls and makes none.
func eachFunction(t *testing.T, visit func(file string, f *ast.FuncDecl, imports map[string]string)) {
	t.Helper()
	for name, src := range sources(t) {
		if strings.HasPrefix(name, "internal/sandbox/") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, src, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		imports := importsOf(f)
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok {
				visit(name, fn, imports)
			}
		}
	}
}
