package blast

import (
	"time"

	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/internal/steady"
	"github.com/deployer-cli/deployer/stacks"
)

// Facts is everything that is looked at to decide about a break. It is filled by
// whoever can read; a fact that is left out counts as unreadable.
type Facts struct {
	Now      time.Time // by the realm's clock
	Realm    stacks.Realm
	Endpoint string
	Project  string         // project_id, else project_code
	Caller   guard.Identity // as STS tells
	Account  string         // as STS tells for the environment's credentials; "" is unknown
	Region   string

	Environment  *stacks.Environment   // of the targets; nil is unknown
	Environments []*stacks.Environment // all of the project, undeclared ones included

	Targets []stacks.Path // what was chosen
	Choice  Choice        // how
	OutOf   int           // how many stacks could be chosen from
	Kind    string        // delete-stack, drift-parameter, or one of inject's
	Arg     string
	Only    bool // --only: refuse what takes others with it

	Break string // this break's own id, "" before it has one

	// Stacks holds every live stack of the account and region, nested stacks and
	// those that no file describes included. Nested stacks are told by Live.ParentID.
	Stacks     Known[[]Seen]
	Elsewhere  []Region                      // the account's other regions that the project speaks of
	Exports    Known[[]Export]               // of the account and region
	Dependents map[stacks.Path][]stacks.Path // by configuration: who of the project needs this one; all edges

	Injections []stacks.Injection                      // kinds of inject: what would be done, by its Preview
	Unfit      []Finding                               // targets for which the preview failed
	Changes    map[stacks.Path][]stacks.ResourceChange // drift-parameter: what the change would do; delete-resource: what making it again would

	Contents map[string]Known[bool] // by the name of a bucket: whether anything is in it; see Unweighed

	Lever    Known[Lever]
	Open     Known[[]Open] // breaks of the project that are not closed
	OpenFix  string        // what to do where that cannot be told
	Past     Known[[]Past] // what was broken before
	Permits  Known[[]Permit]
	Stands   Known[[]Stand] // what deployer, its callers and the project stand on
	Probes   Known[[]Probed]
	Secrets  map[stacks.Path]Known[[]Secret] // by target: its NoEcho and secret parameters
	Veil     stacks.Veil                     // of what the config's secrets are now: no plan names one
	Capsules map[stacks.Path]Capsuled        // by target; asked for only by Again
}

// Seen is one live stack, with everything that had to be read of it.
type Seen struct {
	Stack     *stacks.Stack // the file that describes it; nil when none does
	Live      *stacks.Live
	Resources Known[[]stacks.Resource]
	Template  Known[string] // as CloudFormation runs it: macros done
	Policy    Known[string] // the stack policy, "" for none; read for targets and what goes with them
	// Resolved holds what dynamic references in the template came to, by the text
	// between {{resolve: and }}. It may be nil.
	Resolved map[string]string
	// Unresolved says, by the same text, why others cannot be told, and what to do.
	Unresolved map[string]Blank
}

// Blank is something that nobody can see.
type Blank struct{ Why, Fix string }

// Path is that of the file that describes the stack, "" when none does.
func (s *Seen) Path() stacks.Path {
	if s.Stack == nil {
		return ""
	}
	return s.Stack.Path
}

// Title is how a stack is called for a reader: by its path, else by its name.
func (s *Seen) Title() string {
	switch {
	case s.Stack != nil:
		return string(s.Stack.Path)
	case s.Live != nil:
		return s.Live.Name
	}
	return "a stack without a name"
}

// Export is a live export, with the names of the stacks that import it as
// ListImports gives them. Unasked names those that have to be looked up.
type Export struct {
	stacks.Export
	Importers Known[[]string]
}

// Lever is the off switch for the breaks of the whole project.
type Lever struct {
	Engaged bool
	By      string
	Reason  string
	At      time.Time
}

// Open is a break that is not closed.
type Open struct {
	ID          string
	Environment string
	By          string
	Since       time.Time
	Stacks      []stacks.Path
}

// Past is one stack in one earlier break.
type Past struct {
	Break     string      `json:"break"`
	Kind      string      `json:"kind"` // of breaking
	Stack     stacks.Path `json:"stack"`
	At        time.Time   `json:"at"`
	Recovered bool        `json:"recovered"`
	Seconds   float64     `json:"seconds"`   // it took to recover, 0 when not recorded
	Objective float64     `json:"objective"` // seconds, 0 for none
}

// Permit is the agreement of the day, kept in the account.
type Permit struct {
	ID          string
	Environment string // for whose stacks it is
	Until       time.Time
	Include     []string // globs of stack paths; none means all
	Exclude     []string
	Kinds       []string // none means all
	Callers     []string // patterns of ARNs; none means nobody
	AgreedBy    string
	Revoked     bool
}

// Stand is something that deployer or other stacks stand on.
type Stand struct {
	What  string   // "the state bucket", "the role of the caller", "sceptre_role of staging"
	Names []string // physical names or ARNs
}

// Probed is the last reading of one probe.
type Probed struct {
	Name    string
	Role    string // steady, guard or evidence, as steady.Role says it
	OK      bool
	Unknown bool // it could not be asked
	Why     string
	At      time.Time
}

// Roles of probes.
const (
	roleSteady   = string(steady.Steady)
	roleGuard    = string(steady.Guard)
	roleEvidence = string(steady.Evidence)
)

// Secret is a parameter whose value nobody can read from the live stack.
type Secret struct {
	Parameter  string
	Obtainable bool // a resolver call gives it now
	Literal    bool // it stands in the config as it is
	Rendered   bool // not a parameter: it stands in the template as it is sent
	Why        string
}

// Capsuled says whether what it takes to rebuild a target is kept.
type Capsuled struct {
	Written bool
	StackID string // that the capsule is of
	Hash    string // as written
	Back    string // of what was read back
	Why     string
}
