package jinja

import (
	"strings"
	"testing"
	"time"
)

// Templates that would run, grow or nest without end. Each must give a
// limit error, and soon.
func TestLimits(t *testing.T) {
	t.Parallel()
	nest := func(open, middle, end string, n int) string {
		return strings.Repeat(open, n) + middle + strings.Repeat(end, n)
	}
	files := fileLoader{
		"self":  "{% include 'self' %}",
		"a":     "{% include 'b' %}",
		"b":     "{% include 'a' %}",
		"ext":   "{% extends 'ext' %}",
		"imp":   "{% import 'imp' as x %}",
		"block": "{% block x %}{{ self.x() }}{% endblock %}",
	}
	for name, source := range map[string]string{
		"self include":      "{% include 'self' %}",
		"mutual include":    "{% include 'a' %}",
		"self extends":      "{% extends 'ext' %}",
		"self import":       "{% import 'imp' as x %}",
		"self block":        "{% include 'block' %}",
		"macro recursion":   "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
		"deep macro":        "{% macro m(n) %}" + nest("(", "m(n)", ")", 150) + "{{ m(1) }}{% endmacro %}{{ m(1) }}",
		"recursive loop":    "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
		"brackets":          "{{ " + nest("(", "1", ")", 100_000) + " }}",
		"lists":             "{{ " + nest("[", "", "]", 100_000) + " }}",
		"dicts":             "{{ " + nest("{1:", "1", "}", 100_000) + " }}",
		"minus":             "{{ " + strings.Repeat("- ", 100_000) + "1 }}",
		"not":               "{{ " + strings.Repeat("not ", 100_000) + "1 }}",
		"if else":           "{{ " + strings.Repeat("1 if 0 else ", 100_000) + "1 }}",
		"calls":             "{{ x" + strings.Repeat("(1", 100_000) + strings.Repeat(")", 100_000) + " }}",
		"long sum":          "{{ 1" + strings.Repeat("+1", 200_000) + " }}",
		"long filters":      "{{ 1" + strings.Repeat("|string", 100_000) + " }}",
		"blocks":            nest("{% if 1 %}", "x", "{% endif %}", 10_000),
		"assign targets":    "{% for " + nest("(", "a", ",)", 10_000) + " in [] %}{% endfor %}",
		"endless loop":      "{% for a in range(10**15) %}{% endfor %}",
		"endless list":      "{% set l = [1] %}{% for a in l %}{% do l.append(1) %}{% endfor %}",
		"nested loops":      nest("{% for a in range(1000) %}", "x", "{% endfor %}", 4),
		"range as list":     "{{ range(10**12)|list }}",
		"range length":      "{{ range(10**12)|batch(2)|list }}",
		"loop length":       "{% for a in range(10**12) if true %}{{ loop.length }}{% endfor %}",
		"text times":        "{{ 'x' * 10**10 }}",
		"list times":        "{{ [1] * 10**10 }}",
		"doubling":          "{% set ns = namespace(s='xx') %}{% for i in range(100) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
		"doubling list":     "{% set ns = namespace(s=[1]) %}{% for i in range(100) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
		"doubling by ~":     "{% set ns = namespace(s='xx') %}{% for i in range(100) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
		"doubling replace":  "{% set ns = namespace(s='xx') %}{% for i in range(100) %}{% set ns.s = ns.s.replace('x', 'xx') %}{% endfor %}",
		"shared lists":      "{% set ns = namespace(s=[1]) %}{% for i in range(100) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s }}",
		"shared equal":      "{% set ns = namespace(a=[1], b=[1]) %}{% for i in range(100) %}{% set ns.a = [ns.a, ns.a] %}{% set ns.b = [ns.b, ns.b] %}{% endfor %}{{ ns.a == ns.b }}",
		"shared json":       "{% set ns = namespace(s=[1]) %}{% for i in range(100) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s|tojson }}",
		"shared pprint":     "{% set ns = namespace(s=[1]) %}{% for i in range(100) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s|pprint }}",
		"shared key":        "{% set ns = namespace(s=(1,)) %}{% for i in range(100) %}{% set ns.s = (ns.s, ns.s) %}{% endfor %}{{ {ns.s: 1} }}",
		"list in itself":    "{% set l = [] %}{% do l.append(l) %}{{ l }}",
		"list equal itself": "{% set l = [] %}{% do l.append(l) %}{% set k = [] %}{% do k.append(k) %}{{ l == k }}",
		"json of itself":    "{% set l = [] %}{% do l.append(l) %}{{ l|tojson }}",
		"width":             "{{ '%1000000000d' % 1 }}",
		"brace width":       "{{ '{:1000000000}'.format(1) }}",
		"brace precision":   "{{ '{:.1000000000f}'.format(1.5) }}",
		"star width":        "{{ '%*d' % (10**9, 1) }}",
		"center":            "{{ 'a'.center(10**10) }}",
		"ljust":             "{{ 'a'.ljust(10**10) }}",
		"center filter":     "{{ 'a'|center(10**9) }}",
		"indent":            "{{ 'a\nb'|indent(10**9) }}",
		"tojson indent":     "{{ [[1]]|tojson(10**9) }}",
		"expandtabs":        "{{ '\t'.expandtabs(10**9) }}",
		"zfill":             "{{ '1'.zfill(10**9) }}",
		"batch fill":        "{{ [1]|batch(10**9, 'x')|list }}",
		"slice count":       "{{ [1]|slice(10**9)|list }}",
		"join":              "{{ range(1000000)|join('x' * 1000) }}",
		"output":            "{% for a in range(1000000) %}" + strings.Repeat("x", 100) + "{% endfor %}",
		"many named":        "{% set d = {} %}{% for i in range(5000) %}{% do d.update({'k%d' % i: 1}) %}{% endfor %}{{ dict(**d)|length }}",
		"missing includes":  "{% for i in range(10**9) %}{% include 'gone' ignore missing %}{% endfor %}",
		"compare texts":     "{% set a = 'x' * 1000000 %}{% set b = 'x' * 1000000 %}{% for i in range(10**9) %}{% if a == b and a <= b %}{% endif %}{% endfor %}",
		"index text":        "{% set a = 'x' * 1000000 %}{% for i in range(10**9) %}{% set x = a[i] %}{% endfor %}",
		"strip text":        "{% set a = ' ' * 1000000 %}{% for i in range(10**9) %}{% set x = a.strip() %}{% endfor %}",
		"wrap":              "{{ ('-' * 1000000)|wordwrap(2) }}{% for i in range(10**9) %}{% set x = ('ab ' * 10000)|wordwrap(1) %}{% endfor %}",
		"dict pops":         "{% set d = {}.fromkeys(range(100000)) %}{% for i in range(100000) %}{% set x = d.pop(i) %}{% endfor %}",
		"huge source":       strings.Repeat("x", 17<<20),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			start := time.Now()
			_, err := New(Options{Loader: files, Limits: Limits{Steps: 1_000_000}}).Render("t", source, nil)
			if e := asError(t, err); e.Kind != KindLimit {
				t.Errorf("got %.300v", err)
			}
			if spent := time.Since(start); spent > 20*time.Second {
				t.Errorf("took %v", spent)
			}
		})
	}
}

