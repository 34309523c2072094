package plan

import (
	"fmt"
	"slices"

	"github.com/deployer-cli/deployer/stacks"
)

// Claims compares what a file says of its steps with the same plan made again.
// A digest proves that a file is the one that was reviewed, not that it told the
// truth to those who read it: whoever can write a file can seal it.
func (f *File) Claims(again *Plan) []error {
	var out []error
	lie := func(what, why string) {
		out = append(out, &StaleError{What: what, Why: why, Tip: planAgain})
	}
	if p := &f.Plan; p.Environment != again.Environment || p.Class != again.Class {
		lie("the plan is for another environment", fmt.Sprintf("it says %s, %s", p.Environment, p.Class.Word()))
	}
	if p := &f.Plan; p.Account != again.Account || p.Region != again.Region {
		lie("the plan is for another account or region", fmt.Sprintf("it says account %s, region %s, and it is account %s, region %s", p.Account, p.Region, again.Account, again.Region))
	}
	now := make(map[stacks.Path]*Step, len(again.Steps))
	for i := range again.Steps {
		now[again.Steps[i].Stack] = &again.Steps[i]
	}
	for i := range f.Plan.Steps {
		was := &f.Plan.Steps[i]
		is := now[was.Stack]
		if is == nil {
			lie(fmt.Sprintf("the plan does not fit: %s", was.Stack), "it is in the plan and not in what it was made from, or twice")
			continue
		}
		delete(now, was.Stack)
		if keys := was.otherSecrets(is, false); len(keys) > 0 {
			lie(fmt.Sprintf("the plan does not say what would be done to %s", was.Stack), "its secret parameter "+keys[0]+" has another value")
		}
		if why := was.differs(is); why != "" {
			lie(fmt.Sprintf("the plan does not say what would be done to %s", was.Stack), why)
		}
	}
	for p := range now {
		lie(fmt.Sprintf("the plan leaves out %s", p), "planned again, it is there")
	}
	return out
}

// FoundNothing is the cause of a step for which CloudFormation, asked for a change
// set, found nothing to do.
const FoundNothing = "nothing changed, says CloudFormation"

// differs tells what a step of a file says otherwise than the same step planned
// again, "" for nothing.
func (s *Step) differs(is *Step) string {
	switch {
	case s.Name != is.Name || s.Environment != is.Environment || s.Class != is.Class:
		return "it names another stack, environment or class"
	case s.Account != is.Account || s.Region != is.Region:
		return "it names another account or region"
	case s.StackID != is.StackID && (is.StackID != "" || s.ChangeSet == ""):
		return "it names another stack id"
	case s.Status != is.Status:
		return fmt.Sprintf("it says that the stack was %s, and it is %s", s.Status, is.Status)
	case s.NotAdopted != is.NotAdopted:
		return "it says otherwise whether the stack is deployer's"
	case s.Late && !is.Late:
		return "it says that values are known late, and they are known now"
	case s.Late == is.Late && (s.Inputs != is.Inputs || s.Found != is.Found):
		return "its inputs, or what it says it was planned against, are others"
	case s.Late == is.Late && !slices.Equal(s.After, is.After):
		return "it says otherwise what it waits for"
	case s.Action == None && is.Action == Update:
		return s.nothing()
	case s.Action != is.Action:
		return fmt.Sprintf("it says %s, and it is %s", s.Action, is.Action)
	case is.Blocked != s.Blocked || is.Asks != s.Asks:
		return "it says otherwise what stands against it"
	case !slices.Equal(s.MayReplace, s.mayReplace(is)):
		return "it says otherwise what may be replaced (may_replace)"
	}
	return s.tells(is)
}

// tells is the part of differs that is about what the step would do to what is in
// the stack.
func (s *Step) tells(is *Step) string {
	switch {
	case is.Late && s.Late && s.Cause != is.Cause, !is.Late && s.Cause != is.Cause:
		return fmt.Sprintf("it says %q, and it is %q", s.Cause, is.Cause)
	case is.Late:
		return atMost(s, is)
	case !slices.Equal(s.Diff, is.Diff):
		return "it tells other differences"
	case s.ChangeSet == "" && !slices.Equal(s.Changes, is.Changes):
		return "it tells other changes of resources"
	}
	return ""
}

// nothing looks at a step for which CloudFormation found nothing to do: it says
// that and no more.
func (s *Step) nothing() string {
	if s.Cause != FoundNothing || len(s.Diff) > 0 || len(s.Changes) > 0 || len(s.MayReplace) > 0 {
		return "it says that nothing is done, and more"
	}
	return ""
}

// mayReplace is what a step of a file has to say may be replaced. A change set
// says it itself, and is compared with the changes; what is late may be narrower
// than planned again.
func (s *Step) mayReplace(is *Step) []string {
	var out []string
	if s.ChangeSet != "" {
		for _, c := range s.Changes {
			if c.Replacement == "conditional" {
				out = append(out, c.LogicalID)
			}
		}
		return out
	}
	for _, id := range is.MayReplace {
		if !is.Late || slices.ContainsFunc(s.Changes, func(c stacks.ResourceChange) bool { return c.LogicalID == id && c.Replacement != "false" }) {
			out = append(out, id)
		}
	}
	return out
}

// atMost looks at a late step, whose changes are a bound: the file may be
// narrower than what is planned again, and never wider. What has a change set is
// compared with that.
func atMost(s, is *Step) string {
	if s.ChangeSet != "" {
		return ""
	}
	if beyond := is.Within(s.Changes); len(beyond) > 0 {
		return "it would let it do more: " + beyond[0]
	}
	for _, c := range s.Changes {
		if !slices.ContainsFunc(is.Changes, func(o stacks.ResourceChange) bool { return o.LogicalID == c.LogicalID && o.Data == c.Data }) {
			return fmt.Sprintf("it says otherwise whether %s holds data", c.LogicalID)
		}
	}
	return ""
}
