package plan

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/go-multierror"

	"github.com/deployer-cli/deployer/internal/cfntemplate"
	"github.com/deployer-cli/deployer/internal/flow"
	"github.com/deployer-cli/deployer/stacks"
)

// Finder reads the stacks of some names, all of one account and region, each with
// the access that it is reached by, in as few calls as it can. A name that is not
// in the answer has no stack.
type Finder interface {
	Find(ctx context.Context, names map[string]stacks.Access) (map[string]*stacks.Live, error)
}

// Reader reads what a sweep does not tell of a stack.
type Reader interface {
	Template(ctx context.Context, a stacks.Access, stackID string) ([]byte, error)
	Policy(ctx context.Context, a stacks.Access, stackID string) ([]byte, error)
	Resources(ctx context.Context, a stacks.Access, stackID string) ([]stacks.Resource, error)
}

// Relations reads who else has to do with a stack: its change sets, and those
// who import its exports. Importers answers none with an empty list and any
// doubt with an error.
type Relations interface {
	Proposals(ctx context.Context, a stacks.Access, stackID string) ([]string, error)
	Importers(ctx context.Context, a stacks.Access, export string) ([]string, error)
}

// Cache keeps templates of live stacks between runs. A template is the same as
// long as the stack has the same id and did not change since.
type Cache interface {
	Template(stackID string, changed time.Time) ([]byte, bool)
	Keep(stackID string, changed time.Time, body []byte)
}

// Sources is what Observe reads from. Cache may be nil; Cache and the others
// are used by several goroutines.
type Sources struct {
	Finder    Finder
	Reader    Reader
	Relations Relations
	Cache     Cache
	Access    func(*stacks.Stack) stacks.Access // nil: the stack's own
	Account   func(stacks.Access) string        // the account it leads to; nil: not known, and none is shared
	Contents  bool                              // tell the resources of every stack too, as a delete has to show them

	// Parse reads templates, so that what one tells for certain need not be listed; nil:
	// everything is listed.
	Parse func([]byte) (*cfntemplate.Template, error)

	Parallel int // how many reads at once of one account and region; 0 means 8
}

const defaultReads = 8

func (s Sources) access(st *stacks.Stack) stacks.Access {
	if s.Access == nil {
		return st.Access
	}
	return s.Access(st)
}

// area is an account and region; where the account is not known, an access.
type area struct {
	account, region string
	access          stacks.Access
}

func (s Sources) area(a stacks.Access) area {
	if s.Account != nil {
		if account := s.Account(a); account != "" {
			return area{account: account, region: a.Region}
		}
	}
	return area{access: a}
}

// Observe reads how the stacks live: those of an account and region together, and
// of single stacks only what that does not tell and the plan has to know.
// A read that fails is an error; it never makes a stack look absent.
func Observe(ctx context.Context, src Sources, sts []*stacks.Stack) (*Snapshot, error) {
	o := &observer{src: src, out: &Snapshot{seen: make(map[stacks.Path]Observation, len(sts))}, live: map[area]map[string]*stacks.Live{}}
	names := map[area]map[string]stacks.Access{}
	var areas []area
	for _, st := range sts {
		a := src.access(st)
		at := src.area(a)
		if names[at] == nil {
			names[at] = map[string]stacks.Access{}
			areas = append(areas, at)
		}
		names[at][st.Name] = a
	}
	flow.Each(ctx, len(areas), len(areas), func(i int) { o.find(ctx, areas[i], names[areas[i]]) })
	if err := o.ended(ctx); err != nil {
		return nil, err
	}
	o.each(ctx, sts, func(i int) { o.stack(ctx, sts[i]) })
	if err := o.ended(ctx); err != nil {
		return nil, err
	}
	return o.out, nil
}

// ObserveImports looks up who imports the given exports of a stack, as
// Builder.AtRisk names them, and adds it to the snapshot. A lookup that fails
// is written down as unknown, which blocks what would need it.
func ObserveImports(ctx context.Context, src Sources, snapshot *Snapshot, st *stacks.Stack, exports []string) error {
	found, _ := snapshot.Get(st.Path)
	imported := make(map[string][]string, len(exports))
	for _, e := range exports {
		names, err := src.Relations.Importers(ctx, src.access(st), e)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			found.ImportsUnknown = err
		default:
			imported[e] = slices.Sorted(slices.Values(names))
		}
	}
	found.Imported = imported
	snapshot.Put(st.Path, found)
	return nil
}

