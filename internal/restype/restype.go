// Package restype knows the resource types of CloudFormation: which properties
// and attributes they have, which changes replace them, what they hold and how
// long they take. The facts come from an embedded table, decoded on first use.
//
// It never reads a template, never talks to AWS and holds no state of its own
// beyond the decoded table.
package restype

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

//go:generate go run gen/main.go -package $SERVICE_SPEC -table resource-types.json.gz

//go:embed resource-types.json.gz
var packed []byte

// Type is what the table knows about one resource type. Treat it as read-only:
// all callers share it.
type Type struct {
	Name        string
	Attributes  []string // for Fn::GetAtt; nested ones are dotted
	Required    []string // properties that must be given
	Properties  []string // all top-level properties
	CreateOnly  []string // changing one replaces the resource; dotted = nested, * = any list item
	Conditional []string // changing one may replace the resource
	WriteOnly   []string // properties AWS never reads back
	PrimaryID   []string // joined with | in a physical id

	Ref         string // the property or attribute Ref returns where it is not PrimaryID; several are comma-joined
	ARN         string // template of the ARN, "arn:${Partition}:…"
	TagProperty string // the property that takes tags; empty when the type cannot be tagged

	Data        bool // the sources say it holds data; see HoldsData
	DeleteFirst bool // replacement deletes the old one before it creates the new one
	Regional    bool // offered in us-east-1
}

// row is one entry of the table as stored; the short keys are explained in the
// generator.
type row struct {
	A, R, P, C, M, W, I, F, N string
	T                         any
	S, D                      int
	U                         *int
}

var table = sync.OnceValue(decode) //nolint:gochecknoglobals // written once, read-only afterwards; decoding at start-up would slow every command

func decode() map[string]*Type {
	zip, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		panic(fmt.Sprintf("embedded resource table: %v", err))
	}
	var rows map[string]row
	if err := json.NewDecoder(zip).Decode(&rows); err != nil {
		panic(fmt.Sprintf("embedded resource table: %v", err))
	}
	types := make(map[string]*Type, len(rows))
	for name, r := range rows {
		types[name] = r.typ(name)
	}
	return types
}

func (r row) typ(name string) *Type {
	return &Type{
		Name:       name,
		Attributes: list(r.A), Required: list(r.R), Properties: list(r.P),
		CreateOnly: list(r.C), Conditional: list(r.M), WriteOnly: list(r.W),
		PrimaryID: list(r.I), Ref: r.F, ARN: r.N, TagProperty: tagProperty(r.T),
		Data: r.S == 1, DeleteFirst: r.D == 1, Regional: r.U == nil || *r.U != 0,
	}
}

func list(joined string) []string {
	if joined == "" {
		return nil
	}
	return strings.Split(joined, ",")
}

func tagProperty(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case float64:
		return "Tags"
	default:
		return ""
	}
}

// Lookup returns the type of that exact name.
func Lookup(name string) (*Type, bool) {
	t, ok := table()[name]
	return t, ok
}

// Names returns the names of all known types, sorted.
func Names() []string {
	return slices.Sorted(maps.Keys(table()))
}

// HasProperty reports whether the type has the top-level property p.
func (t *Type) HasProperty(p string) bool {
	return slices.Contains(t.Properties, p)
}

// HasAttribute reports whether Fn::GetAtt may ask for a. A nested stack has
// an attribute for each of its outputs.
func (t *Type) HasAttribute(a string) bool {
	if t.Name == "AWS::CloudFormation::Stack" && strings.HasPrefix(a, "Outputs.") {
		return true
	}
	return slices.Contains(t.Attributes, a)
}

// Replaces reports what a change of a property does: always is true when it
// replaces the resource, maybe when that depends on more than the name. prop may
// be a dotted path below a property; list positions are numbers or "*". A change
// somewhere in a property of which only a part is create-only may replace.
func (t *Type) Replaces(prop string) (always, maybe bool) {
	path := strings.Split(prop, ".")
	for _, c := range t.CreateOnly {
		switch only := strings.Split(c, "."); {
		case covers(only, path):
			return true, false
		case covers(path, only):
			maybe = true
		}
	}
	for _, c := range t.Conditional {
		only := strings.Split(c, ".")
		maybe = maybe || covers(only, path) || covers(path, only)
	}
	return false, maybe
}

// covers reports whether path is outer or lies below it.
func covers(outer, path []string) bool {
	if len(outer) > len(path) {
		return false
	}
	for i, o := range outer {
		if o != path[i] && (!isItem(o) || !isItem(path[i])) {
			return false
		}
	}
	return true
}

func isItem(part string) bool {
	return part == "*" || part != "" && strings.Trim(part, "0123456789") == ""
}
