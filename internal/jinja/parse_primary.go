package jinja

import (
	"strconv"
	"strings"
)

// tupleRules say where a tuple without brackets may stand and end.
type tupleRules struct {
	end         string // a word that ends it, beside the end of tag or bracket
	noCondition bool   // "if" does not belong to it
	names       bool   // only names and literals, as in what is assigned to
	namespace   bool   // with names: also "name.attribute"
	parens      bool   // in brackets, where it may be empty
}

// tuple reads an expression, or several with commas as a tuple.
func (p *parser) tuple(rules tupleRules) expr {
	p.enter()
	defer p.leave()
	var items []expr
	isTuple := false
	at := p.cur().pos
	for p.err == nil {
		if len(items) > 0 {
			p.expectOp(",")
		}
		if p.tupleEnds(rules) {
			break
		}
		items = append(items, p.tupleItem(rules))
		if !p.cur().isOp(",") {
			break
		}
		isTuple = true
	}
	if !isTuple {
		if len(items) > 0 {
			return items[0]
		}
		if !rules.parens {
			p.fail(p.cur().pos, "Expected an expression, got %s", reprString(p.cur().describe()))
		}
	}
	return &tupleExpr{node{at}, items}
}

func (p *parser) tupleEnds(rules tupleRules) bool {
	cur := p.cur()
	return cur.kind == tokVariableEnd || cur.kind == tokBlockEnd || cur.isOp(")") ||
		rules.end != "" && cur.isName(rules.end)
}

func (p *parser) tupleItem(rules tupleRules) expr {
	switch {
	case rules.names:
		return p.simple(rules.namespace)
	case rules.noCondition:
		return p.or()
	}
	return p.expression()
}

// simple reads a name or literal to assign to.
func (p *parser) simple(namespace bool) expr {
	cur := p.cur()
	if cur.kind != tokName || isConstant(cur.text) {
		return p.primary()
	}
	p.next()
	x := &nameExpr{node{cur.pos}, cur.text}
	if namespace && p.skipOp(".") {
		return &attrExpr{node{cur.pos}, x, p.expectName()}
	}
	return x
}

func (p *parser) primary() expr {
	cur := p.cur()
	switch {
	case cur.kind == tokName:
		p.next()
		return p.named(cur)
	case cur.kind == tokString:
		return p.text()
	case cur.kind == tokInteger:
		p.next()
		return p.integer(cur)
	case cur.kind == tokFloat:
		p.next()
		f, _ := strconv.ParseFloat(cur.text, 64) // too large is infinite, as in Python
		return &constExpr{f}
	case p.skipOp("("):
		x := p.tuple(tupleRules{parens: true})
		p.expectOp(")")
		return x
	case cur.isOp("["):
		return p.list()
	case cur.isOp("{"):
		return p.dict()
	}
	p.fail(cur.pos, "unexpected %s", reprString(cur.describe()))
	return &constExpr{}
}

// text reads a string literal; several in a row are one.
func (p *parser) text() expr {
	first := p.next().text
	if p.cur().kind != tokString {
		return &constExpr{first}
	}
	parts := []string{first}
	for p.cur().kind == tokString {
		parts = append(parts, p.next().text)
	}
	return &constExpr{strings.Join(parts, "")}
}

func (p *parser) named(cur token) expr {
	switch cur.text {
	case "true", "True":
		return &constExpr{true}
	case "false", "False":
		return &constExpr{false}
	case "none", "None":
		return &constExpr{nil}
	}
	p.mention(cur.text)
	return &nameExpr{node{cur.pos}, cur.text}
}

// mention notes the use of names that cost something to provide.
func (p *parser) mention(name string) {
	if name == "loop" {
		for _, f := range p.loops {
			f.usesLoop = true
		}
	}
	for _, m := range p.macros {
		switch name {
		case "varargs":
			m.varargs = true
		case "kwargs":
			m.kwargs = true
		case "caller":
			m.caller = true
		}
	}
}

func (p *parser) integer(t token) expr {
	text, base := t.text, 10
	if len(text) > 2 && text[0] == '0' && (text[1]|0x20) >= 'a' {
		base = map[byte]int{'x': 16, 'o': 8, 'b': 2}[text[1]|0x20]
		text = text[2:]
	}
	n, err := strconv.ParseInt(text, base, 64)
	if err != nil {
		p.fail(t.pos, "integer %s is too large, the limit is 64 bits", t.text)
	}
	return &constExpr{n}
}

func (p *parser) list() expr {
	l := &listExpr{node: node{p.next().pos}}
	for !p.cur().isOp("]") && p.err == nil {
		if len(l.items) > 0 {
			p.expectOp(",")
			if p.cur().isOp("]") {
				break
			}
		}
		l.items = append(l.items, p.expression())
	}
	p.expectOp("]")
	return l
}

func (p *parser) dict() expr {
	d := &dictExpr{node: node{p.next().pos}}
	for !p.cur().isOp("}") && p.err == nil {
		if len(d.keys) > 0 {
			p.expectOp(",")
			if p.cur().isOp("}") {
				break
			}
		}
		d.keys = append(d.keys, p.expression())
		p.expectOp(":")
		d.values = append(d.values, p.expression())
	}
	p.expectOp("}")
	return d
}

// filter reads a filter's name and arguments, applied to x.
func (p *parser) filter(x expr) *filterExpr {
	f := &filterExpr{node: node{p.cur().pos}, x: x}
	f.name = p.dottedName()
	if p.cur().isOp("(") {
		f.args = p.arguments()
	}
	if f.fn = p.env.known.filters[f.name]; f.fn == nil && !p.soft {
		p.unknown = append(p.unknown, unknownName{f.pos, "filter", f.name})
	}
	return f
}

// filterList reads the filters of a set or filter block; inline means that
// the first one has no bar before it.
func (p *parser) filterList(inline bool) []*filterExpr {
	var list []*filterExpr
	for p.err == nil && (inline || p.skipOp("|")) {
		list = append(list, p.filter(nil))
		inline = false
	}
	return list
}

func (p *parser) dottedName() string {
	parts := []string{p.expectName()}
	for p.skipOp(".") {
		parts = append(parts, p.expectName())
	}
	return strings.Join(parts, ".")
}

func (p *parser) test(x expr) expr {
	at := p.next().pos
	negated := p.skipName("not")
	t := &testExpr{node: node{at}, x: x}
	nameAt := p.cur().pos
	t.name = p.dottedName()
	switch cur := p.cur(); {
	case cur.isOp("("):
		t.args = p.arguments()
	case p.startsTestArgument(cur):
		if cur.isName("is") {
			p.fail(cur.pos, "You cannot chain multiple tests with is")
		}
		t.args.pos = []expr{p.postfix(p.primary())}
	}
	if t.fn = p.env.known.tests[t.name]; t.fn == nil && !p.soft {
		p.unknown = append(p.unknown, unknownName{nameAt, "test", t.name})
	}
	if negated {
		return &unaryExpr{node{at}, "not", t}
	}
	return t
}

// startsTestArgument tells whether a test's single argument follows without
// brackets.
func (p *parser) startsTestArgument(cur token) bool {
	switch cur.kind {
	case tokName:
		return cur.text != "else" && cur.text != "or" && cur.text != "and"
	case tokString, tokInteger, tokFloat:
		return true
	default:
		return cur.isOp("[") || cur.isOp("{")
	}
}
