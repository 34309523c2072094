package cloud_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/deployer-cli/deployer/internal/awsconf"
	"github.com/deployer-cli/deployer/stacks"
)

// Credentials that are found in the middle of a run are taken only where they
// are those of before: of the same account, and the same role or user.
func TestSame(t *testing.T) {
	t.Parallel()
	answer := handler(func(w http.ResponseWriter, r *http.Request) {
		_, key, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
		key, _, _ = strings.Cut(key, "/")
		who := map[string][2]string{
			"AKID": {account, "AROA1:monday"}, "RENEWED": {account, "AROA1:tuesday"},
			"ROLE": {account, "AROA2:monday"}, "ACCOUNT": {"222222222222", "AROA1:monday"},
		}[key]
		if who[0] == "" {
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, `<ErrorResponse><Error><Code>ExpiredToken</Code><Message>expired</Message></Error></ErrorResponse>`)
			return
		}
		fmt.Fprintf(w, `<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:%s</Arn><UserId>%s</UserId><Account>%s</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`, key, who[1], who[0])
	})
	c := over(answer)
	same := func(key string) error {
		configs := awsconf.New(awsconf.Options{
			Realm: stacks.RealmSandbox, HTTPClient: answer, Endpoint: "http://sandbox.invalid", Keys: &awsconf.Keys{ID: key, Secret: "s"},
		})
		cfg, err := configs.Config(t.Context(), access)
		if err != nil {
			t.Fatal(err)
		}
		return c.Same(t.Context(), access, cfg)
	}
	if err := same("RENEWED"); err == nil {
		t.Error("nobody knew whose they were before")
	}
	if _, err := c.Identity(t.Context(), access); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{
		"AKID": "", "RENEWED": "", "ROLE": "those that are there now are of arn:ROLE, and this run began as arn:AKID",
		"ACCOUNT": "are of arn:ACCOUNT", "OLD": "expired",
	} {
		err := same(key)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", key, err, want)
		}
	}
}
