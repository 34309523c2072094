package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/internal/chaos"
	"github.com/deployer-cli/deployer/internal/logbook"
	"github.com/deployer-cli/deployer/internal/ui"
	"github.com/deployer-cli/deployer/stacks"
)

// listBreaks lists the breaks that an argument names; of those that are open
// everything is shown. A journal that cannot be used hides no other.
func (s *session) listBreaks(ctx context.Context, arg string, open bool) error {
	a := s.app
	places, err := s.breakable(ctx)
	if err != nil {
		return err
	}
	all, err := s.breaks(ctx, places)
	if err != nil {
		return err
	}
	arg = bareArg(arg)
	if err := s.knownArg(arg, all); err != nil {
		return err
	}
	docs := []breakDocument{}
	var listed []*chaos.State
	var unreadable []error
	var closed []knownBreak
	for i := range all {
		k := &all[i]
		switch {
		case !k.named(arg):
		case k.err != nil && k.aside != nil:
			closed = append(closed, *k)
			docs = append(docs, unusable(k))
		case k.err != nil:
			unreadable = append(unreadable, k.err)
			docs = append(docs, unusable(k))
		case open && !k.state.Open() && len(k.state.Broken()) == 0:
		default:
			docs = append(docs, documentOf(k.state))
			listed = append(listed, k.state)
		}
	}
	if open {
		docs = slices.DeleteFunc(docs, func(d breakDocument) bool { return d.Unusable != "" && !d.Open })
	}
	if len(docs) == 0 && s.unread != nil {
		unreadable = append(unreadable, &usageError{"no journal on this machine knows of a break, and where else there may be one is not known", "mend the files, and ask again"})
	}
	if done, err := a.document(docs); done {
		return errors.Join(append(unreadable, err)...)
	}
	if !open {
		for _, k := range closed {
			fmt.Fprintf(a.talk(), "%s %v; %s\n", a.err.Warn("note:"), k.err, hintOf(k.err))
		}
	}
	s.showBreaks(arg, listed, open, len(unreadable) > 0)
	return errors.Join(unreadable...)
}

// showBreaks writes the breaks that are listed. unknown says that there is one more
// of which nothing is known.
func (s *session) showBreaks(arg string, listed []*chaos.State, open, unknown bool) {
	a := s.app
	switch {
	case len(listed) == 0 && unknown:
	case len(listed) == 0:
		text := map[bool]string{true: "nothing is broken", false: "nothing was ever broken"}[open]
		if arg != "" {
			text += ": " + arg
		}
		fmt.Fprintln(a.env.Stdout, text)
	case !open:
		ui.ShowBreaks(a.env.Stdout, a.out, listed, a.outColumns())
	default:
		for _, st := range listed {
			ui.ShowExercise(a.env.Stdout, a.out, st, nil, a.outColumns())
		}
		fmt.Fprintln(a.talk(), a.advice("get it back with: deployer recover; watch with: deployer break resume"))
	}
}

// unusable is a break of which the journal tells nothing, as JSON. It counts as open
// until a person has closed it.
func unusable(k *knownBreak) breakDocument {
	return breakDocument{
		ID: k.record.id, Environment: k.place.env.Name, Open: k.aside == nil, Stamps: map[string]*chaos.Stamp{},
		Stacks: map[stacks.Path]targetInWord{}, Unusable: k.err.Error(),
	}
}

// bareArg is an argument as breaks are looked up by it.
func bareArg(arg string) string {
	return strings.TrimSuffix(strings.TrimSuffix(strings.TrimSpace(arg), "/"), ".yaml")
}

// named tells whether an argument names a break: by its id, or as its environment, as
// a stack of it or as a group of such. "" names all.
func (k *knownBreak) named(arg string) bool {
	switch {
	case logbook.IsID(arg):
		return k.record.id == arg || k.record.id == "" // of those that cannot be listed it may be one
	case arg == "" || arg == k.place.env.Name:
		return true
	case k.state == nil: // of what it was is not known
		return stacks.Path(arg).Within(stacks.Path(k.place.env.Name))
	}
	return slices.ContainsFunc(k.state.Order, func(p stacks.Path) bool { return p.Within(stacks.Path(arg)) })
}

// knownArg refuses an argument that names nothing that is, or was, there: it is a
// mistake in typing, and not an answer.
func (s *session) knownArg(arg string, all []knownBreak) error {
	if arg == "" || slices.ContainsFunc(all, func(k knownBreak) bool { return k.named(arg) }) {
		return nil
	}
	var known []string
	for _, k := range all {
		known = append(known, k.record.id)
	}
	if !logbook.IsID(arg) {
		if _, err := s.project.Select(arg); err == nil {
			return nil
		}
		for _, st := range s.project.Stacks() {
			known = append(known, string(st.Path), environmentName(st))
		}
		for _, k := range all {
			if k.state != nil {
				for _, p := range k.state.Order {
					known = append(known, string(p))
				}
			}
		}
	}
	hint := didYouMean(arg, known)
	if hint == "" {
		hint = "see: deployer break list"
	}
	return &usageError{fmt.Sprintf("there is no break, environment or stack %s", arg), hint}
}

// pathsOf are paths in one line.
func pathsOf(paths []stacks.Path) string {
	out := make([]string, 0, len(paths))
	for _, p := range paths {
		out = append(out, string(p))
	}
	return strings.Join(out, ", ")
}
