// Package jinja evaluates Jinja2 templates the way Jinja2 3.1 does with
// StrictUndefined: same syntax, scoping, Python value rules, filters and
// tests, so that existing configuration renders to the same bytes.
//
// It never escapes HTML, never runs code given by a template, never reads
// files (a Loader hands it the texts), and never hangs: nesting, steps and
// output have limits, and passing one is an *Error like any other.
//
// It differs from Jinja2 on purpose in these points. Whole numbers have 64
// bits, and a result that does not fit is an error. What Jinja2 computes
// only when it is read (map, select, batch and such) is computed at once, so
// its errors come at once. Nothing remembers that a text was escaped: escape
// and tojson answer plain texts. Attributes with underscores on both sides,
// bytes, the filter urlize and the function lipsum do not exist. A variable
// that is only assigned further down still has the caller's value above.
//
// A source is cut into tokens (lexer), made into a tree of nodes (parser),
// and every node knows how to evaluate itself in a scope. Values are nil,
// bool, int64, float64, string, *List, Tuple, *Dict and a few internal ones.
package jinja
