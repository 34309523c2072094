package guard

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/deployer-cli/deployer/stacks"
)

// Call is one writing call about to be made.
type Call struct {
	Verb     stacks.Verb
	Path     stacks.Path
	Name     string
	StackID  string // "" only for a stack that does not exist yet
	Account  string
	Region   string
	Endpoint string
	Run      string
	At       time.Time
}

// Clearance lets one run make the calls that Check allowed, and no others. Its
// zero value allows nothing; only Check makes another.
type Clearance struct{ envelope *envelope }

type envelope struct {
	run      string
	endpoint string
	expires  time.Time
	grants   map[stacks.Path]grant

	mu       sync.Mutex
	proposed map[stacks.Path]bool   // stacks without an id for which proposing was let out
	made     map[stacks.Path]string // the ids that those proposals made
}

type grant struct {
	name    string
	stackID string
	account string
	region  string
	verbs   []stacks.Verb
	again   bool
}

func newClearance(r Request) Clearance {
	e := &envelope{run: r.Run, endpoint: r.Endpoint, expires: r.Now.Add(r.For), grants: make(map[stacks.Path]grant, len(r.Steps))}
	e.proposed, e.made = map[stacks.Path]bool{}, map[stacks.Path]string{}
	for _, s := range r.Steps {
		e.grants[s.Path] = grant{
			name: s.Name, stackID: s.StackID, account: s.Account, region: s.Region,
			verbs: slices.Clone(s.Verbs), again: s.Again,
		}
	}
	return Clearance{envelope: e}
}

// Run is the run the clearance was made for, "" for the zero value.
func (c Clearance) Run() string {
	if c.envelope == nil {
		return ""
	}
	return c.envelope.run
}

// Permits returns nil when the call lies within the clearance, else a *Refusal
// that says what does not fit. Writers ask right before every call.
func (c Clearance) Permits(call Call) error {
	e := c.envelope
	if e == nil {
		return refuse(call, "nothing was cleared")
	}
	g, ok := e.grants[call.Path]
	switch {
	case call.Run != e.run:
		return refuse(call, "the clearance is for another run")
	case call.At.After(e.expires):
		return refuse(call, "the clearance ended at "+e.expires.UTC().Format(time.RFC3339))
	case call.Endpoint != e.endpoint:
		return refuse(call, "the clearance is for another endpoint")
	case !ok || g.name != call.Name:
		return refuse(call, "the stack is not in the clearance")
	case g.account != call.Account:
		return mismatch(call, fmt.Sprintf("the clearance is for account %s, the credentials are for %s", orUnknown(g.account), orUnknown(call.Account)))
	case g.region != call.Region:
		return mismatch(call, fmt.Sprintf("the clearance is for region %s, the call goes to %s", orUnknown(g.region), orUnknown(call.Region)))
	case !slices.Contains(g.verbs, call.Verb):
		return refuse(call, fmt.Sprintf("the clearance does not let this run %s it", call.Verb))
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	// What this run deletes to create it again gets an id of its own; the one
	// that was looked at is the only one that may be deleted.
	anew := g.again && call.Verb != stacks.Delete && call.Verb != stacks.Unprotect
	if (g.stackID == "" || anew) && e.made[call.Path] != "" {
		g.stackID = e.made[call.Path]
	}
	if anew && call.Verb == stacks.Propose && call.StackID == "" && e.made[call.Path] == "" {
		g.stackID = ""
	}
	if err := g.identity(call); err != nil {
		return err
	}
	if call.Verb == stacks.Propose && g.stackID == "" {
		e.proposed[call.Path] = true
	}
	return nil
}

// Made tells which id a stack got that this run's own proposal made, so that
// the run may carry that proposal out, or drop it. It counts once, and only
// after a permitted proposal for a stack that had no id.
func (c Clearance) Made(path stacks.Path, stackID string) {
	e := c.envelope
	if e == nil || stackID == "" {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.proposed[path] && e.made[path] == "" {
		e.made[path] = stackID
	}
}

// identity compares stack ids. A stack that did not exist may be created; one
// that did is only ever addressed by the id that was looked at.
func (g grant) identity(call Call) error {
	if call.Verb == stacks.Create || call.Verb == stacks.Upload {
		return nil // AWS refuses a second stack of the name
	}
	if call.Verb == stacks.Propose && call.StackID == "" && g.stackID == "" {
		return nil // the change set that creates a stack: AWS refuses it where one lives
	}
	if call.StackID == "" {
		return mismatch(call, "the call names no stack id")
	}
	if call.StackID != g.stackID {
		return mismatch(call, "the stack under this name is not the one that was looked at")
	}
	return nil
}

func refuse(call Call, why string) *Refusal {
	return &Refusal{Rule: "clearance", Code: exitRefused, What: fmt.Sprintf("%s %s was not sent", call.Verb, call.Path), Why: why}
}

func mismatch(call Call, why string) *Refusal {
	r := refuse(call, why)
	r.Code = exitMismatch
	r.Tip = "look at what changed, then plan again"
	return r
}
