package jinja

import (
	"fmt"
	"slices"
	"strings"
)

// maxNesting bounds how deep tags and brackets may stand in each other.
const maxNesting = 400

// parser makes nodes of tokens. The first mistake is kept in err and ends
// the input, so that no other function needs to look at it.
type parser struct {
	env    *Environment
	t      *template
	tokens []token
	i      int
	err    error
	depth  int

	tags []string   // open tags, for messages
	ends [][]string // what would close them

	inLoop int          // loops a break would end
	loops  []*forStmt   // bodies being read that loop may belong to
	macros []*signature // bodies being read that caller and such may belong to
	scopes int          // bodies with a scope of their own around this place
	soft   bool         // in a condition: an unknown filter fails when used

	unknown []unknownName // filters and tests that do not exist
}

// unknownName is a filter or test that does not exist; a mistake unless it
// turns out to stand in a condition.
type unknownName struct {
	pos        int
	what, name string
}

func syntaxFailure(format string, args ...any) error {
	return &failure{kind: KindSyntax, msg: fmt.Sprintf(format, args...)}
}

func parseTemplate(e *Environment, t *template, tokens []token) error {
	p := &parser{env: e, t: t, tokens: tokens}
	t.blocks = make(map[string]*blockStmt)
	t.body = p.statements(nil)
	if p.err == nil && len(p.unknown) > 0 {
		u := p.unknown[0]
		p.fail(u.pos, "No %s named %s.", u.what, reprString(u.name))
	}
	return p.err
}

func (p *parser) cur() token { return p.tokens[p.i] }

func (p *parser) look() token { return p.tokens[min(p.i+1, len(p.tokens)-1)] }

func (p *parser) next() token {
	t := p.cur()
	if p.i < len(p.tokens)-1 {
		p.i++
	}
	return t
}

func (p *parser) fail(pos int, format string, args ...any) {
	p.failWith(pos, syntaxFailure(format, args...))
}

func (p *parser) failWith(pos int, err error) {
	if p.err == nil {
		p.err = p.t.at(pos, err)
	}
	p.i = len(p.tokens) - 1
}

// enter counts one level of nesting; each call needs a leave.
func (p *parser) enter() {
	if p.depth++; p.depth > maxNesting {
		p.failWith(p.cur().pos, failLimit("the template is nested too deeply, the limit is %d levels", maxNesting))
	}
}

func (p *parser) leave() { p.depth-- }

func (p *parser) skipOp(op string) bool {
	if p.cur().isOp(op) {
		p.next()
		return true
	}
	return false
}

func (p *parser) skipName(name string) bool {
	if p.cur().isName(name) {
		p.next()
		return true
	}
	return false
}

func (p *parser) expectOp(op string)    { p.expect(p.cur().isOp(op), op) }
func (p *parser) expectWord(w string)   { p.expect(p.cur().isName(w), w) }
func (p *parser) expectEnd(k tokenKind) { p.expect(p.cur().kind == k, token{kind: k}.describe()) }

func (p *parser) expectName() string {
	name := p.cur().text
	p.expect(p.cur().kind == tokName, "name")
	return name
}

func (p *parser) expect(found bool, want string) {
	switch cur := p.cur(); {
	case found:
		p.next()
	case cur.kind == tokEOF:
		p.fail(cur.pos, "unexpected end of template, expected %s.", reprString(want))
	default:
		p.fail(cur.pos, "expected token %s, got %s", reprString(want), reprString(cur.describe()))
	}
}

// statements reads text, prints and tags up to a tag named in ends, whose
// name is then the current token, or to the end of the template if ends is
// nil.
func (p *parser) statements(ends []string) []stmt {
	p.enter()
	defer p.leave()
	if ends != nil {
		p.ends = append(p.ends, ends)
		defer func() { p.ends = p.ends[:len(p.ends)-1] }()
	}
	var body []stmt
	for p.err == nil {
		switch cur := p.cur(); cur.kind {
		case tokData:
			body = append(body, &textStmt{p.env.newlines(p.next().text)})
		case tokVariableBegin:
			p.next()
			at := p.cur().pos
			body = append(body, &printStmt{node{at}, p.tuple(tupleRules{})})
			p.expectEnd(tokVariableEnd)
		case tokBlockBegin:
			p.next()
			if p.cur().kind == tokName && slices.Contains(ends, p.cur().text) {
				return body
			}
			body = append(body, p.statement()...)
			p.expectEnd(tokBlockEnd)
		default:
			if ends != nil {
				p.unclosed("", cur.pos)
			}
			return body
		}
	}
	return body
}

// block reads the rest of an opening tag and the statements up to one of
// ends, which is skipped and returned.
func (p *parser) block(ends ...string) ([]stmt, string) {
	p.skipOp(":")
	p.expectEnd(tokBlockEnd)
	if p.err != nil {
		return nil, ""
	}
	body := p.statements(ends)
	return body, p.next().text
}

// scopedBlock is a block with a scope of its own.
func (p *parser) scopedBlock(ends ...string) ([]stmt, string) {
	soft := p.soft
	p.soft = false
	p.scopes++
	body, end := p.block(ends...)
	p.scopes--
	p.soft = soft
	return body, end
}

// unclosed reports an unknown tag, or the end of the template where a tag
// should be closed when name is "".
func (p *parser) unclosed(name string, pos int) {
	var msg strings.Builder
	if name == "" {
		msg.WriteString("Unexpected end of template.")
	} else {
		fmt.Fprintf(&msg, "Encountered unknown tag %s.", reprString(name))
	}
	if len(p.ends) > 0 {
		var wanted []string
		for _, w := range p.ends[len(p.ends)-1] {
			wanted = append(wanted, reprString(w))
		}
		known := slices.ContainsFunc(p.ends, func(ends []string) bool { return slices.Contains(ends, name) })
		format := " Jinja was looking for the following tags: %s."
		if known {
			format = " You probably made a nesting mistake. Jinja is expecting this tag, but currently looking for %s."
		}
		fmt.Fprintf(&msg, format, strings.Join(wanted, " or "))
	}
	if len(p.tags) > 0 {
		fmt.Fprintf(&msg, " The innermost block that needs to be closed is %s.", reprString(p.tags[len(p.tags)-1]))
	}
	p.fail(pos, "%s", msg.String())
}
