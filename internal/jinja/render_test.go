package jinja

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

func dictOf(pairs ...any) *Dict {
	d := NewDict()
	for i := 0; i < len(pairs); i += 2 {
		d.Set(pairs[i].(string), FromGo(pairs[i+1]))
	}
	return d
}

func mustRender(t *testing.T, source string, vars *Dict) string {
	t.Helper()
	out, err := New(Options{}).Render("t", source, vars)
	if err != nil {
		t.Fatalf("%s: %v", source, err)
	}
	return out
}

func asError(t *testing.T, err error) *Error {
	t.Helper()
	e, ok := errors.AsType[*Error](err)
	if !ok {
		t.Fatalf("got %v, want an *Error", err)
	}
	return e
}

func TestErrorPositions(t *testing.T) {
	t.Parallel()
	files := fileLoader{"inc.j2": "\n  {{ d.zap }}", "bad.j2": "a\n{% if %}", "lib.j2": "{% macro m() %}\n{{ 1 / 0 }}{% endmacro %}"}
	for _, tc := range []struct{ source, want string }{
		{"a\n  {{ nope }}", "t:2:6: 'nope' is undefined"},
		{"größe {{ nope.x }}", "t:1:14: 'nope' is undefined"},
		{"{{ d.zap }}", "t:1:4: 'dict object' has no attribute 'zap'"},
		{"{{ 1 +\n 'a' }}", "t:1:6: unsupported operand type(s) for +: 'int' and 'str'"},
		{"x {% if %}", "t:1:9: Expected an expression, got 'end of statement block'"},
		{"\r\n\r\n{{ a b }}", "t:3:6: expected token 'end of print statement', got 'b'"},
		{"{% include 'inc.j2' %}", "inc.j2:2:6: 'dict object' has no attribute 'zap'"},
		{"{% include 'bad.j2' %}", "bad.j2:2:7: Expected an expression, got 'end of statement block'"},
		{"{% import 'lib.j2' as l %}\n\n{{ l.m() }}", "lib.j2:2:6: division by zero"},
		{"\n{% include 'gone' %}", "t:2:4: cannot load 'gone': file does not exist"},
		{"{{ 9223372036854775807 + 1 }}", "t:1:24: integer overflow: 9223372036854775807 + 1 does not fit 64 bits"},
		{"{{ 99999999999999999999 }}", "t:1:4: integer 99999999999999999999 is too large, the limit is 64 bits"},
	} {
		_, err := New(Options{Loader: files}).Render("t", tc.source, dictOf("d", map[string]any{}))
		if err == nil || err.Error() != tc.want {
			t.Errorf("%q:\n got %v\nwant %s", tc.source, err, tc.want)
		}
	}
}

func TestLoaderErrorIsKept(t *testing.T) {
	t.Parallel()
	_, err := New(Options{Loader: fileLoader{}}).Render("t", "{% include 'x' %}", nil)
	if e := asError(t, err); e.Kind != KindNotFound || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got kind %d, %v", e.Kind, err)
	}
	if _, err = New(Options{}).Render("t", "{% include 'x' %}", nil); asError(t, err).Kind != KindNotFound {
		t.Errorf("without loader: %v", err)
	}
}

// A loader that fails for another reason than a missing file must not be
// taken for "ignore missing".
type brokenLoader struct{}

func (brokenLoader) Load(string) (string, error) { return "", fs.ErrPermission }

func TestIgnoreMissingIgnoresOnlyMissing(t *testing.T) {
	t.Parallel()
	_, err := New(Options{Loader: brokenLoader{}}).Render("t", "{% include 'x' ignore missing %}", nil)
	if !errors.Is(err, fs.ErrPermission) {
		t.Errorf("got %v", err)
	}
}

func TestVarsAreNotChanged(t *testing.T) {
	t.Parallel()
	vars := dictOf("l", []any{int64(1)}, "d", map[string]any{"k": "v"})
	out := mustRender(t, "{% do l.append(2) %}{% do d.update(x=1) %}{% set d2 = d %}{{ l }}{{ d2 }}", vars)
	if out != "[1, 2]{'k': 'v', 'x': 1}" {
		t.Errorf("got %s", out)
	}
	if again := mustRender(t, "{{ l }}{{ d }}", vars); again != "[1]{'k': 'v'}" {
		t.Errorf("the variables were changed: %s", again)
	}
}

