package jinja

// statement reads the tag whose name is the current token.
func (p *parser) statement() []stmt {
	cur := p.cur()
	if cur.kind != tokName {
		p.fail(cur.pos, "tag name expected")
		return nil
	}
	parse := p.tagParser(cur.text)
	if parse == nil {
		p.unclosed(cur.text, cur.pos)
		return nil
	}
	p.tags = append(p.tags, cur.text)
	p.next()
	body := parse(node{cur.pos})
	p.tags = p.tags[:len(p.tags)-1]
	return body
}

func (p *parser) tagParser(name string) func(node) []stmt {
	switch name {
	case "if":
		return p.ifTag
	case "for":
		return p.forTag
	case "break":
		return p.jumpTag(name, errBreak)
	case "continue":
		return p.jumpTag(name, errContinue)
	case "set":
		return p.setTag
	case "with":
		return p.withTag
	case "autoescape":
		return p.autoescapeTag
	case "do":
		return p.doTag
	case "print":
		return p.printTag
	case "filter":
		return p.filterTag
	case "macro":
		return p.macroTag
	case "call":
		return p.callTag
	}
	return p.templateTagParser(name)
}

func (p *parser) ifTag(n node) []stmt {
	soft := p.soft
	p.soft = true
	defer func() { p.soft = soft }()
	first := &ifStmt{node: n}
	last := first
	for {
		last.test = p.tuple(tupleRules{noCondition: true})
		body, end := p.block("elif", "else", "endif")
		last.yes = body
		switch {
		case p.err != nil || end == "endif":
			return []stmt{first}
		case end == "else":
			last.no, _ = p.block("endif")
			return []stmt{first}
		}
		elif := &ifStmt{node: node{p.cur().pos}}
		last.no = []stmt{elif}
		last = elif
	}
}

func (p *parser) forTag(n node) []stmt {
	f := &forStmt{node: n}
	at := p.cur().pos
	f.target = p.targets(tupleRules{end: "in"}, false)
	if assigns(f.target, "loop") {
		p.fail(at, "Can't assign to special loop variable in for-loop target")
	}
	p.expectWord("in")
	f.seq = p.tuple(tupleRules{noCondition: true, end: "recursive"})
	if p.skipName("if") {
		f.test = p.expression()
	}
	f.recursive = p.skipName("recursive")
	p.loops = append(p.loops, f)
	p.inLoop++
	body, end := p.scopedBlock("endfor", "else")
	p.inLoop--
	p.loops = p.loops[:len(p.loops)-1]
	f.body = body
	if end == "else" {
		f.els, _ = p.scopedBlock("endfor")
	}
	f.usesLoop = f.usesLoop || f.recursive
	return []stmt{f}
}

func assigns(t target, name string) bool {
	switch t := t.(type) {
	case *nameTarget:
		return t.name == name
	case *tupleTarget:
		for _, item := range t.items {
			if assigns(item, name) {
				return true
			}
		}
	}
	return false
}

func (p *parser) jumpTag(name string, jump error) func(node) []stmt {
	return func(n node) []stmt {
		if p.inLoop == 0 {
			p.fail(n.pos, "'%s' outside loop", name)
		}
		return []stmt{&jumpStmt{n, jump}}
	}
}

func (p *parser) setTag(n node) []stmt {
	at := p.cur().pos
	to := p.targets(tupleRules{}, true)
	if len(p.loops) > 0 && assigns(to, "loop") {
		p.fail(at, "Can't assign to special loop variable in for-loop target")
	}
	if p.skipOp("=") {
		return []stmt{&setStmt{n, to, p.tuple(tupleRules{})}}
	}
	filters := p.filterList(false)
	body, _ := p.scopedBlock("endset")
	return []stmt{&setBlockStmt{n, to, filters, body}}
}

func (p *parser) withTag(n node) []stmt {
	w := &withStmt{node: n}
	for p.cur().kind != tokBlockEnd && p.err == nil {
		if len(w.targets) > 0 {
			p.expectOp(",")
		}
		w.targets = append(w.targets, p.targets(tupleRules{}, false))
		p.expectOp("=")
		w.values = append(w.values, p.expression())
	}
	w.body, _ = p.scopedBlock("endwith")
	return []stmt{w}
}

