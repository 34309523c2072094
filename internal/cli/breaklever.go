package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/deployer-cli/deployer/internal/cloud"
	"github.com/deployer-cli/deployer/stacks"
)

// leverText is what the lever's parameter holds.
type leverText struct {
	Engaged bool      `json:"engaged"`
	By      string    `json:"by"`
	Reason  string    `json:"reason"`
	At      time.Time `json:"at"`
}

// leverCommand is the off switch for the breaks of the whole project.
func (a *app) leverCommand() *cli.Command {
	reason := func() cli.Flag {
		return &cli.StringFlag{Name: "reason", Usage: "why: whoever wants to break something is told"}
	}
	return &cli.Command{
		Name: "lever", Usage: "the off switch for all breaks of the project", ArgsUsage: "show|engage|release",
		Description: "Engaged, it stops running breaks within one look and refuses new ones. Anyone may\nengage it. It is an SSM parameter in each account and region in which the project\nallows breaks; one that cannot be read counts as engaged.",
		Subcommands: []*cli.Command{
			{Name: "show", Usage: "show where it stands", Action: func(c *cli.Context) error {
				return errors.Join(noArguments(c), a.lever(c.Context, nil))
			}},
			{Name: "engage", Usage: "stop running breaks and refuse new ones", Flags: []cli.Flag{reason()}, Action: func(c *cli.Context) error { return a.moveLever(c, true) }},
			{Name: "release", Usage: "allow breaks again", Flags: []cli.Flag{reason()}, Action: func(c *cli.Context) error { return a.moveLever(c, false) }},
		},
	}
}

func (a *app) moveLever(c *cli.Context, engage bool) error {
	if err := noArguments(c); err != nil {
		return err
	}
	if strings.TrimSpace(c.String("reason")) == "" {
		return &usageError{"lever " + c.Command.Name + " needs --reason TEXT", "it is shown to whoever wants to break something"}
	}
	return a.lever(c.Context, &leverText{Engaged: engage, Reason: c.String("reason")})
}

// leverName is the parameter of a project's lever.
func leverName(project string) string { return "/deployer/" + project + "/lever" }

// projectName identifies a project in an account: its id, else its code.
func projectName(st *stacks.Stack) string {
	if st.ProjectID != "" {
		return st.ProjectID
	}
	return st.ProjectCode
}

// aLever is one of the project's levers, and how it is reached.
type aLever struct {
	*cloud.Lever
	access stacks.Access
}

// levers gives the project's levers: one for each account and region in which an
// environment allows breaks, or in which something is broken, reached as its stacks are.
// What cannot be reached is an error, and keeps none of the others.
func (s *session) levers(ctx context.Context) ([]aLever, error) {
	var out []aLever
	var errs []error
	type place struct{ account, region, name string }
	known, seen, asked := map[string]bool{}, map[place]bool{}, map[string]bool{}
	add := func(of string, access stacks.Access, name string) {
		account, err := s.cloud.Account(ctx, access)
		if p := (place{account, access.Region, name}); err == nil && !seen[p] {
			seen[p] = true
			out = append(out, aLever{s.cloud.Lever(access, name), access})
		} else if err != nil {
			errs = append(errs, fmt.Errorf("the lever of %s cannot be reached: %w", of, err))
		}
	}
	for _, st := range s.project.Stacks() {
		e := st.Environment
		if e == nil || e.Class != stacks.Development {
			continue
		}
		if allow, ok := e.Break.Get("allow"); !ok || allow.Kind != stacks.Bool || allow.Text != "true" {
			continue
		}
		at, err := s.located(ctx, st)
		if err != nil {
			errs = append(errs, fmt.Errorf("the lever of %s cannot be reached: %w", st.Path, err))
			continue
		}
		if key := fmt.Sprint(e.Name, at.Access, leverName(projectName(st))); !asked[key] {
			asked[key] = true
			add(e.Name, at.Access, leverName(projectName(st)))
			known[e.Name] = true
		}
	}
	running, err := s.running(ctx, known)
	errs = append(errs, err)
	for _, k := range running {
		if key := fmt.Sprint(k.environment, k.access, k.name); !asked[key] {
			asked[key] = true
			add(k.environment, k.access, k.name)
		}
	}
	return out, errors.Join(errs...)
}

// runningLever is the lever that a break looks at which has begun.
type runningLever struct {
	environment string
	access      stacks.Access
	name        string
}

