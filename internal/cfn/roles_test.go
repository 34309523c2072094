package cfn_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/deployer-cli/deployer/internal/cfn"
	"github.com/deployer-cli/deployer/stacks"
)

// Credentials of an account that were bad and are good again are not taken to have been
// bad all the while, because those of another role of it were.
func TestBadCredentialsOfOneRoleAreNotAnothers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		began := time.Now()
		bad := map[string][][2]time.Duration{ // by role
			"A": {{5 * time.Second, time.Minute}, {10*time.Minute + 5*time.Second, 10*time.Minute + 50*time.Second}},
			"B": {{40 * time.Second, 10*time.Minute + 30*time.Second}},
		}
		f.before = func(string) answer {
			return func(w http.ResponseWriter, r *http.Request) bool {
				for role, times := range bad {
					for _, when := range times {
						if d := time.Since(began); strings.Contains(r.Header.Get("Authorization"), "Credential="+role+"/") && d > when[0] && d < when[1] {
							fail(w, 403, "ExpiredToken", "The security token included in the request is expired")
							return true
						}
					}
				}
				return false
			}
		}
		c := cloud(f, func(o *cfn.Options) {
			config := o.Config
			o.Patience = 10 * time.Minute
			o.Config = func(ctx context.Context, a stacks.Access) (aws.Config, error) {
				cfg, err := config(ctx, a)
				cfg.Credentials = credentials.NewStaticCredentialsProvider(a.Profile, "s", "")
				return cfg, err
			}
		})
		var wg sync.WaitGroup
		for role := range bad {
			s := f.add("of-"+role, "token")
			s.phases[len(s.phases)-1].at, s.phases[len(s.phases)-2].at = began.Add(15*time.Minute), began.Add(15*time.Minute)
			wg.Go(func() {
				p, _, err := await(t.Context(), c, stacks.Operation{
					Verb: stacks.Create, Name: s.name, StackID: s.id, Token: "token", Accepted: began,
					Access: stacks.Access{Region: access.Region, Profile: role},
				})
				if err != nil || p.Status != stacks.CreateComplete {
					t.Errorf("%s after %s: %v, %v", role, time.Since(began), p.Status, err)
				}
			})
		}
		wg.Wait()
	})
}
