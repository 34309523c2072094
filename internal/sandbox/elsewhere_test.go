package sandbox_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/deployer-cli/deployer/internal/sandbox"
	"github.com/deployer-cli/deployer/internal/sandbox/store"
)

// What CloudFormation has and the sandbox has not gets another answer than what
// nobody has.
func TestOperationsElsewhere(t *testing.T) {
	t.Parallel()
	s := sandbox.New(sandbox.Options{Store: store.NewMemory()})
	for action, want := range map[string]string{
		"CreateStackRefactor": "CreateStackRefactor is not in the sandbox", "CreateStackSet": "CreateStackSet is not in the sandbox", "MakeTea": "Could not find operation MakeTea for version 2010-05-15",
	} {
		res, body := send(t, s, request{target: "/", body: "Action=" + action + "&Version=2010-05-15", header: map[string]string{"Content-Type": form}})
		if res.StatusCode == http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s: %d %s", action, res.StatusCode, body)
		}
	}
}
