package main_test

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// toll is how far a havoc came.
type toll struct {
	refused bool // by the plan
	sent    int  // deletions that AWS accepted
	taken   int  // of those, stacks that were not chosen
	amid    bool // the blow landed between the calls
	kept    bool // not all that was planned went
	back    int  // stacks that recover brought back
}

// broken is a break's plan, as far as a reviewer reads it.
type broken struct {
	Digest, Phrase string
	Steps          []struct {
		Stack   string
		StackID string `json:"stack_id"`
	}
	Radius struct {
		Dependents []struct{ Stack string }
	}
}

// play plays the havoc, and tells what went otherwise than the contract says.
func (h havoc) play(t testing.TB, dir string) (got toll, wrong []string) {
	s := newSite(t, &h, dir)
	s.build()
	before := make([]*portrait, len(h.nodes))
	for i := range before {
		if before[i] = s.portray(i); before[i] == nil {
			t.Fatalf("%s does not live", h.name(i))
		}
	}
	s.aws.writes()
	args := h.chosen()
	r := s.run(nil, append([]string{"break", "plan", "--out", "b.plan"}, args...)...)
	s.untouched("break plan")
	if why := h.refuses(); why != "" {
		if _, err := os.Stat(filepath.Join(dir, "b.plan")); r.Exit != 3 || err == nil {
			s.failf("break plan: exit %d, although %s\n%s", r.Exit, why, r.Stdout)
		}
		r = s.run(&person{text: strings.NewReader("dev " + fmt.Sprint(len(h.goes())) + "\n")}, append([]string{"break", "--detach"}, args...)...)
		if s.untouched("break"); r.Exit != 3 {
			s.failf("break: exit %d, although %s\n%s", r.Exit, why, r.Stderr)
		}
		return toll{refused: true}, s.wrong
	}
	if r.Exit != 0 {
		s.failf("break plan: exit %d, although nothing speaks against it\n%s%s", r.Exit, r.Stdout, r.Stderr)
		return got, s.wrong
	}
	p := s.announced(before)
	r = s.breakIt(p, args)
	if !s.begins(r) {
		return got, s.wrong
	}
	s.calm()
	down := s.judge(r, before)
	got.sent, got.kept, got.amid = len(down), len(down) < len(h.goes()), h.amid != nil && !s.landed.IsZero()
	for _, i := range down {
		if !slices.Contains(h.targets, i) {
			got.taken++
		}
	}
	for _, call := range s.aws.writes() {
		if call != "DeleteStack" {
			s.failf("a break sent %s", call)
		}
	}
	if len(s.wrong) > 0 {
		s.failf("exit %d\n%s%s", r.Exit, r.Stdout, r.Stderr)
		return got, s.wrong
	}
	got.back = s.comesBack(before, down)
	return got, s.wrong
}

// chosen are the arguments that choose.
func (h *havoc) chosen() []string {
	var args []string
	for _, i := range h.targets {
		args = append(args, h.path(i))
	}
	if h.only {
		args = append([]string{"--only"}, args...)
	}
	return args
}

// untouched tells that nothing was sent that changes anything.
func (s *site) untouched(command string) {
	if sent := s.aws.writes(); len(sent) > 0 {
		s.failf("%s sent %v", command, sent)
	}
}

// announced holds the plan against what has to go.
func (s *site) announced(before []*portrait) broken {
	h := s.h
	var p broken
	text, err := os.ReadFile(filepath.Join(s.dir, "b.plan"))
	if err == nil {
		err = json.Unmarshal(text, &p)
	}
	if err != nil {
		s.failf("the plan: %v", err)
	}
	var want, is, stay []string
	for _, i := range h.goes() {
		want = append(want, h.path(i)+" "+before[i].id)
	}
	for _, step := range p.Steps {
		is = append(is, step.Stack+" "+step.StackID)
	}
	slices.Sort(is)
	slices.Sort(want)
	if !slices.Equal(is, want) {
		s.failf("the plan is to delete %v, and %v have to go", is, want)
	}
	for _, d := range p.Radius.Dependents {
		stay = append(stay, d.Stack)
	}
	if lose := h.loses(); !slices.Equal(stay, lose) {
		s.failf("the plan says that %v lose what they need, and %v do", stay, lose)
	}
	if !strings.HasSuffix(p.Phrase, fmt.Sprint(" ", len(want))) {
		s.failf("%q does not count %d stacks", p.Phrase, len(want))
	}
	return p
}

// breakIt begins the break as the havoc says, with what comes between.
func (s *site) breakIt(p broken, args []string) ran {
	h := s.h
	s.phase = "break"
	var falling sync.WaitGroup
	var timer, leave *time.Timer
	stop := func(t *time.Timer) bool { return t != nil && t.Stop() }
	patience := func() {
		if h.stays {
			stop(leave)
			leave = time.AfterFunc(10*time.Minute, func() { s.interrupts <- os.Interrupt })
		}
	}
	patience()
	s.strike = func(accepted int) {
		if patience(); h.amid != nil && accepted == h.amid.call && timer == nil {
			falling.Add(1)
			timer = time.AfterFunc(time.Duration(h.amid.wait)*time.Second, func() { defer falling.Done(); s.fall(h.amid) })
		}
	}
	s.troubled()
	var typed io.Reader
	blow := func() {
		if h.before != nil {
			s.fall(h.before)
		}
	}
	command := []string{"break"}
	if h.typed == "plan" {
		blow()
		command = append(command, "run", "--plan", "b.plan", "--digest", p.Digest)
		args = nil
	} else {
		typed = &person{text: strings.NewReader(h.types(p.Phrase)), do: blow}
	}
	if h.pause {
		command = append(command, "--pause", "5m")
	}
	if !h.stays {
		command = append(command, "--detach")
	}
	r := s.run(typed, append(command, args...)...)
	s.mu.Lock()
	s.strike = nil
	stop(leave)
	if stop(timer) {
		falling.Done()
	}
	s.mu.Unlock()
	falling.Wait()
	s.phase = "recover"
	return r
}

// types is what the person types.
func (h *havoc) types(phrase string) string {
	return map[string]string{"phrase": phrase + "\n", "y": "y\n", "less": "dev 0\n", "": ""}[h.typed]
}

// begins tells whether the break was to begin, and holds what happened against
// that where it was not.
func (s *site) begins(r ran) bool {
	h := s.h
	var codes []int
	if b := h.before; b != nil && !s.landed.IsZero() && b.concerns(h.goes()) {
		codes = append(codes, 3, 5)
	}
	if h.typed != "plan" && h.typed != "phrase" {
		codes = append(codes, 4)
	}
	if codes == nil {
		return true
	}
	if s.untouched("what was not to begin"); !slices.Contains(codes, r.Exit) {
		s.failf("exit %d, want one of %v\n%s%s", r.Exit, codes, r.Stdout, r.Stderr)
	}
	return false
}
