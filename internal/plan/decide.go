package plan

import (
	"fmt"
	"strings"

	"github.com/deployer-cli/deployer/stacks"
)

// Found is what Decide has to know of a stack as it lives.
type Found struct {
	Name            string
	Status          stacks.Status // Pending where there is none
	Reason          string        // CloudFormation's own words for the status
	DisableRollback bool          // it was made so that a failed create stays as it is
	Ours            bool          // tags or config prove that it belongs to this project
	ResourcesKnown  bool          // Data and Stuck were read
	Data            []string      // live resources in it that hold data
	Stuck           []string      // resources that could not be deleted, with the reason
	Proposals       []string      // change sets that wait on a stack that was never created
}

// Verdict is what may be done with a stack in its status.
type Verdict struct {
	Action  Action // Update stands for "compare it": only then may it become None
	Must    bool   // Update even where nothing differs, since the last operation failed
	Cause   string // why, as a plain sentence; empty where comparing will tell
	Asks    string // what a person has to agree to first
	Blocked string // why nothing can be done
	Hint    string // what to do about Blocked
}

// Decide is the table of stack statuses: from each of the 23 that CloudFormation
// may give, and from none at all, it says how to go on.
func Decide(f Found) Verdict {
	switch f.Status {
	case stacks.Pending, stacks.DeleteComplete, "":
		return Verdict{Action: Create, Cause: "new stack"}
	case stacks.ReviewInProgress:
		return f.shell()
	case stacks.CreateComplete, stacks.UpdateComplete, stacks.UpdateRollbackComplete,
		stacks.ImportComplete, stacks.ImportRollbackComplete:
		return Verdict{Action: Update}
	case stacks.CreateFailed:
		if f.DisableRollback {
			return Verdict{Action: Update, Must: true, Cause: f.said("its creation failed and was not rolled back") + ": update it in place"}
		}
		return f.recreate()
	case stacks.RollbackComplete, stacks.RollbackFailed:
		return f.recreate()
	case stacks.UpdateFailed:
		return Verdict{Action: Update, Must: true, Cause: f.said("its last update failed and was not rolled back") + ": update it again"}
	case stacks.UpdateRollbackFailed:
		return Verdict{
			Action: Update, Must: true,
			Cause: f.said("the rollback of its last update failed") + ": continue the rollback, then update",
			Asks:  "continue the failed rollback of " + f.Name,
		}
	case stacks.DeleteFailed:
		return f.deleteFailed()
	case stacks.ImportRollbackFailed:
		return Verdict{
			Action: Update, Blocked: f.said("the rollback of an import failed"),
			Hint: "CloudFormation offers nothing but deleting the stack: keep its resources with --retain, then import them again",
		}
	case stacks.CreateInProgress, stacks.RollbackInProgress, stacks.DeleteInProgress,
		stacks.UpdateInProgress, stacks.UpdateCompleteCleanup,
		stacks.UpdateRollbackInProgress, stacks.UpdateRollbackCompleteCleanup,
		stacks.ImportInProgress, stacks.ImportRollbackInProgress:
		return Verdict{Action: Join, Cause: fmt.Sprintf("is %s: wait for it, then look again", f.Status)}
	}
	return Verdict{
		Action: Update, Blocked: fmt.Sprintf("its status %s is not known to this version", f.Status),
		Hint: "look for a newer version of deployer",
	}
}

// said puts the status and CloudFormation's reason behind a sentence.
func (f Found) said(what string) string {
	if f.Reason == "" {
		return fmt.Sprintf("%s (%s)", what, f.Status)
	}
	return fmt.Sprintf("%s (%s: %s)", what, f.Status, strings.TrimRight(strings.TrimSpace(f.Reason), "."))
}

// shell is a stack that a change set made and nobody has created yet. Creating
// over it would make somebody's change sets obsolete.
func (f Found) shell() Verdict {
	if len(f.Proposals) == 0 {
		return Verdict{Action: Create, Cause: "new stack (an empty shell of that name is there)"}
	}
	return Verdict{
		Action:  Create,
		Blocked: fmt.Sprintf("the stack was never created and waits for somebody's change set %s", strings.Join(f.Proposals, ", ")),
		Hint:    "execute or delete that change set first",
	}
}

// recreate is for what never came up, and may therefore go: unless it may not
// be ours, or something in it holds data.
func (f Found) recreate() Verdict {
	v := Verdict{Action: Recreate, Cause: f.said("it never came up") + ": delete it and create it again"}
	var doubts []string
	if !f.Ours {
		doubts = append(doubts, "nothing proves that it belongs to this project")
	}
	doubts = append(doubts, f.dataDoubt()...)
	if len(doubts) > 0 {
		v.Asks = fmt.Sprintf("delete %s and create it again: %s", f.Name, strings.Join(doubts, ", and "))
	}
	return v
}

func (f Found) dataDoubt() []string {
	switch {
	case !f.ResourcesKnown:
		return []string{"what is in it could not be read"}
	case len(f.Data) > 0:
		return []string{"it holds data in " + strings.Join(f.Data, ", ")}
	}
	return nil
}

// deleteFailed is a stack that somebody wanted gone. It is half gone already,
// so it can only go on to be deleted and made anew, and a person has to say so.
func (f Found) deleteFailed() Verdict {
	why := f.said("its deletion stopped half-way")
	if len(f.Stuck) > 0 {
		why = fmt.Sprintf("its deletion stopped half-way (%s) at %s", f.Status, strings.Join(f.Stuck, "; "))
	}
	asks := append([]string{fmt.Sprintf("delete the rest of %s and create it again", f.Name)}, f.dataDoubt()...)
	if !f.Ours {
		asks = append(asks, "nothing proves that it belongs to this project")
	}
	return Verdict{
		Action: Recreate, Cause: why + ": delete the rest and create it again",
		Asks: strings.Join(asks, ", and "),
		Hint: "clear what holds the resources, or delete the stack with --retain",
	}
}
