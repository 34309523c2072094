//go:build ignore

// Command gen rebuilds resource-types.json.gz from the npm package
// @aws-cdk/aws-service-spec (Apache-2.0):
//
//	npm pack @aws-cdk/aws-service-spec@0.1.216 && tar xzf aws-cdk-aws-service-spec-*.tgz
//	SERVICE_SPEC=$PWD/package go generate ./internal/restype
//
// It never fetches anything itself.
//
// The table maps a type to these keys; lists are comma-joined, what is empty or
// false is left out:
//
//	a attributes    r required     p properties   n ARN template   s holds data
//	i primary id    f what Ref returns where it is not the primary id
//	t tag property, 1 for Tags
//	c create-only   m conditionally create-only
//	w write-only    d replaced by delete first    u 0: not in us-east-1    x only in the provider schemas
//
// The package alone gives the first two lines, t, and a weaker form of c and m. The
// rest came from the provider schemas in cfn-lint 1.51 (MIT-0): for a property
// both sources know, createOnlyProperties and conditionalCreateOnly of the schema
// decide over causesReplacement of the package, and no property is both; w is
// writeOnlyProperties, d is replacementStrategy delete_then_create, u says whether
// the schemas of us-east-1 have the type. Gen keeps those columns from the table
// that is there and judges only new types and new properties by the package.
package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	spec := flag.String("package", "", "folder of the unpacked npm package")
	table := flag.String("table", "resource-types.json.gz", "table to read the merged columns from and to write")
	flag.Parse()
	if err := run(*spec, *table); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

type property struct {
	Required          bool   `json:"required"`
	CausesReplacement string `json:"causesReplacement"`
}

type resource struct {
	Type       string                            `json:"cloudFormationType"`
	Transform  string                            `json:"cloudFormationTransform"`
	Attributes ordered[struct{}]                 `json:"attributes"`
	Properties ordered[property]                 `json:"properties"`
	PrimaryID  []string                          `json:"primaryIdentifier"`
	Ref        []string                          `json:"cfnRefIdentifier"`
	ARN        string                            `json:"arnTemplate"`
	Stateful   bool                              `json:"isStateful"`
	Tags       *struct{ TagPropertyName string } `json:"tagInformation"`
}

// ordered is a JSON object that keeps the order of its keys.
type ordered[V any] struct {
	keys   []string
	values map[string]V
}

func (o *ordered[V]) UnmarshalJSON(data []byte) error {
	if err := json.Unmarshal(data, &o.values); err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	if _, err := dec.Token(); err != nil {
		return err
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return err
		}
		o.keys = append(o.keys, key.(string))
		var skip json.RawMessage
		if err := dec.Decode(&skip); err != nil {
			return err
		}
	}
	return nil
}

// row is an entry of the table.
type row = map[string]any

func run(spec, table string) error {
	var db struct {
		Schema struct {
			Resource struct{ Entities []resource }
		}
	}
	if err := readGzip(filepath.Join(spec, "db.json.gz"), &db); err != nil {
		return fmt.Errorf("read the package (is -package or SERVICE_SPEC its folder?): %w", err)
	}
	rows := map[string]row{}
	if err := readGzip(table, &rows); err != nil {
		return fmt.Errorf("read the table: %w", err)
	}
	for _, r := range db.Schema.Resource.Entities {
		if r.Transform == "" {
			rows[r.Type] = merge(r, rows[r.Type])
		}
	}
	return writeGzip(table, rows)
}

// merge makes the row of r; old is the one that is there.
func merge(r resource, old row) row {
	out := row{}
	for _, k := range []string{"w", "d", "u", "x"} {
		if v, ok := old[k]; ok {
			out[k] = v
		}
	}
	put := func(key string, list []string) {
		if len(list) > 0 {
			out[key] = strings.Join(list, ",")
		}
	}
	known := split(old["p"])
	always, maybe := split(old["c"]), split(old["m"])
	var required []string
	for _, name := range r.Properties.keys {
		p := r.Properties.values[name]
		if p.Required {
			required = append(required, name)
		}
		if slices.Contains(known, name) {
			continue
		}
		switch p.CausesReplacement {
		case "yes":
			always = append(always, name)
		case "maybe":
			maybe = append(maybe, name)
		}
	}
	put("a", r.Attributes.keys)
	put("p", r.Properties.keys)
	put("r", required)
	put("c", always)
	put("m", maybe)
	put("i", r.PrimaryID)
	put("f", r.Ref)
	if r.ARN != "" {
		out["n"] = r.ARN
	}
	if r.Stateful {
		out["s"] = 1
	}
	if r.Tags != nil {
		out["t"] = r.Tags.TagPropertyName
		if r.Tags.TagPropertyName == "Tags" {
			out["t"] = 1
		}
	}
	return out
}

func split(v any) []string {
	s, _ := v.(string)
	if s == "" {
		return nil
	}
	return strings.Split(s, ",")
}

func readGzip(file string, into any) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	zip, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	return json.NewDecoder(zip).Decode(into)
}

func writeGzip(file string, rows map[string]row) error {
	var out bytes.Buffer
	zip, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return err
	}
	enc := json.NewEncoder(zip)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(rows); err != nil {
		return err
	}
	if err := zip.Close(); err != nil {
		return err
	}
	return os.WriteFile(file, out.Bytes(), 0o644)
}
