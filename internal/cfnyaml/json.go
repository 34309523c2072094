package cfnyaml

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/deployer-cli/deployer/internal/python"
)

// looksLikeJSON tells whether a document begins as JSON objects and lists do.
func looksLikeJSON(src []byte) bool {
	start := bytes.TrimLeft(src, " \t\r\n\ufeff")
	return len(start) > 0 && (start[0] == '{' || start[0] == '[')
}

// parseJSON reads strict JSON, which YAML libraries mostly do but for tabs,
// surrogate pairs and 1e3. It answers false when src is anything else, and
// leaves that to YAML, whose flow style looks alike.
func parseJSON(src []byte) (*Node, []Warning, bool) {
	body := bytes.TrimPrefix(src, []byte("\ufeff"))
	if !json.Valid(body) {
		return nil, nil, false
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	r := &jsonReader{src: body, dec: dec, line: 1, column: 1}
	n, err := r.value(0)
	if err != nil {
		return nil, nil, false
	}
	return n, r.warnings, true
}

// jsonReader walks the tokens of a document and keeps count of the place.
type jsonReader struct {
	src          []byte
	dec          *json.Decoder
	at           int // how far line and column are counted
	line, column int
	warnings     []Warning
}

// next reads a token and says where it begins.
func (r *jsonReader) next() (json.Token, string, *Node, error) {
	start := int(r.dec.InputOffset())
	for start < len(r.src) && strings.IndexByte(" \t\r\n,:", r.src[start]) >= 0 {
		start++
	}
	tok, err := r.dec.Token()
	if err != nil {
		return nil, "", nil, err
	}
	skipped := r.src[r.at:start]
	if lines := bytes.Count(skipped, []byte{'\n'}); lines > 0 {
		r.line += lines
		skipped = skipped[bytes.LastIndexByte(skipped, '\n')+1:]
		r.column = 1
	}
	r.column += utf8.RuneCount(skipped)
	r.at = start
	return tok, string(r.src[start:r.dec.InputOffset()]), &Node{Line: r.line, Column: r.column}, nil
}

func (r *jsonReader) value(depth int) (*Node, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("nested more than %d deep", maxDepth)
	}
	tok, raw, n, err := r.next()
	if err != nil {
		return nil, err
	}
	n.Raw = raw
	switch tok := tok.(type) {
	case json.Delim:
		n.Raw = ""
		if tok == '[' {
			return n, r.list(n, depth)
		}
		return n, r.object(n, depth)
	case string:
		n.Kind, n.Text, n.Raw, n.Quoted = String, tok, tok, true
	case bool:
		n.Kind, n.Text = Bool, strconv.FormatBool(tok)
	case json.Number:
		n.Kind, n.Text = jsonNumber(tok.String())
	case nil:
		n.Kind = Null
	}
	return n, nil
}

// jsonNumber reads a number; JSON knows 1e3, YAML 1.1 does not.
func jsonNumber(raw string) (Kind, string) {
	kind, text := Scalar(raw)
	if kind == String {
		if f, err := strconv.ParseFloat(raw, 64); err == nil {
			return Float, python.Float(f)
		}
	}
	return kind, text
}

func (r *jsonReader) list(n *Node, depth int) error {
	n.Kind, n.Items = List, []*Node{}
	for r.dec.More() {
		item, err := r.value(depth + 1)
		if err != nil {
			return err
		}
		n.Items = append(n.Items, item)
	}
	_, _, _, err := r.next()
	return err
}

func (r *jsonReader) object(n *Node, depth int) error {
	b := newMapBuilder()
	for r.dec.More() {
		key, err := r.value(depth + 1)
		if err != nil {
			return err
		}
		value, err := r.value(depth + 1)
		if err != nil {
			return err
		}
		if first := b.putOwn(Pair{key, value}); first != nil {
			r.warnings = append(r.warnings, twice(key, first))
		}
	}
	n.Kind, n.Pairs = Map, b.pairs
	_, _, _, err := r.next()
	return err
}

// twice warns of a key that stands in its map already.
func twice(key, first *Node) Warning {
	return Warning{key.Line, key.Column, fmt.Sprintf("key %q stands twice in this map, first in line %d: the last one counts", clip(key.Raw), first.Line)}
}
