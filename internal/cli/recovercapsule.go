package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"

	"github.com/deployer-cli/deployer/internal/capsule"
	"github.com/deployer-cli/deployer/stacks"
)

// fromCapsules makes everything that follows read the project that was kept in the
// capsules of a break, and none of what the files have become but whether and how
// they let the environment be changed. Where nothing is broken the project stays.
func (b *breaker) fromCapsules(ctx context.Context, o *recoverOptions) (restore func(), err error) {
	a := b.app
	if b.s, err = a.openAnyhow(); err != nil {
		return nil, err
	}
	if err := b.s.connect(); err != nil {
		return nil, err
	}
	k, err := b.s.findBreak(ctx, o.arg, true)
	if isNoBreak(err) && b.s.unread == nil {
		return func() {}, nil
	}
	if err != nil {
		return nil, errors.Join(err, b.s.unread)
	}
	dir, err := b.unpack(ctx, k)
	if err != nil {
		return nil, err
	}
	before, home := a.globals.dir, a.home
	a.home, a.globals.dir = b.s.dir, dir
	restore = func() { a.globals.dir, a.home = before, home }
	if err := b.s.close(); err != nil {
		restore()
		return nil, err
	}
	b.s, o.arg = nil, k.record.id
	fmt.Fprintf(a.talk(), "from the capsules of %s, kept before it was broken\n", k.record.id)
	return restore, nil
}

// declared is the environment that a stack lies in by what the files say now, nil
// where they say nothing of it any more. A file above the stack that cannot be read
// may say anything: then it is production.
func (s *session) declared(c capsule.Capsule) *stacks.Environment {
	if s.unreadAbove(c.Stack) {
		return &stacks.Environment{
			Name: c.Environment.Name, Path: c.Environment.Path, Declared: true, Class: stacks.Production, Accounts: []string{c.Account}, Regions: []string{c.Region},
		}
	}
	var found *stacks.Environment
	for _, e := range s.project.Environments() {
		if e.Declared && c.Stack.Within(e.Path) && (found == nil || len(e.Path) > len(found.Path)) {
			found = e
		}
	}
	return found
}

// unreadAbove tells whether a group's file that a stack inherits from cannot be
// read.
func (s *session) unreadAbove(p stacks.Path) bool {
	for _, err := range flatten(s.unread) {
		problem, ok := errors.AsType[*stacks.Problem](err)
		if !ok {
			return true
		}
		at := p.Group()
		for {
			if problem.Pos.File == path.Join("config", string(at), "config.yaml") {
				return true
			}
			if at == "" {
				break
			}
			at = at.Group()
		}
	}
	return false
}

// unpack writes the project that is in the capsules of what is down into a folder
// of its own.
func (b *breaker) unpack(ctx context.Context, k *knownBreak) (string, error) {
	var all []capsule.Capsule
	classes := map[stacks.Class]bool{}
	for _, p := range k.state.Order {
		t := k.state.Targets[p]
		if t.Capsule.Hash == "" {
			return "", &usageError{fmt.Sprintf("no capsule of %s was kept", p), "recover from the project's files: deployer recover " + k.record.id}
		}
		c, _, err := b.s.capsule(ctx, k.record, t)
		if err != nil {
			return "", err
		}
		if now := b.s.declared(c); now != nil {
			if c.Environment, err = c.Environment.Now(now); err != nil {
				return "", fmt.Errorf("the capsule of %s: %w", p, err)
			}
			classes[now.Class] = true
		}
		all = append(all, c)
	}
	for class := range classes {
		if class != stacks.Development {
			fmt.Fprintf(b.app.talk(), "%s the environment is %s by now, and is changed as such\n", b.app.err.Warn("note:"), class)
		}
	}
	files, err := capsule.Project(all)
	if err != nil {
		return "", err
	}
	dir := filepath.Join(b.s.state("unpacked"), k.record.id)
	if err := os.RemoveAll(dir); err != nil {
		return "", unwritable(b.s.relative(dir), err)
	}
	for name, text := range files {
		to := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			return "", unwritable(b.s.relative(dir), err)
		}
		if err := os.WriteFile(to, text, 0o600); err != nil {
			return "", unwritable(b.s.relative(dir), err)
		}
	}
	return dir, nil
}
