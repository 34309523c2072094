package cfnyaml

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

const (
	maxDepth = 256 // deeper nesting is refused, as PyYAML's recursion limit does
	maxBytes = 16 << 20
	// maxExpanded is how many nodes aliases may add to those written, so that
	// a few lines cannot become gigabytes.
	maxExpanded = 250_000
)

// Parse reads one document: YAML 1.1 with plain scalars as PyYAML's SafeLoader
// takes them, or JSON. Anchors, aliases and merge keys are resolved, and an
// empty document is a Null node. The error is always a *SyntaxError.
func Parse(src []byte) (*Node, []Warning, error) {
	if err := checkText(src); err != nil {
		return nil, nil, err
	}
	if looksLikeJSON(src) {
		if n, warnings, ok := parseJSON(src); ok {
			return n, warnings, nil
		}
	}
	doc, err := load(src)
	if err != nil {
		return nil, nil, err
	}
	if doc == nil || len(doc.Content) == 0 {
		return &Node{Kind: Null, Line: 1, Column: 1}, nil, nil
	}
	c := &converter{shared: map[*yaml.Node]*sized{}}
	root, err := c.node(doc.Content[0], 0)
	if err != nil {
		return nil, nil, err
	}
	return root.node, c.warnings, nil
}

// checkText refuses what is no text, with its place.
func checkText(src []byte) error {
	if len(src) > maxBytes {
		return &SyntaxError{Msg: fmt.Sprintf("the document has %d bytes: more than %d is not read", len(src), maxBytes)}
	}
	if bytes.HasPrefix(src, []byte("\xff\xfe")) || bytes.HasPrefix(src, []byte("\xfe\xff")) {
		return errorAt(src, 0, "the file is UTF-16: save it as UTF-8")
	}
	if i := bytes.IndexByte(src, 0); i >= 0 {
		return errorAt(src, i, "a zero byte: this is no text file")
	}
	if utf8.Valid(src) {
		return nil
	}
	at := 0
	for at < len(src) {
		r, size := utf8.DecodeRune(src[at:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		at += size
	}
	return errorAt(src, at, fmt.Sprintf("byte 0x%02x is not UTF-8: save the file as UTF-8", src[at]))
}

// errorAt makes an error for the byte at offset.
func errorAt(src []byte, offset int, msg string) *SyntaxError {
	line, column := place(src, offset)
	return &SyntaxError{Line: line, Column: column, Msg: msg}
}

// place turns a byte offset into line and column.
func place(src []byte, offset int) (line, column int) {
	before := src[:offset]
	start := bytes.LastIndexByte(before, '\n') + 1
	return bytes.Count(before, []byte{'\n'}) + 1, utf8.RuneCount(before[start:]) + 1
}

// load runs the YAML library up to nodes.
func load(src []byte) (doc *yaml.Node, err error) {
	// The library panics on states it calls impossible; a file must not be able
	// to bring the program down.
	defer func() {
		if r := recover(); r != nil {
			doc, err = nil, &SyntaxError{Msg: fmt.Sprintf("the document cannot be read: %v", r)}
		}
	}()
	loader, err := yaml.NewLoader(bytes.NewReader(src), yaml.WithUniqueKeys(false))
	if err != nil {
		return nil, &SyntaxError{Msg: err.Error()}
	}
	doc = &yaml.Node{}
	if err := loader.Load(doc); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		return nil, libraryError(src, err)
	}
	second := &yaml.Node{}
	switch err := loader.Load(second); {
	case errors.Is(err, io.EOF):
		return doc, nil
	case err != nil:
		return nil, libraryError(src, err)
	}
	return nil, &SyntaxError{Line: second.Line, Column: max(second.Column, 1), Msg: "a second document starts here: only one is allowed"}
}

// libraryError translates the library's error.
func libraryError(src []byte, err error) *SyntaxError {
	le, ok := errors.AsType[*yaml.LoadError](err)
	if !ok {
		return &SyntaxError{Msg: strings.TrimPrefix(err.Error(), "yaml: ")}
	}
	e := &SyntaxError{Line: le.Mark.Line, Column: le.Mark.Column, Msg: le.Message}
	if le.ContextMsg != "" {
		e.Msg = le.ContextMsg + ": " + le.Message
	}
	if e.Line == 0 {
		e.Line, e.Column = controlCharacter(src)
	}
	if tabbed(src, e.Line) {
		e.Msg += " (the line is indented with a tab: use spaces)"
	}
	return e
}

// controlCharacter finds the first character that YAML does not allow; the
// library reports it without a place.
func controlCharacter(src []byte) (line, column int) {
	for i, r := range string(src) {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0x7f || r == 0xfffe || r == 0xffff {
			return place(src, i)
		}
	}
	return 0, 0
}

// tabbed tells whether a line begins with a tab after any spaces.
func tabbed(src []byte, line int) bool {
	for i := 1; i < line; i++ {
		end := bytes.IndexByte(src, '\n')
		if end < 0 {
			return false
		}
		src = src[end+1:]
	}
	return line > 0 && bytes.HasPrefix(bytes.TrimLeft(src, " "), []byte("\t"))
}
