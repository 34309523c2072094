package cfnyaml

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/deployer-cli/deployer/internal/python"
)

// Marshal writes plain values (nil, bool, int, int64, float64, string, []any,
// map[string]any) as readable YAML that Parse, PyYAML and CloudFormation read
// back alike: keys sorted, strings of several lines as blocks, quotes where a
// plain string would be taken for something else.
func Marshal(v any) ([]byte, error) {
	n, err := toYAML(v, 0)
	if err != nil {
		return nil, err
	}
	out, err := yaml.Dump(n, yaml.WithIndent(2), yaml.WithLineWidth(-1))
	if err != nil {
		return nil, fmt.Errorf("write YAML: %w", err)
	}
	return out, nil
}

func toYAML(v any, depth int) (*yaml.Node, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("write YAML: nested more than %d deep", maxDepth)
	}
	switch v := v.(type) {
	case nil:
		return plainNode("!!null", "null"), nil
	case bool:
		return plainNode("!!bool", strconv.FormatBool(v)), nil
	case int:
		return plainNode("!!int", strconv.Itoa(v)), nil
	case int64:
		return plainNode("!!int", strconv.FormatInt(v, 10)), nil
	case float64:
		return plainNode("!!float", yamlFloat(v)), nil
	case string:
		return stringNode(v), nil
	case []any:
		return listNode(v, depth)
	case map[string]any:
		return mapNode(v, depth)
	}
	return nil, fmt.Errorf("write YAML: cannot write a %T", v)
}

// yamlFloat writes f so that YAML 1.1 reads a float: it wants a point and a
// signed exponent, and spells infinity its own way.
func yamlFloat(f float64) string {
	text := python.Float(f)
	switch text {
	case "nan", "inf":
		return "." + text
	case "-inf":
		return "-.inf"
	}
	if head, exponent, found := strings.Cut(text, "e"); found && !strings.Contains(head, ".") {
		return head + ".0e" + exponent
	}
	return text
}

func plainNode(tag, text string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: text}
}

func stringNode(s string) *yaml.Node {
	n := plainNode("!!str", s)
	kind, _ := Scalar(s)
	switch {
	case kind != String || s == "=" || s == "<<":
		n.Style = yaml.DoubleQuotedStyle
	case strings.Contains(s, "\n"):
		n.Style = yaml.LiteralStyle
	}
	return n
}

func listNode(items []any, depth int) (*yaml.Node, error) {
	n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
	if len(items) == 0 {
		n.Style = yaml.FlowStyle
	}
	for _, i := range items {
		child, err := toYAML(i, depth+1)
		if err != nil {
			return nil, err
		}
		n.Content = append(n.Content, child)
	}
	return n, nil
}

func mapNode(m map[string]any, depth int) (*yaml.Node, error) {
	n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	if len(m) == 0 {
		n.Style = yaml.FlowStyle
	}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		child, err := toYAML(m[k], depth+1)
		if err != nil {
			return nil, err
		}
		key := stringNode(k)
		if key.Style == yaml.LiteralStyle {
			key.Style = yaml.DoubleQuotedStyle
		}
		n.Content = append(n.Content, key, child)
	}
	return n, nil
}

// MarshalJSON writes plain values as indented JSON with sorted keys, without
// escaping < > and &, and with a newline at the end.
func MarshalJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("write JSON: %w", err)
	}
	return b.Bytes(), nil
}
