package jinja

// stmt is a node that does something.
type stmt interface {
	exec(r *run, s *scope) error
}

// template is one parsed source.
type template struct {
	name    string
	source  string // with normalized line ends
	body    []stmt
	blocks  map[string]*blockStmt
	extends bool // holds an extends tag
}

type (
	textStmt  struct{ text string }
	printStmt struct {
		node
		x expr
	}
	ifStmt struct {
		node
		test expr
		yes  []stmt
		no   []stmt
	}
	forStmt struct {
		node
		target    target
		seq       expr
		test      expr // nil without filter
		recursive bool
		usesLoop  bool // the body mentions loop
		body, els []stmt
	}
	jumpStmt struct {
		node
		err error // errBreak or errContinue
	}
	setStmt struct {
		node
		target target
		value  expr
	}
	setBlockStmt struct {
		node
		target  target
		filters []*filterExpr
		body    []stmt
	}
	withStmt struct {
		node
		targets []target
		values  []expr
		body    []stmt
	}
	scopeStmt struct{ body []stmt } // autoescape: only a scope
	doStmt    struct {
		node
		x expr
	}
	filterStmt struct {
		node
		filters []*filterExpr
		body    []stmt
	}
	macroStmt struct {
		node
		signature
		name string
		body []stmt
	}
	callStmt struct {
		node
		signature
		call *callExpr
		body []stmt
	}
	blockStmt struct {
		node
		name             string
		scoped, required bool
		body             []stmt
		tmpl             *template
	}
	extendsStmt struct {
		node
		name expr
	}
	includeStmt struct {
		node
		name          expr
		ignoreMissing bool
		withContext   bool
	}
	importStmt struct {
		node
		name        expr
		alias       string
		withContext bool
	}
	fromStmt struct {
		node
		template       expr
		names, aliases []string
		withContext    bool
	}
)

// signature is what a macro or call block takes.
type signature struct {
	params   []string
	defaults []expr // of the last len(defaults) params

	varargs, kwargs, caller bool // the body mentions these names
}

// target is what can be assigned to.
type target interface {
	assign(r *run, s *scope, v any) error
}

type (
	nameTarget  struct{ name string }
	tupleTarget struct {
		node
		items []target
	}
	namespaceTarget struct {
		node
		name, attr string
	}
)
