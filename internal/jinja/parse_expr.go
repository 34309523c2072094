package jinja

import "slices"

// expression reads one expression without a comma.
func (p *parser) expression() expr {
	p.enter()
	defer p.leave()
	return p.condition()
}

// condition reads "a if b else c" and all that binds tighter.
func (p *parser) condition() expr {
	at, soft, unknown := p.cur().pos, p.soft, len(p.unknown)
	x := p.or()
	for p.skipName("if") {
		p.unknown = p.unknown[:unknown]
		p.soft = true
		c := &condExpr{node: node{at}, yes: x, test: p.or()}
		if p.skipName("else") {
			p.enter()
			c.no = p.condition()
			p.leave()
		}
		p.soft = soft
		x = c
	}
	return x
}

func (p *parser) or() expr {
	x := p.and()
	for p.cur().isName("or") {
		at := p.next().pos
		x = &logicExpr{node{at}, false, x, p.and()}
	}
	return x
}

func (p *parser) and() expr {
	x := p.not()
	for p.cur().isName("and") {
		at := p.next().pos
		x = &logicExpr{node{at}, true, x, p.not()}
	}
	return x
}

func (p *parser) not() expr {
	if !p.cur().isName("not") {
		return p.compare()
	}
	at := p.next().pos
	p.enter()
	defer p.leave()
	return &unaryExpr{node{at}, "not", p.not()}
}

func (p *parser) compare() expr {
	at := p.cur().pos
	first := p.sum()
	c := &compareExpr{node: node{at}, first: first}
	for {
		op := p.compareOperator()
		if op == "" {
			break
		}
		c.ops, c.rest = append(c.ops, op), append(c.rest, p.sum())
	}
	if len(c.ops) == 0 {
		return first
	}
	return c
}

// compareOperator reads a comparison operator, or nothing.
func (p *parser) compareOperator() string {
	cur := p.cur()
	switch {
	case cur.kind == tokOperator:
		if slices.Contains([]string{"==", "!=", "<", "<=", ">", ">="}, cur.text) {
			return p.next().text
		}
	case cur.isName("in"):
		return p.next().text
	case cur.isName("not") && p.look().isName("in"):
		p.next()
		p.next()
		return "not in"
	}
	return ""
}

// binary reads a chain of operators of equal rank, from the left.
func (p *parser) binary(operand func() expr, ops ...string) expr {
	x := operand()
	for p.cur().kind == tokOperator && slices.Contains(ops, p.cur().text) {
		op := p.next()
		x = &binaryExpr{node{op.pos}, op.text, x, operand()}
	}
	return x
}

func (p *parser) sum() expr     { return p.binary(p.concat, "+", "-") }
func (p *parser) product() expr { return p.binary(p.power, "*", "/", "//", "%") }
func (p *parser) power() expr   { return p.binary(p.filtered, "**") }

func (p *parser) concat() expr {
	at := p.cur().pos
	items := []expr{p.product()}
	for p.skipOp("~") {
		items = append(items, p.product())
	}
	if len(items) == 1 {
		return items[0]
	}
	return &concatExpr{node{at}, items}
}

// filtered reads a signed operand with its filters and tests, which apply
// to the operand with its sign.
func (p *parser) filtered() expr {
	x := p.unary()
	for p.err == nil {
		switch cur := p.cur(); {
		case cur.isOp("|"):
			p.next()
			x = p.filter(x)
		case cur.isName("is"):
			x = p.test(x)
		case cur.isOp("("):
			x = p.call(x)
		default:
			return x
		}
	}
	return x
}

func (p *parser) unary() expr {
	cur := p.cur()
	if !cur.isOp("-") && !cur.isOp("+") {
		return p.postfix(p.primary())
	}
	p.next()
	p.enter()
	defer p.leave()
	return p.postfix(&unaryExpr{node{cur.pos}, cur.text, p.unary()})
}

func (p *parser) postfix(x expr) expr {
	for p.err == nil {
		switch cur := p.cur(); {
		case cur.isOp("."):
			x = p.attribute(x)
		case cur.isOp("["):
			x = p.subscript(x)
		case cur.isOp("("):
			x = p.call(x)
		default:
			return x
		}
	}
	return x
}

func (p *parser) attribute(x expr) expr {
	at := p.next().pos
	switch cur := p.next(); cur.kind {
	case tokName:
		return &attrExpr{node{at}, x, cur.text}
	case tokInteger:
		return &itemExpr{node{at}, x, p.integer(cur)}
	default:
		p.fail(cur.pos, "expected name or number")
		return x
	}
}

func (p *parser) subscript(x expr) expr {
	at := p.next().pos
	var from expr
	if !p.cur().isOp(":") {
		from = p.expression()
		if p.cur().isOp(",") {
			return p.tupleSubscript(x, from, at)
		}
		if p.skipOp("]") {
			return &itemExpr{node{at}, x, from}
		}
	}
	if !p.cur().isOp(":") { // neither slice nor index
		p.expectOp("]")
		return x
	}
	p.next()
	s := &sliceExpr{node: node{at}, x: x, from: from, to: p.sliceBound()}
	if p.skipOp(":") {
		s.step = p.sliceBound()
	}
	p.expectOp("]")
	return s
}

// tupleSubscript reads x[a, b], an index that is a tuple.
func (p *parser) tupleSubscript(x, first expr, at int) expr {
	items := []expr{first}
	for p.skipOp(",") {
		items = append(items, p.expression())
	}
	p.expectOp("]")
	return &itemExpr{node{at}, x, &tupleExpr{node{at}, items}}
}

func (p *parser) sliceBound() expr {
	if p.cur().isOp(":") || p.cur().isOp("]") {
		return nil
	}
	return p.expression()
}

func (p *parser) call(x expr) *callExpr {
	at := p.cur().pos
	return &callExpr{node{at}, x, p.arguments()}
}

func (p *parser) arguments() argsExpr {
	var a argsExpr
	at := p.cur().pos
	p.expectOp("(")
	for first := true; !p.cur().isOp(")") && p.err == nil; first = false {
		if !first {
			p.expectOp(",")
			if p.cur().isOp(")") {
				break
			}
		}
		if !p.argument(&a) {
			p.fail(at, "invalid syntax for function call expression")
		}
	}
	p.expectOp(")")
	return a
}

// argument reads one argument; false means it may not stand there.
func (p *parser) argument(a *argsExpr) bool {
	switch {
	case p.skipOp("*"):
		ok := a.star == nil && a.dict == nil
		a.star = p.expression()
		return ok
	case p.skipOp("**"):
		ok := a.dict == nil
		a.dict = p.expression()
		return ok
	case p.cur().kind == tokName && p.look().isOp("="):
		ok := a.dict == nil
		a.names = append(a.names, p.next().text)
		p.next()
		a.named = append(a.named, p.expression())
		return ok
	}
	ok := a.star == nil && a.dict == nil && len(a.named) == 0
	a.pos = append(a.pos, p.expression())
	return ok
}
