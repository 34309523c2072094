package cli

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// TestOnlyAKnownDocumentReleases: what a lever holds that is not just what is
// written there counts as engaged.
func TestOnlyAKnownDocumentReleases(t *testing.T) {
	t.Parallel()
	written, err := json.Marshal(leverText{By: "arn:aws:iam::333333333333:user/ann", Reason: "gone <again> & \"again\"", At: time.Unix(1763812800, 120).UTC()})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{string(written), `{"engaged":false}`, "{\n \"engaged\": false\n}"} {
		if got, ok := parseLever(text); !ok || got.Engaged {
			t.Errorf("%s is no release: %+v %v", text, got, ok)
		}
	}
	for _, text := range []string{
		"", "x", "null", "false", `""`, "[]", "{}", `{"engaged":null}`, `{"engaged":"false"}`, `{"engaged":0}`,
		`{"Engage":true}`, `{"Engaged":false}`, `{"engaged":true,"engaged":false}`, `{"engaged":false,"Engaged":true}`,
		`{"engaged":false,"until":"tomorrow"}`, `{"engaged":false,"by":null}`, `{"engaged":false} {"engaged":true}`, `{"reason":"x"}`,
	} {
		if got, ok := parseLever(text); ok {
			t.Errorf("%s is taken for a document: %+v", text, got)
		}
	}
	if got, ok := parseLever(`{"engaged":true,"by":"a","reason":"r","at":"2026-11-22T12:00:00Z"}`); !ok || !got.Engaged || got.By != "a" || got.Reason != "r" || got.At.IsZero() {
		t.Errorf("%+v %v", got, ok)
	}
}

// FuzzParseLever: nothing is a release that does not say "engaged": false, once.
func FuzzParseLever(f *testing.F) {
	for _, text := range []string{`{"engaged":false}`, `{"engaged":true,"by":"a"}`, `{"ENGAGED":false}`, "null", "{"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := parseLever(text)
		if !ok || got.Engaged {
			return
		}
		if !strings.Contains(strings.Join(strings.Fields(text), ""), `"engaged":false`) {
			t.Errorf("%q is a release", text)
		}
	})
}
