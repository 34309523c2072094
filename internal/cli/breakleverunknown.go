package cli

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/stacks"
)

// unknownLevers names what of the files cannot be read and may describe an environment
// that allows breaks, or stacks of one: a lever may be there that nobody can find.
func (s *session) unknownLevers() error {
	var errs []error
	seen := map[string]bool{}
	all := append(flatten(s.unread), flatten(s.project.Problems(nil))...)
	for _, err := range all {
		what := err.Error()
		if problem, ok := errors.AsType[*stacks.Problem](err); ok {
			what = problem.Pos.File
			if !mayAllow(s.project.Environments(), what) {
				continue
			}
		}
		if !seen[what] {
			seen[what] = true
			errs = append(errs, &unknownLeverError{what})
		}
	}
	return errors.Join(errs...)
}

// mayAllow tells whether what a file describes may be of an environment that allows
// breaks. A block that was read says so; a file of which none was may hold any.
func mayAllow(all []*stacks.Environment, file string) bool {
	if !strings.HasPrefix(file, "config/") {
		return true // of variables, or included
	}
	at := groupOf(file)
	for _, e := range all {
		allow, ok := e.Break.Get("allow")
		if e.Declared && (at.Within(e.Path) || e.Path.Within(at)) && e.Class == stacks.Development && ok && allow.Kind == stacks.Bool && allow.Text == "true" {
			return true
		}
	}
	base := strings.ToLower(path.Base(file))
	ext := path.Ext(base)
	if ext != ".yaml" && ext != ".yml" {
		return true // a folder with all that is in it, or included
	}
	if stem := strings.TrimSuffix(base, ext); stem != "config" && !strings.HasPrefix(stem, "config.") {
		return false // a stack's own file makes no environment
	}
	return !slices.ContainsFunc(all, func(e *stacks.Environment) bool { return e.Declared && e.Path == at })
}

// unknownLeverError says that a lever may be left out.
type unknownLeverError struct{ file string }

func (e *unknownLeverError) Error() string {
	return fmt.Sprintf("not every lever is known: %s cannot be read, and breaks of what it describes may go on", e.file)
}

// Hint says how to reach it.
func (*unknownLeverError) Hint() string {
	return "mend it, or give the --var that it wants, and engage again; or engage from a checkout in which it can be read"
}
