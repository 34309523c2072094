package trial_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// wreck is one case of torturing a break: an environment that is torn down, when
// the one who does it is killed, and what happens then.
type wreck struct {
	ordeal        // op is break; the first blow is for the break, the others for recoveries
	then   string // of endings
	bucket bool   // the journal is in a bucket too, so that each of its lines is a call
}

// endings are what happens after the facilitator died, before recover -y.
func endings() []string {
	return []string{
		"recover", // nothing
		"resume",  // somebody finds out how it stands, without a terminal
		"team",    // the team rebuilds everything, then as with resume
		"person",  // somebody goes on with it at a terminal, and the team rebuilds everything
		"halt",    // somebody calls it off
	}
}

// String is the case as parseWreck reads it.
func (w wreck) String() string {
	text := strings.Replace(w.ordeal.String(), " seed=", " then="+w.then+" seed=", 1)
	if w.bucket {
		text += " bucket=yes"
	}
	return text
}

// parseWreck reads what String wrote.
func parseWreck(text string) (wreck, error) {
	var w wreck
	var rest []string
	for field := range strings.FieldsSeq(text) {
		switch key, value, _ := strings.Cut(field, "="); key {
		case "then":
			w.then = value
		case "bucket":
			w.bucket = true
		case "op":
			if value != "break" {
				return w, errors.New("it is no break")
			}
			rest = append(rest, "op=launch")
		default:
			rest = append(rest, field)
		}
	}
	var err error
	if w.ordeal, err = parseOrdeal(strings.Join(rest, " ")); err == nil && !slices.Contains(endings(), w.then) {
		err = fmt.Errorf("%q: then= is one of %v", text, endings())
	}
	w.op = "break"
	return w, err
}

// shorter are the cases that are one step simpler.
func (w wreck) shorter() []wreck {
	var out []wreck
	for _, o := range w.ordeal.shorter() {
		out = append(out, wreck{o, w.then, w.bucket})
	}
	if w.bucket {
		out = append(out, wreck{w.clone(), w.then, false})
	}
	if w.then != "recover" {
		out = append(out, wreck{w.clone(), "recover", w.bucket})
	}
	return out
}

// with is the case with another blow.
func (w wreck) with(b blow, then string) wreck {
	w.ordeal = w.clone()
	w.blows, w.then = []blow{b}, then
	return w
}

// graphs are environments of one to five stacks, each with those that a stack
// imports from.
func graphs() [][][]int {
	return [][][]int{
		{nil},
		{nil, {0}},
		{nil, {0}, {0}},
		{nil, {0}, {1}, nil},
		{nil, {0}, {0}, {1, 2}, {3}},
	}
}

// callStrikes are one before and one after each call is applied, in a random order, so
// that those that there is time for say something about all.
func (w wreck) callStrikes(calls int, seed uint64) []blow {
	var out []blow
	for at := 1; at <= calls; at++ {
		out = append(out, blow{at: at}, blow{at: at, applied: true})
	}
	return w.shuffled(out, seed)
}

// lineStrikes are one at each line of the journal, whole and torn, as callStrikes.
func (w wreck) lineStrikes(lines int, seed uint64) []blow {
	var out []blow
	for line := 1; line <= lines; line++ {
		out = append(out, blow{line: line}, blow{line: line, torn: true})
	}
	return w.shuffled(out, seed)
}

func (w wreck) shuffled(out []blow, seed uint64) []blow {
	dice := rand.New(rand.NewPCG(seed, uint64(len(w.needs))))
	dice.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

// randomWreck makes a case of a seed: kills of the break and of what recovers.
func randomWreck(seed uint64) wreck {
	dice := rand.New(rand.NewPCG(seed, 11))
	w := wreck{ordeal: random(seed), then: endings()[dice.IntN(len(endings()))], bucket: dice.IntN(2) == 0}
	w.op, w.faults, w.needs = "break", nil, w.needs[:min(5, len(w.needs))]
	w.blows = nil
	for i := range 1 + dice.IntN(3) {
		b := blow{at: 1 + dice.IntN(120), applied: dice.IntN(2) == 0}
		if i == 0 && !w.bucket && dice.IntN(2) == 0 {
			b = blow{line: 1 + dice.IntN(20), torn: dice.IntN(2) == 0}
		}
		w.blows = append(w.blows, b)
	}
	return w
}

// TestWreckText: cases come back from their text as they went.
func TestWreckText(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		w := randomWreck(seed)
		back, err := parseWreck(w.String())
		if err != nil || back.String() != w.String() || len(back.needs) != len(w.needs) {
			t.Fatalf("%s came back as %s, %v", w, back, err)
		}
	}
	for _, text := range []string{"", "op=launch needs=- then=team", "op=break needs=-", "op=break needs=- then=dance"} {
		if _, err := parseWreck(text); err == nil {
			t.Errorf("%q is a case", text)
		}
	}
}
