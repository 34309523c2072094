package awsconf_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"

	"github.com/deployer-cli/deployer/internal/awsconf"
	"github.com/deployer-cli/deployer/stacks"
)

// A wave of writes goes out as fast as AWS takes it, and where AWS takes less
// few are throttled and little time is lost. Round trips take a fifth of a
// second.
func TestWavesOfWrites(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		rate, burst float64
		waves, size int
		pause       time.Duration
		atMost      time.Duration
		share       float64 // of the calls that may be throttled
	}{
		{10000, 10000, 1, 100, 0, 1500 * time.Millisecond, 0},
		{10000, 10000, 1, 1000, 0, 3 * time.Second, 0},
		{5, 5, 1, 100, 0, 25 * time.Second, 0.2},
		{5, 5, 10, 30, 7 * time.Second, 140 * time.Second, 0.12}, // two minutes at best
		{2, 10, 1, 60, 0, 40 * time.Second, 0.35},
		{20, 40, 1, 200, 0, 18 * time.Second, 0.3}, // eight at best; one wave in a hundred takes fifteen
	} {
		t.Run(fmt.Sprintf("%v after %v, %d times %d", tt.rate, tt.burst, tt.waves, tt.size), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				service := &limited{rate: tt.rate, burst: tt.burst, tokens: tt.burst, last: time.Now()}
				o := options(inProcess(func(w http.ResponseWriter, r *http.Request) {
					<-time.NewTimer(200 * time.Millisecond).C
					service.handle(w, r)
				}))
				o.Realm = stacks.RealmAWS
				cfg, err := awsconf.New(o).Config(t.Context(), access)
				if err != nil {
					t.Fatal(err)
				}
				client := cloudformation.NewFromConfig(cfg)
				start := time.Now()
				for range tt.waves {
					var wg sync.WaitGroup
					for range tt.size {
						wg.Go(func() {
							if _, err := client.DeleteStack(t.Context(), &cloudformation.DeleteStackInput{StackName: new("x")}); err != nil {
								t.Error(err)
							}
						})
					}
					wg.Wait()
					time.Sleep(tt.pause)
				}
				took := time.Since(start)
				share := float64(service.denied) / float64(service.denied+service.served)
				t.Logf("%s, %d throttled (%.1f %%)", took, service.denied, 100*share)
				if took > tt.atMost || share > tt.share {
					t.Errorf("want %s and %.0f %% at most", tt.atMost, 100*tt.share)
				}
			})
		})
	}
}
