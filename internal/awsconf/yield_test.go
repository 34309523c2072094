package awsconf_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"

	"github.com/deployer-cli/deployer/internal/awsconf"
)

// Calls that wait for what they gave up while they waited for their turn are not under
// way: others that may go do.
func TestWhatWaitsToGoOnIsNotUnderWay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := options(inProcess(func(w http.ResponseWriter, _ *http.Request) {
			<-time.NewTimer(time.Second).C
			succeed(w)
		}))
		o.Limits.Opening = 1
		cfg, err := awsconf.New(o).Config(t.Context(), access)
		if err != nil {
			t.Fatal(err)
		}
		client := cloudformation.NewFromConfig(cfg)
		remove := func(ctx context.Context) {
			if _, err := client.DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: new("x")}); err != nil {
				t.Error(err)
			}
		}
		room, first := make(chan struct{}), make(chan struct{}, 1)
		resting := awsconf.Yielding(t.Context(), func(bool) {}, func(ctx context.Context) error {
			select {
			case <-first:
				return nil
			case <-room:
				return nil
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		})
		var wg sync.WaitGroup
		wg.Go(func() { remove(t.Context()) })
		synctest.Wait()
		wg.Go(func() { remove(resting) })
		time.Sleep(1500 * time.Millisecond) // until it would come back
		for range 3 {
			wg.Go(func() { remove(t.Context()) })
		}
		synctest.Wait()
		for range 9 { // more than there are places then
			wg.Go(func() { remove(resting) })
		}
		synctest.Wait() // they rest while the first comes back
		first <- struct{}{}
		time.Sleep(10 * time.Second)
		start := time.Now()
		var others sync.WaitGroup
		for range 5 { // no more than there are places
			others.Go(func() { remove(t.Context()) })
		}
		others.Wait()
		if took := time.Since(start); took > 1500*time.Millisecond {
			t.Errorf("it took %s", took)
		}
		close(room)
		wg.Wait()
	})
}
