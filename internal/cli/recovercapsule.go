package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/internal/blast"
	"github.com/deployer-cli/deployer/internal/capsule"
	"github.com/deployer-cli/deployer/internal/chaos"
	"github.com/deployer-cli/deployer/internal/guard"
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
	k, err := b.s.findBreakAnyhow(ctx, o.arg, true)
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
// may say anything: then it is production, and unread names that file.
func (s *session) declared(c capsule.Capsule) (env *stacks.Environment, unread string) {
	if unread := s.unreadAbove(c.Stack); unread != "" {
		return &stacks.Environment{
			Name: c.Environment.Name, Path: c.Environment.Path, Declared: true, Class: stacks.Production, Accounts: []string{c.Account}, Regions: []string{c.Region},
		}, unread
	}
	for _, e := range s.project.Environments() {
		if e.Declared && c.Stack.Within(e.Path) && (env == nil || len(e.Path) > len(env.Path)) {
			env = e
		}
	}
	return env, ""
}

// unreadAbove names a file that may say in which environment a stack lies and that cannot
// be read, "" for none. Of one that cannot be read to its end because of what its Jinja
// wants, such as variables, the environment block is known all the same where it has one.
func (s *session) unreadAbove(p stacks.Path) string {
	for _, err := range flatten(s.unread) {
		problem, ok := errors.AsType[*stacks.Problem](err)
		switch {
		case !ok:
			return "what " + string(p) + " inherits from"
		case above(problem.Pos.File, p):
			return problem.Pos.File
		}
	}
	for _, err := range flatten(s.project.Problems(nil)) {
		problem, ok := errors.AsType[*stacks.Problem](err)
		if !ok || path.Base(problem.Pos.File) != "config.yaml" || !above(problem.Pos.File, p) {
			continue // what a stack's own file says makes no environment
		}
		group := groupOf(problem.Pos.File)
		if !slices.ContainsFunc(s.project.Environments(), func(e *stacks.Environment) bool { return e.Declared && e.Path == group }) {
			return problem.Pos.File
		}
	}
	return ""
}

// groupOf is the group in whose folder a config file lies.
func groupOf(file string) stacks.Path {
	dir := path.Dir(strings.TrimPrefix(file, "config/"))
	if dir == "." {
		return ""
	}
	return stacks.Path(dir)
}

// above tells whether a file, or folder, is one that a stack inherits from, or may be: of
// its groups, of its own name in one of them, or none of the config files, as those of
// variables, and what is included. It is false only for what clearly lies beside.
func above(file string, p stacks.Path) bool {
	name, config := strings.CutPrefix(file, "config/")
	if !config || p.Within(stacks.Path(name)) {
		return true
	}
	if group := groupOf(file); group != "" && !p.Within(group) {
		return false
	}
	base := strings.ToLower(path.Base(name))
	ext := path.Ext(base)
	if ext == "" {
		return false // a folder beside
	}
	stem := strings.TrimSuffix(base, ext)
	return ext != ".yaml" && ext != ".yml" || stem == "config" || strings.HasPrefix(stem, "config.") || stem == strings.ToLower(p.Base())
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
		now, unread := b.s.declared(c)
		if unread != "" {
			fmt.Fprintf(b.app.talk(), "%s %s cannot be read, and may say anything of %s: it is changed as production\n", b.app.err.Warn("note:"), unread, p)
		}
		if now != nil {
			if c.Environment, err = asNow(c, now, k.state); err != nil {
				return "", fmt.Errorf("the capsule of %s: %w", p, err)
			}
			classes[now.Class] = classes[now.Class] || unread == ""
		}
		all = append(all, c)
	}
	for class, known := range classes {
		if known && class != stacks.Development {
			fmt.Fprintf(b.app.talk(), "%s the environment is %s by now, and is changed as such\n", b.app.err.Warn("note:"), class)
		}
	}
	files, err := capsule.Project(all)
	if err != nil {
		return "", err
	}
	return b.s.layOut(filepath.Join(b.s.state("unpacked"), k.record.id), files)
}

// asNow is the environment of a capsule as it is recovered in.
func asNow(c capsule.Capsule, now *stacks.Environment, st *chaos.State) (capsule.Environment, error) {
	now, err := journalStays(c, now, st)
	if err != nil {
		return capsule.Environment{}, err
	}
	return c.Environment.Now(now)
}

// journalStays is the environment as it is by now, with its journals where they were
// when a break of it began: written elsewhere, the recovery would part from what others
// see. Of development the files say where they are, as for every other command.
func journalStays(c capsule.Capsule, now *stacks.Environment, st *chaos.State) (*stacks.Environment, error) {
	if now.Class == stacks.Development {
		return now, nil
	}
	at, ok := c.Environment.State()
	if !ok {
		return nil, fmt.Errorf("it does not say where the state of %s is kept", c.Environment.Name)
	}
	if at.Bucket == "" {
		return now, nil
	}
	if now.State.Bucket != "" && now.State != at { // its lock, its approvals and its history are where they are
		return nil, elsewhere(c.Environment.Name, now, at, st)
	}
	e := *now
	e.State = at
	return &e, nil
}

// elsewhere refuses to recover what keeps its journals in one bucket, and by now its lock in another.
func elsewhere(env string, now *stacks.Environment, at stacks.State, st *chaos.State) error {
	return &guard.Refusal{
		Rule: "journal", Code: exitRefused, What: fmt.Sprintf("nothing was written: %s, which is %s by now, keeps its journals and its lock elsewhere", env, now.Class),
		Why: "those of the break are " + placeOf(at), Tip: wayBack(env, now, at, st),
	}
}

// wayBack is what helps where deployer may not recover: a launch, only where that makes it
// whole. It changes nothing in a stack whose template is the same, and looks for no data.
func wayBack(env string, now *stacks.Environment, at stacks.State, st *chaos.State) string {
	kind := st.Plan.Kind
	undoes := kind == blast.DeleteStack || kind == blast.DriftParameter
	for _, p := range st.Order {
		covered, err := coveredHolders(st, p)
		undoes = undoes && err == nil && len(covered) == 0
	}
	if !undoes {
		return fmt.Sprintf("a launch would not undo this %s, or lose data: while nobody else changes %s, name the bucket %s as its state in the file again, with the prefix %q; then: deployer recover %s",
			kind, env, at.Bucket, at.Prefix, st.ID)
	}
	return fmt.Sprintf("get the stacks back as every change of %s is made: deployer launch %s; then: deployer break close --reason TEXT", now.Class, env)
}

// layOut writes files into a folder that holds nothing else.
func (s *session) layOut(dir string, files map[string][]byte) (string, error) {
	if err := os.RemoveAll(dir); err != nil {
		return "", unwritable(s.relative(dir), err)
	}
	for name, text := range files {
		to := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			return "", unwritable(s.relative(dir), err)
		}
		if err := os.WriteFile(to, text, 0o600); err != nil {
			return "", unwritable(s.relative(dir), err)
		}
	}
	return dir, nil
}
