package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/deployer-cli/deployer/internal/cfnyaml"
	"github.com/deployer-cli/deployer/internal/ui"
	"github.com/deployer-cli/deployer/stacks"
)

// fetchRemoteTemplateCommand prints templates as they live.
func (a *app) fetchRemoteTemplateCommand() *cli.Command {
	return &cli.Command{
		Name: "fetch-remote-template", Usage: "print the templates of the stacks under PATH as they live", ArgsUsage: "PATH",
		Description: "The template is as it was sent, before any macro. A stack that does not exist is\nleft out of a group, and an error when it is all that was asked for.",
		Action:      a.withPath(true, a.fetchRemoteTemplate),
	}
}

func (a *app) fetchRemoteTemplate(ctx context.Context, arg string) error {
	s, sc, err := a.look(ctx, arg)
	if err != nil {
		return err
	}
	defer s.close() //nolint:errcheck // only read from
	var bodies []namedBody
	err = s.existing(ctx, sc, func(st *stacks.Stack, live *stacks.Live) error {
		body, err := s.cfn.Template(ctx, st.Access, live.ID)
		if err == nil {
			bodies = append(bodies, namedBody{st.Path, body})
		}
		return err
	})
	if err != nil {
		return err
	}
	if len(bodies) == 0 && !sc.selection.Group {
		return &stacks.NotFoundError{Name: sc.head().Name}
	}
	return a.showBodies(bodies, !sc.selection.Group)
}

// namedBody is a stack's template.
type namedBody struct {
	stack stacks.Path
	body  []byte
}

// showBodies prints templates: one as it is, several as one stream of YAML
// documents, and in JSON as one document.
func (a *app) showBodies(bodies []namedBody, alone bool) error {
	if a.globals.output == "text" {
		for i, b := range bodies {
			if !alone {
				fmt.Fprintf(a.env.Stdout, "%s# %s\n", map[bool]string{true: "---\n"}[i > 0], b.stack)
				b.body = bytes.TrimPrefix(b.body, []byte("---\n"))
			}
			fmt.Fprintf(a.env.Stdout, "%s\n", bytes.TrimRight(b.body, "\n"))
		}
		return nil
	}
	documents := map[string]any{}
	for _, b := range bodies {
		node, _, err := cfnyaml.Parse(b.body)
		if err != nil {
			return fmt.Errorf("%s: %w", b.stack, err)
		}
		documents[string(b.stack)] = node.Long()
	}
	if alone && len(bodies) == 1 {
		_, err := a.document(documents[string(bodies[0].stack)])
		return err
	}
	_, err := a.document(documents)
	return err
}

// estimateCostCommand prints where a cost estimate can be read.
func (a *app) estimateCostCommand() *cli.Command {
	return &cli.Command{
		Name: "estimate-cost", Usage: "print the address of a cost estimate of each stack under PATH", ArgsUsage: "PATH",
		Description: "The estimate is AWS's own, made from the template and its parameters. The address is\nprinted and nothing is opened.",
		Action:      a.withPath(true, a.estimateCost),
	}
}

func (a *app) estimateCost(ctx context.Context, arg string) error {
	s, sc, err := a.values(ctx, arg, true)
	if err != nil {
		return err
	}
	defer s.close() //nolint:errcheck // only read from
	addresses := map[string]string{}
	var rows [][]string
	var errs []error
	for _, st := range sc.selected() {
		address, err := s.estimate(ctx, st)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		addresses[string(st.Path)] = address
		rows = append(rows, []string{string(st.Path), address})
	}
	if done, err := a.document(addresses); done {
		return errors.Join(append(errs, err)...)
	}
	ui.Table(a.env.Stdout, nil, rows)
	return errors.Join(errs...)
}

func (s *session) estimate(ctx context.Context, st *stacks.Stack) (string, error) {
	desired, err := s.prepare.Prepare(ctx, st)
	if err != nil {
		return "", err
	}
	address, err := s.cfn.EstimateCost(ctx, st.Access, desired.Body, desired.Parameters)
	if err != nil {
		return "", fmt.Errorf("%s: %w", st.Path, err)
	}
	return address, nil
}

// useLive makes resolvers answer with how the project's stacks live now, as
// far as they do: what does not exist is a value known later.
func (s *session) useLive() {
	s.known.mu.Lock()
	defer s.known.mu.Unlock()
	s.known.live = s.livesNow
}

func (s *session) livesNow(ctx context.Context, producer *stacks.Stack) (*stacks.Live, error) {
	producer, err := s.located(ctx, producer)
	if err != nil {
		return nil, err
	}
	live, err := s.cfn.Stack(ctx, producer.Access, producer.Name)
	if _, absent := errors.AsType[*stacks.NotFoundError](err); absent || err == nil && !live.Status.Exists() {
		return nil, nil //nolint:nilnil // a value known later
	}
	if err != nil {
		return nil, err
	}
	s.known.land(producer.Path, &live)
	return &live, nil
}
