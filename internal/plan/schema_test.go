package plan_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/deployer-cli/deployer/internal/plan"
)

var updateSchema = flag.Bool("update-schema", false, "rewrite docs/plan.schema.json")

// TestSchemaIsTrue keeps the published JSON Schema of plan files equal to what
// is read and written.
func TestSchemaIsTrue(t *testing.T) {
	t.Parallel()
	name := filepath.Join("..", "..", "docs", "plan.schema.json")
	schema := describe(reflect.TypeFor[plan.File]())
	schema["$schema"], schema["$id"], schema["title"] = "https://json-schema.org/draft/2020-12/schema", plan.FileSchema, "A plan file of deployer"
	var want bytes.Buffer
	enc := json.NewEncoder(&want)
	enc.SetIndent("", "  ")
	if err := enc.Encode(schema); err != nil {
		t.Fatal(err)
	}
	if *updateSchema {
		if err := os.WriteFile(name, want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want.Bytes()) {
		t.Errorf("%s is stale; write it with: go test ./internal/plan -run Schema -update-schema", name)
	}
}

// describe gives the JSON Schema of a type as encoding/json writes it.
func describe(t reflect.Type) map[string]any {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return map[string]any{"type": "string", "format": "date-time"}
	case t.Kind() == reflect.Slice:
		return map[string]any{"type": []string{"array", "null"}, "items": describe(t.Elem())}
	case t.Kind() == reflect.Struct:
		return describeStruct(t)
	case t.Kind() == reflect.Bool:
		return map[string]any{"type": "boolean"}
	case t.Kind() == reflect.Int:
		return map[string]any{"type": "integer"}
	}
	return map[string]any{"type": "string"}
}

func describeStruct(t reflect.Type) map[string]any {
	properties, required := map[string]any{}, []string{}
	for f := range t.Fields() {
		key, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if key == "-" || !f.IsExported() {
			continue
		}
		properties[key] = describe(f.Type)
		if options == "" {
			required = append(required, key)
		}
	}
	return map[string]any{"type": "object", "properties": properties, "required": required, "additionalProperties": false}
}
