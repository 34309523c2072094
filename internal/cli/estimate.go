package cli

import (
	"time"

	"github.com/deployer-cli/deployer/internal/cfntemplate"
	"github.com/deployer-cli/deployer/internal/journal"
	"github.com/deployer-cli/deployer/internal/plan"
	"github.com/deployer-cli/deployer/internal/restype"
	"github.com/deployer-cli/deployer/stacks"
)

// estimates tells how long steps take: as they did here the last time, else as
// their resources do in general.
type estimates struct {
	took  map[stacks.Path]journal.Took
	parse func([]byte) (*cfntemplate.Template, error)
}

// overhead is what CloudFormation takes beside the resources.
const overhead = 3 * time.Second

// expected makes the run's estimates. That the past cannot be read is no reason
// to hold up a run.
func (r *launcher) expected() func(*plan.Step) time.Duration {
	took, err := journal.Durations(r.s.state("journal"))
	if err != nil {
		took = nil
	}
	e := estimates{took, r.s.loader.Parse}
	return e.of
}

// of estimates one step, zero where nothing is known.
func (e estimates) of(s *plan.Step) time.Duration {
	took := e.took[s.Stack]
	switch s.Action {
	case plan.Create:
		return known(took.Create, e.create(s))
	case plan.Update:
		return known(took.Update, e.changes(s))
	case plan.Recreate:
		return known(took.Recreate, known(took.Delete, e.changes(s))+known(took.Create, e.create(s)))
	case plan.Delete:
		return known(took.Delete, e.changes(s))
	case plan.Join, plan.None, plan.Skip:
	}
	return 0
}

func known(took, otherwise time.Duration) time.Duration {
	if took > 0 {
		return took
	}
	return otherwise
}

// create adds up the longest chain of resources that need each other.
func (e estimates) create(s *plan.Step) time.Duration {
	if s.Desired == nil || s.Desired.BodyLate {
		return 0
	}
	t, err := e.parse(s.Desired.Body)
	if err != nil {
		return 0
	}
	order, err := t.Order()
	if err != nil {
		return 0
	}
	var longest time.Duration
	until := make(map[string]time.Duration, len(order))
	for _, id := range order {
		for _, needed := range t.Dependencies(id) {
			until[id] = max(until[id], until[needed])
		}
		create, _, _ := restype.Durations(t.Resources[id].Type)
		until[id] += create
		longest = max(longest, until[id])
	}
	return longest + overhead
}

// changes takes the slowest change of the step, since most go on at once.
func (e estimates) changes(s *plan.Step) time.Duration {
	var longest time.Duration
	for _, c := range s.Changes {
		create, update, remove := restype.Durations(c.Type)
		switch c.Action {
		case "add", "import":
			longest = max(longest, create)
		case "remove":
			longest = max(longest, remove)
		default:
			if c.Replacement == "true" {
				update = create + remove
			}
			longest = max(longest, update)
		}
	}
	if longest == 0 {
		return 0
	}
	return longest + overhead
}
