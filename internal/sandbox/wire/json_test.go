package wire_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/deployer-cli/deployer/internal/sandbox/wire"
)

func TestDecodeJSON(t *testing.T) {
	t.Parallel()
	when := time.Date(2026, 11, 22, 4, 53, 1, 123e6, time.UTC)
	for in, want := range map[string]request{
		``:                           {},
		`{}`:                         {},
		`{"StackName":null,"X":[1]}`: {},
		`{"StackName":"a","Plain":true,"Timeout":5,"Ratio":1e3,"Small":-1}`:                                  {StackName: "a", Plain: true, Timeout: new(5), Ratio: 1000, Small: -1},
		`{"Parameters":[{"ParameterKey":"k","ParameterValue":""},{}],"Capability":[]}`:                       {Parameters: []pair{{"k", new(""), nil}, {}}, Capability: []string{}},
		`{"When":1795323181.123,"Until":"2026-11-22T04:53:01.123Z","Blob":"aGVsbG8=","Nested":{"Inner":{}}}`: {When: when, Until: &when, Blob: []byte("hello"), Nested: &nested{Inner: &nested{}}},
		`{"Attributes":{"a":"b"},"Lists":{"x":[1,2]}}`:                                                       {Attributes: map[string]string{"a": "b"}, Lists: map[string][]int{"x": {1, 2}}},
	} {
		var got request
		if err := wire.DecodeJSON([]byte(in), &got); err != nil {
			t.Errorf("%s: %v", in, err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\ngot  %+v\nwant %+v", in, got, want)
		}
	}
}

func TestDecodeJSONErrors(t *testing.T) {
	t.Parallel()
	for in, member := range map[string]string{
		`[]`: "", `{`: "", `{}{}`: "", `nonsense`: "",
		`{"StackName":5}`:                         "StackName",
		`{"StackName":{}}`:                        "StackName",
		`{"StackName":true}`:                      "StackName",
		`{"StackName":[]}`:                        "StackName",
		`{"Timeout":1.5}`:                         "Timeout",
		`{"Small":1000}`:                          "Small",
		`{"Parameters":[{},{"ParameterKey":[]}]}`: "Parameters.1.ParameterKey",
		`{"Attributes":{"a":{}}}`:                 "Attributes.a",
		`{"Plain":0}`:                             "Plain",
		`{"Blob":"*"}`:                            "Blob",
		`{"When":1e300}`:                          "When",
	} {
		var got request
		e, ok := errors.AsType[*wire.Error](wire.DecodeJSON([]byte(in), &got))
		if !ok || e.Member != member {
			t.Errorf("%s: %v", in, e)
		}
	}
}

func TestEncodeJSON(t *testing.T) {
	t.Parallel()
	got := string(wire.EncodeJSON(&answer{
		Stacks: []stack{{StackName: "a\"<", Created: time.UnixMilli(1795323181123), Extra: map[string]string{"b": "", "a": "1"}, Any: []any{nil, 1.5, true}, Blob: []byte("hi")}},
		Always: nil,
	}))
	want := `{"Stacks":[{"StackName":"a\"\u003c","Created":1795323181.123,"Count":0,"Ratio":0,"Extra":{"a":"1","b":""},"Any":[null,1.5,true],"Blob":"aGk="}],"Always":[]}`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for _, empty := range []any{nil, (*answer)(nil), struct{}{}} {
		if got := string(wire.EncodeJSON(empty)); got != "{}" {
			t.Errorf("%T: %s", empty, got)
		}
	}
	if got := string(wire.EncodeJSONError("ParameterNotFound", "no \"x\"")); got != `{"__type":"ParameterNotFound","message":"no \"x\""}` {
		t.Errorf("error: %s", got)
	}
}

func FuzzDecodeJSON(f *testing.F) {
	f.Add(`{"Parameters":[{"ParameterKey":"k"}],"Attributes":{"a":"b"},"When":1.5,"Nested":{"Inner":{"Mode":"x"}}}`)
	f.Add(`{"Lists":{"x":[1,"2",null]},"Blob":"aGk="}`)
	f.Add(`{"StackName":{"a":[[[[]]]]}}`)
	f.Fuzz(func(t *testing.T, in string) {
		var got request
		if err := wire.DecodeJSON([]byte(in), &got); err != nil {
			if _, ok := errors.AsType[*wire.Error](err); !ok {
				t.Errorf("error of type %T", err)
			}
			return
		}
		if out := wire.EncodeJSON(got); !json.Valid(out) {
			t.Errorf("wrote no JSON: %s", out)
		}
	})
}

func TestDecodeChunked(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"0\r\n\r\n": "",
		"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:abc=\r\n\r\n":                                   "hello",
		"5;chunk-signature=00\r\nhello\r\n1;chunk-signature=11\r\n!\r\n0;chunk-signature=22\r\n": "hello!",
	} {
		got, err := wire.DecodeChunked([]byte(in), 100)
		if err != nil || string(got) != want {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "5\r\nhell", "5\r\nhello", "5\r\nhelloXX0\r\n", "z\r\n", "-1\r\n", "ffffffffffff\r\n", "65\r\n" + strings.Repeat("x", 101) + "\r\n0\r\n", strings.Repeat("1", 9000)} {
		if _, err := wire.DecodeChunked([]byte(in), 100); err == nil {
			t.Errorf("%.30q was accepted", in)
		}
	}
}

func FuzzDecodeChunked(f *testing.F) {
	f.Add([]byte("5\r\nhello\r\n0\r\n\r\n"))
	f.Add([]byte("7fffffff\r\nx"))
	f.Fuzz(func(t *testing.T, in []byte) {
		out, err := wire.DecodeChunked(in, 1<<16)
		if err == nil && len(out) > len(in) {
			t.Errorf("%d bytes became %d", len(in), len(out))
		}
	})
}
