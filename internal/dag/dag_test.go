package dag_test

import (
	"slices"
	"testing"

	"github.com/deployer-cli/deployer/internal/dag"
)

// graph makes a graph from "ab" (a depends on b) and "a" (a alone).
func graph(edges ...string) *dag.Graph[string] {
	g := &dag.Graph[string]{}
	for _, e := range edges {
		if len(e) == 1 {
			g.Add(e)
			continue
		}
		g.Connect(e[:1], e[1:])
	}
	return g
}

func TestTopological(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		edges []string
		want  string
		ok    bool
	}{
		{"empty", nil, "", true},
		{"alone, sorted", []string{"c", "a", "b"}, "abc", true},
		{"chain", []string{"ab", "bc"}, "cba", true},
		{"diamond", []string{"ab", "ac", "bd", "cd"}, "dbca", true},
		{"said twice", []string{"ab", "ab"}, "ba", true},
		{"a small key freed early comes early", []string{"az", "b", "c"}, "bcza", true},
		{"cycle and what hangs on it are missing", []string{"ab", "ba", "ca", "d", "be"}, "de", false},
		{"itself", []string{"aa", "b"}, "b", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			order, ok := graph(tt.edges...).Topological()
			if got := join(order); got != tt.want || ok != tt.ok {
				t.Errorf("Topological() = %q, %v; want %q, %v", got, ok, tt.want, tt.ok)
			}
		})
	}
}

func TestCycle(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		edges []string
		want  string
	}{
		{"none", []string{"ab", "bc", "ac"}, ""},
		{"itself", []string{"ab", "bb"}, "b"},
		{"two", []string{"ba", "ab"}, "ab"},
		{"short way round", []string{"ab", "bc", "cd", "da", "bd"}, "abd"},
		{"below something that only leads there", []string{"ab", "bc", "cb"}, "bc"},
		{"between two cycles", []string{"xa", "ab", "ba", "ac", "cd", "dc"}, "ab"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := join(graph(tt.edges...).Cycle()); got != tt.want {
				t.Errorf("Cycle() = %q, want %q", got, tt.want)
			}
		})
	}
}

func TestNeighbours(t *testing.T) {
	t.Parallel()
	g := graph("ac", "ab", "db", "e")
	for _, tt := range []struct {
		what, got, want string
	}{
		{"dependencies", join(slices.Collect(g.Dependencies("a"))), "bc"},
		{"dependents", join(slices.Collect(g.Dependents("b"))), "ad"},
		{"none", join(slices.Collect(g.Dependents("e"))), ""},
		{"of what is not there", join(slices.Collect(g.Dependents("?"))), ""},
		{"keys", join(g.Keys()), "abcde"},
		{"turned round", join(slices.Collect(g.Reverse().Dependencies("b"))), "ad"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.what, tt.got, tt.want)
		}
	}
	for k := range g.Dependencies("a") {
		if k != "b" {
			t.Errorf("an early break did not end the iteration: %q", k)
		}
		break
	}
	if g.Len() != 5 || g.Edges() != 3 {
		t.Errorf("%d keys and %d edges, want 5 and 3", g.Len(), g.Edges())
	}
	if !g.Connected("a", "b") || g.Connected("b", "a") || g.Connected("a", "?") || g.Connected("?", "a") {
		t.Error("Connected mixes up who depends on whom")
	}
}

func TestSubgraph(t *testing.T) {
	t.Parallel()
	s := graph("ab", "bc", "ac", "cd").Subgraph("a", "c", "?")
	if join(s.Keys()) != "ac" || s.Edges() != 1 || !s.Connected("a", "c") {
		t.Errorf("subgraph has keys %v and %d edges", s.Keys(), s.Edges())
	}
}

func TestClosure(t *testing.T) {
	t.Parallel()
	g := graph("ab", "bc", "dc", "e", "cb")
	for _, tt := range []struct {
		roots []string
		d     dag.Direction
		want  string
	}{
		{[]string{"a"}, dag.Up, "abc"},
		{[]string{"c"}, dag.Down, "abcd"},
		{[]string{"e", "d", "e"}, dag.Up, "bcde"},
		{[]string{"?"}, dag.Up, ""},
		{nil, dag.Up, ""},
	} {
		if got := join(g.Closure(tt.d, tt.roots...)); got != tt.want {
			t.Errorf("Closure(%v, %v) = %q, want %q", tt.d, tt.roots, got, tt.want)
		}
	}
}

func TestLongest(t *testing.T) {
	t.Parallel()
	weights := map[string]float64{"a": 1, "b": 2, "c": 4, "d": 8, "x": 16}
	got := graph("ba", "ca", "db", "x").Longest(func(k string) float64 { return weights[k] })
	want := map[string]float64{"a": 11, "b": 10, "c": 4, "d": 8, "x": 16}
	for k, w := range want {
		if got[k] != w {
			t.Errorf("Longest()[%s] = %v, want %v", k, got[k], w)
		}
	}
	cyclic := graph("ab", "ba", "bc", "da").Longest(func(string) float64 { return 1 })
	if len(cyclic) != 1 || cyclic["d"] != 1 {
		t.Errorf("with a cycle: %v, want only d, after which nothing waits", cyclic)
	}
}

func join(keys []string) string {
	out := ""
	for _, k := range keys {
		out += k
	}
	return out
}
