package cfn_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deployer-cli/deployer/stacks"
)

// A hundred stacks that are deleted at once are seen to be gone by a few listings, and
// one by one where those are not allowed or tell of others only.
func TestDeletedStacksAreListed(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		refused string // by this code
		others  int
		perOne  float64
	}{
		"alone":              {perOne: 0.35},
		"not allowed":        {refused: "AccessDenied", perOne: 1.3},
		"not known":          {refused: "InvalidAction", perOne: 1.35},
		"among deleted ones": {others: 1000, perOne: 1.35},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				const n = 100
				f := newFake()
				now := time.Now()
				for i := range n {
					s := f.add(fmt.Sprintf("stack-%03d", i), "x")
					s.phases = []phase{
						{at: now.Add(-time.Hour), status: "CREATE_COMPLETE"},
						{at: now, status: "DELETE_IN_PROGRESS", token: "x"},
						{at: now.Add(5*time.Second + time.Duration(i)*20*time.Millisecond), status: "DELETE_COMPLETE", token: "x"},
					}
				}
				for i := range tt.others {
					f.add(fmt.Sprintf("other-%04d", i), "x").phases = []phase{{at: now.Add(-time.Hour), status: "DELETE_COMPLETE"}}
				}
				if tt.refused != "" {
					f.before = func(action string) answer {
						if action != "ListStacks" {
							return nil
						}
						return func(w http.ResponseWriter, _ *http.Request) bool {
							fail(w, 400, tt.refused, "not authorized to perform cloudformation:ListStacks")
							return true
						}
					}
				}
				c := cloud(f)
				var wg sync.WaitGroup
				for _, s := range f.stacks[:n] {
					wg.Go(func() {
						op := stacks.Operation{Verb: stacks.Delete, Access: access, Name: s.name, StackID: s.id, Token: "x", Accepted: now}
						p, _, err := await(t.Context(), c, op)
						if err != nil || p.Status != stacks.DeleteComplete || time.Now().Before(s.phases[2].at) {
							t.Errorf("%s ended %+v, %v", s.name, p, err)
						}
					})
				}
				wg.Wait()
				perOne := float64(f.count("DescribeStacks")+f.count("ListStacks")) / n
				t.Logf("%.2f looks at each: %v", perOne, f.calls)
				if perOne > tt.perOne {
					t.Errorf("%.2f looks at each, want %.2f at most", perOne, tt.perOne)
				}
			})
		})
	}
}
