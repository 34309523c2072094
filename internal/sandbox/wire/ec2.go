package wire

import (
	"reflect"
	"unicode"
	"unicode/utf8"
)

// EncodeEC2 writes the answer of an action of EC2, whose elements begin with a
// small letter, whose lists hold items, and which has no result element.
func EncodeEC2(action, namespace, requestID string, out any) []byte {
	e := xmlEncoder{types: types{}, small: true}
	e.open(action+"Response", namespace)
	e.element("requestId", requestID)
	e.content(reflect.ValueOf(out))
	e.close(action + "Response")
	return e.b.Bytes()
}

// item is what an element of a list is called.
func (e *xmlEncoder) item() string {
	if e.small {
		return "item"
	}
	return "member"
}

// member is what a field is called.
func (e *xmlEncoder) member(name string) string {
	if !e.small {
		return name
	}
	first, size := utf8.DecodeRuneInString(name)
	return string(unicode.ToLower(first)) + name[size:]
}
