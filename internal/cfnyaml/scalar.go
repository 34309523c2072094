package cfnyaml

import (
	"encoding/base64"
	"fmt"
	"math"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/deployer-cli/deployer/internal/python"
)

// The patterns of PyYAML's resolver, as they stand there: "-.5" and "1e3" are
// strings, ".5" and "1.e+3" are numbers.
var (
	boolPattern = regexp.MustCompile(`^(?:yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$`)

	floatPattern = regexp.MustCompile(`^(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?` +
		`|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?` +
		`|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*` +
		`|[-+]?\.(?:inf|Inf|INF)` +
		`|\.(?:nan|NaN|NAN))$`)

	intPattern = regexp.MustCompile(`^(?:[-+]?0b[0-1_]+` +
		`|[-+]?0[0-7_]+` +
		`|[-+]?(?:0|[1-9][0-9_]*)` +
		`|[-+]?0x[0-9a-fA-F_]+` +
		`|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+)$`)

	timePattern = regexp.MustCompile(`^(?:[0-9]{4}-[0-9]{2}-[0-9]{2}` +
		`|[0-9]{4}-[0-9][0-9]?-[0-9][0-9]?(?:[Tt]|[ \t]+)[0-9][0-9]?:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?` +
		`(?:[ \t]*(?:Z|[-+][0-9][0-9]?(?::[0-9]{2})?))?)$`)

	// Python's own idea of a number, which !!int and !!float accept.
	pythonFloat = regexp.MustCompile(`^(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?$`)
)

// maxDigits is the longest number that Python still turns into text.
const maxDigits = 4300

// Scalar tells what PyYAML's SafeLoader takes an unquoted, untagged scalar
// for, and the Node.Text of it. Where PyYAML fails on what its own patterns
// let through ("0x_", a lone "=" or "<<", a number of over 4300 digits), the
// scalar is a string.
func Scalar(raw string) (Kind, string) {
	if raw == "" {
		return Null, ""
	}
	switch c := raw[0]; {
	case c >= '0' && c <= '9' || c == '-' || c == '+' || c == '.':
		return number(raw)
	case strings.IndexByte("yYnNtTfFoO~", c) < 0 || len(raw) > len("false"):
		return String, raw
	}
	switch raw {
	case "~", "null", "Null", "NULL":
		return Null, ""
	}
	if boolPattern.MatchString(raw) {
		text, _ := boolText(raw)
		return Bool, text
	}
	return String, raw
}

// number tries the patterns in PyYAML's order.
func number(raw string) (Kind, string) {
	switch {
	case floatPattern.MatchString(raw):
		if text, err := floatText(raw); err == nil {
			return Float, text
		}
	case intPattern.MatchString(raw):
		if text, err := intText(raw); err == nil {
			return Int, text
		}
	case timePattern.MatchString(raw):
		return Time, raw
	}
	return String, raw
}

func boolText(raw string) (string, error) {
	switch strings.ToLower(raw) {
	case "yes", "true", "on":
		return "true", nil
	case "no", "false", "off":
		return "false", nil
	}
	return "", fmt.Errorf("%q is no boolean", clip(raw))
}

// intText gives the decimal form of a whole number in any of YAML 1.1's
// notations: 12, 1_000, 0b1, 017, 0x1F, 1:30.
func intText(raw string) (string, error) {
	digits := strings.ReplaceAll(raw, "_", "")
	sign := ""
	if strings.HasPrefix(digits, "-") {
		sign = "-"
	}
	digits = strings.TrimLeft(digits, "+-")
	if len(digits) > maxDigits {
		return "", fmt.Errorf("a number has %d digits, more than %d", len(digits), maxDigits)
	}
	n, ok := new(big.Int), false
	switch {
	case strings.HasPrefix(digits, "0b"):
		n, ok = n.SetString(digits[2:], 2)
	case strings.HasPrefix(digits, "0x"):
		n, ok = n.SetString(digits[2:], 16)
	case len(digits) > 1 && digits[0] == '0':
		n, ok = n.SetString(digits, 8)
	case strings.Contains(digits, ":"):
		n, ok = sexagesimal(digits)
	default:
		n, ok = n.SetString(digits, 10)
	}
	if !ok || n.Sign() < 0 {
		return "", fmt.Errorf("%q is no whole number", clip(raw))
	}
	if n.Sign() == 0 {
		return "0", nil
	}
	return sign + n.String(), nil
}

// sexagesimal reads 1:30:00 as a number of base 60.
func sexagesimal(digits string) (*big.Int, bool) {
	sum, sixty := new(big.Int), big.NewInt(60)
	for part := range strings.SplitSeq(digits, ":") {
		n, ok := new(big.Int).SetString(part, 10)
		if !ok {
			return nil, false
		}
		sum.Mul(sum, sixty).Add(sum, n)
	}
	return sum, true
}

// floatText gives a float as Python's str does.
func floatText(raw string) (string, error) {
	text := strings.ToLower(strings.ReplaceAll(raw, "_", ""))
	sign := 1.0
	if strings.HasPrefix(text, "-") {
		sign = -1
	}
	text = strings.TrimLeft(text, "+-")
	switch {
	case text == ".inf":
		return python.Float(sign * math.Inf(1)), nil
	case text == ".nan":
		return "nan", nil
	case strings.Contains(text, ":"):
		sum, err := sexagesimalFloat(text)
		return python.Float(sign * sum), err
	}
	f, err := parseFloat(text)
	return python.Float(sign * f), err
}

func sexagesimalFloat(text string) (float64, error) {
	parts := strings.Split(text, ":")
	sum, base := 0.0, 1.0
	for _, part := range slices.Backward(parts) {
		f, err := parseFloat(part)
		if err != nil {
			return 0, err
		}
		sum += f * base
		base *= 60
	}
	return sum, nil
}

// parseFloat reads what Python's float reads of plain digits; too big is
// infinite, as there.
func parseFloat(text string) (float64, error) {
	if !pythonFloat.MatchString(text) {
		return 0, fmt.Errorf("%q is no number", clip(text))
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil && !math.IsInf(f, 0) {
		return 0, fmt.Errorf("%q is no number", clip(text))
	}
	return f, nil
}

// tagged gives the kind and text of a scalar with an explicit standard tag.
func tagged(tag, raw string) (Kind, string, error) {
	var text string
	var err error
	kind := String
	switch tag {
	case "!!str":
		return String, raw, nil
	case "!!null":
		return Null, "", nil
	case "!!bool":
		kind = Bool
		text, err = boolText(raw)
	case "!!int":
		kind = Int
		text, err = intText(raw)
	case "!!float":
		kind = Float
		text, err = floatText(raw)
	case "!!timestamp":
		kind, text = Time, raw
		if !timePattern.MatchString(raw) {
			err = fmt.Errorf("%q is no date", clip(raw))
		}
	case "!!binary":
		var data []byte
		data, err = base64.StdEncoding.DecodeString(strings.Join(strings.Fields(raw), ""))
		text = string(data)
		if err != nil {
			err = fmt.Errorf("!!binary: %w", err)
		}
	default:
		err = fmt.Errorf("tag %s cannot stand on a scalar", tag)
	}
	return kind, text, err
}

// clip keeps a quoted piece of a document short enough for a message.
func clip(s string) string {
	const most = 40
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	return string(r[:most]) + "…"
}
