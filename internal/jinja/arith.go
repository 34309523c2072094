package jinja

import (
	"math"
	"math/bits"
	"strings"
)

// binary computes "a op b" as Python does.
func (r *run) binary(op string, a, b any) (any, error) {
	a, b = known(a), known(b)
	for _, v := range []any{a, b} {
		if u, ok := v.(*undefined); ok {
			return nil, u.err()
		}
	}
	if text, ok := a.(string); ok && op == "%" {
		return r.percentFormat(text, b)
	}
	x, aNumber := number(a)
	y, bNumber := number(b)
	switch {
	case aNumber && bNumber:
		return arithmetic(op, x, y)
	case op == "+":
		return r.join(a, b)
	case op == "*" && bNumber:
		return r.repeat(a, b)
	case op == "*" && aNumber:
		return r.repeat(b, a)
	}
	return nil, unsupported(op, a, b)
}

func unsupported(op string, a, b any) error {
	return fail("unsupported operand type(s) for %s: %s and %s", op, reprString(typeName(a)), reprString(typeName(b)))
}

// join is + of texts, lists and tuples.
func (r *run) join(a, b any) (any, error) {
	switch x := a.(type) {
	case string:
		if y, ok := b.(string); ok {
			if err := r.checkSize(len(x) + len(y)); err != nil {
				return nil, err
			}
			return x + y, nil
		}
	case *List:
		if y, ok := b.(*List); ok {
			items, err := r.joinItems(x.Items, y.Items)
			return &List{Items: items}, err
		}
	case Tuple:
		if y, ok := b.(Tuple); ok {
			items, err := r.joinItems(x, y)
			return Tuple(items), err
		}
	default:
		return nil, unsupported("+", a, b)
	}
	return nil, fail("can only concatenate %s (not \"%s\") to %s", typeName(a), typeName(b), typeName(a))
}

func (r *run) joinItems(a, b []any) ([]any, error) {
	if err := r.spend(len(a) + len(b)); err != nil {
		return nil, err
	}
	return append(append(make([]any, 0, len(a)+len(b)), a...), b...), nil
}

// repeat is * of a text, list or tuple with a number.
func (r *run) repeat(a, times any) (any, error) {
	n, ok := integer(times)
	if !ok {
		return nil, fail("can't multiply sequence by non-int of type %s", reprString(typeName(times)))
	}
	n = max(n, 0)
	switch x := a.(type) {
	case string:
		if err := r.checkProduct(len(x), n); err != nil {
			return nil, err
		}
		return strings.Repeat(x, int(n)), nil
	case *List:
		items, err := r.repeatItems(x.Items, n)
		return &List{Items: items}, err
	case Tuple:
		items, err := r.repeatItems(x, n)
		return Tuple(items), err
	}
	return nil, unsupported("*", a, times)
}

func (r *run) checkProduct(size int, n int64) error {
	high, low := bits.Mul64(uint64(size), uint64(n)) //nolint:gosec // neither is negative
	if high != 0 || low > math.MaxInt32 || n > math.MaxInt32 && size > 0 {
		return r.checkSize(-1)
	}
	return r.checkSize(int(low))
}

func (r *run) repeatItems(items []any, n int64) ([]any, error) {
	if len(items) == 0 {
		return nil, nil
	}
	if n > int64(r.steps) {
		return nil, r.spend(-1)
	}
	if err := r.spend(len(items) * int(n)); err != nil {
		return nil, err
	}
	out := make([]any, 0, len(items)*int(n))
	for range n {
		out = append(out, items...)
	}
	return out, nil
}

// arithmetic computes with two numbers.
func arithmetic(op string, a, b any) (any, error) {
	x, aInt := a.(int64)
	y, bInt := b.(int64)
	if aInt && bInt && op != "/" {
		return intArithmetic(op, x, y)
	}
	return floatArithmetic(op, toFloat(a), toFloat(b))
}

func toFloat(v any) float64 {
	if n, ok := v.(int64); ok {
		return float64(n)
	}
	return v.(float64)
}

func intArithmetic(op string, x, y int64) (any, error) {
	ok := true
	var z int64
	switch op {
	case "+":
		z = x + y
		ok = (z > x) == (y > 0)
	case "-":
		z = x - y
		ok = (z < x) == (y > 0)
	case "*":
		z, ok = multiply(x, y)
	case "//", "%":
		if y == 0 {
			return nil, fail("division by zero")
		}
		quotient, rest := x/y, x%y
		ok = x != math.MinInt64 || y != -1
		if rest != 0 && (rest < 0) != (y < 0) { // Python rounds down
			quotient, rest = quotient-1, rest+y
		}
		if z = quotient; op == "%" {
			z = rest
		}
	case "**":
		if y < 0 {
			return floatArithmetic(op, float64(x), float64(y))
		}
		z, ok = power(x, y)
	}
	if !ok {
		return nil, fail("integer overflow: %d %s %d does not fit 64 bits", x, op, y)
	}
	return z, nil
}

func multiply(x, y int64) (int64, bool) {
	if x == 0 || y == 0 {
		return 0, true
	}
	z := x * y
	return z, z/y == x && (x != -1 || y != math.MinInt64) && (y != -1 || x != math.MinInt64)
}

func power(x, y int64) (int64, bool) {
	switch {
	case x == 0 && y > 0, x == 1:
		return x, true
	case x == -1:
		return 1 - 2*(y&1), true
	}
	z, ok := int64(1), true
	for ; y > 0 && ok; y-- { // overflows long before this takes time
		z, ok = multiply(z, x)
	}
	return z, ok
}

func floatArithmetic(op string, x, y float64) (any, error) {
	switch op {
	case "+":
		return x + y, nil
	case "-":
		return x - y, nil
	case "*":
		return x * y, nil
	case "**":
		return floatPower(x, y)
	}
	if y == 0 {
		return nil, fail("division by zero")
	}
	switch op {
	case "/":
		return x / y, nil
	case "//":
		quotient, _ := floatDivide(x, y)
		return quotient, nil
	}
	_, rest := floatDivide(x, y)
	return rest, nil
}

// floatDivide is Python's divmod: rounded down, and zeros have the sign
// that the exact answer would have.
func floatDivide(x, y float64) (quotient, rest float64) {
	rest = math.Mod(x, y)
	quotient = (x - rest) / y
	if rest == 0 {
		rest = math.Copysign(0, y)
	} else if (rest < 0) != (y < 0) {
		rest += y
		quotient--
	}
	if quotient == 0 {
		return math.Copysign(0, x/y), rest
	}
	return math.Round(quotient), rest
}

func floatPower(x, y float64) (any, error) {
	z := math.Pow(x, y)
	switch {
	case x == 0 && y < 0:
		return nil, fail("0.0 cannot be raised to a negative power")
	case x < 0 && y != math.Trunc(y):
		return nil, fail("a negative number cannot be raised to a fraction")
	case math.IsInf(z, 0) && !math.IsInf(x, 0) && !math.IsInf(y, 0):
		return nil, fail("result is too large")
	}
	return z, nil
}

// sign computes -v and +v.
func sign(op string, v any) (any, error) {
	if u, ok := v.(*undefined); ok {
		return nil, u.err()
	}
	n, ok := number(v)
	if !ok {
		return nil, fail("bad operand type for unary %s: %s", op, reprString(typeName(v)))
	}
	if op == "+" {
		return n, nil
	}
	return arithmetic("*", n, int64(-1))
}
