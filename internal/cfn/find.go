package cfn

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"github.com/deployer-cli/deployer/internal/awsconf"
	"github.com/deployer-cli/deployer/internal/flow"
	"github.com/deployer-cli/deployer/stacks"
)

// Sizes remembers from one run to the next how many pages the stacks of an account
// and region fill; 0 is unknown. It is a guess that only saves calls.
type Sizes interface {
	Pages(place string) int
	Keep(place string, pages int)
}

// Find reads the stacks of some names in one account and region, each with the
// access that it is reached by. A name that is not in the answer has no stack.
//
// It asks by name where that costs fewer calls than listing everything there, as
// for a few stacks among thousands of others, and lists, page by page, until asking
// for the rest by name is cheaper. Accesses may share the listing, since whoever may
// list sees everything; where none may, each stack is asked for with its own.
func (c *Cloud) Find(ctx context.Context, names map[string]stacks.Access) (map[string]*stacks.Live, error) {
	f := &finding{cloud: c, names: names, found: make(map[string]*stacks.Live, len(names))}
	accesses := f.accesses()
	if len(accesses) == 0 {
		return f.found, nil
	}
	place := c.placeName(ctx, accesses[0])
	if pages := c.pagesOf(place); len(names) > 1 && (pages == 0 || pages <= len(names)) {
		if err := f.list(ctx, accesses, place); err != nil || f.whole {
			return f.found, err
		}
	}
	return f.found, f.byName(ctx)
}

// finding is one Find.
type finding struct {
	cloud *Cloud
	names map[string]stacks.Access
	whole bool // everything was listed: what is not there does not exist

	mu    sync.Mutex
	found map[string]*stacks.Live
}

// accesses are those in use, the one with the most stacks first.
func (f *finding) accesses() []stacks.Access {
	uses := map[stacks.Access]int{}
	for _, a := range f.names {
		uses[a]++
	}
	out := make([]stacks.Access, 0, len(uses))
	for a := range uses {
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b stacks.Access) int {
		return cmp.Or(uses[b]-uses[a], cmp.Compare(a.Role, b.Role), cmp.Compare(a.Profile, b.Profile), a.RoleSeconds-b.RoleSeconds)
	})
	return out
}

// list reads page after page with the first access that may.
func (f *finding) list(ctx context.Context, accesses []stacks.Access, place string) error {
	for _, a := range accesses {
		pages, more := 0, false
		err := f.cloud.sweep(ctx, a, func(page []seen, next bool) bool {
			pages, more = pages+1, next
			before := len(f.found)
			for i := range page {
				name := page[i].live.Name
				if _, wanted := f.names[name]; wanted && f.found[name] == nil { // the newest come first
					f.found[name] = &page[i].live
				}
			}
			// Where a page gives no more than a name does, the rest is had by name once
			// that costs no more than was spent already.
			rest := len(f.names) - len(f.found)
			return rest > pages || rest > 0 && len(f.found)-before > 1
		})
		if awsconf.IsDenied(err) {
			continue
		}
		if err != nil {
			return err
		}
		f.whole = !more || len(f.found) == len(f.names)
		if more {
			pages++ // at least
		}
		f.cloud.learnPages(place, pages, !more)
		return nil
	}
	return nil
}

// byName asks for each stack that was not found yet.
func (f *finding) byName(ctx context.Context) error {
	var missing []string
	for name := range f.names {
		if f.found[name] == nil {
			missing = append(missing, name)
		}
	}
	slices.Sort(missing)
	errs := make([]error, len(missing))
	flow.Each(ctx, readers, len(missing), func(i int) {
		s, err := f.cloud.stack(ctx, f.names[missing[i]], missing[i])
		if isNotFound(err) {
			return
		}
		if errs[i] = err; err == nil {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.found[missing[i]] = &s.live
		}
	})
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return cmp.Or(errs...)
}

// placeName names the account and region that a leads to.
func (c *Cloud) placeName(ctx context.Context, a stacks.Access) string {
	account := a.Profile + " " + a.Role
	if c.opts.Account != nil {
		if known, err := c.opts.Account(ctx, a); err == nil {
			account = known
		}
	}
	return account + " " + a.Region
}

func (c *Cloud) pagesOf(place string) int {
	c.mu.Lock()
	pages := c.sizes[place]
	c.mu.Unlock()
	if pages == 0 && c.opts.Sizes != nil {
		pages = c.opts.Sizes.Pages(place)
	}
	return pages
}

// learnPages notes how many pages there were: all of them, or at least so many.
func (c *Cloud) learnPages(place string, pages int, all bool) {
	before := c.pagesOf(place)
	if !all {
		pages = max(pages, before)
	}
	c.mu.Lock()
	c.sizes[place] = pages
	c.mu.Unlock()
	if pages != before && max(pages, before) > 1 && c.opts.Sizes != nil { // one page is what is taken of the unknown
		c.opts.Sizes.Keep(place, pages)
	}
}
