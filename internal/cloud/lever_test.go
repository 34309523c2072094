package cloud_test

import (
	"fmt"
	"testing"

	"github.com/deployer-cli/deployer/internal/awsconf"
	"github.com/deployer-cli/deployer/internal/cloud"
	"github.com/deployer-cli/deployer/internal/sandbox"
	"github.com/deployer-cli/deployer/internal/sandbox/store"
	"github.com/deployer-cli/deployer/stacks"
)

// TestCreateOverwritesNothing: what somebody wrote meanwhile stays, and so what was
// revoked stays revoked; an answer that was lost is no failure.
func TestCreateOverwritesNothing(t *testing.T) {
	t.Parallel()
	server := sandbox.New(sandbox.Options{Store: store.NewMemory(), Speed: 1, Account: account})
	configs := awsconf.New(awsconf.Options{
		Realm: stacks.RealmSandbox, HTTPClient: server.Client(), Endpoint: sandbox.Endpoint, Keys: &awsconf.Keys{ID: "sandbox", Secret: "sandbox"},
	})
	c := cloud.New(cloud.Options{Config: configs.Config, Realm: stacks.RealmSandbox, Run: "run-1"})
	ctx := t.Context()
	l := c.Lever(access, "/deployer/p/permits/dev/one")
	if err := l.Create(ctx, "agreed"); err != nil {
		t.Fatal(err)
	}
	if err := l.Write(ctx, "revoked"); err != nil {
		t.Fatal(err)
	}
	if err := l.Create(ctx, "agreed"); err == nil {
		t.Error("it was made again")
	}
	if text, err := l.Read(ctx); text != "revoked" || err != nil {
		t.Errorf("it holds %q, %v", text, err)
	}
	if err := l.Create(ctx, "revoked"); err != nil {
		t.Errorf("the same again: %v", err)
	}
	for i := range 23 { // pages of ten
		if err := c.Lever(access, fmt.Sprintf("/deployer/p/permits/dev/n%d", i)).Create(ctx, "x"); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Lever(access, "/deployer/p/permits/dev/team/inner").Create(ctx, "of another environment"); err != nil {
		t.Fatal(err)
	}
	all, err := c.Below(ctx, access, "/deployer/p/permits/dev")
	if len(all) != 24 || all["one"] != "revoked" || all["n22"] != "x" || err != nil {
		t.Errorf("%v, %v", all, err)
	}
	for range 2 {
		if err := l.Remove(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.Read(ctx); !cloud.IsMissing(err) {
		t.Errorf("it is still there: %v", err)
	}
}
