package wire

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// EncodeQuery writes the answer of a query action. A few actions have no result
// element; clients insist on it for all others, even when it is empty.
func EncodeQuery(action, namespace, requestID string, out any, noResult bool) []byte {
	e := xmlEncoder{types: types{}}
	e.open(action+"Response", namespace)
	if !noResult {
		e.value(action+"Result", reflect.ValueOf(out), true)
	}
	e.open("ResponseMetadata", "")
	e.element("RequestId", requestID)
	e.close("ResponseMetadata")
	e.close(action + "Response")
	return e.b.Bytes()
}

// EncodeQueryError writes a query error. The sender is at fault for statuses
// below 500.
func EncodeQueryError(namespace, requestID string, status int, code, message string) []byte {
	e := xmlEncoder{}
	e.open("ErrorResponse", namespace)
	e.open("Error", "")
	fault := "Sender"
	if status >= 500 {
		fault = "Receiver"
	}
	e.element("Type", fault)
	e.element("Code", code)
	e.element("Message", message)
	e.close("Error")
	e.element("RequestId", requestID)
	e.close("ErrorResponse")
	return e.b.Bytes()
}

// EncodeXML writes the document of a REST service, such as S3.
func EncodeXML(root, namespace string, out any) []byte {
	e := xmlEncoder{types: types{}}
	e.b.WriteString(xml.Header)
	e.open(root, namespace)
	e.content(reflect.ValueOf(out))
	e.close(root)
	return e.b.Bytes()
}

// EncodeXMLError writes an error as S3 does.
func EncodeXMLError(requestID, code, message, resource string) []byte {
	return EncodeXML("Error", "", struct{ Code, Message, Resource, RequestId string }{code, message, resource, requestID})
}

type xmlEncoder struct {
	b     bytes.Buffer
	types types
	small bool // as EC2 writes
}

func (e *xmlEncoder) open(name, namespace string) {
	e.b.WriteByte('<')
	e.b.WriteString(name)
	if namespace != "" {
		e.b.WriteString(` xmlns="`)
		e.text(namespace)
		e.b.WriteByte('"')
	}
	e.b.WriteByte('>')
}

func (e *xmlEncoder) close(name string) {
	e.b.WriteString("</")
	e.b.WriteString(name)
	e.b.WriteByte('>')
}

func (e *xmlEncoder) element(name, text string) {
	e.open(name, "")
	e.text(text)
	e.close(name)
}

func (e *xmlEncoder) text(s string) {
	if !strings.ContainsFunc(s, needsEscape) {
		e.b.WriteString(s)
		return
	}
	_ = xml.EscapeText(&e.b, []byte(s)) // a bytes.Buffer takes everything
}

// needsEscape tells which characters are left to the slower way.
func needsEscape(r rune) bool {
	return r < ' ' || r > '~' || r == '<' || r == '>' || r == '&' || r == '"' || r == '\''
}

// value writes one named value, if it is not absent or is always written.
func (e *xmlEncoder) value(name string, v reflect.Value, always bool) {
	if !v.IsValid() || absent(v) {
		if always {
			e.open(name, "")
			e.close(name)
		}
		return
	}
	e.open(name, "")
	e.content(v)
	e.close(name)
}

func (e *xmlEncoder) content(v reflect.Value) {
	for v.IsValid() && (v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface) {
		v = v.Elem()
	}
	if !v.IsValid() {
		return
	}
	t := v.Type()
	switch {
	case isTime(t) || isBytes(t):
		e.text(scalar(v))
	case v.Kind() == reflect.Struct:
		e.structure(v)
	case v.Kind() == reflect.Slice || v.Kind() == reflect.Array:
		for i := range v.Len() {
			e.value(e.item(), v.Index(i), true)
		}
	case v.Kind() == reflect.Map:
		e.dictionary(v)
	default:
		e.text(scalar(v))
	}
}

func (e *xmlEncoder) structure(v reflect.Value) {
	for _, f := range e.types.fields(v.Type()) {
		fv := v.FieldByIndex(f.index)
		if f.flat && fv.Kind() == reflect.Slice {
			for i := range fv.Len() {
				e.value(e.member(f.name), fv.Index(i), true)
			}
			continue
		}
		e.value(e.member(f.name), fv, f.always)
	}
}

func (e *xmlEncoder) dictionary(v reflect.Value) {
	for _, key := range sortedKeys(v) {
		e.open("entry", "")
		e.element("key", key.name)
		e.value("value", key.value, true)
		e.close("entry")
	}
}

type keyValue struct {
	name  string
	value reflect.Value
}

func sortedKeys(v reflect.Value) []keyValue {
	byName := map[string]reflect.Value{}
	for iter := v.MapRange(); iter.Next(); {
		byName[scalar(iter.Key())] = iter.Value()
	}
	out := make([]keyValue, 0, len(byName))
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		out = append(out, keyValue{name, byName[name]})
	}
	return out
}

// scalar is the text of a single value.
func scalar(v reflect.Value) string {
	switch v.Kind() {
	case reflect.String:
		return v.String()
	case reflect.Bool:
		return strconv.FormatBool(v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return strconv.FormatInt(v.Int(), 10)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return strconv.FormatUint(v.Uint(), 10)
	case reflect.Float32, reflect.Float64:
		return strconv.FormatFloat(v.Float(), 'f', -1, v.Type().Bits())
	default:
	}
	if isBytes(v.Type()) {
		return base64.StdEncoding.EncodeToString(v.Bytes())
	}
	if t, ok := reflect.TypeAssert[time.Time](v); ok {
		return FormatTime(t)
	}
	return fmt.Sprint(v.Interface())
}
