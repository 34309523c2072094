package cfn_test

import (
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/deployer-cli/deployer/stacks"
)

// TestFind: names are asked for one by one where that costs fewer calls than listing
// everything, and where nobody may list.
func TestFind(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		stacks, wanted, absent, page int
		denied                       bool // DescribeStacks of everything
		first, again                 int  // calls
	}{
		"all of them":              {30, 30, 0, 10, false, 3, 3},
		"one":                      {30, 1, 0, 10, false, 1, 1},
		"one that is not there":    {30, 0, 1, 10, false, 1, 1},
		"few":                      {90, 3, 0, 10, false, 5, 3}, // three pages, then the rest by name
		"few, and one is new":      {30, 12, 1, 10, false, 3, 3},
		"nobody may list":          {30, 5, 1, 10, true, 7, 7},
		"all on the newest page":   {10, 4, 0, 10, false, 1, 1},
		"none":                     {10, 0, 0, 10, false, 0, 0},
		"more names than pages":    {100, 40, 0, 10, false, 10, 10},
		"the rest is had by names": {50, 12, 0, 10, false, 5, 5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFake()
				f.page = c.page
				f.before = func(action string) answer {
					return func(w http.ResponseWriter, r *http.Request) bool {
						if c.denied && action == "DescribeStacks" && r.Form.Get("StackName") == "" {
							fail(w, 403, "AccessDenied", "no")
							return true
						}
						return false
					}
				}
				for i := range c.stacks {
					f.add(fmt.Sprintf("s%04d", i), "")
				}
				names := map[string]stacks.Access{}
				for i := range c.wanted {
					names[fmt.Sprintf("s%04d", i*c.stacks/c.wanted)] = access
				}
				for i := range c.absent {
					names[fmt.Sprintf("absent%d", i)] = access
				}
				c1 := cloud(f)
				for _, calls := range []int{c.first, c.again} {
					before := f.count("DescribeStacks")
					found, err := c1.Find(t.Context(), names)
					if err != nil || len(found) != c.wanted {
						t.Fatalf("%d found of %d, %v", len(found), c.wanted, err)
					}
					for name, live := range found {
						if live.Name != name {
							t.Errorf("%s is %s", name, live.Name)
						}
					}
					if n := f.count("DescribeStacks") - before; n > calls {
						t.Errorf("%d calls, want %d at most", n, calls)
					}
				}
			})
		})
	}
}
