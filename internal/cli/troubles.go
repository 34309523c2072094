package cli

import (
	"errors"
	"strings"
	"sync"

	"github.com/deployer-cli/deployer/internal/awsconf"
	"github.com/deployer-cli/deployer/stacks"
)

// troubles tells the reader of a run that it waits, and that it goes on: once
// for however many calls wait for the same. Its zero value tells nobody.
type troubles struct {
	mu  sync.Mutex
	say chan string
	bad map[stacks.Access]bool
}

// open returns where the words go from now on.
func (t *troubles) open() <-chan string {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.say = make(chan string, 8)
	return t.say
}

func (t *troubles) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.say = nil
}

// hear takes in that what is reached with a does not answer, because of err, or
// that it does again.
func (t *troubles) hear(a stacks.Access, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	before := len(t.bad)
	if err == nil {
		delete(t.bad, a)
		if before > 0 && len(t.bad) == 0 {
			t.tell("AWS answers again; going on")
		}
		return
	}
	if t.bad == nil {
		t.bad = map[stacks.Access]bool{}
	}
	t.bad[a] = true
	if before == 0 {
		t.tell(waiting(err))
	}
}

// note tells the reader of a run something that is no trouble with AWS.
func (t *troubles) note(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.tell(text)
}

// tell never waits: who does not listen for so long misses it.
func (t *troubles) tell(text string) {
	select {
	case t.say <- text:
	default:
	}
}

// waiting says what is waited for, and what helps.
func waiting(err error) string {
	hint := ""
	if h, ok := errors.AsType[hinter](err); ok {
		hint = h.Hint()
	}
	if !awsconf.IsCredentials(err) {
		return err.Error() + "; nothing fails for it, the run waits (" + hint + ")"
	}
	hint, _ = strings.CutSuffix(hint, " and run the command again")
	return err.Error() + "; the run waits and goes on by itself: " + hint
}
