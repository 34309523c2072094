package engine

import "time"

// target is what a stack is or shall become: a template and what goes into it.
type target struct {
	Body          string                 `json:"b,omitempty"` // hash of the template
	Out           string                 `json:"o,omitempty"` // hash of what its macros made of it
	Params        []param                `json:"p,omitempty"`
	Tags          []Tag                  `json:"t,omitempty"`
	Caps          []string               `json:"c,omitempty"`
	Role          string                 `json:"r,omitempty"`
	Notify        []string               `json:"n,omitempty"`
	Monitor       *RollbackConfiguration `json:"m,omitempty"`
	Description   string                 `json:"d,omitempty"`
	ResourceTypes []string               `json:"rt,omitempty"`
}

// param is one parameter's value as given, with what an SSM type resolved to.
type param struct {
	Key      string `json:"k"`
	Value    string `json:"v"`
	Resolved string `json:"r,omitempty"`
	SSM      bool   `json:"s,omitempty"`
	NoEcho   bool   `json:"n,omitempty"`
}

type output struct {
	Key         string `json:"k"`
	Value       string `json:"v"`
	Description string `json:"d,omitempty"`
	Export      string `json:"e,omitempty"`
}

// stack is one stack; its resources and its running operation are records of
// their own.
type stack struct {
	ID             string    `json:"id"`
	Name           string    `json:"name"`
	Account        string    `json:"account"`
	Region         string    `json:"region"`
	Seq            uint64    `json:"seq"` // order of creation
	Status         string    `json:"status"`
	Reason         string    `json:"reason,omitempty"`
	Detailed       string    `json:"detailed,omitempty"`
	Created        time.Time `json:"created"`
	Updated        time.Time `json:"updated,omitzero"`
	Deleted        time.Time `json:"deleted,omitzero"`
	Now            target    `json:"now"`
	Outputs        []output  `json:"outputs,omitempty"`
	Imports        []string  `json:"imports,omitempty"`
	Timeout        int       `json:"timeout,omitempty"`
	NoRollback     bool      `json:"noRollback,omitempty"`
	OnFailure      string    `json:"onFailure,omitempty"`
	RetainExcept   *bool     `json:"retainExcept,omitempty"`
	Protected      bool      `json:"protected,omitempty"`
	DeletionMode   string    `json:"deletionMode,omitempty"`
	Express        string    `json:"express,omitempty"`
	Policy         string    `json:"policy,omitempty"` // hash of the stack policy
	ChangeSet      string    `json:"changeSet,omitempty"`
	Parent         string    `json:"parent,omitempty"`
	ParentResource string    `json:"parentResource,omitempty"`
	Root           string    `json:"root,omitempty"`
	Events         uint64    `json:"events,omitempty"`
	Last           []lastOp  `json:"last,omitempty"`
	Drift          string    `json:"drift,omitempty"`
	DriftAt        time.Time `json:"driftAt,omitzero"`
	OpID           string    `json:"op,omitempty"`       // of the latest operation, for its events
	Token          string    `json:"token,omitempty"`    // of the latest operation
	Fallback       *target   `json:"fallback,omitempty"` // where a roll-back of the update leads
	FallbackOut    []output  `json:"fallbackOut,omitempty"`
	Accepted       accepted  `json:"accepted,omitzero"`
}

// accepted is the latest request with a token, for answering it twice.
type accepted struct {
	Action string `json:"a,omitempty"`
	Token  string `json:"t,omitempty"`
	Hash   string `json:"h,omitempty"`
	Op     string `json:"o,omitempty"`
}

// lastOp mirrors OperationEntry with short keys.
type lastOp struct {
	ID   string `json:"i"`
	Type string `json:"t"`
}

func (st *stack) account() Account { return Account{AccountID: st.Account, Region: st.Region} }

// state is what a resource is: enough to show, refer to and delete it.
type state struct {
	Type      string            `json:"type"`
	Physical  string            `json:"phys,omitempty"`
	Ref       string            `json:"ref,omitempty"`
	Props     map[string]any    `json:"props,omitempty"`
	Attrs     map[string]string `json:"attrs,omitempty"`
	Deps      []string          `json:"deps,omitempty"`
	OnDelete  string            `json:"onDelete,omitempty"`
	OnReplace string            `json:"onReplace,omitempty"`
	Extra     map[string]string `json:"extra,omitempty"`    // Metadata, CreationPolicy, UpdatePolicy as JSON
	Answered  bool              `json:"answered,omitempty"` // by the provider of a custom resource
	Tags      string            `json:"tags,omitempty"`     // the stack's tags it was given
}

// leftover is a physical resource that waits for the clean-up.
type leftover struct {
	state
}

