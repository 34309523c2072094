// Package wire translates between Go structs and the protocols of AWS: query
// requests with XML answers, JSON 1.0 and 1.1, and the XML of REST services. It
// goes by the names of the fields alone and knows no service.
//
// # Absence
//
// On the way out a nil pointer, map, slice or interface, an empty string and the
// zero time are absent; numbers, booleans, structs and empty slices that are not
// nil are there. On the way in a member that the struct does not have is ignored,
// since clients are sometimes newer than we are.
//
// # Tags
//
// A field's tag `wire:"…"` may hold, separated by commas: "always" (written even
// when absent by the rule above), "flat" (a list whose elements repeat the
// field's own name), "-" (not on the wire).
package wire

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Error tells which member of a request could not be read.
type Error struct {
	Member string // such as Parameters.member.2.UsePreviousValue; "" for the whole request
	Reason string
}

// Error implements error.
func (e *Error) Error() string {
	if e.Member == "" {
		return "malformed request: " + e.Reason
	}
	return "malformed request: " + e.Member + ": " + e.Reason
}

// timeLayout is how the XML protocols write a time.
const timeLayout = "2006-01-02T15:04:05.000Z"

// FormatTime writes a time as the XML protocols do.
func FormatTime(t time.Time) string { return t.UTC().Format(timeLayout) }

// field is one field of a struct, as the wire sees it.
type field struct {
	name         string
	index        []int
	always, flat bool
}

// types remembers the fields of the structs met in one call.
type types map[reflect.Type][]field

func (ts types) fields(t reflect.Type) []field {
	if fs, ok := ts[t]; ok {
		return fs
	}
	var fs []field
	for _, f := range reflect.VisibleFields(t) {
		if !f.IsExported() || f.Anonymous && f.Type.Kind() == reflect.Struct || throughPointer(t, f.Index) {
			continue
		}
		options := strings.Split(f.Tag.Get("wire"), ",")
		if slices.Contains(options, "-") {
			continue
		}
		fs = append(fs, field{
			name: f.Name, index: f.Index,
			always: slices.Contains(options, "always"), flat: slices.Contains(options, "flat"),
		})
	}
	ts[t] = fs
	return fs
}

// throughPointer tells whether a promoted field lies behind an embedded pointer,
// which may be nil.
func throughPointer(t reflect.Type, index []int) bool {
	for _, i := range index[:len(index)-1] {
		t = t.Field(i).Type
		if t.Kind() == reflect.Pointer {
			return true
		}
	}
	return false
}

func isTime(t reflect.Type) bool { return t == reflect.TypeFor[time.Time]() }

func isBytes(t reflect.Type) bool {
	return t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8
}

// absent tells whether a value is left out.
func absent(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface, reflect.Slice, reflect.Map:
		return v.IsNil()
	case reflect.String:
		return v.Len() == 0
	case reflect.Struct:
		return isTime(v.Type()) && v.IsZero()
	default:
		return false
	}
}

// setScalar reads the text of a string, boolean, number or time.
func setScalar(v reflect.Value, text, member string) error {
	if isTime(v.Type()) {
		t, err := parseTime(text)
		if err != nil {
			return &Error{member, fmt.Sprintf("%.60q is no time", text)}
		}
		v.Set(reflect.ValueOf(t))
		return nil
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		return setBool(v, text, member)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		n, err := strconv.ParseInt(text, 10, v.Type().Bits())
		if err != nil {
			return &Error{member, fmt.Sprintf("%.60q is no whole number of %d bits", text, v.Type().Bits())}
		}
		v.SetInt(n)
	case reflect.Float32, reflect.Float64:
		f, err := strconv.ParseFloat(text, v.Type().Bits())
		if err != nil {
			return &Error{member, fmt.Sprintf("%.60q is no number", text)}
		}
		v.SetFloat(f)
	default:
		return &Error{member, "a single value where " + v.Kind().String() + " is expected"}
	}
	return nil
}

func setBool(v reflect.Value, text, member string) error {
	switch strings.ToLower(text) {
	case "true":
		v.SetBool(true)
	case "false":
		v.SetBool(false)
	default:
		return &Error{member, fmt.Sprintf("%.60q is neither true nor false", text)}
	}
	return nil
}

// parseTime reads ISO 8601 or seconds since 1970, the two forms clients send.
func parseTime(text string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil || seconds < -1e11 || seconds > 1e11 {
		return time.Time{}, strconv.ErrSyntax
	}
	return time.UnixMilli(int64(seconds * 1000)).UTC(), nil
}
