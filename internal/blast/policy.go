package blast

import (
	"time"

	"github.com/deployer-cli/deployer/internal/guard"
)

// Policy is the break block of an environment, tightened by those of the groups
// around it.
type Policy struct {
	Allow         bool
	Never         bool
	MaxTargets    int            // chosen targets
	MaxTotal      int            // everything that goes; 0 for no bound
	MaxPercent    int            // of what a random choice chooses from
	Cooldown      time.Duration  // per stack; 0 for none
	MaxDuration   time.Duration  // 0 for none
	RTO           time.Duration  // 0 for none
	Windows       []guard.Freeze // all have to be open
	Permit        bool
	SharedAccount bool
}

// StackPolicy is the break block of a stack.
type StackPolicy struct {
	Never   bool
	RTO     time.Duration // 0 for the environment's
	Runbook string
	Probes  []string
	Data    map[string]Holding // by logical id
}

// Holding says how a holder of data is covered, as the stack's file names it.
type Holding struct {
	Expendable        bool
	SnapshotParameter string
}
