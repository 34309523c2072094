package jinja

import "strings"

// templateTagParser knows the tags that deal with other templates.
func (p *parser) templateTagParser(name string) func(node) []stmt {
	switch name {
	case "block":
		return p.blockTag
	case "extends":
		return p.extendsTag
	case "include":
		return p.includeTag
	case "import":
		return p.importTag
	case "from":
		return p.fromTag
	}
	return nil
}

func (p *parser) blockTag(n node) []stmt {
	b := &blockStmt{node: n, tmpl: p.t}
	b.name = p.expectName()
	b.scoped = p.skipName("scoped")
	b.required = p.skipName("required")
	if p.cur().isOp("-") {
		p.fail(p.cur().pos, "Block names in Jinja have to be valid Python identifiers and may not contain hyphens, use an underscore instead.")
	}
	if p.t.blocks[b.name] != nil {
		p.fail(n.pos, "block %s defined twice", reprString(b.name))
	}
	p.t.blocks[b.name] = b
	if b.scoped {
		p.mention("loop")
	}
	// The body runs for itself: it sees no loop and no macro around it.
	loops, macros, inLoop := p.loops, p.macros, p.inLoop
	p.loops, p.macros, p.inLoop = nil, nil, 0
	b.body, _ = p.scopedBlock("endblock")
	p.loops, p.macros, p.inLoop = loops, macros, inLoop
	if b.required && !onlySpace(b.body) {
		p.fail(n.pos, "Required blocks can only contain comments or whitespace")
	}
	p.skipName(b.name)
	return []stmt{b}
}

func onlySpace(body []stmt) bool {
	for _, st := range body {
		text, ok := st.(*textStmt)
		if !ok || strings.TrimFunc(text.text, isSpace) != "" {
			return false
		}
	}
	return true
}

func (p *parser) extendsTag(n node) []stmt {
	x := &extendsStmt{n, p.expression()}
	if p.scopes > 0 {
		p.fail(n.pos, "cannot use extend from a non top-level scope")
	}
	p.t.extends = true
	return []stmt{x}
}

func (p *parser) includeTag(n node) []stmt {
	x := &includeStmt{node: n, name: p.expression(), withContext: true}
	if p.cur().isName("ignore") && p.look().isName("missing") {
		p.next()
		p.next()
		x.ignoreMissing = true
	}
	p.context(&x.withContext)
	return []stmt{x}
}

// context reads "with context" or "without context" if it is there.
func (p *parser) context(with *bool) bool {
	cur := p.cur()
	if !cur.isName("with") && !cur.isName("without") || !p.look().isName("context") {
		return false
	}
	*with = cur.text == "with"
	p.next()
	p.next()
	return true
}

func (p *parser) importTag(n node) []stmt {
	x := &importStmt{node: n, name: p.expression()}
	p.expectWord("as")
	x.alias = p.expectName()
	p.context(&x.withContext)
	return []stmt{x}
}

func (p *parser) fromTag(n node) []stmt {
	x := &fromStmt{node: n, template: p.expression()}
	p.expectWord("import")
	for p.err == nil {
		if len(x.names) > 0 {
			p.expectOp(",")
		}
		if p.context(&x.withContext) {
			break
		}
		at := p.cur().pos
		name := p.expectName()
		if strings.HasPrefix(name, "_") {
			p.fail(at, "names starting with an underline can not be imported")
		}
		alias := name
		if p.skipName("as") {
			alias = p.expectName()
		}
		x.names, x.aliases = append(x.names, name), append(x.aliases, alias)
		if p.context(&x.withContext) || !p.cur().isOp(",") {
			break
		}
	}
	return []stmt{x}
}
