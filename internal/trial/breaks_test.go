package trial_test

import (
	"context"
	"fmt"
	"testing"
)

// tortureBreaks kills breaks of one to five stacks at every line of their journals, each
// with every ending; then at every call, each with an ending, then with the other endings
// as far as the time goes; then breaks and recoveries at random.
func tortureBreaks(t *testing.T, found results) {
	t.Helper()
	for _, needs := range graphs() {
		tortureSteps(t, found, wreck{ordeal{op: "break", needs: needs, blows: []blow{{}}}, "recover", false})
	}
	if *steps {
		return
	}
	for _, bucket := range []bool{false, true} {
		for _, needs := range graphs() {
			tortureCalls(t, found, wreck{ordeal{op: "break", needs: needs, blows: []blow{{}}}, "recover", bucket})
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), *breaks*3/8)
	defer cancel()
	found["break-random"] = attack(ctx, t, "breaks and recoveries, random kills", func(yield func(wreck) bool) {
		for n := *seed; yield(randomWreck(n)); n++ {
		}
	})
}

// tortureSteps kills at every line of the journal, whole and torn, with every ending.
func tortureSteps(t *testing.T, found results, w wreck) {
	t.Helper()
	calm := w.calm(t)
	ctx, cancel := within(t.Context(), *breaks/16)
	defer cancel()
	strikes := w.lineStrikes(calm.lines, *seed)
	m := attack(ctx, t, fmt.Sprintf("break of %d, %d journal steps", len(w.needs), calm.lines), w.rounds(strikes, 0, len(endings())))
	m["planned"] = float64(len(strikes) * len(endings()))
	found[fmt.Sprintf("break-%d-steps", len(w.needs))] = m
}

// tortureCalls kills at every call, before and after it is applied.
func tortureCalls(t *testing.T, found results, w wreck) {
	t.Helper()
	calm := w.calm(t)
	name := fmt.Sprintf("break of %d, %d calls", len(w.needs), calm.calls)
	if w.bucket {
		name += ", bucket"
	}
	share := *breaks / 16
	strikes := w.callStrikes(calm.calls, *seed)
	row := fmt.Sprintf("break-%d-bucket-%v", len(w.needs), w.bucket)
	ctx, cancel := within(t.Context(), share)
	defer cancel()
	m := attack(ctx, t, name, w.rounds(strikes, 0, 1))
	m["planned"] = float64(len(strikes))
	found[row] = m
	if *part {
		return
	}
	ctx, cancel = context.WithTimeout(t.Context(), share)
	defer cancel()
	found[row+"-endings"] = attack(ctx, t, name+", other endings", w.rounds(strikes, 1, len(endings())))
}

// calm is what the case does when nobody disturbs it.
func (w wreck) calm(t *testing.T) verdict {
	t.Helper()
	v := w.endure(t)
	if v.err != nil {
		t.Fatalf("%s: %v", w, v.err)
	}
	return v
}

// rounds are the case with each of the strikes, and with one ending more each round.
func (w wreck) rounds(strikes []blow, from, to int) func(yield func(wreck) bool) {
	return func(yield func(wreck) bool) {
		for round := from; round < to; round++ {
			for i, b := range strikes {
				if !yield(w.with(b, endings()[(i+round)%len(endings())])) {
					return
				}
			}
		}
	}
}

// TestBreakSurvives goes through a few of the cases of make torture: each ending
// once, and the moments that were hardest.
func TestBreakSurvives(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("follows processes at their pace")
	}
	for _, text := range []string{
		"op=break needs=- blows=j1t then=halt seed=0",      // a journal of half an entry was in the way of everything
		"op=break needs=- blows=j4t then=resume seed=0",    // recover waited for what nobody would ever send
		"op=break needs=- blows=34a then=team seed=0",      // that AWS took the call was never written down
		"op=break needs=-,0 blows=j9 then=person seed=0",   // what was down before was not waited for
		"op=break needs=-,0 blows=j8t,40 then=halt seed=0", // and the recovery is killed, too
	} {
		w, err := parseWreck(text)
		if err != nil {
			t.Fatal(err)
		}
		if v := w.endure(t); v.err != nil {
			t.Errorf("%s: %v", w, v.err)
		}
	}
}

// TestTwoFacilitators: of two who break the same at once one does, and the other is
// told so (exit 7), or that something moved (exit 5); everything goes down once.
func TestTwoFacilitators(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("follows processes at their pace")
	}
	w := wreck{ordeal{op: "break", needs: graphs()[1], blows: []blow{{}}}, "recover", false}
	g, err := starts.rig(t, w, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	other := make(chan ran, 1)
	args := []string{"break", "run", "--plan", "b.plan", "--digest", g.digest, "--detach"}
	go func() {
		r, err := g.watcher().run(t.Context(), blow{}, "", args...)
		if err != nil {
			t.Error(err)
		}
		other <- r
	}()
	one, err := g.run(t.Context(), blow{}, "", args...)
	two := <-other
	if err != nil {
		t.Fatal(err)
	}
	if one.exit != exitFine {
		one, two = two, one
	}
	if one.exit != exitFine || two.exit != 7 && two.exit != 5 {
		t.Fatalf("exits %d and %d\n%s%s", one.exit, two.exit, one.stderr, two.stderr)
	}
	if _, err := g.expect(t.Context(), []int{exitFine}, "recover", "-y"); err != nil {
		t.Fatal(err)
	}
	if err := w.intact(t.Context(), g); err != nil {
		t.Fatalf("%v\n%s", err, g.story())
	}
}