func TestLate(t *testing.T) {
	t.Parallel()
	vars := dictOf("n", int64(1))
	vars.Set("late", Late{"vpc-1"})
	vars.Set("in", &List{Items: []any{Late{"a"}, "b"}})
	for _, tc := range []struct {
		source, want string
		used         bool
	}{
		{"{{ n }}", "1", false},
		{"{{ late }}", "vpc-1", true},
		{"{{ late is defined }}", "True", false},
		{"{{ late is string }}{{ late is none }}", "TrueFalse", false},
		{"{% set x = late|default('q') %}{% set l = [x] %}{% do l.append(late) %}{{ l|length }}", "2", false},
		{"{{ late|default('') }}", "vpc-1", true},
		{"{{ late|upper }}", "VPC-1", true},
		{"{{ late.split('-')[1] }}", "1", true},
		{"{{ 'a' ~ late }}{{ late + 'b' }}", "avpc-1vpc-1b", true},
		{"{% if late %}y{% endif %}", "y", true},
		{"{{ late == 'vpc-1' }}", "True", true},
		{"{{ in }}", "['a', 'b']", true},
		{"{{ in[1] }}", "b", false},
		{"{{ in|join(',') }}", "a,b", true},
		{"{{ {late: 1} }}", "{'vpc-1': 1}", true},
		{"{{ '%s' % late }}{{ '{}'.format(late) }}", "vpc-1vpc-1", true},
		{"{{ in|tojson }}", `["a", "b"]`, true},
		{"{{ late[0] }}{{ late[1:3] }}", "vpc", true},
		{"{% macro m(x) %}{{ n }}{% endmacro %}{{ m(late) }}", "1", false},
		{"{% for x in in %}{{ loop.index }}{% endfor %}", "12", false},
		{"{{ 'vpc' in late }}{{ late in ['vpc-1'] }}", "TrueTrue", true},
		{"{{ {'vpc-1': 2}[late] }}{{ n if late is defined else late }}", "21", true},
		{"{{ late|length }}", "5", true},
	} {
		out, used, err := New(Options{}).RenderNoting("t", tc.source, vars)
		if err != nil || out != tc.want || used != tc.used {
			t.Errorf("%s: got %q used=%v, %v; want %q used=%v", tc.source, out, used, err, tc.want, tc.used)
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	e := New(Options{Loader: fileLoader{"i": "{% do big.update(x=1) %}{{ big|length }}"}})
	big := NewDict()
	for i := range 50 {
		big.Set(fmt.Sprint(i), int64(i))
	}
	vars := dictOf("big", big)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for i := range 50 {
				out, err := e.Render("t", fmt.Sprintf("{%% include 'i' %%}{{ %d }}", i%5), vars)
				if want := fmt.Sprint("51", i%5); err != nil || out != want {
					t.Errorf("got %q, %v, want %q", out, err, want)
				}
			}
		})
	}
	wg.Wait()
}

func TestRandomIsGiven(t *testing.T) {
	t.Parallel()
	e := New(Options{Rand: func(n int) int { return n - 1 }})
	if out, err := e.Render("t", "{{ 'abc'|random }}", nil); out != "c" || err != nil {
		t.Errorf("got %q, %v", out, err)
	}
}

func TestTextWithoutTagsIsKept(t *testing.T) {
	t.Parallel()
	keep, drop := New(Options{KeepTrailingNewline: true}), New(Options{})
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`([^{\r]|\{ )*`).Draw(t, "text")
		out, err := keep.Render("t", text, nil)
		if err != nil || out != text {
			t.Fatalf("got %q, %v, want %q", out, err, text)
		}
		out, err = drop.Render("t", text, nil)
		if err != nil || out != strings.TrimSuffix(text, "\n") {
			t.Fatalf("got %q, %v, want %q", out, err, text)
		}
		// The evaluator must agree with the short way for plain text.
		out, err = keep.Render("t", text+"{# #}", nil)
		if err != nil || out != text {
			t.Fatalf("with a comment: got %q, %v, want %q", out, err, text)
		}
	})
}

