package cfnyaml

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/deployer-cli/deployer/internal/python"
)

func parse(t *testing.T, src string) *Node {
	t.Helper()
	n, _, err := Parse([]byte(src))
	if err != nil {
		t.Fatalf("Parse(%q): %v", src, err)
	}
	return n
}

func TestParseErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, src    string
		line, column int
		text         string
	}{
		{"flow", "a: [1,\n b: }", 2, 5, "expected node content"},
		{"mapping", "a: b: c", 1, 5, "mapping values are not allowed"},
		{"tab", "a:\n\tb: 1\n", 2, 1, "use spaces"},
		{"anchor", "a: *y", 1, 4, "unknown anchor 'y'"},
		{"recursion", "x: &a [*a]", 1, 8, "*a stands inside"},
		{"recursion through a merge", "x: &a\n  <<: *a", 2, 7, "*a stands inside"},
		{"zero", "a: 1\nb: \x00", 2, 4, "zero byte"},
		{"utf-16", "\xff\xfea\x00:\x00", 1, 1, "UTF-16"},
		{"latin 1", "a: 1\nb: caf\xe9", 2, 7, "0xe9 is not UTF-8"},
		{"control", "a: 1\nb: \x07", 2, 4, "control characters"},
		{"two documents", "a: 1\n---\nb: 2\n", 2, 1, "second document"},
		{"two documents, far", "--- 1\n...\n\n---\n2\n", 4, 1, "second document"},
		{"key", "[a]: 1", 1, 1, "a key cannot be a list"},
		{"merge", "a: 1\n<<: 3", 2, 5, "<< needs a map"},
		{"merge list", "<<: [{a: 1}, 2]", 1, 5, "<< needs maps"},
		{"int", "a: !!int abc", 1, 4, "no whole number"},
		{"seq", "a: !!seq {}", 1, 4, "does not fit"},
		{"scalar seq", "a: !!map x", 1, 4, "cannot stand on a scalar"},
		{"binary", "a: !!binary '*'", 1, 4, "!!binary"},
		{"deep", strings.Repeat("[", 300) + strings.Repeat("]", 300), 1, 258, "deep"},
		{"broken json", "{\"a\": 1,\n \"b\" 2}", 2, 6, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, _, err := Parse([]byte(tt.src))
			e, ok := errors.AsType[*SyntaxError](err)
			if !ok {
				t.Fatalf("got %v, want a *SyntaxError", err)
			}
			if e.Line != tt.line || e.Column != tt.column || !strings.Contains(e.Error(), tt.text) {
				t.Errorf("got %d:%d %q, want %d:%d with %q", e.Line, e.Column, e.Msg, tt.line, tt.column, tt.text)
			}
		})
	}
}

func TestParsePlaces(t *testing.T) {
	t.Parallel()
	for _, src := range []string{
		"é: 1\nb:\n  - x\n  - {c: !Ref y}\n",
		"{\"é\": 1,\n\"b\":\n\t[\"x\",\n   {\"c\": \"y\"}]}",
	} {
		n := parse(t, src)
		got := [][2]int{}
		for _, m := range []*Node{n.Pairs[0].Value, n.Pairs[1].Key, n.Get("b").Items[0], n.Get("b").Items[1].Get("c")} {
			got = append(got, [2]int{m.Line, m.Column})
		}
		want := [][2]int{{1, 4}, {2, 1}, {3, 5}, {4, 9}}
		if src[0] == '{' {
			want = [][2]int{{1, 7}, {2, 1}, {3, 3}, {4, 10}}
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %v, want %v", src, got, want)
		}
	}
}

func TestParseJSON(t *testing.T) {
	t.Parallel()
	n := parse(t, "\ufeff {\n\t\"a\": \"\\ud83d\\ude00\", \"n\": 1e3, \"i\": -5, \"f\": 1.50, \"t\": true, \"z\": null, \"l\": [\"yes\"], \"l\": [\"no\", 7]}")
	want := map[string]any{"a": "😀", "n": 1000.0, "i": int64(-5), "f": 1.5, "t": true, "z": nil, "l": []any{"no", int64(7)}}
	if got := n.Plain(); !reflect.DeepEqual(got, want) {
		t.Errorf("Plain = %#v", got)
	}
	if got := n.Long(); !reflect.DeepEqual(got, want) {
		t.Errorf("Long = %#v", got)
	}
	if flow := parse(t, "{a: yes, b: [1, 2]} # not JSON"); flow.Get("a").Kind != Bool {
		t.Errorf("flow style: %v", flow.Plain())
	}
}

