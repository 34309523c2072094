package plugin

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/deployer-cli/deployer/stacks"
)

// read reads one JSON value; maps keep their order.
func read(dec *json.Decoder) (stacks.Value, error) {
	token, err := dec.Token()
	if err != nil {
		return stacks.Value{}, err
	}
	switch t := token.(type) {
	case string:
		return stacks.String(t), nil
	case bool:
		return stacks.Value{Kind: stacks.Bool, Text: strconv.FormatBool(t)}, nil
	case json.Number:
		kind := stacks.Int
		if strings.ContainsAny(t.String(), ".eE") {
			kind = stacks.Float
			if _, err := t.Float64(); err != nil {
				return stacks.Value{}, fmt.Errorf("the number %s is too large", t)
			}
		}
		return stacks.Value{Kind: kind, Text: t.String()}, nil
	case json.Delim:
		if t == '[' {
			return readList(dec)
		}
		return readMap(dec)
	}
	return stacks.Value{}, nil // null
}

func readList(dec *json.Decoder) (stacks.Value, error) {
	out := stacks.Value{Kind: stacks.List}
	for dec.More() {
		v, err := read(dec)
		if err != nil {
			return out, err
		}
		out.Items = append(out.Items, v)
	}
	_, err := dec.Token()
	return out, err
}

func readMap(dec *json.Decoder) (stacks.Value, error) {
	out := stacks.Value{Kind: stacks.Map}
	for dec.More() {
		key, err := read(dec)
		if err != nil {
			return out, err
		}
		v, err := read(dec)
		if err != nil {
			return out, err
		}
		out.Fields = append(out.Fields, stacks.Field{Key: key.Text, Value: v})
	}
	_, err := dec.Token()
	return out, err
}
