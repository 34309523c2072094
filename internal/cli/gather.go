package cli

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/internal/journal"
	"github.com/deployer-cli/deployer/internal/plan"
	"github.com/deployer-cli/deployer/internal/restype"
	"github.com/deployer-cli/deployer/internal/state"
	"github.com/deployer-cli/deployer/stacks"
)

// own is an access with the credentials of whoever runs this, before any role of
// the project's is taken: in a role all have the same name.
func own(a stacks.Access) stacks.Access {
	a.Role, a.RoleSeconds = "", 0
	return a
}

// caller tells who runs this command, as STS knows them.
func (s *session) caller(ctx context.Context, a stacks.Access) (guard.Identity, error) {
	id, err := s.cloud.Identity(ctx, own(a))
	return guard.Identity{ARN: id.ARN, Account: id.Account, ID: id.UserID}, err
}

// records is where an environment's locks, approvals and history are kept.
func (s *session) records(e *stacks.Environment, a stacks.Access) *state.Store {
	if e != nil && e.State.Bucket != "" {
		return state.InBucket(s.cloud.Bucket(own(a), e.State.Bucket, e.State.Prefix))
	}
	return state.InFiles(s.state("state"))
}

// area is one environment that a run concerns, and a way to reach it.
type area struct {
	env    *stacks.Environment
	access stacks.Access
	policy guard.Policy
}

// everybody tells as whom a run acts in the stacks' environments: a config may
// name a profile for each.
func (s *session) everybody(ctx context.Context, sts []*stacks.Stack) (map[string][]guard.Identity, error) {
	out := map[string][]guard.Identity{}
	sts = slices.DeleteFunc(slices.Clone(sts), func(st *stacks.Stack) bool { return st.Environment == nil })
	s.identify(ctx, sts, own)
	for _, st := range sts {
		who, err := s.caller(ctx, st.Access)
		if err != nil {
			return nil, err
		}
		if name := st.Environment.Name; !slices.Contains(out[name], who) {
			out[name] = append(out[name], who)
		}
	}
	return out, nil
}

// areas lists the environments of stacks by name, with their guard blocks read.
// One that cannot be read is an error before anything is asked of AWS.
func areas(sts []*stacks.Stack) ([]area, error) {
	var out []area
	for _, st := range sts {
		e := st.Environment
		if e == nil || slices.ContainsFunc(out, func(a area) bool { return a.env.Name == e.Name }) {
			continue
		}
		p, err := guard.ParsePolicy(e)
		if err != nil {
			return nil, err
		}
		out = append(out, area{e, st.Access, p})
	}
	slices.SortFunc(out, func(a, b area) int {
		if a.env.Name < b.env.Name {
			return -1
		}
		return 1
	})
	return out, nil
}

// gather reads what the guard judges: who runs this, and what people have given
// for the environments of the request.
func (s *session) gather(ctx context.Context, request *guard.Request, places []area) error {
	request.Policies = map[string]guard.Policy{}
	defer func() {
		if s.realm != stacks.RealmSandbox { // whose clock may leap between two looks
			request.Skew = s.cloud.Skew()
		}
	}()
	for _, a := range places {
		concerned := slices.ContainsFunc(request.Steps, func(st guard.Step) bool {
			return st.Environment != nil && st.Environment.Name == a.env.Name
		})
		if !concerned {
			continue
		}
		request.Policies[a.env.Name] = a.policy
		if request.Caller.ARN == "" {
			var err error
			if request.Caller, err = s.caller(ctx, a.access); err != nil {
				return err
			}
		}
		if a.env.Class != stacks.Production && a.policy.Approvals == 0 && !a.policy.Lease.Required && len(a.policy.Freezes) == 0 {
			continue // nothing that people give matters
		}
		if err := s.given(ctx, request, a); err != nil {
			return &guard.Refusal{
				Rule: "P6", Code: exitRefused, What: a.env.Name + " is not touched",
				Why: "approvals and leases cannot be read: " + err.Error(), Tip: "they are in " + s.records(a.env, a.access).Place(),
			}
		}
	}
	return nil
}

// given reads approvals, leases and releases, and who made the plan.
func (s *session) given(ctx context.Context, request *guard.Request, a area) error {
	store := s.records(a.env, a.access)
	approvals, err := store.Approvals(ctx, a.env.Name)
	if err != nil {
		return err
	}
	leases, err := store.Leases(ctx, a.env.Name)
	if err != nil {
		return err
	}
	releases, err := store.Releases(ctx, a.env.Name)
	if err != nil {
		return err
	}
	if request.Digest != "" {
		made, err := store.Plans(ctx, a.env.Name, request.Digest)
		if err != nil {
			return err
		}
		request.Plans = append(request.Plans, made...)
	}
	slices.SortStableFunc(leases, func(a, b guard.Lease) int { return a.Made.Compare(b.Made) })
	request.Approvals = append(request.Approvals, approvals...)
	request.Leases = append(request.Leases, leases...)
	request.Releases = append(request.Releases, releases...)
	return nil
}

// gather adds to a request what a launch knows besides its plan.
func (r *launcher) gather(ctx context.Context, request *guard.Request) error {
	if len(request.Steps) == 0 {
		return nil
	}
	request.Forecast = r.forecast()
	var err error
	if request.Callers, err = r.s.everybody(ctx, r.planner.sc.list()); err != nil {
		return err
	}
	if r.custody != nil {
		request.Locks = r.custody.others()
		return r.s.gather(ctx, request, r.custody.areas)
	}
	places, err := areas(r.planner.sc.list())
	if err != nil {
		return err
	}
	return r.s.gather(ctx, request, places)
}

// forecast is how long the plan is expected to take: its longest chain, by how
// long the stacks took before, or by what is in them.
func (r *launcher) forecast() time.Duration {
	before, err := journal.Durations(r.s.state("journal"))
	if err != nil {
		before = nil
	}
	ends := map[stacks.Path]time.Duration{}
	longest := time.Duration(0)
	for i := range r.plan.Steps {
		step := &r.plan.Steps[i]
		from := time.Duration(0)
		for _, p := range step.After {
			from = max(from, ends[p])
		}
		ends[step.Stack] = from
		if step.Changing() || step.Late {
			ends[step.Stack] += takes(step, before[step.Stack])
		}
		longest = max(longest, ends[step.Stack])
	}
	return longest
}

// takes is how long one step is expected to take.
func takes(step *plan.Step, before journal.Took) time.Duration {
	known := before.Update
	switch step.Action {
	case plan.Create:
		known = before.Create
	case plan.Recreate:
		known = cmp.Or(before.Recreate, before.Create+before.Delete)
	case plan.Delete:
		known = before.Delete
	case plan.Update, plan.Join, plan.None, plan.Skip:
	}
	if known > 0 {
		return known
	}
	slowest := time.Minute
	for _, c := range step.Changes {
		create, update, remove := restype.Durations(c.Type)
		switch c.Action {
		case "add":
			slowest = max(slowest, create)
		case "remove":
			slowest = max(slowest, remove)
		default:
			slowest = max(slowest, update)
			if c.Replacement != "false" {
				slowest = max(slowest, create+remove)
			}
		}
	}
	return slowest
}
