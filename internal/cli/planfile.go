package cli

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/hashicorp/go-multierror"
	"github.com/urfave/cli/v2"

	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/internal/plan"
	"github.com/deployer-cli/deployer/internal/state"
	"github.com/deployer-cli/deployer/internal/ui"
	"github.com/deployer-cli/deployer/stacks"
)

// applyFlags let a command apply a plan that was reviewed.
func applyFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "plan", Usage: "apply the plan in `FILE`, exactly"},
		&cli.StringFlag{Name: "digest", Usage: "the `DIGEST` that was reviewed; goes with --plan"},
	}
}

// readPlan reads and checks a plan file.
func (a *app) readPlan(name string) (*plan.File, error) {
	text, err := os.ReadFile(a.abs(name))
	if err != nil {
		return nil, &usageError{fmt.Sprintf("the plan %s cannot be read: %v", name, pathless(err)), "make one with: deployer plan PATH --out F"}
	}
	f, err := plan.ReadFile(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return f, nil
}

// load reads the plan that --plan names. Command, PATH and the options that it
// was made with come from the file.
func (r *launcher) load() error {
	o := &r.opts
	switch {
	case o.planFile == "" && o.digest == "":
		return nil
	case o.planFile == "":
		return &usageError{"--digest goes with --plan", "say which plan file was reviewed"}
	case o.digest == "":
		return &usageError{"--plan needs --digest", "give the digest that was reviewed; see: deployer plan show " + o.planFile}
	}
	f, err := r.app.readPlan(o.planFile)
	if err != nil {
		return err
	}
	if f.Command != o.command {
		return &usageError{fmt.Sprintf("this is a plan for %s, not for %s", f.Command, o.command), "use: deployer " + f.Command + " --plan " + o.planFile}
	}
	if o.arg != "" && strings.Trim(o.arg, "/") != strings.Trim(f.Path, "/") {
		return &plan.StaleError{What: "the plan is for another PATH", Why: fmt.Sprintf("it was made for %s, not for %s", f.Path, o.arg), Tip: "leave PATH out: it stands in the plan"}
	}
	o.arg, o.adopt = f.Path, f.Adopt
	r.app.globals.ignoreDeps = f.Alone
	r.file = f
	return nil
}

// shake makes the salt of a plan file that is about to be written, or reads that
// of the one which is applied.
func (r *launcher) shake() error {
	switch {
	case r.file != nil:
		var err error
		if r.salt, err = hex.DecodeString(r.file.Salt); err != nil || len(r.salt) < saltBytes {
			return &plan.StaleError{What: "the plan file cannot be compared with", Why: "it has no salt for the values that it keeps secret", Tip: "plan again and have that reviewed"}
		}
	case r.opts.out != "":
		r.salt = make([]byte, saltBytes)
		_, _ = rand.Read(r.salt) // never fails, says its documentation
	}
	return nil
}

const saltBytes = 16

// verify compares the file with the plan that was just made again, and takes
// over what was reviewed. Nothing was touched so far.
func (r *launcher) verify(ctx context.Context) error {
	if r.file == nil {
		return nil
	}
	place := plan.Place{Realm: r.s.realm, Endpoint: r.s.endpoint, Project: r.planner.sc.head().ProjectCode, Accounts: map[stacks.Path]string{}, Regions: map[stacks.Path]string{}, Hooks: r.hookSum()}
	for p, st := range r.planner.sc.stacks {
		place.Accounts[p], place.Regions[p] = r.planner.accounts[st.Access], st.Access.Region
	}
	var errs *multierror.Error
	for _, err := range r.file.Fits(r.opts.digest, place, r.plan) {
		errs = multierror.Append(errs, err)
	}
	if err := errs.ErrorOrNil(); err != nil {
		if r.custody != nil && len(r.custody.others()) > 0 {
			return r.custody.others()[0].Refusal() // what moved is being moved
		}
		return err
	}
	return r.adoptFile(ctx)
}

// adoptFile makes the reviewed steps those of the run: each with what was
// prepared for it just now, and with its change set, which has to be ready.
func (r *launcher) adoptFile(ctx context.Context) error {
	reviewed := r.file.Plan
	reviewed.Steps = slices.Clone(reviewed.Steps)
	var errs *multierror.Error
	for i := range reviewed.Steps {
		step := &reviewed.Steps[i]
		now := r.planned(step.Stack)
		step.Desired, step.Live, step.Resources = now.Desired, now.Live, max(now.Resources, len(step.Changes))
		step.After, step.Outside = now.After, now.Outside
		if step.ChangeSet == "" {
			continue
		}
		if err := r.asReviewed(ctx, step); err != nil {
			errs = multierror.Append(errs, err)
		}
	}
	r.plan = &reviewed
	said := slices.Clone(reviewed.Steps)
	r.planner.separate(ctx, r.plan) // whatever the file says of it
	for i := range said {
		if !slices.Equal(said[i].Separate, reviewed.Steps[i].Separate) && errs.ErrorOrNil() == nil {
			errs = multierror.Append(errs, &plan.StaleError{
				What: fmt.Sprintf("the plan does not say what would be done to %s", said[i].Stack),
				Why:  "it tells otherwise what has to be asked for by name (separate)", Tip: "plan again and have that reviewed",
			})
		}
	}
	return errs.ErrorOrNil()
}

// ownShells hides, from planning again, the shells that making the plan left:
// a stack that was absent when the plan was made counts as absent while its
// shell holds nothing but the plan's own change set.
func (p *planner) ownShells(f *plan.File) {
	if f == nil {
		return
	}
	for i := range f.Plan.Steps {
		step := &f.Plan.Steps[i]
		seen, ok := p.snapshot.Get(step.Stack)
		if !ok || step.Found != "" || step.ChangeSet == "" || seen.Live == nil || seen.Live.ID != step.StackID {
			continue
		}
		if seen.Live.Status == stacks.ReviewInProgress && len(seen.Proposals) == 1 && strings.Contains(step.ChangeSet, ":changeSet/"+seen.Proposals[0]+"/") {
			p.snapshot.Put(step.Stack, plan.Observation{})
		}
	}
}

// hookSum hashes the hooks that the run would run, with the scripts that they
// name: what runs locally is part of what is reviewed.
func (r *launcher) hookSum() string {
	sum := sha256.New()
	enc := json.NewEncoder(sum)
	for _, st := range r.planner.sc.list() {
		for _, point := range st.Hooks {
			for _, h := range point.Hooks {
				text := fmt.Sprint(h.Plain())
				_ = enc.Encode([]string{string(st.Path), point.Name, text}) // a hash takes everything
				for word := range strings.FieldsSeq(text) {
					if script, err := os.ReadFile(r.app.abs(strings.Trim(word, `"'[]`))); err == nil {
						_ = enc.Encode(script)
					}
				}
			}
		}
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// writeOut seals the plan and writes it where --out says, whole or not at all.
func (r *launcher) writeOut(ctx context.Context, inputs string) error {
	who, err := r.s.cloud.Identity(ctx, own(r.planner.sc.head().Access))
	if err != nil {
		return err
	}
	f := &plan.File{
		Schema: plan.FileSchema, Made: r.s.now().UTC(), Version: Version(), Run: r.s.run, Command: r.opts.command, Path: r.opts.arg,
		Adopt: r.opts.adopt, Alone: r.app.globals.ignoreDeps, Allow: append([]string{}, r.opts.allow...), Planner: who.ARN,
		Project: r.planner.sc.head().ProjectCode, Endpoint: r.s.endpoint, Hooks: r.hookSum(), Salt: hex.EncodeToString(r.salt), Inputs: inputs, Plan: *r.plan,
	}
	everybody, err := r.s.everybody(ctx, r.planner.sc.list())
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(everybody)) {
		for _, one := range everybody[name] {
			if one.ARN != f.Planner && !slices.Contains(f.Planners, one.ARN) {
				f.Planners = append(f.Planners, one.ARN)
			}
		}
	}
	f.Commit, f.Dirty = commit(ctx, r.s.dir)
	if err := f.Seal(); err != nil {
		return err
	}
	r.plan.Digest = f.Digest
	var text bytes.Buffer
	if err := f.Write(&text); err != nil {
		return err
	}
	if err := r.recordPlan(ctx, f); err != nil {
		return err
	}
	if err := writeFile(r.app.abs(r.opts.out), text.Bytes()); err != nil {
		return &usageError{fmt.Sprintf("the plan cannot be written to %s: %v", r.opts.out, pathless(err)), "its change sets were dropped again"}
	}
	if r.proposals != nil {
		r.proposals.kept = true
	}
	return nil
}

// recordPlan stores, in every environment that a plan changes, that it was made
// by us: in a folder of our own, for the file is in other hands from now on.
func (r *launcher) recordPlan(ctx context.Context, f *plan.File) error {
	var changing []*stacks.Stack
	for i := range f.Plan.Steps {
		if step := &f.Plan.Steps[i]; step.Changing() || step.Late {
			changing = append(changing, r.planner.sc.stacks[step.Stack])
		}
	}
	places, err := areas(changing)
	if err != nil {
		return err
	}
	for _, place := range places {
		who, err := r.s.me(ctx, place)
		if err != nil {
			return err
		}
		record := guard.PlanRecord{Environment: place.env.Name, Digest: f.Digest, Planner: who, Made: f.Made}
		if err := r.s.records(place.env, place.access).AddPlan(ctx, record, state.Folder(who)); err != nil {
			return unkept("P6", place, r.s, err)
		}
	}
	return nil
}

// commit tells which revision of the project the plan was made from, "" where
// git does not know.
func commit(ctx context.Context, dir string) (revision string, dirty bool) {
	git := func(args ...string) string {
		cmd := exec.CommandContext(ctx, "git", append([]string{"-C", dir}, args...)...) //nolint:gosec // fixed words
		out, err := cmd.Output()
		if err != nil {
			return ""
		}
		return strings.TrimSpace(string(out))
	}
	revision = git("rev-parse", "HEAD")
	return revision, revision != "" && git("status", "--porcelain", "--", ".") != ""
}

// planShowCommand reads a plan file back as it was reviewed.
func (a *app) planShowCommand() *cli.Command {
	return &cli.Command{
		Name: "show", Usage: "show a plan file as the diff that was reviewed", ArgsUsage: "FILE",
		Action: func(c *cli.Context) error {
			f, err := a.planArgument(c)
			if err != nil {
				return err
			}
			if done, err := a.document(f); done {
				return err
			}
			a.showPlanFile(f)
			return nil
		},
	}
}

func (a *app) planArgument(c *cli.Context) (*plan.File, error) {
	if c.NArg() != 1 {
		return nil, &usageError{fmt.Sprintf("plan %s takes one plan file", c.Command.Name), "such as: deployer plan " + c.Command.Name + " prod.plan"}
	}
	return a.readPlan(c.Args().First())
}

func (a *app) showPlanFile(f *plan.File) {
	ui.Banner{
		Environment: f.Plan.Environment, Class: f.Plan.Class, Production: f.Plan.Class == stacks.Production || stacks.HasProductionWord(f.Plan.Environment),
		Account: f.Plan.Account, Region: f.Plan.Region, Realm: f.Plan.Realm, Endpoint: f.Endpoint,
	}.Show(a.talk(), a.err, a.columns())
	w := a.env.Stdout
	fmt.Fprintf(w, "%s %s, planned %s by %s\n", f.Command, f.Path, f.Made.Format("2006-01-02 15:04 UTC"), f.Planner)
	if f.Commit != "" {
		fmt.Fprintf(w, "from commit %s%s\n", f.Commit, map[bool]string{true: " with changes that are not in it"}[f.Dirty])
	}
	fmt.Fprintln(w)
	ui.ShowPlan(w, a.out, &f.Plan, a.outColumns())
	if lost := f.Plan.Losses(); len(lost) > 0 {
		fmt.Fprintf(w, "%s %s\n", a.out.Bad("data is deleted or may be replaced:"), strings.Join(lost, ", "))
		fmt.Fprintf(w, "allowed by name: %s\n", strings.Join(f.Allow, ", "))
	}
	fmt.Fprintf(w, "digest %s\n", f.Digest)
}
