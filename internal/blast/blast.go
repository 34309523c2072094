// Package blast decides what may be broken on purpose, and says what goes with
// it: policies, the choice of targets, what has to go first, the blast radius,
// the guards G1 to G16 of break.md, and the plan that a person reads.
//
// It looks at gathered Facts and does no IO. What was not read, or is not
// understood, is taken for the worst.
package blast

import "github.com/deployer-cli/deployer/stacks"

// The kinds of break that this package knows apart. All others are injections,
// whose preview is in Facts.Injections.
const (
	DeleteStack    = "delete-stack"
	DriftParameter = "drift-parameter"
	DeleteResource = "delete-resource"
)

// Known is something that had to be read. Its zero value was not read, and is
// taken for the worst that it may be.
type Known[T any] struct {
	Value T      `json:"value"`
	Read  bool   `json:"read"`
	Why   string `json:"why,omitempty"` // why it could not be read
}

// Got is what a read gave: its value, or why there is none.
func Got[T any](value T, err error) Known[T] {
	if err != nil {
		return Known[T]{Why: err.Error()}
	}
	return Known[T]{Value: value, Read: true}
}

// reason says why something is not known.
func (k Known[T]) reason() string {
	if k.Why == "" {
		return "it was not read"
	}
	return k.Why
}

// Exit codes of what blast refuses, design.md section 4.
const (
	exitRefused = 3
	exitStale   = 5
	exitSteady  = 6
	exitOpen    = 7
	exitMoved   = 10
)

// Title is what a guard is about, in a few words; "" for one that there is not.
func Title(guard string) string {
	return map[string]string{
		"G1": "the environment is development, written down", "G2": "the files allow breaking it", "G3": "account and region are its own",
		"G4": "the live tags agree with the files", "G5": "nothing protects the stacks", "G6": "now is a time for it", "G7": "nothing else is going on",
		"G8": "everything is well before", "G9": "everything that goes is in the plan", "G10": "no data is lost, and nothing replaced", "G11": "nothing stands on it",
		"G12": "it can be put back", "G13": "it is not too much, nor too soon", "G14": "a person, or a plan and its digest", "G15": "it was agreed",
		"G16": "it is written down first", Moved: "it is still the stack that was chosen",
	}[guard]
}

// Moved is the guard that stops a break by itself: the stack was made anew since,
// or is being made. The team is at work on it already.
const Moved = "moved"

// Verdict is what one guard says.
type Verdict struct {
	Guard    string    `json:"guard"` // G1 to G16, or Moved
	Title    string    `json:"title"`
	OK       bool      `json:"ok"`
	Why      string    `json:"why,omitempty"`  // all findings in one line
	Fix      string    `json:"fix,omitempty"`  // of all findings
	Code     int       `json:"code,omitempty"` // exit code where it fails: 3, 5, 6, 7 or 10
	Again    bool      `json:"again"`          // it is asked again right before each destructive call
	Findings []Finding `json:"findings,omitempty"`
}

// Finding is one thing that a guard found wrong.
type Finding struct {
	Stack stacks.Path `json:"stack,omitempty"` // "" where it is not about one stack
	Why   string      `json:"why"`
	Fix   string      `json:"fix,omitempty"`
}

// Passed tells whether all verdicts are good.
func Passed(verdicts []Verdict) bool {
	for _, v := range verdicts {
		if !v.OK {
			return false
		}
	}
	return true
}

// Code is the exit code of the verdicts: 0 when all are good, else that of the
// most serious. A refusal comes before everything that time or a person may mend, and
// another break before what it did to the probes.
func Code(verdicts []Verdict) int {
	order := []int{0, exitSteady, exitOpen, exitStale, exitRefused, exitMoved}
	worst := 0
	for _, v := range verdicts {
		if v.OK {
			continue
		}
		at := len(order) - 2 // an unknown code is a refusal
		for i, code := range order {
			if code == v.Code && i > 0 {
				at = i
			}
		}
		worst = max(worst, at)
	}
	return order[worst]
}
