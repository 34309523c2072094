package cloud_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/stacks"
)

func TestScale(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var asked []string
		c := over(func(w http.ResponseWriter, r *http.Request) {
			_ = r.ParseForm()
			if r.Form.Get("Action") == "GetCallerIdentity" {
				identify(w)
				return
			}
			if !strings.Contains(r.Header.Get("Authorization"), "/eu-west-1/autoscaling/aws4_request") {
				t.Errorf("signed for %s", r.Header.Get("Authorization"))
			}
			asked = append(asked, r.Form.Get("Action")+" "+r.Form.Get("AutoScalingGroupName")+" "+r.Form.Get("ScalingProcesses.member.1"))
			switch {
			case len(asked) == 1:
				w.WriteHeader(http.StatusBadRequest)
				fmt.Fprint(w, `<ErrorResponse><Error><Code>Throttling</Code><Message>slow</Message></Error></ErrorResponse>`)
			case r.Form.Get("AutoScalingGroupName") == "gone":
				w.WriteHeader(http.StatusBadRequest)
				fmt.Fprint(w, `<ErrorResponse><Error><Code>ValidationError</Code><Message>no such group</Message></Error></ErrorResponse>`)
			}
		})
		w := c.Writer(clearance(t, stacks.Create), target())
		if err := w.Scale(t.Context(), "web", "Launch", true); err != nil {
			t.Fatal(err)
		}
		if err := w.Scale(t.Context(), "gone", "Launch", false); err == nil || !strings.Contains(err.Error(), "no such group") {
			t.Errorf("%v", err)
		}
		want := "SuspendProcesses web Launch, SuspendProcesses web Launch, ResumeProcesses gone Launch"
		if got := strings.Join(asked, ", "); got != want {
			t.Errorf("asked %s, want %s", got, want)
		}
	})
}

func TestScaleNeedsClearance(t *testing.T) {
	t.Parallel()
	c := over(func(w http.ResponseWriter, _ *http.Request) { identify(w) })
	for name, cl := range map[string]guard.Clearance{"none": {}, "to upload": clearance(t, stacks.Upload)} {
		err := c.Writer(cl, target()).Scale(t.Context(), "web", "Launch", true)
		if _, ok := err.(*guard.Refusal); !ok { //nolint:errorlint // untouched means not even wrapped
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEnviron(t *testing.T) {
	t.Parallel()
	got, err := over(nil).Environ(t.Context(), access)
	if err != nil || got["AWS_REGION"] != "eu-west-1" || got["AWS_DEFAULT_REGION"] != "eu-west-1" || got["AWS_ACCESS_KEY_ID"] != "AKID" || got["AWS_SECRET_ACCESS_KEY"] != "s" {
		t.Errorf("%v, %v", got, err)
	}
}
