package ui

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/deployer-cli/deployer/internal/guard"
)

// Prompter asks questions at a terminal, one line each.
type Prompter struct {
	w     io.Writer
	style Style
	lines chan string
}

// ErrNoAnswer says that the input ended before a question was answered.
var ErrNoAnswer = errors.New("the input ended before the question was answered")

// NewPrompter asks on w and reads answers from r. Only one Prompter may read
// from r.
func NewPrompter(w io.Writer, r io.Reader, style Style) *Prompter {
	p := &Prompter{w: w, style: style, lines: make(chan string)}
	go func() {
		defer close(p.lines)
		in := bufio.NewScanner(r)
		for in.Scan() {
			p.lines <- in.Text()
		}
	}()
	return p
}

// Ask shows a question and returns what was typed. It returns ErrNoAnswer at
// the end of the input, and the context's error when that ends first.
func (p *Prompter) Ask(ctx context.Context, q guard.Question) (string, error) {
	for _, n := range q.Notes {
		fmt.Fprintln(p.w, p.style.Warn("note: "+n))
	}
	prompt := q.Text + " [y/N] "
	if q.Want != "" {
		prompt = q.Text + "\n> "
	}
	fmt.Fprint(p.w, p.style.Class(q.Class, strings.TrimRight(prompt, " "))+" ")
	select {
	case line, open := <-p.lines:
		if !open {
			fmt.Fprintln(p.w)
			return "", ErrNoAnswer
		}
		return line, nil
	case <-ctx.Done():
		fmt.Fprintln(p.w)
		return "", context.Cause(ctx)
	}
}

// YesNo is a question that a y answers.
func YesNo(text string) guard.Question { return guard.Question{Text: text} }
