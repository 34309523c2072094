package blast_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/deployer-cli/deployer/config"
	"github.com/deployer-cli/deployer/internal/blast"
	"github.com/deployer-cli/deployer/internal/cli"
	"github.com/deployer-cli/deployer/internal/sandbox/store"
	"github.com/deployer-cli/deployer/stacks"
)

// TestTheShopCanBeBroken: the starter project, launched as it is, gives a plan for
// dev/network that every guard lets pass, and whose deletions all end well.
func TestTheShopCanBeBroken(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	deployer := func(args ...string) {
		t.Helper()
		var talk bytes.Buffer
		code := cli.Main(cli.Env{
			Args: append([]string{"deployer"}, args...), Stdin: strings.NewReader(""), Stdout: &talk, Stderr: &talk, Dir: dir, Now: time.Now,
			Environ: map[string]string{"DEPLOYER_SANDBOX_SPEED": "max", "DEPLOYER_SANDBOX_ACCOUNT": account, "NO_COLOR": "1", "HOME": dir},
		})
		if code != 0 {
			t.Fatalf("%v: %d\n%s", args, code, talk.String())
		}
	}
	deployer("init", "shop")
	deployer("-C", "shop", "--sandbox", "launch", "dev", "-y")

	project, err := config.Load(os.DirFS(filepath.Join(dir, "shop")), config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(filepath.Join(dir, "shop", ".deployer", "sandbox", "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	c := newCloud(t, db)
	files := map[string]*stacks.Stack{}
	f := good()
	f.Environments, f.Dependents = project.Environments(), nil
	for _, st := range project.Stacks() {
		if st.Environment.Name == "dev" {
			files[st.Name], f.Environment, f.Project = st, st.Environment, st.ProjectID
			f.Secrets[st.Path] = blast.Got([]blast.Secret(nil), nil)
		}
	}
	c.gather(t, f, files)
	p := blast.Make(f)
	if !blast.Passed(p.Verdicts) {
		for _, v := range p.Verdicts {
			t.Logf("%s %v %s", v.Guard, v.OK, v.Why)
		}
		t.Fatal("the shop cannot be broken")
	}
	var going []string
	for _, s := range p.Steps {
		going = append(going, string(s.Stack))
	}
	slices.Sort(going)
	if got := strings.Join(going, " "); got != "dev/balancer dev/cache dev/database dev/dns dev/network dev/security dev/service" || p.Phrase != "dev 7" {
		t.Errorf("%q goes, with %q", got, p.Phrase)
	}
	for _, st := range files {
		each := *f
		each.Targets = []stacks.Path{st.Path}
		if one := blast.Make(&each); !blast.Passed(one.Verdicts) {
			t.Errorf("%s cannot be broken: %v", st.Path, failed(one.Verdicts))
		}
	}
	last := p.Radius.Stacks[len(p.Radius.Stacks)-1]
	if last.Stack != "dev/network" || last.Runbook != "docs/network.md" || p.Radius.RTOSeconds != 2400 || last.RTOSeconds != 2400 {
		t.Errorf("%+v", last)
	}
	if _, err := os.Stat(filepath.Join(dir, "shop", last.Runbook)); err != nil {
		t.Error(err)
	}
	for _, s := range p.Steps {
		if _, err := c.delete(s.StackID); err != nil {
			t.Fatal(err)
		}
		if status, why := c.settle(t, s.StackID); status != "DELETE_COMPLETE" {
			t.Fatalf("%s is %s: %s", s.Stack, status, why)
		}
	}
}
