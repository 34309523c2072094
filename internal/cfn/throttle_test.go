package cfn_test

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/deployer-cli/deployer/internal/sandbox"
	"github.com/deployer-cli/deployer/stacks"
)

// At five calls a second sixty stacks take longer, and none fails.
func TestThrottledLaunchInTheSandbox(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]sandbox.Fault{
		"every call": {Rate: 5, Burst: 5, Service: "cloudformation"},
		"reads":      {Rate: 5, Burst: 5, Service: "cloudformation", Phase: "read"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				const n = 60
				w := newWorld()
				w.fault(t, f)
				var wg sync.WaitGroup
				for i := range n {
					wg.Go(func() {
						w.end(t, w.create(t, fmt.Sprintf("s%d", i), queue), stacks.CreateComplete)
					})
				}
				wg.Wait()
				calls, throttled := w.counter.Calls(), w.counter.Throttled()
				share := float64(throttled) / float64(calls)
				t.Logf("%d calls, %d throttled (%.1f %%)", calls, throttled, 100*share)
				most := 0.05
				if f.Phase == "" {
					most = 0.08 // the first wave of sixty writes is a third of all calls
				}
				if share > most {
					t.Errorf("%.1f %% of the calls were throttled, want %.0f at most", 100*share, 100*most)
				}
			})
		})
	}
}
