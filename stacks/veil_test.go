package stacks_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/deployer-cli/deployer/stacks"
)

func TestVeil(t *testing.T) {
	t.Parallel()
	v := stacks.NewVeil("", "ab", "hunter2", "hunter2-and-more")
	if got := v.Masked("hunter2-and-more, hunter2, ab"); got != "****, ****, ****" {
		t.Error(got)
	}
	if v.Names("crab-12ab") || !v.Names("queue-hunter2-x") || v.Holds("hunter") || (stacks.Veil{}).Holds("x") {
		t.Error("what is a secret, and what is none")
	}
}

// TestVeilSeesBase64: wherever a secret stands in what was encoded, the encoded text is
// known, and decodes to nothing of it once it is masked.
func TestVeilSeesBase64(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		secret := rapid.StringOfN(rapid.RuneFrom([]rune("abcXYZ019-_~?")), 6, 20, -1).Draw(t, "secret")
		before, behind := rapid.StringN(0, 9, -1).Draw(t, "before"), rapid.StringN(0, 9, -1).Draw(t, "behind")
		for _, by := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding} {
			text := by.EncodeToString([]byte(before + secret + behind))
			v := stacks.NewVeil(secret)
			if masked := v.Masked(text); !v.Holds(text) || !strings.Contains(masked, stacks.Veiled) {
				t.Fatalf("%q in %q is not seen: %q", secret, text, masked)
			}
		}
	})
}
