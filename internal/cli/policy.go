package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/urfave/cli/v2"

	"github.com/deployer-cli/deployer/internal/cfnyaml"
	"github.com/deployer-cli/deployer/internal/execute"
	"github.com/deployer-cli/deployer/stacks"
)

// The built-in stack policies, as Sceptre's.
const (
	denyAll  = `{"Statement":[{"Effect":"Deny","Action":"Update:*","Principal":"*","Resource":"*"}]}`
	allowAll = `{"Statement":[{"Effect":"Allow","Action":"Update:*","Principal":"*","Resource":"*"}]}`
)

// maxPolicy is how many bytes a stack policy may have, says the API reference
// of SetStackPolicy.
const maxPolicy = 16_384

// setPolicyCommand sets the stack policies of what PATH names, and of no other
// stack.
func (a *app) setPolicyCommand() *cli.Command {
	return &cli.Command{
		Name: "set-policy", Usage: "set a stack policy on the stacks under PATH alone", ArgsUsage: "PATH [FILE]",
		Description: "FILE holds the policy as JSON or YAML and is relative to where you are. A policy can\nbe replaced and never taken away: allow-all is what a stack without one has.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "built-in", Aliases: []string{"b"}, Usage: "the policy called `NAME` instead of a file: deny-all or allow-all"},
			yesFlag(),
		},
		Action: func(c *cli.Context) error {
			r := &actor{app: a, command: "set-policy", yes: c.Bool("yes")}
			policy, err := a.policyOf(c, r)
			if err == nil {
				err = r.setPolicy(c.Context, policy)
			}
			return r.finish(err)
		},
	}
}

// policyOf reads the arguments.
func (a *app) policyOf(c *cli.Context, r *actor) (string, error) {
	builtin := c.String("built-in")
	if c.IsSet("built-in") || c.NArg() < 2 {
		var err error
		if r.arg, err = a.path(c, true); err != nil {
			return "", err
		}
		if builtin == "" {
			return "", &usageError{"set-policy needs a FILE, or -b deny-all or -b allow-all", "such as: deployer set-policy " + r.arg + " -b deny-all"}
		}
		if err := oneOf("--built-in", builtin, "deny-all", "allow-all"); err != nil {
			return "", err
		}
		return map[string]string{"deny-all": denyAll, "allow-all": allowAll}[builtin], nil
	}
	arg, file, err := twoArguments(c, "the FILE of a policy", "or -b deny-all, -b allow-all")
	if err != nil {
		return "", err
	}
	r.arg = arg
	return a.readPolicy(file)
}

// readPolicy reads a policy and brings it into the one form that CloudFormation
// takes.
func (a *app) readPolicy(file string) (string, error) {
	text, err := os.ReadFile(a.abs(file))
	if err != nil {
		hint := ""
		if errors.Is(err, fs.ErrNotExist) {
			hint = "FILE is relative to the folder you are in"
		}
		return "", &usageError{fmt.Sprintf("the policy %s cannot be read: %v", file, pathless(err)), hint}
	}
	node, _, err := cfnyaml.Parse(text)
	if err != nil {
		return "", &usageError{fmt.Sprintf("the policy %s is neither JSON nor YAML: %v", file, err), ""}
	}
	if node.Get("Statement") == nil {
		return "", &usageError{fmt.Sprintf("%s is no stack policy: it has no Statement", file), "see: deployer describe policy PATH"}
	}
	policy, err := json.Marshal(node.Plain())
	if err != nil {
		return "", err
	}
	if len(policy) > maxPolicy {
		return "", &usageError{fmt.Sprintf("the policy %s is too large: %d bytes, CloudFormation takes %d", file, len(policy), maxPolicy), ""}
	}
	return string(policy), nil
}

func (r *actor) setPolicy(ctx context.Context, policy string) error {
	if err := r.begin(ctx); err != nil {
		return err
	}
	var aims []aim
	for _, st := range r.sc.selected() {
		live := r.live[st.Path]
		if live == nil || !live.Status.Exists() {
			r.outcomes[st.Path] = execute.Skipped
			fmt.Fprintf(r.app.talk(), "  %s  does not exist\n", st.Path)
			continue
		}
		now, err := r.s.cfn.Policy(ctx, st.Access, live.ID)
		if err != nil {
			return err
		}
		if samePolicy(now, policy) {
			r.outcomes[st.Path] = execute.Unchanged
			continue
		}
		aims = append(aims, aim{stack: st, live: live, verbs: []stacks.Verb{stacks.Policy}, says: "policy: " + policy})
	}
	if len(aims) == 0 {
		r.done("nothing to do")
		return nil
	}
	err := r.act(ctx, aims, func(ctx context.Context, w journaled, m aim) (execute.Outcome, error) {
		return execute.Updated, w.SetPolicy(ctx, r.target(m), []byte(policy))
	})
	if err == nil {
		r.done(fmt.Sprintf("set on %d", len(aims)))
	}
	return err
}

// samePolicy tells whether a policy says what is set already. None at all is
// no allow-all: a policy that is set shows.
func samePolicy(now []byte, policy string) bool {
	if len(now) == 0 {
		return false
	}
	have, _, err := cfnyaml.Parse(now)
	if err != nil {
		return false
	}
	want, _, err := cfnyaml.Parse([]byte(policy))
	if err != nil {
		return false
	}
	return len(cfnyaml.Compare(have.Plain(), want.Plain())) == 0
}