func TestParseTags(t *testing.T) {
	t.Parallel()
	n := parse(t, "- !stack_output dev/a::B\n- !x {a: 1}\n- !y [1]\n- !empty\n- !q \"5\"\n- !p 5\n- !!str 5\n- !!foo z\n- !<tag:yaml.org,2002:int> 7\n- !sub |\n  one\n  two\n")
	got := []string{}
	for _, i := range n.Items {
		got = append(got, i.Tag+" "+word(i.Kind)+" "+i.Text)
	}
	want := []string{"!stack_output string dev/a::B", "!x map ", "!y list ", "!empty null ", "!q string 5", "!p int 5", " string 5", "!!foo string z", " int 7", "!sub string one\ntwo\n"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestParseWarnings(t *testing.T) {
	t.Parallel()
	tests := []struct {
		src  string
		want int
	}{
		{"a: 1\nb: 1\na: 2", 1},
		{"a: 1\n'a': 2\na: 3", 2},
		{"{\"a\": 1, \"a\": 2}", 1},
		{"x: &x {a: 1}\ny:\n  <<: *x\n  a: 2", 0},
		{"x: &x {a: 1}\ny:\n  <<: *x\n  a: 2\n  a: 3", 1},
		{"yes: 1\ntrue: 2", 0},
	}
	for _, tt := range tests {
		_, warnings, err := Parse([]byte(tt.src))
		if err != nil || len(warnings) != tt.want {
			t.Errorf("%q: %v, %v; want %d warnings", tt.src, warnings, err, tt.want)
		}
	}
	_, warnings, _ := Parse([]byte("a: 1\nb:\n  c: 1\n  c: 2"))
	if w := warnings[0]; w.Line != 4 || w.Column != 3 || !strings.Contains(w.Text, "first in line 3") {
		t.Errorf("warning = %+v", w)
	}
}

func TestAliasesStaySmall(t *testing.T) {
	t.Parallel()
	var laughs strings.Builder
	laughs.WriteString("a0: &a0 [lol, lol]\n")
	for i := 1; i < 40; i++ {
		prev, next := string(rune('a'+(i-1)%26))+strings.Repeat("x", (i-1)/26)+"q", string(rune('a'+i%26))+strings.Repeat("x", i/26)+"q"
		if i == 1 {
			prev = "a0"
		}
		laughs.WriteString(next + ": &" + next + " [*" + prev + ", *" + prev + ", *" + prev + "]\n")
	}
	var deep strings.Builder
	deep.WriteString("- &b0 [x]\n")
	for i := 1; i < 400; i++ {
		deep.WriteString("- &b" + itoa(i) + " [*b" + itoa(i-1) + "]\n")
	}
	var merges strings.Builder
	merges.WriteString("- &m0 {k: [1, 2, 3, 4, 5, 6, 7, 8, 9]}\n")
	for i := 1; i < 40; i++ {
		merges.WriteString("- &m" + itoa(i) + "\n  a: {<<: *m" + itoa(i-1) + "}\n  b: *m" + itoa(i-1) + "\n")
	}
	for name, src := range map[string]string{"expand": laughs.String(), "deep": deep.String(), "expand ": merges.String()} {
		_, _, err := Parse([]byte(src))
		if err == nil || !strings.Contains(err.Error(), strings.TrimSpace(name)) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	many := "base: &b {a: 1, b: [x, y]}\nuses:\n" + strings.Repeat("  - *b\n", 2000)
	if _, _, err := Parse([]byte(many)); err != nil {
		t.Errorf("an honest use of aliases is refused: %v", err)
	}
}

func itoa(i int) string { return python.Float(float64(i))[:len(python.Float(float64(i)))-2] }

func TestLong(t *testing.T) {
	t.Parallel()
	tests := []struct {
		src  string
		want any
	}{
		{"!Ref X", map[string]any{"Ref": "X"}},
		{"!Condition X", map[string]any{"Condition": "X"}},
		{"!GetAtt A.B", map[string]any{"Fn::GetAtt": []any{"A", "B"}}},
		{"!GetAtt A.B.C", map[string]any{"Fn::GetAtt": []any{"A", "B.C"}}},
		{"!GetAtt A", map[string]any{"Fn::GetAtt": "A"}},
		{"!GetAtt [A, B]", map[string]any{"Fn::GetAtt": []any{"A", "B"}}},
		{"!GetAtt [A, !Ref B]", map[string]any{"Fn::GetAtt": []any{"A", map[string]any{"Ref": "B"}}}},
		{"!Sub 'x'", map[string]any{"Fn::Sub": "x"}},
		{"!Ref 012", map[string]any{"Ref": "012"}},
		{"!GetAZs ''", map[string]any{"Fn::GetAZs": ""}},
		{"!GetAZs", map[string]any{"Fn::GetAZs": ""}},
		{"!Join ['', [!Ref A, 1]]", map[string]any{"Fn::Join": []any{"", []any{map[string]any{"Ref": "A"}, int64(1)}}}},
		{"!Transform {Name: x}", map[string]any{"Fn::Transform": map[string]any{"Name": "x"}}},
		{"!!str 5", "5"},
		{"012345670123", "012345670123"},
		{"123456789012", int64(123456789012)},
		{"2012-10-17", "2012-10-17"},
		{"yes", "yes"},
		{"Off", "Off"},
		{"True", true},
		{"FALSE", false},
		{"1:30", "1:30"},
		{"0x1F", "0x1F"},
		{"1_000", "1_000"},
		{"+5", "+5"},
		{"-5", int64(-5)},
		{"010", "010"},
		{"99999999999999999999", "99999999999999999999"},
		{"1.50", 1.5},
		{".5", 0.5},
		{"1.e+3", 1000.0},
		{"01.5", "01.5"},
		{"1_0.5", "1_0.5"},
		{".inf", ".inf"},
		{"1.5e+400", "1.5e+400"},
		{"1e3", "1e3"},
		{"~", nil},
		{"'true'", "true"},
		{"{012: a, yes: b}", map[string]any{"012": "a", "yes": "b"}},
	}
	for _, tt := range tests {
		if got := parse(t, tt.src).Long(); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("Long(%s) = %#v, want %#v", tt.src, got, tt.want)
		}
	}
}

func TestPlainBigNumbers(t *testing.T) {
	t.Parallel()
	got := parse(t, "[12345678901234567890, .inf, -.inf, 2012-10-17]").Plain()
	want := []any{"12345678901234567890", math.Inf(1), math.Inf(-1), "2012-10-17"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %#v", got)
	}
}

func TestCompare(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		old, new string
		want     []Difference
	}{
		{"same", "{a: [1, x]}", "a:\n- 1 # one\n- x\n", nil},
		{"number and string", "{a: 80, b: true, c: 1.0, d: '1.50'}", "{a: '80', b: 'true', c: '1', d: 1.5}", nil},
		{"strings are exact", "a: '080'", "a: '80'", []Difference{{Path: []string{"a"}, Old: "080", New: "80"}}},
		{"kinds", "a: {b: 1}", "a: [1]", []Difference{{Path: []string{"a"}, Old: map[string]any{"b": int64(1)}, New: []any{int64(1)}}}},
		{"null", "a: ~", "a: ''", []Difference{{Path: []string{"a"}, Old: nil, New: ""}}},
		{"added and removed", "{a: 1, b: 2}", "{b: 2, c: 3}", []Difference{{Path: []string{"a"}, Old: int64(1), Removed: true}, {Path: []string{"c"}, New: int64(3), Added: true}}},
		{"lists", "[1, 2, 3]", "[1, 5]", []Difference{{Path: []string{"1"}, Old: int64(2), New: int64(5)}, {Path: []string{"2"}, Old: int64(3), Removed: true}}},
		{"deep", "{a: {b: [{c: 1}, {d: 2}]}}", "{a: {b: [{c: 2}, {d: 3}]}}", []Difference{
			{Path: []string{"a", "b", "0", "c"}, Old: int64(1), New: int64(2)}, {Path: []string{"a", "b", "1", "d"}, Old: int64(2), New: int64(3)},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := Compare(parse(t, tt.old).Long(), parse(t, tt.new).Long()); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

func TestMarshal(t *testing.T) {
	t.Parallel()
	v := map[string]any{
		"b": []any{"yes", "1:30", "012", "plain", "2012-10-17", int64(5), 1.5, 1e20, true, nil, "", "a: b", "# no", "=", "é"},
		"a": map[string]any{"text": "one\ntwo\n", "empty": map[string]any{}, "none": []any{}},
	}
	got, err := Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	want := `a:
  empty: {}
  none: []
  text: |
    one
    two
b:
- "yes"
- "1:30"
- "012"
- plain
- "2012-10-17"
- 5
- 1.5
- 1.0e+20
- true
- null
- ""
- 'a: b'
- '# no'
- "="
- é
`
	if string(got) != want {
		t.Errorf("got\n%s", got)
	}
	js, err := MarshalJSON(map[string]any{"b": "<&>", "a": int64(1)})
	if err != nil || string(js) != "{\n  \"a\": 1,\n  \"b\": \"<&>\"\n}\n" {
		t.Errorf("MarshalJSON = %s, %v", js, err)
	}
	if _, err := Marshal(struct{}{}); err == nil {
		t.Error("Marshal takes a struct")
	}
}

// plainValue draws any plain value.
func plainValue() *rapid.Generator[any] {
	text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[ \n\t:#'"a0-9.\-_eE+~\[\]{}|>&*!%@,?=<]{0,12}`), rapid.SampledFrom([]string{"yes", "010", "1:30", "~", "<<", "=", "a\n\nb ", " a\nb", "a\n", "\n", "a\r\nb", "\u2028x", "x\u0085y", "\ufeff"}))
	scalar := rapid.OneOf(
		rapid.Just[any](nil),
		rapid.Map(rapid.Bool(), func(b bool) any { return b }),
		rapid.Map(rapid.Int64(), func(i int64) any { return i }),
		rapid.Map(rapid.Float64(), func(f float64) any { return f }),
		rapid.Map(text, func(s string) any { return s }),
	)
	level := scalar
	for range 3 {
		inner := level
		level = rapid.OneOf(scalar,
			rapid.Map(rapid.SliceOfN(inner, 0, 4), func(l []any) any { return append([]any{}, l...) }),
			rapid.Map(rapid.MapOfN(text, inner, 0, 4), func(m map[string]any) any { return m }))
	}
	return level
}

func TestMarshalReadsBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		v := plainValue().Draw(t, "value")
		out, err := Marshal(v)
		if err != nil {
			t.Fatalf("Marshal(%#v): %v", v, err)
		}
		n, _, err := Parse(out)
		if err != nil {
			t.Fatalf("Marshal(%#v) =\n%s\nwhich does not parse: %v", v, out, err)
		}
		if got := n.Plain(); !reflect.DeepEqual(got, v) {
			t.Fatalf("Marshal(%#v) =\n%s\nwhich reads as %#v", v, out, got)
		}
	})
}

func TestJSONReadsAsYAML(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		v := plainValue().Draw(t, "value")
		src, err := json.Marshal([]any{v})
		if err != nil {
			t.Skip()
		}
		n, _, err := Parse(src)
		if err != nil {
			t.Fatalf("%s: %v", src, err)
		}
		if d := Compare([]any{v}, n.Plain()); len(d) != 0 {
			t.Fatalf("%s reads as %#v", src, n.Plain())
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"a: 1\nb: !Ref x\n", "{\"a\": [1, 2]}", "- &a [*a]", "<<: {a: 1}", "a: |\n  x\n", "%YAML 1.1\n---\n...", "? - a\n: b", "!!binary aGk=",
		"\ta", "a: \"\\ud83d\"", "[[[[", "{{{{", "- - - -", "a: &b\n  <<: *b", "0x_", "1:30", "#c", "---\n---", "\ufeff", "!<", "a: !!float 1e999999999",
		"key: [a,\n# comment\n]\n# foot\n", "x:\n# c\n  - y\n# d\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		n, _, err := Parse(src)
		if err != nil {
			if _, ok := errors.AsType[*SyntaxError](err); !ok {
				t.Fatalf("error is a %T", err)
			}
			return
		}
		if n == nil || n.Line < 1 || n.Column < 1 {
			t.Fatalf("root = %+v", n)
		}
		v := n.Plain()
		n.Long()
		if d := Compare(v, v); len(d) != 0 && !strings.Contains(string(src), "nan") && !strings.Contains(string(src), "NaN") && !strings.Contains(string(src), "NAN") {
			t.Fatalf("a value differs from itself: %+v", d)
		}
		out, err := Marshal(v)
		if err != nil {
			return
		}
		if _, _, err := Parse(out); err != nil && utf8.Valid(out) {
			t.Fatalf("Marshal(%#v) =\n%s\nwhich does not parse: %v", v, out, err)
		}
	})
}
