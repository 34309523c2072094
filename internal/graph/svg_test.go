package graph_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/deployer-cli/deployer/internal/graph"
	"github.com/deployer-cli/deployer/stacks"
)

// TestSVG: the picture is well-formed, shows every stack once, escapes what a
// file may be called, and draws a line for every direct need.
func TestSVG(t *testing.T) {
	t.Parallel()
	dependsOn := func(p stacks.Path, on ...stacks.Path) graph.Source {
		st := &stacks.Stack{Path: p, Name: string(p)}
		for _, d := range on {
			st.Dependencies = append(st.Dependencies, stacks.Dependency{Path: d})
		}
		return graph.Source{Stack: st}
	}
	g, err := graph.Make([]graph.Source{
		dependsOn("dev/a"), dependsOn("dev/b", "dev/a"), dependsOn("dev/<c>&", "dev/b", "dev/a"),
	}, graph.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := g.SVG(&out); err != nil {
		t.Fatal(err)
	}
	text := out.String()
	dec := xml.NewDecoder(strings.NewReader(text))
	for {
		_, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
	}
	if n := strings.Count(text, "<rect "); n != 3 {
		t.Errorf("%d boxes, want 3", n)
	}
	if n := strings.Count(text, "<path"); n != 2 { // a-c is implied by a-b-c
		t.Errorf("%d lines, want 2:\n%s", n, text)
	}
	if !strings.Contains(text, "dev/&lt;c&gt;&amp;") {
		t.Error("a name is not escaped")
	}
}