func (p *parser) autoescapeTag(node) []stmt {
	p.expression()
	body, _ := p.scopedBlock("endautoescape")
	return []stmt{&scopeStmt{body}}
}

func (p *parser) doTag(n node) []stmt {
	return []stmt{&doStmt{n, p.tuple(tupleRules{})}}
}

func (p *parser) printTag(n node) []stmt {
	var out []stmt
	for p.cur().kind != tokBlockEnd && p.err == nil {
		if len(out) > 0 {
			p.expectOp(",")
		}
		out = append(out, &printStmt{n, p.expression()})
	}
	return out
}

func (p *parser) filterTag(n node) []stmt {
	filters := p.filterList(true)
	body, _ := p.scopedBlock("endfilter")
	return []stmt{&filterStmt{n, filters, body}}
}

func (p *parser) macroTag(n node) []stmt {
	m := &macroStmt{node: n, name: p.expectName()}
	p.signature(&m.signature)
	m.body = p.callable(&m.signature, "endmacro")
	return []stmt{m}
}

func (p *parser) callTag(n node) []stmt {
	c := &callStmt{node: n}
	if p.cur().isOp("(") {
		p.signature(&c.signature)
	}
	call, ok := p.expression().(*callExpr)
	if !ok {
		p.fail(n.pos, "expected call")
	}
	c.call = call
	c.body = p.callable(&c.signature, "endcall")
	return []stmt{c}
}

// callable reads the body of a macro, noting which special names it uses.
// A jump in it cannot reach a loop outside.
func (p *parser) callable(sig *signature, end string) []stmt {
	inLoop := p.inLoop
	p.inLoop = 0
	p.macros = append(p.macros, sig)
	body, _ := p.scopedBlock(end)
	p.macros = p.macros[:len(p.macros)-1]
	p.inLoop = inLoop
	return body
}

func (p *parser) signature(sig *signature) {
	p.expectOp("(")
	for !p.cur().isOp(")") && p.err == nil {
		if len(sig.params) > 0 {
			p.expectOp(",")
		}
		at := p.cur().pos
		name := p.expectName()
		if isConstant(name) {
			p.fail(at, "can't assign to '%s'", "const")
		}
		switch {
		case p.skipOp("="):
			sig.defaults = append(sig.defaults, p.expression())
		case len(sig.defaults) > 0:
			p.fail(p.cur().pos, "non-default argument follows default argument")
		}
		if sig.params = append(sig.params, name); len(sig.params) > maxNamed {
			p.failWith(at, failLimit("a macro has more than %d parameters", maxNamed))
		}
	}
	p.expectOp(")")
}

func isConstant(name string) bool {
	switch name {
	case "true", "false", "True", "False", "none", "None":
		return true
	}
	return false
}

// targets reads what is assigned to: a name, a tuple of them, or, where
// allowed, an attribute of a namespace.
func (p *parser) targets(rules tupleRules, namespace bool) target {
	rules.names, rules.namespace = true, namespace
	at := p.cur().pos
	x := p.tuple(rules)
	return p.asTarget(x, at)
}

func (p *parser) asTarget(x expr, at int) target {
	switch x := x.(type) {
	case *nameExpr:
		return &nameTarget{x.name}
	case *attrExpr: // only made from a name and a dot here
		return &namespaceTarget{x.node, x.x.(*nameExpr).name, x.name}
	case *tupleExpr:
		t := &tupleTarget{node: x.node}
		for _, item := range x.items {
			t.items = append(t.items, p.asTarget(item, at))
		}
		return t
	}
	p.fail(at, "can't assign to '%s'", nodeName(x))
	return &nameTarget{}
}

func nodeName(x expr) string {
	switch x.(type) {
	case *listExpr:
		return "list"
	case *dictExpr:
		return "dict"
	case *constExpr:
		return "const"
	}
	return "expression"
}
