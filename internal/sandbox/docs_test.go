package sandbox_test

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/deployer-cli/deployer/internal/sandbox"
)

// The examples of docs/sandbox.md are good, a script runs them, and the table names
// every key of a fault.
func TestDocumentation(t *testing.T) {
	t.Parallel()
	read := func(path string) string {
		raw, err := os.ReadFile("../../" + path)
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	doc, script := read("docs/sandbox.md"), read("testdata/script/sandbox_docs_example.txtar")
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(doc, -1)
	if len(blocks) != 2 {
		t.Fatalf("%d examples", len(blocks))
	}
	for _, b := range blocks {
		if !strings.Contains(script, b[1]) {
			t.Errorf("the script does not run:\n%s", b[1])
		}
	}
	if _, err := sandbox.ParseFaults([]byte(blocks[0][1])); err != nil {
		t.Error(err)
	}
	if _, err := inProcess(sandbox.Options{}).s.Seed(t.Context(), []byte(blocks[1][1])); err != nil {
		t.Error(err)
	}
	for f := range reflect.TypeFor[sandbox.Fault]().Fields() {
		key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if key != "-" && key != "id" && !strings.Contains(doc, "`"+key+"`") {
			t.Errorf("the key %q is not documented", key)
		}
	}
}
