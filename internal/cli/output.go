package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/deployer-cli/deployer/internal/cfnyaml"
)

// checkedWriter takes one write after the other, whoever writes, and remembers that
// output got lost: a status that nobody could read must not end well.
type checkedWriter struct {
	w    io.Writer
	mu   sync.Mutex
	err  error
	left atomic.Bool // nothing is written any more
}

// Write passes on. That the reader had enough fails nothing: what is done goes on.
func (c *checkedWriter) Write(p []byte) (int, error) {
	if c.left.Load() {
		return len(p), nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	n, err := c.w.Write(p)
	if err != nil && c.err == nil {
		c.err = err
	}
	if enough(err) {
		return len(p), nil
	}
	return n, err
}

// leave gives up a reader that does not read on, without waiting for what is being
// written to it.
func (c *checkedWriter) leave() { c.left.Store(true) }

// enough tells that nobody reads any more.
func enough(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe)
}

// unread tells that nobody can read what is written any more.
func (c *checkedWriter) unread() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err != nil
}

// failure is what went wrong, nil also when the reader only had enough.
func (c *checkedWriter) failure() error {
	if c.left.Load() || c.err == nil || enough(c.err) {
		return nil
	}
	return fmt.Errorf("the output could not be written: %w", pathless(c.err))
}

// document writes v to stdout as the JSON or YAML that --output asks for. It
// returns false for text, which the command writes itself.
func (a *app) document(v any) (bool, error) {
	switch a.globals.output {
	case "json":
		enc := json.NewEncoder(a.env.Stdout)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		return true, enc.Encode(v)
	case "yaml":
		plain, err := throughJSON(v)
		if err != nil {
			return true, err
		}
		text, err := cfnyaml.Marshal(plain)
		if err != nil {
			return true, err
		}
		_, err = a.env.Stdout.Write(text)
		return true, err
	}
	return false, nil
}

// throughJSON gives v as maps and lists with the names of its JSON form, so
// that YAML and JSON have the same keys.
func throughJSON(v any) (any, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("writing output: %w", err)
	}
	node, _, err := cfnyaml.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("writing output: %w", err)
	}
	return node.Plain(), nil
}
