package trial_test

import (
	"context"
	"fmt"
	"testing"
)

// tortureBreaks kills breaks of one to five stacks at every call and at every line of
// their journals, each with an ending, then with the other endings as far as the time
// goes; then breaks and recoveries at random.
func tortureBreaks(t *testing.T, found results) {
	t.Helper()
	for _, bucket := range []bool{false, true} {
		for _, needs := range graphs() {
			tortureBreak(t, found, wreck{ordeal{op: "break", needs: needs, blows: []blow{{}}}, "recover", bucket})
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), *breaks*3/8)
	defer cancel()
	found["break-random"] = attack(ctx, t, "breaks and recoveries, random kills", func(yield func(wreck) bool) {
		for n := *seed; yield(randomWreck(n)); n++ {
		}
	})
}

func tortureBreak(t *testing.T, found results, w wreck) {
	t.Helper()
	calm := w.endure(t)
	if calm.err != nil {
		t.Fatalf("%s: %v", w, calm.err)
	}
	name := fmt.Sprintf("break of %d, %d calls, %d steps", len(w.needs), calm.calls, calm.lines)
	if w.bucket {
		name += ", bucket"
	}
	share := *breaks / 16
	strikes := w.strikes(calm.calls, calm.lines, *seed)
	rounds := func(from, to int) func(yield func(wreck) bool) {
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
	row := fmt.Sprintf("break-%d-bucket-%v", len(w.needs), w.bucket)
	ctx, cancel := within(t.Context(), share)
	defer cancel()
	m := attack(ctx, t, name, rounds(0, 1))
	m["planned"] = float64(len(strikes))
	found[row] = m
	if *part {
		return
	}
	ctx, cancel = context.WithTimeout(t.Context(), share)
	defer cancel()
	found[row+"-endings"] = attack(ctx, t, name+", other endings", rounds(1, len(endings())))
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
