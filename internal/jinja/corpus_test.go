package jinja

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"testing"
)

// corpusCase is one template with what real Jinja2 made of it;
// testdata/corpus/generate.py writes them.
type corpusCase struct {
	Name     string
	Template string
	Options  map[string]any
	Files    map[string]string
	Vars     json.RawMessage
	Out      *string
	Error    string
	Message  string
	Line     int
}

type corpus struct {
	Vars  json.RawMessage
	Cases []corpusCase
}

func readCorpus(t testing.TB) corpus {
	t.Helper()
	data, err := os.ReadFile("testdata/corpus/corpus.json")
	if err != nil {
		t.Fatal(err)
	}
	var c corpus
	if err := json.Unmarshal(data, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// fileLoader is a Loader of a few texts.
type fileLoader map[string]string

func (l fileLoader) Load(name string) (string, error) {
	text, ok := l[name]
	if !ok {
		return "", fs.ErrNotExist
	}
	return text, nil
}

// orderedDict decodes JSON with the keys in the order of the file.
func orderedDict(t testing.TB, data []byte) *Dict {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	v, err := decodeValue(dec)
	if err != nil {
		t.Fatal(err)
	}
	return v.(*Dict)
}

func decodeValue(dec *json.Decoder) (any, error) {
	tok, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch tok {
	case json.Delim('{'):
		d := NewDict()
		for dec.More() {
			key, err := dec.Token()
			if err != nil {
				return nil, err
			}
			value, err := decodeValue(dec)
			if err != nil {
				return nil, err
			}
			d.Set(key.(string), value)
		}
		_, err = dec.Token()
		return d, err
	case json.Delim('['):
		l := &List{}
		for dec.More() {
			value, err := decodeValue(dec)
			if err != nil {
				return nil, err
			}
			l.Items = append(l.Items, value)
		}
		_, err = dec.Token()
		return l, err
	}
	return FromGo(tok), nil
}

func kindName(err error) string {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return "no *Error"
	}
	return map[Kind]string{
		KindRuntime: "runtime", KindSyntax: "syntax", KindUndefined: "undefined",
		KindNotFound: "notfound", KindLimit: "limit",
	}[e.Kind]
}

func TestCorpus(t *testing.T) {
	t.Parallel()
	c := readCorpus(t)
	if len(c.Cases) < 250 {
		t.Fatalf("only %d cases", len(c.Cases))
	}
	vars := orderedDict(t, c.Vars)
	kept := kept()
	for _, tc := range c.Cases {
		if kept[tc.Template] != "" {
			continue
		}
		t.Run(tc.Name, func(t *testing.T) {
			t.Parallel()
			given := vars
			if tc.Vars != nil {
				given = orderedDict(t, tc.Vars)
			}
			opts, err := Options{Loader: fileLoader(tc.Files)}.WithSettings(tc.Options)
			if err != nil {
				t.Fatal(err)
			}
			out, err := New(opts).Render("<template>", tc.Template, given)
			checkCase(t, tc, out, err)
		})
	}
}

// kept are the templates where this package differs from Jinja2 on purpose.
func kept() map[string]string {
	return map[string]string{
		`{{ "\N{DASH}" }}`:             "character names would need a table; it is an error either way",
		`{{ xs[:,] }}`:                 "an error either way",
		`{{ xs[] }}`:                   "an error either way, here while parsing",
		`{{ xs|items }}`:               "fails at once, not only when read",
		`{{ name.encode }}`:            "there are no bytes",
		`{{ d.__init__ }}`:             "internals of Python are out of reach",
		`{{ name.__class__ }}`:         "internals of Python are out of reach",
		`{{ [1,2,3,].__class__ }}`:     "internals of Python are out of reach",
		`{{ "{0.name}".format("a") }}`: "counts as undefined here",
		`{{ xs|sum(nope) }}`:           "the message names the variable",
		`{{ xs[nope] }}`:               "the message names the variable",
		`{{ range(nope) }}`:            "the message names the variable",
		`{{ name[nope:] }}`:            "the message names the variable",
	}
}

func checkCase(t *testing.T, tc corpusCase, out string, err error) {
	t.Helper()
	if tc.Out != nil {
		if err != nil {
			t.Fatalf("%s\nerror %v\n want %q", tc.Template, err, *tc.Out)
		}
		if out != *tc.Out {
			t.Fatalf("%s\n got %q\nwant %q", tc.Template, out, *tc.Out)
		}
		return
	}
	if err == nil {
		t.Fatalf("%s\n got %q\nwant %s error %q", tc.Template, out, tc.Error, tc.Message)
	}
	if got := kindName(err); got != tc.Error {
		t.Fatalf("%s\n got %s error %v\nwant %s error %q", tc.Template, got, err, tc.Error, tc.Message)
	}
	e, _ := errors.AsType[*Error](err)
	if tc.Error != "runtime" && tc.Error != "notfound" && e.Msg != tc.Message {
		t.Errorf("%s\nmessage %q\n   want %q", tc.Template, e.Msg, tc.Message)
	}
	if tc.Line > 0 && e.Line != tc.Line {
		t.Errorf("%s\nline %d, want %d (%s)", tc.Template, e.Line, tc.Line, tc.Message)
	}
}