func TestQuotedTextComesBack(t *testing.T) {
	t.Parallel()
	e := New(Options{})
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[^\r]*`).Draw(t, "text")
		out, err := e.Render("t", "{{ "+reprString(text)+" }}", nil)
		if err != nil || out != text {
			t.Fatalf("got %q, %v, want %q", out, err, text)
		}
	})
}

// Python promises a == (a // b) * b + a % b, with a rest of b's sign.
func TestDivisionFitsTogether(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.Int64().Draw(t, "a"), rapid.Int64().Filter(func(b int64) bool { return b != 0 }).Draw(t, "b")
		quotient, err := intArithmetic("//", a, b)
		if err != nil {
			t.Skip("overflow")
		}
		rest, _ := intArithmetic("%", a, b)
		q, m := quotient.(int64), rest.(int64)
		if q*b+m != a || m != 0 && (m < 0) != (b < 0) {
			t.Fatalf("%d // %d = %d rest %d", a, b, q, m)
		}
	})
}

func TestDict(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d, model := NewDict(), map[string]int{}
		var order []string
		for i, key := range rapid.SliceOfN(rapid.StringMatching(`[a-z]{1,2}`), 0, 60).Draw(t, "keys") {
			if i%4 == 3 {
				d.Delete(key)
				delete(model, key)
				order = without(order, key)
				continue
			}
			if _, old := model[key]; !old {
				order = append(order, key)
			}
			d.Set(key, i)
			model[key] = i
		}
		if d.Len() != len(model) || fmt.Sprint(d.Keys()) != fmt.Sprint(order) {
			t.Fatalf("keys %v, want %v", d.Keys(), order)
		}
		for key, want := range model {
			if got, ok := d.Get(key); !ok || got != want {
				t.Fatalf("%s: got %v, want %d", key, got, want)
			}
		}
		if _, ok := d.Get("none"); ok {
			t.Fatal("found a key that is not there")
		}
	})
}

func without(keys []string, key string) []string {
	var out []string
	for _, k := range keys {
		if k != key {
			out = append(out, k)
		}
	}
	return out
}

func TestDictKeysAreEqualAsInPython(t *testing.T) {
	t.Parallel()
	d := NewDict()
	for _, key := range []any{int64(1), 1.0, true, "1", nil, Tuple{int64(1), "a"}, Tuple{"1a"}} {
		if err := d.SetKey(key, key); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := fmt.Sprint(d.Keys()), "[1 1 None (1, 'a') ('1a')]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if err := d.SetKey(&List{}, 1); err == nil {
		t.Error("a list was taken as a key")
	}
	var none *Dict
	if none.Len() != 0 || len(none.Keys()) != 0 {
		t.Error("a nil Dict is not empty")
	}
}

type region string

func TestFromGo(t *testing.T) {
	t.Parallel()
	in := map[string]any{
		"b": []any{1, uint8(2), 2.5, nil, true}, "a": map[string]string{"y": "1", "x": "2"},
		"c": region("eu"), "d": []string{"p"}, "e": float32(0.5), "f": struct{}{},
	}
	out := mustRender(t, "{{ v }}", dictOf("v", in))
	want := "{'a': {'x': '2', 'y': '1'}, 'b': [1, 2, 2.5, None, True], 'c': 'eu', 'd': ['p'], 'e': 0.5, 'f': '{}'}"
	if out != want {
		t.Errorf("\n got %s\nwant %s", out, want)
	}
	back := ToGo(FromGo(map[string]any{"l": []any{int64(1), Tuple{"a"}}}))
	if got := fmt.Sprint(back); got != "map[l:[1 [a]]]" {
		t.Errorf("ToGo: got %s", got)
	}
}

func TestWithSettings(t *testing.T) {
	t.Parallel()
	base := Options{TrimBlocks: true}
	opts, err := base.WithSettings(map[string]any{
		"lstrip_blocks": true, "variable_start_string": "[[", "variable_end_string": "]]",
		"extensions": []any{"jinja2.ext.do"}, "autoescape": false,
	})
	if err != nil || !opts.TrimBlocks || !opts.LstripBlocks || base.LstripBlocks {
		t.Fatalf("got %+v, %v", opts, err)
	}
	if out, err := New(opts).Render("t", "[[ 1 ]]{{ 2 }}", nil); out != "1{{ 2 }}" || err != nil {
		t.Errorf("got %q, %v", out, err)
	}
	for _, bad := range []map[string]any{
		{"trim_blocks": "yes"},
		{"nonsense": 1},
		{"autoescape": true},
		{"block_start_string": ""},
		{"block_start_string": "{{"},
		{"newline_sequence": "x"},
		{"extensions": []any{"jinja2.ext.i18n"}},
		{"extensions": "jinja2.ext.do"},
		{"line_statement_prefix": "#"},
	} {
		if _, err := (Options{}).WithSettings(bad); err == nil {
			t.Errorf("%v was accepted", bad)
		}
	}
	if _, err := New(Options{BlockStart: "{{"}).Render("t", "{{ 1 }}", nil); asError(t, err).Kind != KindSyntax {
		t.Errorf("equal delimiters: %v", err)
	}
}

func TestCheckDoesNotRender(t *testing.T) {
	t.Parallel()
	e := New(Options{})
	if err := e.Check("t", "{{ nope }}"); err != nil {
		t.Error(err)
	}
	if asError(t, e.Check("t", "{{ ")).Kind != KindSyntax {
		t.Error("not refused")
	}
}

// TestCharacterOutOfRange: a number that is no character used to be cut to one.
func TestCharacterOutOfRange(t *testing.T) {
	t.Parallel()
	for _, n := range []string{"-1", "1114112", "4294967361"} {
		if out, err := New(Options{}).Render("t", `{{ "{:c}".format(`+n+`) }}`, nil); err == nil {
			t.Errorf("%s became %q", n, out)
		}
	}
}
