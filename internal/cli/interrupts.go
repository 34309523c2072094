package cli

import (
	"context"
	"os"
	"sync"
)

// interrupts hands each Ctrl-C, and the end of the terminal, to whoever asked for it last; by default it
// cancels the command.
type interrupts struct {
	mu      sync.Mutex
	handler func(os.Signal)
	done    chan struct{}
}

// cancelledError is the cause of a context that Ctrl-C cancelled.
type cancelledError struct{}

func (cancelledError) Error() string        { return "interrupted" }
func (cancelledError) Is(target error) bool { return target == context.Canceled }
func (cancelledError) ExitCode() int        { return exitInterrupted }

// hangupError is the cause of a context that the end of the terminal cancelled.
type hangupError struct{}

func (hangupError) Error() string        { return "the terminal was closed" }
func (hangupError) Is(target error) bool { return target == context.Canceled }
func (hangupError) ExitCode() int        { return exitInterrupted }

func watchInterrupts(signals <-chan os.Signal, cancel context.CancelCauseFunc) *interrupts {
	i := &interrupts{done: make(chan struct{}), handler: func(os.Signal) { cancel(cancelledError{}) }}
	if signals == nil {
		return i
	}
	go func() {
		for {
			select {
			case <-i.done:
				return
			case signal, open := <-signals:
				if !open {
					return
				}
				i.mu.Lock()
				handler := i.handler
				i.mu.Unlock()
				handler(signal)
			}
		}
	}()
	return i
}

// handle makes f hear what comes next, until the returned function is called.
func (i *interrupts) handle(f func(os.Signal)) (restore func()) {
	i.mu.Lock()
	defer i.mu.Unlock()
	before := i.handler
	i.handler = f
	return func() {
		i.mu.Lock()
		defer i.mu.Unlock()
		i.handler = before
	}
}

func (i *interrupts) stop() { close(i.done) }