type observer struct {
	src  Sources
	mu   sync.Mutex // guards what stands below
	live map[area]map[string]*stacks.Live
	out  *Snapshot
	errs *multierror.Error
}

// each runs do for every stack, some of each account and region at a time: one
// that answers slowly holds up no other.
func (o *observer) each(ctx context.Context, sts []*stacks.Stack, do func(int)) {
	limit := o.src.Parallel
	if limit <= 0 {
		limit = defaultReads
	}
	flow.EachOf(ctx, limit, len(sts), func(i int) area { return o.src.area(o.src.access(sts[i])) }, do)
}

// ended gives what went wrong so far, in an order of its own making.
func (o *observer) ended(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if o.errs != nil {
		slices.SortFunc(o.errs.Errors, func(a, b error) int {
			if a.Error() < b.Error() {
				return -1
			}
			return 1
		})
	}
	return o.errs.ErrorOrNil()
}

func (o *observer) fail(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.errs = multierror.Append(o.errs, err)
}

func (o *observer) find(ctx context.Context, at area, names map[string]stacks.Access) {
	live, err := o.src.Finder.Find(ctx, names)
	if err != nil {
		o.fail(fmt.Errorf("look for the stacks in %s: %w", cmp.Or(at.region, at.access.Region), err))
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.live[at] = live
}

func (o *observer) stack(ctx context.Context, st *stacks.Stack) {
	a := o.src.access(st)
	seen := Observation{Live: o.live[o.src.area(a)][st.Name]}
	if err := o.details(ctx, a, st, &seen); err != nil {
		o.fail(fmt.Errorf("read stack %s: %w", st.Path, err))
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.out.Put(st.Path, seen)
}

// details reads what the stack's status and config make necessary.
func (o *observer) details(ctx context.Context, a stacks.Access, st *stacks.Stack, seen *Observation) (err error) {
	live := seen.Live
	if live == nil || live.Status == stacks.DeleteComplete {
		return nil
	}
	switch {
	case live.Status == stacks.ReviewInProgress:
		seen.Proposals, err = o.src.Relations.Proposals(ctx, a, live.ID)
		return err
	case Decide(Found{Status: live.Status, DisableRollback: live.DisableRollback}).Action == Recreate, st.Obsolete, o.src.Contents:
		return o.contents(ctx, a, st, seen)
	case live.Status.InProgress(), st.Ignore:
		return nil
	}
	if st.StackPolicy.Kind != stacks.Null {
		if seen.Policy, err = o.src.Reader.Policy(ctx, a, live.ID); err != nil {
			return err
		}
	}
	seen.Template, err = o.template(ctx, a, live)
	return err
}

// contents reads what is in a stack that is to go, and for a deletion also what its
// template lets stay behind. What the template alone tells for certain is not listed.
func (o *observer) contents(ctx context.Context, a stacks.Access, st *stacks.Stack, seen *Observation) (err error) {
	if o.src.Contents {
		if seen.Template, err = o.template(ctx, a, seen.Live); err != nil {
			return err
		}
		if o.src.Parse != nil {
			if t, wrong := o.src.Parse(seen.Template); wrong == nil {
				var told bool
				if seen.Resources, told = onPaper(st, seen.Live, t); told {
					return nil
				}
			}
		}
	}
	seen.Resources, err = o.src.Reader.Resources(ctx, a, seen.Live.ID)
	if seen.Resources == nil && err == nil {
		seen.Resources = []stacks.Resource{}
	}
	return err
}

func (o *observer) template(ctx context.Context, a stacks.Access, live *stacks.Live) ([]byte, error) {
	if o.src.Cache != nil {
		if body, ok := o.src.Cache.Template(live.ID, live.Changed()); ok {
			return body, nil
		}
	}
	body, err := o.src.Reader.Template(ctx, a, live.ID)
	if err == nil && o.src.Cache != nil {
		o.src.Cache.Keep(live.ID, live.Changed(), body)
	}
	return body, err
}