// running gives the levers of open breaks, as their journals tell: what the files say of
// their environment may not be readable. A journal that cannot be read is an error, but
// of the environments whose levers are known.
func (s *session) running(ctx context.Context, known map[string]bool) ([]runningLever, error) {
	var out []runningLever
	var errs []error
	places, err := s.breakable(ctx)
	if err != nil {
		return nil, fmt.Errorf("the levers of what is broken are not known: %w", err)
	}
	all, err := s.breaks(ctx, places)
	if err != nil {
		return nil, fmt.Errorf("the levers of what is broken are not known: %w", err)
	}
	for _, k := range all {
		var detail struct {
			Project string `json:"project"`
		}
		if k.err != nil && k.aside == nil && !known[k.place.env.Name] {
			errs = append(errs, fmt.Errorf("the lever of %s is not known: %w", k.place.env.Name, k.err))
		}
		if k.err != nil || !k.state.Open() || json.Unmarshal(k.state.Plan.Detail, &detail) != nil || detail.Project == "" {
			continue
		}
		for _, step := range k.state.Plan.Steps {
			out = append(out, runningLever{k.state.Environment, step.Access, leverName(detail.Project)})
		}
	}
	return out, errors.Join(errs...)
}

// lever shows the levers, or sets them all. What cannot be read of the files, or cannot
// be reached, keeps no other from being set.
func (a *app) lever(ctx context.Context, set *leverText) error {
	s, err := a.openAnyhow()
	if err != nil {
		return err
	}
	defer s.close() //nolint:errcheck // what matters was written
	if err := s.connect(); err != nil {
		return err
	}
	levers, unreached := s.levers(ctx)
	if len(levers) == 0 || set != nil && set.Engaged {
		unreached = errors.Join(unreached, s.unknownLevers())
	}
	if len(levers) == 0 && unreached == nil {
		return &usageError{"no environment of this project allows breaks", "there is nothing to stop; break.allow: true in a development environment would allow them"}
	}
	if set != nil {
		levers, err = s.moveAll(ctx, levers, *set)
		unreached = errors.Join(unreached, err)
	}
	if unreached != nil {
		unreached = errors.Join(&exitError{exitFailed}, unreached)
	}
	rows := []leverText{}
	for _, l := range levers {
		t, err := readLever(ctx, l.Lever)
		if err != nil {
			t = leverText{Engaged: true, Reason: "it cannot be read: " + err.Error()}
		}
		rows = append(rows, t)
	}
	if a.globals.output != "text" {
		_, err := a.document(rows)
		return errors.Join(err, unreached)
	}
	for i, t := range rows {
		fmt.Fprintf(a.env.Stdout, "%s  %s\n", levers[i].Name(), t.says(a))
	}
	return unreached
}

// moveAll sets all levers. Those that were set come back, and why others were not.
func (s *session) moveAll(ctx context.Context, levers []aLever, set leverText) (moved []aLever, err error) {
	var errs []error
	for _, l := range levers {
		set.By, set.At = s.app.from(), s.now().UTC()
		if who, err := s.caller(ctx, l.access); err == nil {
			set.By = who.ARN
		}
		text, err := json.Marshal(set)
		if err == nil {
			err = l.Write(ctx, string(text))
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s in %s: %w", l.Name(), l.access.Region, err))
			continue
		}
		moved = append(moved, l)
	}
	return moved, errors.Join(errs...)
}

func (t leverText) says(a *app) string {
	switch {
	case t.Engaged && t.By == "":
		return a.out.Bad("engaged") + ": " + t.Reason
	case t.Engaged:
		return a.out.Bad("engaged") + fmt.Sprintf(": %s (%s, %s)", t.Reason, t.By, stamp(t.At))
	case t.At.IsZero():
		return a.out.Good("released") + ": nobody ever engaged it"
	}
	return a.out.Good("released") + fmt.Sprintf(": %s (%s, %s)", t.Reason, t.By, stamp(t.At))
}

// readLever reads one lever. One that was never written is released; whatever
// else cannot be read is an error, and counts as engaged.
func readLever(ctx context.Context, l *cloud.Lever) (leverText, error) {
	text, err := l.Read(ctx)
	if cloud.IsMissing(err) {
		return leverText{}, nil
	}
	if err != nil {
		return leverText{}, err
	}
	t, ok := parseLever(text)
	if !ok {
		return leverText{}, fmt.Errorf("%s holds something else", l.Name())
	}
	return t, nil
}

// parseLever reads what a lever's parameter holds. Only a document just as it is
// written here says anything, and it has to say engaged: a key of another name or
// case, one twice, null or nothing at all is no release.
func parseLever(text string) (leverText, bool) {
	var t struct {
		Engaged *bool      `json:"engaged"`
		By      *string    `json:"by,omitempty"`
		Reason  *string    `json:"reason,omitempty"`
		At      *time.Time `json:"at,omitempty"`
	}
	var plain bytes.Buffer
	if json.Unmarshal([]byte(text), &t) != nil || json.Compact(&plain, []byte(text)) != nil || t.Engaged == nil {
		return leverText{}, false
	}
	again, err := json.Marshal(t)
	if err != nil || !bytes.Equal(again, plain.Bytes()) {
		return leverText{}, false
	}
	out := leverText{Engaged: *t.Engaged}
	if t.By != nil {
		out.By = *t.By
	}
	if t.Reason != nil {
		out.Reason = *t.Reason
	}
	if t.At != nil {
		out.At = *t.At
	}
	return out, true
}
