package plan

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	"github.com/deployer-cli/deployer/internal/restype"
	"github.com/deployer-cli/deployer/stacks"
)

// Observation is what was read of one stack.
type Observation struct {
	Live           *stacks.Live        // nil: there is no such stack
	Template       []byte              // as it was given to CloudFormation; nil where it was not read
	Policy         []byte              // the stack policy; nil where there is none or none was asked for
	Resources      []stacks.Resource   // nil where they were not read
	Imported       map[string][]string // by export: the stacks that import it; an export not in it was not looked up
	ImportsUnknown error               // why Imported says nothing
	Proposals      []string            // change sets waiting on a stack that was never created
}

// Snapshot is what was read of the stacks a plan speaks about. A stack that is
// not in it was not looked at, which is something else than not being there.
// It may be used by several goroutines.
type Snapshot struct {
	mu   sync.RWMutex
	seen map[stacks.Path]Observation
}

// Put says how a stack was found.
func (s *Snapshot) Put(path stacks.Path, o Observation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen == nil {
		s.seen = map[stacks.Path]Observation{}
	}
	s.seen[path] = o
}

// Get tells how a stack was found, if it was looked at.
func (s *Snapshot) Get(path stacks.Path) (Observation, bool) {
	if s == nil {
		return Observation{}, false
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	o, ok := s.seen[path]
	return o, ok
}

// found tells Decide what it has to know.
func (o Observation) found(d *stacks.Desired) Found {
	f := Found{Name: d.Stack.Name, Status: stacks.Pending, Proposals: o.Proposals}
	if o.Live == nil {
		return f
	}
	f.Status, f.Reason, f.DisableRollback = o.Live.Status, o.Live.Reason, o.Live.DisableRollback
	f.Ours = Ours(d, o.Live)
	f.ResourcesKnown = o.Resources != nil
	f.Data = HoldingData(o.Resources)
	for _, r := range o.Resources {
		if r.Status == "DELETE_FAILED" {
			f.Stuck = append(f.Stuck, strings.TrimSuffix(r.LogicalID+" ("+r.Type+"): "+cmp.Or(strings.TrimSpace(r.Reason), "no reason given"), "."))
		}
	}
	slices.Sort(f.Stuck)
	return f
}

// HoldingData lists the resources of a live stack that exist and hold data, as
// "Table (AWS::DynamoDB::Table)", sorted.
func HoldingData(resources []stacks.Resource) []string {
	var out []string
	for _, r := range resources {
		// What was never made has no id; what was skipped is no longer the stack's.
		if r.PhysicalID == "" || r.Status == "DELETE_COMPLETE" || r.Status == "DELETE_SKIPPED" {
			continue
		}
		if restype.HoldsData(r.Type) {
			out = append(out, r.LogicalID+" ("+r.Type+")")
		}
	}
	slices.Sort(out)
	return out
}

// Ours tells whether a live stack is proven to be the one the project means.
// deployer's own tags decide where there are any. Without them the project's
// config has to prove it: the stack has the name that the project code and the
// path make, or every tag that the config gives it.
func Ours(d *stacks.Desired, live *stacks.Live) bool {
	project, tagged := live.Tag(stacks.TagProject)
	path, placed := live.Tag(stacks.TagStack)
	if tagged || placed {
		return tagged && placed && project == projectOf(d.Stack) && path == string(d.Stack.Path)
	}
	if code := d.Stack.ProjectCode; code != "" && live.Name == code+"-"+strings.ReplaceAll(string(d.Stack.Path), "/", "-") {
		return true
	}
	own := 0
	for _, t := range d.Tags {
		if strings.HasPrefix(t.Key, stacks.TagPrefix) {
			continue
		}
		own++
		if v, ok := live.Tag(t.Key); !ok || v != t.Value {
			return false
		}
	}
	return own > 0
}

func projectOf(st *stacks.Stack) string { return cmp.Or(st.ProjectID, st.ProjectCode) }
