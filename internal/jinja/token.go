package jinja

type tokenKind uint8

const (
	tokEOF tokenKind = iota
	tokData
	tokBlockBegin
	tokBlockEnd
	tokVariableBegin
	tokVariableEnd
	tokName
	tokString
	tokInteger
	tokFloat
	tokOperator
)

// token is one piece of a template. text is the decoded text of data and
// strings, the name, the operator, or the digits without underscores.
type token struct {
	kind tokenKind
	pos  int
	text string
}

func (t token) isOp(op string) bool     { return t.kind == tokOperator && t.text == op }
func (t token) isName(name string) bool { return t.kind == tokName && t.text == name }

// describe names a token in messages as Jinja2 does.
func (t token) describe() string {
	switch t.kind {
	case tokName, tokOperator:
		return t.text
	case tokInteger:
		return "integer"
	case tokFloat:
		return "float"
	case tokString:
		return "string"
	case tokData:
		return "template data / text"
	case tokBlockBegin:
		return "begin of statement block"
	case tokBlockEnd:
		return "end of statement block"
	case tokVariableBegin:
		return "begin of print statement"
	case tokVariableEnd:
		return "end of print statement"
	default:
		return "end of template"
	}
}