type resource struct {
	ID       string    `json:"id"`
	Status   string    `json:"status"`
	Reason   string    `json:"reason,omitempty"`
	Detailed string    `json:"detailed,omitempty"`
	Changed  time.Time `json:"changed"`
	state
	Born     bool           `json:"born,omitempty"`    // made by the running operation
	Touched  bool           `json:"touched,omitempty"` // changed by the running operation, not only considered
	Prior    *state         `json:"prior,omitempty"`   // as before the running operation touched it
	Next     *state         `json:"next,omitempty"`    // what the running step makes of it
	Old      []leftover     `json:"old,omitempty"`     // for the clean-up
	Actual   map[string]any `json:"actual,omitempty"`
	Aside    map[string]any `json:"aside,omitempty"`    // as changed behind the stack's back, of what the template does not give
	Imported bool           `json:"imported,omitempty"` // by the running operation: never deleted by its roll-back
	Missing  bool           `json:"missing,omitempty"`  // deleted behind the stack's back
	Drift    string         `json:"drift,omitempty"`
	DriftAt  time.Time      `json:"driftAt,omitzero"`
	Signals  []signal       `json:"signals,omitempty"`
}

type signal struct {
	ID string `json:"i"`
	OK bool   `json:"ok"`
}

// alive reports whether the resource exists or is listed as if it did.
func (r *resource) alive() bool {
	return r.Status != deleteComplete && r.Status != deleteSkipped
}

// Phases of an operation. A phase that is over waits in phaseEnd for the
// stack's own next step.
type phase string

const (
	phaseStart    phase = "start"
	phaseForward  phase = "forward"
	phaseMonitor  phase = "monitor"
	phaseFinish   phase = "finish"
	phaseFail     phase = "fail"
	phaseRollback phase = "rollback"
	phaseUndone   phase = "undone"
	phaseCleanup  phase = "cleanup"
	phaseCleaned  phase = "cleaned"
	phaseHeld     phase = "held"
	phaseDelete   phase = "delete"
	phaseDeleted  phase = "deleted"
)

// operation is what a stack is doing.
type operation struct {
	Kind        string            `json:"kind"` // create, update, delete, import
	Phase       phase             `json:"phase"`
	Started     time.Time         `json:"started"`
	Was         string            `json:"was,omitempty"` // status before
	Undoing     bool              `json:"undoing,omitempty"`
	NoRollback  bool              `json:"noRollback,omitempty"`
	OnFailure   string            `json:"onFailure,omitempty"`
	Nodes       []node            `json:"nodes,omitempty"`
	FailCreate  []string          `json:"failCreate,omitempty"`
	FailUpdate  []string          `json:"failUpdate,omitempty"`
	FailDelete  []string          `json:"failDelete,omitempty"`
	FailImport  []string          `json:"failImport,omitempty"`
	Nested      map[string]string `json:"nested,omitempty"`  // prepared change sets of nested stacks by logical id
	Imports     map[string]string `json:"imports,omitempty"` // physical id by logical id
	Invalid     []string          `json:"invalid,omitempty"` // refused by validation before anything was made
	Why         string            `json:"why,omitempty"`     // a failure of the stack itself
	Skip        []string          `json:"skip,omitempty"`
	Retain      []string          `json:"retain,omitempty"`
	Force       bool              `json:"force,omitempty"`
	Keep        *bool             `json:"keep,omitempty"` // RetainExceptOnCreate
	Policy      string            `json:"policy,omitempty"`
	Due         string            `json:"due,omitempty"`     // the stack's own next step
	TimeoutDue  string            `json:"timeout,omitempty"` // TimeoutInMinutes
	MonitorTill time.Time         `json:"monitorTill,omitzero"`
	ChangeSet   string            `json:"changeSet,omitempty"`
	Revert      bool              `json:"revert,omitempty"`     // drift counts as a change
	Configured  bool              `json:"configured,omitempty"` // all resources are
	Free        bool              `json:"free,omitempty"`
}

// What a node does to its resource.
const (
	doApply  = "apply"  // create, update or replace as the template says
	doRevert = "revert" // back to how it was
	doDelete = "delete"
	doClean  = "clean" // delete one leftover
	doHold   = "hold"  // let a nested stack finish its clean-up
)

// States of a node.
const (
	nodeWaiting   = ""
	nodeReady     = "ready"
	nodeStarted   = "started"
	nodeRunning   = "running"
	nodeDone      = "done"
	nodeFailed    = "failed"
	nodeCancelled = "cancelled"
)

// How an applied node changes its resource.
const (
	howCreate  = "create"
	howUpdate  = "update"
	howReplace = "replace"
	howNothing = "nothing"
)

type node struct {
	ID    string `json:"i"`
	Do    string `json:"d"`
	State string `json:"s,omitempty"`
	How   string `json:"h,omitempty"`
	Needs []int  `json:"n,omitempty"` // nodes that must be over first
	Due   string `json:"u,omitempty"`
	Tries int    `json:"t,omitempty"`
	Old   string `json:"o,omitempty"` // physical id of the leftover

	Configured bool          `json:"c,omitempty"` // done but for being consistent
	Rest       time.Duration `json:"r,omitempty"` // left after that
}

func (n *node) active() bool {
	return n.State == nodeReady || n.State == nodeStarted || n.State == nodeRunning
}
