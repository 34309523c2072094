package deployer_test

import (
	"go/parser"
	"go/token"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/deployer-cli/deployer/"

// layers lists the packages from the bottom up. A package imports only
// packages of layers below its own.
func layers() [][]string {
	return [][]string{
		{"internal/flow", "internal/linefile", "internal/python", "internal/span", "internal/spell"},
		{"internal/dag", "internal/jinja", "internal/cfnyaml", "internal/restype"},
		{"internal/cfntemplate"},
		{"stacks", "internal/sandbox/engine", "internal/sandbox/wire", "internal/sandbox/store"},
		{"config", "templates", "internal/resolve", "internal/hook", "internal/guard", "internal/record", "internal/event", "internal/awsconf", "internal/sandbox", "internal/program", "internal/web", "internal/steady", "internal/reattach"},
		{"internal/prepare", "internal/graph", "internal/plan", "internal/blast", "internal/capsule", "internal/cfn", "internal/cloud", "internal/journal", "internal/state", "internal/handler", "internal/plugin", "internal/inject", "internal/probe", "internal/notify"},
		{"internal/execute", "internal/logbook", "internal/picture"},
		{"internal/chaos"},
		{"internal/ui", "internal/report"},
		{"internal/cli"},
		{"cmd/deployer"},
	}
}

// core decides and acts through ports; what is listed here is not for it.
func core() []string {
	return []string{"internal/prepare", "internal/graph", "internal/plan", "internal/blast", "internal/guard", "internal/execute", "internal/event", "internal/steady", "internal/capsule", "internal/record", "internal/chaos", "internal/report", "internal/reattach", "stacks"}
}

// notForCore says what the core must not import, and why.
func notForCore() map[string]string {
	return map[string]string{
		"github.com/aws/":            "AWS stays behind the adapters",
		"github.com/fatih/color":     "colour belongs to internal/ui",
		"github.com/urfave/cli":      "the command line belongs to internal/cli",
		"net/http":                   "the core speaks to ports",
		"os":                         "the core does no IO of its own",
		module + "internal/cfn":      "declare the methods you need in your own package",
		module + "internal/cloud":    "declare the methods you need in your own package",
		module + "internal/inject":   "declare the methods you need in your own package",
		module + "internal/journal":  "declare the methods you need in your own package",
		module + "internal/state":    "declare the methods you need in your own package",
		module + "internal/logbook":  "declare the methods you need in your own package",
		module + "internal/awsconf":  "the core knows no credentials",
		module + "internal/sandbox":  "the application does not know that it is simulated",
		module + "internal/sandbox/": "the application does not know that it is simulated",
	}
}

// TestImportsPointDown keeps the layers. It parses the files itself: go test
// caches results and would not notice what a child process such as go list had
// read.
func TestImportsPointDown(t *testing.T) {
	t.Parallel()
	levels := layers()
	level := func(pkg string) int {
		return slices.IndexFunc(levels, func(l []string) bool { return slices.Contains(l, pkg) })
	}
	eachImport(t, func(file, from, imp string) {
		if level(from) < 0 {
			t.Errorf("%s: package %s stands on no layer", file, from)
		}
		if to, ours := strings.CutPrefix(imp, module); ours && level(to) >= level(from) {
			t.Errorf("%s: %s (layer %d) imports %s (layer %d)", file, from, level(from), to, level(to))
		}
	})
}

func TestTheCoreStaysPure(t *testing.T) {
	t.Parallel()
	eachImport(t, func(file, from, imp string) {
		if !slices.Contains(core(), from) {
			return
		}
		for forbidden, why := range notForCore() {
			if imp == forbidden || (strings.HasSuffix(forbidden, "/") && strings.HasPrefix(imp, forbidden)) {
				t.Errorf("%s imports %s: %s", file, imp, why)
			}
		}
	})
}

// TestNothingSlowsTheStart keeps out what works before main: each start pays for
// it, and a cold start is to take no more than 30 ms.
func TestNothingSlowsTheStart(t *testing.T) {
	t.Parallel()
	slow := map[string]string{
		"github.com/charmbracelet/x/ansi": "brings go-runewidth; clipperhouse/displaywidth measures and strips as well",
		"github.com/mattn/go-runewidth":   "works its tables out at every start, in 23 ms",
	}
	eachImport(t, func(file, _, imp string) {
		if why, ok := slow[imp]; ok {
			t.Errorf("%s imports %s: %s", file, imp, why)
		}
	})
}

// TestAWSStaysInTheAdapters keeps SDK service types out of everything else, and
// the application out of the sandbox.
func TestAWSStaysInTheAdapters(t *testing.T) {
	t.Parallel()
	adapters := []string{"internal/cfn", "internal/cloud", "internal/awsconf", "internal/inject"}
	eachImport(t, func(file, from, imp string) {
		// The sandbox's own protocol, and no service: AWS's codec of CBOR.
		codec := from == "internal/sandbox/wire" && imp == "github.com/aws/smithy-go/encoding/cbor"
		if strings.HasPrefix(imp, "github.com/aws/") && !slices.Contains(adapters, from) && !codec {
			t.Errorf("%s imports %s: AWS stays in %v", file, imp, adapters)
		}
		if strings.HasPrefix(from, "internal/sandbox") && strings.HasPrefix(imp, module) {
			to := strings.TrimPrefix(imp, module)
			known := []string{"internal/cfnyaml", "internal/restype", "internal/cfntemplate"}
			if !slices.Contains(known, to) && !strings.HasPrefix(to, "internal/sandbox/") {
				t.Errorf("%s imports %s: the sandbox imports nothing of the application", file, imp)
			}
		}
	})
}

// eachImport calls visit for every import of every Go file that is no test.
func eachImport(t *testing.T, visit func(file, from, imp string)) {
	t.Helper()
	seen := 0
	for name, src := range sources(t) {
		f, err := parser.ParseFile(token.NewFileSet(), name, src, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range f.Imports {
			imp, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			seen++
			visit(name, path.Dir(name), imp)
		}
	}
	if seen == 0 {
		t.Fatal("no imports were seen")
	}
}