// What is allowed must not be caught by the limits.
func TestWithinLimits(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ source, want string }{
		"brackets":        {"{{ " + strings.Repeat("(", 90) + "1" + strings.Repeat(")", 90) + " }}", "1"},
		"sum":             {"{{ 1" + strings.Repeat("+1", 1000) + " }}", "1001"},
		"concatenation":   {"{{ 1" + strings.Repeat("~1", 20000) + " }}", strings.Repeat("1", 20001)},
		"macro recursion": {"{% macro m(n) %}{{ n }}{% if n %}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(100)|length }}", "193"},
		"loop":            {"{% for i in range(100000) %}{% if loop.last %}{{ i }}{% endif %}{% endfor %}", "99999"},
		"elif":            {"{% if 0 %}" + strings.Repeat("{% elif 0 %}", 1000) + "{% else %}x{% endif %}", "x"},
		"blocks":          {strings.Repeat("{% if 1 %}", 100) + "x" + strings.Repeat("{% endif %}", 100), "x"},
	} {
		if got := mustRender(t, tc.source, nil); got != tc.want {
			t.Errorf("%s: got %.100q, want %.100q", name, got, tc.want)
		}
	}
}

// Sources that once took quadratic time to read. On a busy machine, or under the
// race detector, much of the source may take long; then it is compared with little.
func TestReadingIsLinear(t *testing.T) {
	t.Parallel()
	const n = 50_000
	for name, source := range map[string]string{
		"only comments":   strings.Repeat("{# #}", n),
		"only prints":     strings.Repeat("{{1}}", n),
		"open raw":        "{% raw %}" + strings.Repeat("{% ", n),
		"numbers":         "{{ " + strings.Repeat("1-", n) + "1 }}",
		"texts":           "{{ " + strings.Repeat("'a' ", n) + "}}",
		"unknown filters": "{{ 1" + strings.Repeat("|x", n) + " }}",
		"open brackets":   strings.Repeat("{{ (", n),
		"many blocks":     "{% set a = 1 %}" + strings.Repeat("{% set b = a %}", n),
	} {
		reading := func(source string) time.Duration {
			start := time.Now()
			_, _ = New(Options{}).Render("t", source, nil)
			return time.Since(start)
		}
		if all := reading(source); all > 5*time.Second {
			if tenth := reading(source[:len(source)/10]); all > 40*tenth {
				t.Errorf("%s: %v, a tenth of it %v", name, all, tenth)
			}
		}
	}
}

func TestLimitsCanBeSet(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		limits Limits
		source string
	}{
		{Limits{Output: 10}, "{{ 'x' * 11 }}"},
		{Limits{Output: 20}, "{{ 'x' * 11 }}{{ 1 }}"},
		{Limits{Steps: 50}, "{% for i in range(100) %}{% endfor %}"},
		{Limits{Depth: 3}, "{% macro m(n) %}{{ m(n - 1) if n }}{% endmacro %}{{ m(5) }}"},
	} {
		_, err := New(Options{Limits: tc.limits}).Render("t", tc.source, nil)
		if err == nil || asError(t, err).Kind != KindLimit {
			t.Errorf("%+v %s: got %v", tc.limits, tc.source, err)
		}
	}
}
