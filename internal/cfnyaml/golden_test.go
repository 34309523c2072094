package cfnyaml

import (
	"encoding/json"
	"os"
	"testing"
)

// golden is what testdata/golden.py wrote.
type golden struct {
	Scalars   map[string]json.RawMessage
	Documents map[string]json.RawMessage
}

func readGolden(t *testing.T) golden {
	t.Helper()
	data, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	if err := json.Unmarshal(data, &g); err != nil {
		t.Fatal(err)
	}
	return g
}

// TestScalarAsPyYAML holds the table to what PyYAML made of every entry.
func TestScalarAsPyYAML(t *testing.T) {
	t.Parallel()
	g := readGolden(t)
	if len(g.Scalars) < 1000 {
		t.Fatalf("only %d scalars in the golden file", len(g.Scalars))
	}
	for raw, data := range g.Scalars {
		var want [2]string
		if err := json.Unmarshal(data, &want); err != nil {
			t.Fatal(err)
		}
		kind, text := Scalar(raw)
		switch want[0] {
		case "error": // PyYAML breaks down on these; we take the string
			want = [2]string{"string", raw}
			if kind == Time { // a date that no calendar has
				want = [2]string{"time", raw}
			}
		case "time":
			want[1] = raw
		}
		if got := [2]string{word(kind), text}; got != want {
			t.Errorf("Scalar(%q) = %v, PyYAML says %v", raw, got, want)
		}
	}
}

// TestDocumentsAsPyYAML holds whole documents to what PyYAML made of them.
func TestDocumentsAsPyYAML(t *testing.T) {
	t.Parallel()
	for src, data := range readGolden(t).Documents {
		var want any
		if err := json.Unmarshal(data, &want); err != nil {
			t.Fatal(err)
		}
		n, _, err := Parse([]byte(src))
		if pair, ok := want.([]any); ok && pair[0] == "error" {
			if err == nil {
				t.Errorf("Parse(%q) is accepted, PyYAML fails with %v", src, pair[1])
			}
			continue
		}
		if err != nil {
			t.Errorf("Parse(%q): %v", src, err)
			continue
		}
		got, _ := json.Marshal(shape(n))
		again, _ := json.Marshal(want)
		if string(got) != string(again) {
			t.Errorf("Parse(%q)\n got %s\nwant %s", src, got, again)
		}
	}
}

// shape is a node as golden.py shows values.
func shape(n *Node) any {
	switch n.Kind {
	case List:
		items := []any{}
		for _, i := range n.Items {
			items = append(items, shape(i))
		}
		return []any{"list", items}
	case Map:
		pairs := []any{}
		for _, p := range n.Pairs {
			pairs = append(pairs, []any{shape(p.Key), shape(p.Value)})
		}
		return []any{"map", pairs}
	case Time:
		return []any{"time", ""}
	default:
		return []any{word(n.Kind), n.Text}
	}
}

func word(k Kind) string {
	return [...]string{"null", "bool", "int", "float", "time", "string", "list", "map"}[k]
}
