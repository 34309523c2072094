package wire

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"time"
)

// DecodeJSON reads the body of a JSON 1.0 or 1.1 request into the struct that
// into points to. An empty body is an empty object. Its error is an *Error.
func DecodeJSON(body []byte, into any) error {
	v := reflect.ValueOf(into)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return &Error{"", fmt.Sprintf("cannot decode into %T", into)}
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var doc map[string]any
	if err := dec.Decode(&doc); err != nil {
		return &Error{"", "not a JSON object: " + err.Error()}
	}
	if _, err := dec.Token(); err != io.EOF {
		return &Error{"", "more than one JSON object"}
	}
	d := jsonDecoder{types{}}
	return d.value(v.Elem(), doc, "")
}

type jsonDecoder struct{ types types }

func (d jsonDecoder) value(v reflect.Value, in any, member string) error {
	if in == nil {
		return nil
	}
	if v.Kind() == reflect.Pointer {
		p := reflect.New(v.Type().Elem())
		if err := d.value(p.Elem(), in, member); err != nil {
			return err
		}
		v.Set(p)
		return nil
	}
	if v.Kind() == reflect.Interface && v.NumMethod() == 0 {
		v.Set(reflect.ValueOf(in))
		return nil
	}
	switch in := in.(type) {
	case map[string]any:
		return d.object(v, in, member)
	case []any:
		return d.list(v, in, member)
	case string:
		return d.text(v, in, member)
	case json.Number:
		if v.Kind() == reflect.String || v.Kind() == reflect.Bool {
			return &Error{member, "a number where " + v.Kind().String() + " is expected"}
		}
		return setScalar(v, in.String(), member)
	case bool:
		if v.Kind() != reflect.Bool {
			return &Error{member, "a boolean where " + v.Kind().String() + " is expected"}
		}
		v.SetBool(in)
	}
	return nil
}

func (d jsonDecoder) text(v reflect.Value, in, member string) error {
	if isBytes(v.Type()) {
		return setBytes(v, in, member)
	}
	return setScalar(v, in, member)
}

func (d jsonDecoder) object(v reflect.Value, in map[string]any, member string) error {
	switch {
	case v.Kind() == reflect.Struct && !isTime(v.Type()):
		for _, f := range d.types.fields(v.Type()) {
			if err := d.value(v.FieldByIndex(f.index), in[f.name], join(member, f.name)); err != nil {
				return err
			}
		}
		return nil
	case v.Kind() == reflect.Map && v.Type().Key().Kind() == reflect.String:
		out := reflect.MakeMapWithSize(v.Type(), len(in))
		for key, value := range in {
			item := reflect.New(v.Type().Elem()).Elem()
			if err := d.value(item, value, join(member, key)); err != nil {
				return err
			}
			out.SetMapIndex(reflect.ValueOf(key).Convert(v.Type().Key()), item)
		}
		v.Set(out)
		return nil
	}
	return &Error{member, "an object where " + v.Kind().String() + " is expected"}
}

func (d jsonDecoder) list(v reflect.Value, in []any, member string) error {
	if v.Kind() != reflect.Slice || isBytes(v.Type()) {
		return &Error{member, "a list where " + v.Kind().String() + " is expected"}
	}
	out := reflect.MakeSlice(v.Type(), len(in), len(in))
	for i, item := range in {
		if err := d.value(out.Index(i), item, member+"."+strconv.Itoa(i)); err != nil {
			return err
		}
	}
	v.Set(out)
	return nil
}

// EncodeJSON writes the answer of a JSON 1.0 or 1.1 action; times are seconds
// since 1970.
func EncodeJSON(out any) []byte {
	e := jsonEncoder{types: types{}}
	v := reflect.ValueOf(out)
	if !v.IsValid() || absent(v) {
		return []byte("{}")
	}
	e.value(v)
	return e.b.Bytes()
}

// EncodeJSONError writes an error as the JSON services do. Services differ in the
// spelling of "message", and clients accept either.
func EncodeJSONError(code, message string) []byte {
	e := jsonEncoder{}
	e.b.WriteString(`{"__type":`)
	e.text(code)
	e.b.WriteString(`,"message":`)
	e.text(message)
	e.b.WriteByte('}')
	return e.b.Bytes()
}

type jsonEncoder struct {
	b     bytes.Buffer
	types types
}

func (e *jsonEncoder) text(s string) {
	b, err := json.Marshal(s)
	if err != nil { // cannot happen for a string
		b = []byte(`""`)
	}
	e.b.Write(b)
}

func (e *jsonEncoder) value(v reflect.Value) {
	for v.IsValid() && (v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface) {
		v = v.Elem()
	}
	if !v.IsValid() {
		e.b.WriteString("null")
		return
	}
	switch {
	case isTime(v.Type()):
		e.time(v)
	case isBytes(v.Type()):
		e.text(base64.StdEncoding.EncodeToString(v.Bytes()))
	case v.Kind() == reflect.Struct:
		e.structure(v)
	case v.Kind() == reflect.Map:
		e.dictionary(v)
	case v.Kind() == reflect.Slice || v.Kind() == reflect.Array:
		e.list(v)
	case v.Kind() == reflect.String:
		e.text(v.String())
	default:
		e.b.WriteString(scalar(v))
	}
}

func (e *jsonEncoder) time(v reflect.Value) {
	if t, ok := reflect.TypeAssert[time.Time](v); ok {
		e.b.WriteString(strconv.FormatFloat(float64(t.UnixMilli())/1000, 'f', -1, 64))
	}
}

func (e *jsonEncoder) structure(v reflect.Value) {
	e.b.WriteByte('{')
	first := true
	for _, f := range e.types.fields(v.Type()) {
		fv := v.FieldByIndex(f.index)
		if absent(fv) && !f.always {
			continue
		}
		if !first {
			e.b.WriteByte(',')
		}
		first = false
		e.text(f.name)
		e.b.WriteByte(':')
		e.value(fv)
	}
	e.b.WriteByte('}')
}

func (e *jsonEncoder) dictionary(v reflect.Value) {
	e.b.WriteByte('{')
	for i, kv := range sortedKeys(v) {
		if i > 0 {
			e.b.WriteByte(',')
		}
		e.text(kv.name)
		e.b.WriteByte(':')
		e.value(kv.value)
	}
	e.b.WriteByte('}')
}

func (e *jsonEncoder) list(v reflect.Value) {
	e.b.WriteByte('[')
	for i := range v.Len() {
		if i > 0 {
			e.b.WriteByte(',')
		}
		e.value(v.Index(i))
	}
	e.b.WriteByte(']')
}
