package trial_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/deployer-cli/deployer/internal/sandbox"
)

// ordeal is one case of torture: an environment, what is done with it, when the
// one who does it is killed, and what AWS does to him meanwhile.
type ordeal struct {
	op     string  // launch, update, delete or prune
	needs  [][]int // of each stack, the earlier ones that it needs
	blows  []blow  // one run each; the run after the last must succeed
	faults []string
	seed   uint64 // of AWS's dice
}

// blow kills a run when AWS receives its call of that number, 0 for never.
type blow struct {
	at      int
	applied bool // AWS does what is asked first, and the answer is lost
	line    int  // of breaks: the journal ends with its line of that number
	torn    bool // and of that line only the half was written
}

// String is 7, or 7a for one after the call was applied; j3 is the journal's
// third line, j3t half of it.
func (b blow) String() string {
	text := strconv.Itoa(b.at)
	if b.line > 0 {
		text = "j" + strconv.Itoa(b.line)
	}
	switch {
	case b.applied:
		return text + "a"
	case b.torn:
		return text + "t"
	}
	return text
}

// parseBlow reads what String wrote.
func parseBlow(text string) (b blow, err error) {
	number, isLine := strings.CutPrefix(text, "j")
	if isLine {
		number, b.torn = strings.CutSuffix(number, "t")
		b.line, err = strconv.Atoi(number)
		return b, err
	}
	number, b.applied = strings.CutSuffix(number, "a")
	b.at, err = strconv.Atoi(number)
	return b, err
}

// operations that are tortured.
func operations() []string { return []string{"launch", "update", "delete", "prune"} }

// faults by name, as rules of the sandbox. fail0, fail1 and so on beside them
// let the resource of that stack fail once.
func faults() map[string]sandbox.Fault {
	return map[string]sandbox.Fault{
		"throttled": {Throttle: true, Probability: 0.25},
		"errors":    {Status: 503, Probability: 0.15},
		"lost":      {Drop: "request", Probability: 0.1},
		"unheard":   {Drop: "answer", Probability: 0.15},
		"stale":     {Stale: 100 * time.Second},
		"slow":      {Delay: 50 * time.Millisecond},
		"wobbly":    {Stale: 100 * time.Second, Probability: 0.5}, // reads go back and forth
	}
}

// random makes a case of a seed.
func random(seed uint64) ordeal {
	dice := rand.New(rand.NewPCG(seed, 7))
	o := ordeal{op: operations()[dice.IntN(4)], seed: seed}
	many := 2 + dice.IntN(5)
	for i := range many {
		var needs []int
		for before := range i {
			if dice.IntN(3) == 0 {
				needs = append(needs, before)
			}
		}
		o.needs = append(o.needs, needs)
	}
	for range 1 + dice.IntN(3) {
		o.blows = append(o.blows, blow{at: 1 + dice.IntN(6*many), applied: dice.IntN(2) == 0})
	}
	names := []string{"throttled", "errors", "lost", "unheard", "stale", "wobbly", "slow", fmt.Sprintf("fail%d", dice.IntN(many))}
	dice.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	o.faults = slices.Clone(names[:dice.IntN(3)])
	return o
}

// String is the case as `make torture` takes it in TORTURE_CASE:
//
//	op=update needs=-,0,0+1 blows=7,3a faults=stale,fail1 seed=5
//
// are three stacks, of which the last needs the first two; the first run is
// killed at its seventh call, the second at its third, after that was applied.
func (o ordeal) String() string {
	needs := make([]string, len(o.needs))
	for i, list := range o.needs {
		needs[i] = "-"
		if len(list) > 0 {
			needs[i] = strings.ReplaceAll(strings.Trim(fmt.Sprint(list), "[]"), " ", "+")
		}
	}
	blows := make([]string, len(o.blows))
	for i, b := range o.blows {
		blows[i] = b.String()
	}
	text := "op=" + o.op + " needs=" + strings.Join(needs, ",")
	if len(blows) > 0 {
		text += " blows=" + strings.Join(blows, ",")
	}
	if len(o.faults) > 0 {
		text += " faults=" + strings.Join(o.faults, ",")
	}
	return text + " seed=" + strconv.FormatUint(o.seed, 10)
}

