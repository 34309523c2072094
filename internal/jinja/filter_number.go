package jinja

import (
	"math"
	"strconv"
	"strings"

	"github.com/deployer-cli/deployer/internal/python"
)

// truncate is Python's int() of a number.
func truncate(n any) (int64, error) {
	if i, ok := n.(int64); ok {
		return i, nil
	}
	f := math.Trunc(n.(float64))
	switch {
	case f != f:
		return 0, fail("cannot convert float NaN to integer")
	case f >= 1<<63 || f < -1<<63:
		return 0, fail("the number %s does not fit 64 bits", python.Float(f))
	}
	return int64(f), nil
}

func intFilter(_ *run, v any, args []any) (any, error) {
	base, err := smallOr(args, 1, 10)
	if err != nil {
		return nil, err
	}
	if s, ok := v.(string); ok {
		if n, ok := parseInt(s, base); ok {
			return n, nil
		}
		if v, ok = parseFloat(s); !ok {
			return argOr(args, 0, int64(0)), nil
		}
		if f := v.(float64); f != f || math.IsInf(f, 0) {
			return argOr(args, 0, int64(0)), nil
		}
	}
	n, ok := number(v)
	if f, isFloat := n.(float64); !ok || isFloat && f != f {
		return argOr(args, 0, int64(0)), nil
	}
	return truncate(n)
}

// parseInt reads what Python's int(text, base) does.
func parseInt(s string, base int) (int64, bool) {
	s = strings.TrimFunc(s, isSpace)
	sign := ""
	if s != "" && (s[0] == '-' || s[0] == '+') {
		sign, s = s[:1], s[1:]
	}
	if base == 0 && len(s) > 1 && s[0] == '0' && isDigit(s) && strings.Trim(s, "0") != "" {
		return 0, false // Python refuses what C reads as octal
	}
	if prefix := (map[int]string{2: "0b", 8: "0o", 16: "0x"})[base]; prefix != "" && len(s) > 2 && strings.EqualFold(s[:2], prefix) {
		s = strings.TrimPrefix(s[2:], "_")
	}
	digits, ok := withoutUnderscores(s)
	if !ok || base < 0 || base == 1 || base > 36 || digits == "" || digits[0] == '-' || digits[0] == '+' {
		return 0, false
	}
	n, err := strconv.ParseInt(sign+digits, base, 64)
	return n, err == nil
}

// withoutUnderscores drops underscores, which may only stand between two
// other characters.
func withoutUnderscores(s string) (string, bool) {
	if !strings.Contains(s, "_") {
		return s, true
	}
	bad := strings.HasPrefix(s, "_") || strings.HasSuffix(s, "_") || strings.Contains(s, "__")
	return strings.ReplaceAll(s, "_", ""), !bad
}

func floatFilter(_ *run, v any, args []any) (any, error) {
	if s, ok := v.(string); ok {
		if f, ok := parseFloat(s); ok {
			return f, nil
		}
		return argOr(args, 0, 0.0), nil
	}
	if n, ok := number(v); ok {
		return toFloat(n), nil
	}
	return argOr(args, 0, 0.0), nil
}

func parseFloat(s string) (float64, bool) {
	s, ok := withoutUnderscores(strings.TrimFunc(s, isSpace))
	if !ok || strings.ContainsAny(s, "xXpP") { // Go also reads hexadecimal
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil || math.IsInf(f, 0)
}

func roundFilter(_ *run, v any, args []any) (any, error) {
	n, ok := number(v)
	if !ok {
		return nil, fail("type %s doesn't define __round__ method", typeName(v))
	}
	precision, err := smallOr(args, 0, 0)
	if err != nil {
		return nil, err
	}
	scale := math.Pow(10, float64(precision))
	switch argOr(args, 1, "common") {
	case "common":
		return roundCommon(n, precision), nil
	case "ceil":
		return math.Ceil(toFloat(n)*scale) / scale, nil
	case "floor":
		return math.Floor(toFloat(n)*scale) / scale, nil
	}
	return nil, fail("method must be common, ceil or floor")
}

// roundCommon rounds halves to even, as Python's round() does.
func roundCommon(n any, precision int) any {
	if i, ok := n.(int64); ok {
		if precision >= 0 {
			return i
		}
		unit := math.Pow(10, float64(-precision))
		return int64(math.RoundToEven(float64(i)/unit) * unit)
	}
	f := n.(float64)
	if precision < 0 {
		unit := math.Pow(10, float64(-precision))
		return math.RoundToEven(f/unit) * unit
	}
	if precision > 340 { // more digits than any float has
		return f
	}
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(f, 'f', precision, 64), 64)
	if err != nil {
		return f
	}
	return rounded
}

func filesizeFilter(r *run, v any, args []any) (any, error) {
	binary, err := r.flagOr(args, 0, false)
	if err != nil {
		return nil, err
	}
	n, ok := number(v)
	if s, isText := v.(string); isText {
		n, ok = parseFloat(s)
	}
	if !ok {
		return nil, fail("%s is no number of bytes", shortRepr(v))
	}
	bytes, base, suffix := toFloat(n), 1000.0, "B"
	prefixes := "kMGTPEZY"
	if binary {
		base, suffix, prefixes = 1024, "iB", "KMGTPEZY"
	}
	switch {
	case bytes == 1:
		return "1 Byte", nil
	case bytes < base:
		return strconv.FormatInt(int64(bytes), 10) + " Bytes", nil
	}
	unit := base
	for i := range len(prefixes) {
		unit *= base
		if bytes < unit || i == len(prefixes)-1 {
			return strconv.FormatFloat(base*bytes/unit, 'f', 1, 64) + " " + prefixes[i:i+1] + suffix, nil
		}
	}
	return "", nil
}
