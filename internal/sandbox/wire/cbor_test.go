package wire_test

import (
	"testing"
	"time"

	"github.com/deployer-cli/deployer/internal/sandbox/wire"
)

type cborThing struct {
	Name   string
	Count  int
	Share  float64
	On     *bool
	At     time.Time
	Raw    []byte
	Names  []string
	Tags   map[string]string
	Nested *cborThing
}

func TestCBORThereAndBack(t *testing.T) {
	t.Parallel()
	in := cborThing{
		Name: "a", Count: -3, Share: 1.5, On: new(true), At: time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC), Raw: []byte{0, 255},
		Names: []string{"x", "y"}, Tags: map[string]string{"k": "v"}, Nested: &cborThing{Count: 7},
	}
	var out cborThing
	if err := wire.DecodeCBOR(wire.EncodeCBOR(in), &out); err != nil {
		t.Fatal(err)
	}
	if out.Name != "a" || out.Count != -3 || out.Share != 1.5 || !*out.On || !out.At.Equal(in.At) || string(out.Raw) != string(in.Raw) ||
		len(out.Names) != 2 || out.Tags["k"] != "v" || out.Nested.Count != 7 {
		t.Errorf("%+v", out)
	}
}

func FuzzDecodeCBOR(f *testing.F) {
	f.Add(wire.EncodeCBOR(cborThing{Name: "a", Count: 1}))
	f.Add([]byte{0xbf, 0xff})
	f.Add([]byte{0xff})
	f.Fuzz(func(t *testing.T, body []byte) {
		var out cborThing
		if err := wire.DecodeCBOR(body, &out); err != nil {
			if _, ok := err.(*wire.Error); !ok { //nolint:errorlint // never wrapped
				t.Errorf("%T %v", err, err)
			}
		}
	})
}
