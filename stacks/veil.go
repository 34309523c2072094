package stacks

import (
	"cmp"
	"encoding/base64"
	"slices"
	"strings"
)

// Veil keeps secret values out of texts: as they are, and as base64 wherever they stand
// in what was encoded. The zero Veil knows no secret.
type Veil struct {
	known []string // longest first
}

// encodedFrom is how long a secret has to be to be looked for in its encoded forms, and
// in names: a shorter one may stand there by chance.
const encodedFrom = 5

// Veiled is how a secret is shown, as CloudFormation shows that of a NoEcho parameter.
const Veiled = "****"

// NewVeil makes a veil of secret values. Empty ones are none.
func NewVeil(secrets ...string) Veil {
	var v Veil
	for _, s := range secrets {
		if s == "" {
			continue
		}
		v.known = append(v.known, s)
		if len(s) >= encodedFrom {
			v.known = append(v.known, encoded(s)...)
		}
	}
	slices.SortFunc(v.known, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	v.known = slices.Compact(v.known)
	return v
}

// encoded gives what of a secret's base64 is the same whatever stands before and behind
// it: three bytes become four letters, so that there are three ways to begin.
func encoded(secret string) []string {
	var out []string
	for _, by := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for before := range 3 {
			text := by.EncodeToString([]byte(strings.Repeat("\x00", before) + secret))
			first := (before*8 + 5) / 6 // letters that hold a bit of what stands before
			last := (before + len(secret)) * 8 / 6
			out = append(out, text[first:last])
		}
	}
	return out
}

// Holds tells whether a text holds a secret.
func (v Veil) Holds(text string) bool {
	return slices.ContainsFunc(v.known, func(s string) bool { return strings.Contains(text, s) })
}

// Names tells whether a name holds a secret: one that is long enough not to stand there
// by chance.
func (v Veil) Names(name string) bool {
	return slices.ContainsFunc(v.known, func(s string) bool { return len(s) >= encodedFrom && strings.Contains(name, s) })
}

// Masked is a text without the secrets in it.
func (v Veil) Masked(text string) string {
	for _, s := range v.known {
		text = strings.ReplaceAll(text, s, Veiled)
	}
	return text
}
