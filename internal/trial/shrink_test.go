package trial_test

import (
	"context"
	"slices"
	"testing"
)

// shrink makes a failing case shorter as long as a shorter one still fails and
// the context lasts. Calls move when anything else changes, so that a shorter
// environment is tried with each blow that could do it.
func shrink[C interface{ shorter() []C }](ctx context.Context, o C, fails func(C) bool) C {
	for {
		i := slices.IndexFunc(o.shorter(), func(s C) bool { return ctx.Err() == nil && fails(s) })
		if i < 0 {
			return o
		}
		o = o.shorter()[i]
	}
}

// shorter are the cases that are one step simpler, the largest steps first.
func (o ordeal) shorter() []ordeal {
	var out []ordeal
	add := func(change func(*ordeal)) {
		s := o.clone()
		change(&s)
		out = append(out, s)
	}
	for i := range o.faults {
		add(func(s *ordeal) { s.faults = slices.Delete(s.faults, i, i+1) })
	}
	for i := range o.blows {
		add(func(s *ordeal) { s.blows = slices.Delete(s.blows, i, i+1) })
	}
	if len(o.needs) > 1 {
		for i := range slices.Backward(o.needs) {
			smaller := o.clone()
			smaller.drop(i)
			for _, blows := range nearer(smaller.blows) {
				s := smaller.clone()
				s.blows = blows
				out = append(out, s)
			}
		}
	}
	for i, needs := range o.needs {
		for k := range needs {
			add(func(s *ordeal) { s.needs[i] = slices.Delete(s.needs[i], k, k+1) })
		}
	}
	for i, b := range o.blows {
		if b.at > 1 {
			add(func(s *ordeal) { s.blows[i].at = b.at / 2 })
			add(func(s *ordeal) { s.blows[i].at-- })
		}
	}
	return out
}

// nearer are the blows, and the same some calls earlier: a stack less makes
// fewer calls.
func nearer(blows []blow) [][]blow {
	out := [][]blow{blows}
	for _, less := range []int{1, 2, 3, 5, 8} {
		moved := slices.Clone(blows)
		for i := range moved {
			moved[i].at = max(1, moved[i].at-less)
		}
		if len(moved) > 0 {
			out = append(out, moved)
		}
	}
	return out
}

func (o ordeal) clone() ordeal {
	o.blows, o.faults, o.needs = slices.Clone(o.blows), slices.Clone(o.faults), slices.Clone(o.needs)
	for i := range o.needs {
		o.needs[i] = slices.Clone(o.needs[i])
	}
	return o
}

// drop takes the stack of that number out; those that needed it need what is left.
func (o *ordeal) drop(i int) {
	o.needs = slices.Delete(o.needs, i, i+1)
	for k, needs := range o.needs {
		needs = slices.DeleteFunc(needs, func(n int) bool { return n == i })
		for j := range needs {
			if needs[j] > i {
				needs[j]--
			}
		}
		o.needs[k] = needs
	}
}

// TestShrink: the shortest case is found of a failure that needs two stacks, one
// above the other, an update, and a kill from the fourth call on.
func TestShrink(t *testing.T) {
	t.Parallel()
	tried := 0
	fails := func(o ordeal) bool {
		tried++
		edge := slices.ContainsFunc(o.needs, func(needs []int) bool { return len(needs) > 0 })
		return o.op == "update" && edge && slices.ContainsFunc(o.blows, func(b blow) bool { return b.at >= 4 && b.applied })
	}
	start, err := parseOrdeal("op=update needs=-,0,0+1,2,0+3 blows=3,17a,2 faults=stale,slow seed=9")
	if err != nil || !fails(start) {
		t.Fatal("the case does not fail", err)
	}
	got := shrink(t.Context(), start, fails)
	if want := "op=update needs=-,0 blows=4a seed=9"; got.String() != want {
		t.Errorf("%s after %d tries, want %s", got, tried, want)
	}
	if tried > 200 {
		t.Errorf("%d tries", tried)
	}
}
