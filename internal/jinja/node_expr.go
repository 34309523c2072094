package jinja

// expr is a node that has a value.
type expr interface {
	eval(r *run, s *scope) (any, error)
}

// node is the part all nodes share: the offset errors are reported at.
type node struct{ pos int }

// wrap gives an error that happened at this node its position.
func (n node) wrap(s *scope, err error) error { return s.tmpl.at(n.pos, err) }

type (
	constExpr struct{ value any }
	nameExpr  struct {
		node
		name string
	}
	listExpr struct {
		node
		items []expr
	}
	tupleExpr struct {
		node
		items []expr
	}
	dictExpr struct {
		node
		keys, values []expr
	}
	attrExpr struct {
		node
		x    expr
		name string
	}
	itemExpr struct {
		node
		x, key expr
	}
	sliceExpr struct {
		node
		x              expr
		from, to, step expr // nil when left out
	}
	callExpr struct {
		node
		fn   expr
		args argsExpr
	}
	filterExpr struct {
		node
		x    expr // nil in a filter block
		name string
		fn   *filter // nil when unknown
		args argsExpr
	}
	testExpr struct {
		node
		x    expr
		name string
		fn   *filter // nil when unknown
		args argsExpr
	}
	unaryExpr struct {
		node
		op string // "not", "-", "+"
		x  expr
	}
	binaryExpr struct {
		node
		op          string
		left, right expr
	}
	concatExpr struct {
		node
		items []expr
	}
	compareExpr struct {
		node
		first expr
		ops   []string
		rest  []expr
	}
	logicExpr struct { // and, or
		node
		and         bool
		left, right expr
	}
	condExpr struct {
		node
		test, yes expr
		no        expr // nil when left out
	}
)

// argsExpr are the arguments of a call as written.
type argsExpr struct {
	pos        []expr
	names      []string
	named      []expr
	star, dict expr // *x and **x; nil when absent
}

func (a *argsExpr) empty() bool {
	return len(a.pos) == 0 && len(a.named) == 0 && a.star == nil && a.dict == nil
}
