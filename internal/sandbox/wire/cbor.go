package wire

import (
	"encoding/base64"
	"encoding/json"
	"reflect"
	"strconv"
	"time"

	"github.com/aws/smithy-go/encoding/cbor"
)

// tagTime marks seconds since 1970.
const tagTime = 1

// DecodeCBOR reads the body of a request of Smithy's RPC v2 protocol into the
// struct that into points to. Its error is an *Error.
func DecodeCBOR(body []byte, into any) error {
	if len(body) == 0 {
		return nil
	}
	v, err := cbor.Decode(body)
	if err != nil {
		return &Error{"", "not CBOR: " + err.Error()}
	}
	raw, err := json.Marshal(plainCBOR(v))
	if err != nil {
		return &Error{"", "not a structure: " + err.Error()}
	}
	return DecodeJSON(raw, into)
}

// plainCBOR is a value as JSON would hold it.
func plainCBOR(v cbor.Value) any {
	switch v := v.(type) {
	case cbor.Uint:
		return json.Number(strconv.FormatUint(uint64(v), 10))
	case cbor.NegInt:
		return json.Number("-" + strconv.FormatUint(uint64(v), 10))
	case cbor.Slice:
		return base64.StdEncoding.EncodeToString(v)
	case cbor.String:
		return string(v)
	case cbor.List:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = plainCBOR(item)
		}
		return out
	case cbor.Map:
		out := make(map[string]any, len(v))
		for k, item := range v {
			out[k] = plainCBOR(item)
		}
		return out
	case *cbor.Tag:
		return plainCBOR(v.Value)
	case cbor.Bool:
		return bool(v)
	case cbor.Float32:
		return float64(v)
	case cbor.Float64:
		return float64(v)
	}
	return nil
}

// EncodeCBOR writes the answer of an action of Smithy's RPC v2 protocol.
func EncodeCBOR(out any) []byte {
	ts := types{}
	v := reflect.ValueOf(out)
	if !v.IsValid() || absent(v) {
		return cbor.Encode(cbor.Map{})
	}
	return cbor.Encode(ts.cbor(v))
}

// EncodeCBORError writes an error of Smithy's RPC v2 protocol.
func EncodeCBORError(code, message string) []byte {
	return cbor.Encode(cbor.Map{"__type": cbor.String(code), "message": cbor.String(message)})
}

func (ts types) cbor(v reflect.Value) cbor.Value {
	for v.IsValid() && (v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface) {
		v = v.Elem()
	}
	if !v.IsValid() {
		return &cbor.Nil{}
	}
	switch t := v.Type(); {
	case isTime(t):
		at, _ := reflect.TypeAssert[time.Time](v)
		return &cbor.Tag{ID: tagTime, Value: cbor.Float64(float64(at.UnixMilli()) / 1000)}
	case isBytes(t):
		return cbor.Slice(v.Bytes())
	}
	switch v.Kind() {
	case reflect.Struct:
		out := cbor.Map{}
		for _, f := range ts.fields(v.Type()) {
			if fv := v.FieldByIndex(f.index); f.always || !absent(fv) {
				out[f.name] = ts.cbor(fv)
			}
		}
		return out
	case reflect.Map:
		out := cbor.Map{}
		for _, kv := range sortedKeys(v) {
			out[kv.name] = ts.cbor(kv.value)
		}
		return out
	case reflect.Slice, reflect.Array:
		out := make(cbor.List, v.Len())
		for i := range v.Len() {
			out[i] = ts.cbor(v.Index(i))
		}
		return out
	case reflect.Bool:
		return cbor.Bool(v.Bool())
	case reflect.Float32, reflect.Float64:
		return cbor.Float64(v.Float())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		if n := v.Int(); n < 0 {
			return cbor.NegInt(uint64(-n))
		}
		return cbor.Uint(uint64(v.Int())) //nolint:gosec // not negative
	default:
		return cbor.String(scalar(v))
	}
}
