package wire_test

import (
	"errors"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/deployer-cli/deployer/internal/sandbox/wire"
)

type pair struct {
	ParameterKey     string
	ParameterValue   *string
	UsePreviousValue *bool
}

type common struct{ ClientRequestToken string }

type request struct {
	common // unexported and embedded: its exported fields count
	Common
	StackName  string
	Parameters []pair
	Capability []string
	Policy     *string
	Protect    *bool
	Plain      bool
	Timeout    *int
	Small      int8
	Ratio      float64
	When       time.Time
	Until      *time.Time
	Attributes map[string]string
	Nested     *nested
	Blob       []byte
	Lists      map[string][]int
	hidden     string //nolint:unused // what is not exported is not encoded
	Skipped    string `wire:"-"`
}

// Common is embedded in request.
type Common struct{ RoleARN string }

type nested struct {
	Mode  string
	Inner *nested
}

func TestDecodeQuery(t *testing.T) {
	t.Parallel()
	when := time.Date(2026, 11, 22, 4, 53, 1, 123e6, time.UTC)
	for name, c := range map[string]struct {
		query string
		want  request
	}{
		"scalars": {
			"Action=X&StackName=a&Plain=true&Protect=false&Timeout=5&Small=-8&Ratio=1.5&Policy=",
			request{StackName: "a", Plain: true, Protect: new(false), Timeout: new(5), Small: -8, Ratio: 1.5, Policy: new("")},
		},
		"embedded": {
			"ClientRequestToken=t&RoleARN=r",
			request{common: common{"t"}, Common: Common{"r"}},
		},
		"times": {
			"When=2026-11-22T04:53:01.123Z&Until=1795323181.123",
			request{When: when, Until: &when},
		},
		"list of structures, out of order and with a gap": {
			"Parameters.member.10.ParameterKey=last&Parameters.member.2.ParameterKey=b&Parameters.member.2.ParameterValue=&Parameters.member.1.ParameterKey=a&Parameters.member.1.UsePreviousValue=true",
			request{Parameters: []pair{{"a", nil, new(true)}, {"b", new(""), nil}, {"last", nil, nil}}},
		},
		"a huge number costs nothing": {
			"Capability.member.18446744073709551615=z&Capability.member.1=a",
			request{Capability: []string{"a", "z"}},
		},
		"flat list":     {"Capability.1=a&Capability.2=b", request{Capability: []string{"a", "b"}}},
		"empty list":    {"Capability=&Parameters=", request{Capability: []string{}, Parameters: []pair{}}},
		"map":           {"Attributes.entry.1.key=k&Attributes.entry.1.value=v&Attributes.entry.2.key=e&Attributes.entry.2.value=", request{Attributes: map[string]string{"k": "v", "e": ""}}},
		"map by name":   {"Attributes.entry.1.Name=k&Attributes.entry.1.Value=v", request{Attributes: map[string]string{"k": "v"}}},
		"map of lists":  {"Lists.entry.1.key=k&Lists.entry.1.value.member.1=7", request{Lists: map[string][]int{"k": {7}}}},
		"nested":        {"Nested.Mode=A&Nested.Inner.Mode=B", request{Nested: &nested{"A", &nested{"B", nil}}}},
		"blob":          {"Blob=aGVsbG8%3D", request{Blob: []byte("hello")}},
		"unknown":       {"Nonsense.member.1.X=1&Version=2010-05-15&hidden=x&Skipped=y&.=1&..member=2", request{}},
		"first of many": {"StackName=a&StackName=b", request{StackName: "a"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			values, err := url.ParseQuery(c.query)
			if err != nil {
				t.Fatal(err)
			}
			var got request
			if err := wire.DecodeQuery(values, &got); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

func TestDecodeQueryErrors(t *testing.T) {
	t.Parallel()
	for query, member := range map[string]string{
		"Timeout=five":                           "Timeout",
		"Timeout=":                               "Timeout",
		"Timeout.member.1=5":                     "Timeout",
		"Small=128":                              "Small",
		"Ratio=x":                                "Ratio",
		"Protect=yes":                            "Protect",
		"When=yesterday":                         "When",
		"Blob=%25":                               "Blob",
		"Capability.member.x=":                   "Capability.member.x",
		"Parameters.member.2.UsePreviousValue=1": "Parameters.member.2.UsePreviousValue",
		"Attributes.entry.1.key=k":               "Attributes.entry.1",
		"Attributes.entry.1.Name=k":              "Attributes.entry.1",
		"Lists.entry.1.key=k&Lists.entry.1.value.1=no": "Lists.entry.1.value.1",
		strings.Repeat("A.", 100) + "B=1":              "A.",
	} {
		values, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		var got request
		e, ok := errors.AsType[*wire.Error](wire.DecodeQuery(values, &got))
		if !ok || !strings.HasPrefix(e.Member, member) {
			t.Errorf("%.60s: error is %v", query, e)
		}
	}
	var notStruct int
	for _, into := range []any{nil, request{}, &notStruct, (*request)(nil)} {
		if err := wire.DecodeQuery(nil, into); err == nil {
			t.Errorf("decoded into %T", into)
		}
	}
}

func FuzzDecodeQuery(f *testing.F) {
	f.Add("Parameters.member.1.ParameterKey=a&Capability=&Attributes.entry.1.key=k&Attributes.entry.1.value=v")
	f.Add("Nested.Inner.Inner.Mode=x&When=1e3&Lists.entry.1.value.member.1=1")
	f.Add("Timeout=99999999999999999999&Blob=!!&Parameters.member.1=x&.=&a..b=c")
	f.Fuzz(func(t *testing.T, query string) {
		values, _ := url.ParseQuery(query)
		var got request
		err := wire.DecodeQuery(values, &got)
		if err != nil {
			if _, ok := errors.AsType[*wire.Error](err); !ok {
				t.Errorf("error of type %T", err)
			}
			return
		}
		wire.EncodeQuery("X", "ns", "id", got, false)
		wire.EncodeJSON(got)
	})
}