// parseOrdeal reads what String wrote.
func parseOrdeal(text string) (ordeal, error) {
	var o ordeal
	for field := range strings.FieldsSeq(text) {
		key, value, _ := strings.Cut(field, "=")
		var err error
		switch list := strings.Split(value, ","); key {
		case "op":
			o.op = value
		case "needs":
			for _, one := range list {
				var needs []int
				for _, number := range strings.FieldsFunc(one, func(r rune) bool { return r == '+' || r == '-' }) {
					n, wrong := strconv.Atoi(number)
					if wrong != nil || n < 0 || n >= len(o.needs) {
						err = fmt.Errorf("%q is no earlier stack", number)
					}
					needs = append(needs, n)
				}
				o.needs = append(o.needs, needs)
			}
		case "blows":
			for _, one := range list {
				b, wrong := parseBlow(one)
				err = errors.Join(err, wrong)
				o.blows = append(o.blows, b)
			}
		case "faults":
			o.faults = list
		case "seed":
			o.seed, err = strconv.ParseUint(value, 10, 64)
		default:
			err = fmt.Errorf("no such part of a case")
		}
		if err != nil {
			return o, fmt.Errorf("%s: %w", field, err)
		}
	}
	if !slices.Contains(operations(), o.op) || len(o.needs) == 0 {
		return o, fmt.Errorf("%q: a case has op= and needs=", text)
	}
	return o, nil
}

// stack is the name of the stack of that number below dev/.
func stack(i int) string { return fmt.Sprintf("s%d", i) }

// project is the case's, as it is before.
func (o ordeal) project() *project {
	p := &project{shape: "ordeal"}
	for i, needs := range o.needs {
		n := node{name: stack(i), template: "link"}
		for _, need := range needs {
			n.needs = append(n.needs, stack(need))
		}
		p.nodes = append(p.nodes, n)
	}
	return p
}

// prunes tells whether the stack of that number is one that prune deletes: the
// later half, which nothing of the earlier needs.
func (o ordeal) prunes(i int) bool { return i >= len(o.needs)/2 }

// alter changes the files to what the operation is about, and returns its
// command line.
func (o ordeal) alter(t testing.TB, dir string) []string {
	t.Helper()
	for i, n := range o.project().nodes {
		switch {
		case o.op == "update":
			n.write(t, dir, "changed")
		case o.op == "prune" && o.prunes(i):
			write(t, dir, "config/dev/"+n.name+".yaml", n.config("")+"obsolete: true\n")
		}
	}
	command := map[string]string{"update": "launch"}[o.op]
	if command == "" {
		command = o.op
	}
	return []string{command, "dev", "-y", "-o", "json"}
}

// past tells whether the operation is told of the past from before there was
// anything: what a deletion right after a launch is told.
func (o ordeal) past() bool {
	return (o.op == "delete" || o.op == "prune") && slices.Contains(o.faults, "stale")
}

// rules are the faults of the case.
func (o ordeal) rules() ([]sandbox.Fault, error) {
	var out []sandbox.Fault
	for _, name := range o.faults {
		if number, ok := strings.CutPrefix(name, "fail"); ok {
			phase := map[string]string{"launch": "create", "update": "update"}[o.op]
			if phase == "" {
				phase = "delete"
			}
			out = append(out, sandbox.Fault{Stack: "many-dev-s" + number, Type: "AWS::SQS::Queue", Phase: phase, Fail: true, Count: 1})
			continue
		}
		f, ok := faults()[name]
		if !ok {
			return nil, fmt.Errorf("no fault %q", name)
		}
		f.Service = "cloudformation"
		out = append(out, f)
	}
	return out, nil
}

// TestOrdealText: cases come back from their text as they went.
func TestOrdealText(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		o := random(seed)
		back, err := parseOrdeal(o.String())
		if err != nil || back.String() != o.String() || len(back.needs) != len(o.needs) {
			t.Fatalf("%s came back as %s, %v", o, back, err)
		}
	}
	for _, text := range []string{"", "op=launch", "op=dance needs=-", "op=launch needs=0", "op=launch needs=- blows=x", "op=launch needs=- what=1"} {
		if _, err := parseOrdeal(text); err == nil {
			t.Errorf("%q is a case", text)
		}
	}
}
