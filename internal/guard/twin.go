package guard

import (
	"fmt"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/stacks"
)

// Overlap says whether two stacks live in one account.
type Overlap int

// The answers, as far as what is known of the accounts tells.
const (
	Apart Overlap = iota // never: no account is in both lists
	Maybe                // the lists have one in common, or one is not known
	Same                 // certainly: both live in just one account, the same
)

// Rivals gives, of the stacks of a project that have a stack's name and region,
// those that are to stay, production or persistent, and whose class is no weaker
// than its own: writing the one would write the other. Two of one environment are
// rivals too.
func Rivals(st *stacks.Stack, named []*stacks.Stack) []*stacks.Stack {
	var out []*stacks.Stack
	for _, o := range named {
		apart := o.Access.Region != "" && st.Access.Region != "" && o.Access.Region != st.Access.Region
		if o.Path == st.Path || o.Name != st.Name || apart || o.Environment == nil {
			continue
		}
		strength := classOf(o).Strength()
		if strength >= stacks.Persistent.Strength() && strength >= classOf(st).Strength() {
			out = append(out, o)
		}
	}
	return out
}

func classOf(st *stacks.Stack) stacks.Class {
	if st.Environment == nil {
		return stacks.Undeclared
	}
	return st.Environment.Class
}

// Accounts lists the accounts in which a stack may live as the files tell: that of
// the role it is reached by, else those of its environment. None says that the
// files do not tell.
func Accounts(st *stacks.Stack) []string {
	if account := accountOfRole(st.Access.Role); account != "" {
		return []string{account}
	}
	if st.Environment != nil {
		return st.Environment.Accounts
	}
	return nil
}

// accountOfRole is the fifth part of arn:aws:iam::111111111111:role/Name.
func accountOfRole(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[2] != "iam" {
		return ""
	}
	return parts[4]
}

// Meet compares the accounts in which two stacks may live. An empty list stands
// for accounts that are not known.
func Meet(mine, theirs []string) Overlap {
	switch {
	case len(mine) == 0 || len(theirs) == 0:
		return Maybe
	case !slices.ContainsFunc(mine, func(a string) bool { return slices.Contains(theirs, a) }):
		return Apart
	case len(mine) == 1 && len(theirs) == 1:
		return Same
	}
	return Maybe
}

// Twin is the mistake that a stack has the name of one of its rivals in the same
// account and region. Account is "" where that of the rival could not be
// found out, for the reason that unknown gives.
func Twin(st, rival *stacks.Stack, account, unknown string) *stacks.Problem {
	class := classOf(rival)
	p := &stacks.Problem{
		Pos:  namedAt(st),
		What: fmt.Sprintf("%s has the stack name %s of %s, which is %s", st.Path, st.Name, rival.Path, class),
		Why:  fmt.Sprintf("%s gives it that name, and both are in account %s, %s: what is done to the one is done to the other", namedAt(rival), account, st.Access.Region),
		Tip:  "give one of them another stack_name; nothing was touched",
	}
	if account == "" {
		p.Why = fmt.Sprintf("%s gives it that name, and whether they share an account is not known: %s", namedAt(rival), unknown)
		p.Tip = fmt.Sprintf("write accounts: into the environment block of %s, or give one of them another stack_name; nothing was touched", rival.Environment.Name)
	}
	return p
}

// namedAt is where a stack gets its name: its stack_name, else the file itself.
func namedAt(st *stacks.Stack) stacks.Pos {
	if v, ok := st.Config.Get("stack_name"); ok && v.Kind != stacks.Null && v.Pos.File != "" {
		return v.Pos
	}
	if st.Pos.File == "" {
		return stacks.Pos{File: st.File}
	}
	return st.Pos
}
