package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/deployer-cli/deployer/internal/chaos"
	"github.com/deployer-cli/deployer/internal/logbook"
	"github.com/deployer-cli/deployer/internal/record"
	"github.com/deployer-cli/deployer/internal/state"
	"github.com/deployer-cli/deployer/stacks"
)

// books are where an environment's breaks are written down.
func (s *session) books(e *stacks.Environment, a stacks.Access) *logbook.Books {
	var shared logbook.Shared
	if e != nil && e.State.Bucket != "" {
		shared = s.records(e, a)
	}
	return logbook.New(s.state("journal/breaks"), s.run, shared)
}

// breakRecord is one break's journal.
type breakRecord struct {
	books *logbook.Books
	env   string
	id    string
	now   func() time.Time
}

// Write implements chaos.Book. It is the last wall before every call that breaks
// something: an intent that the journal forbids, since the stack was broken or
// rebuilt already or somebody stopped the break meanwhile, is not written. The journal's
// order decides: what stands before the intent counts, and nothing comes between.
func (r *breakRecord) Write(ctx context.Context, kind string, body any) error {
	i, ok := body.(chaos.Intent)
	if !ok || i.For != chaos.ToBreak {
		_, err := r.books.Append(ctx, r.env, r.id, kind, r.now().UTC(), body)
		return err
	}
	if _, err := r.fold(ctx); err != nil { // also of a journal that was cut
		return err
	}
	_, err := r.books.AppendIf(ctx, r.env, r.id, logbook.Judged{Kind: kind, At: r.now().UTC(), Body: body, May: func(before []record.Entry) error {
		state, err := chaos.Fold(before)
		if err != nil {
			return err
		}
		return state.May(i)
	}})
	return err
}

// begin writes the plan, with which a journal begins, and which it has once.
func (r *breakRecord) begin(ctx context.Context, p chaos.Plan) error {
	_, err := r.books.Begin(ctx, r.env, r.id, chaos.KindPlan, r.now().UTC(), p)
	if _, begun := errors.AsType[*logbook.BegunError](err); begun {
		return usedPlan(r.id)
	}
	return err
}

// clearedName is the document that stands beside a journal that goes as far as the
// clearance: from then on something may be broken, and a journal that ends before it
// was cut off.
const clearedName = "cleared"

// seal writes down outside of the journal that it goes as far as the clearance.
func (r *breakRecord) seal(ctx context.Context) error {
	_, err := r.books.Put(ctx, r.env, r.id, clearedName, []byte(r.id+"\n"))
	return err
}

// fold reads the whole journal.
func (r *breakRecord) fold(ctx context.Context) (*chaos.State, error) {
	entries, err := r.books.Read(ctx, r.env, r.id)
	if err != nil {
		return nil, err
	}
	st, err := chaos.Fold(entries)
	if err != nil || st.Cleared != nil {
		return st, err
	}
	switch _, err := r.books.Get(ctx, r.env, r.id, clearedName); {
	case errors.Is(err, state.ErrAbsent):
		return st, nil
	case err != nil:
		return nil, err
	}
	return nil, &chaos.JournalError{Why: "its end is missing: it was cleared to begin, and does not say so"}
}

// knownBreak is one break of the project, and where its journal is. Without an id it
// stands for those of an environment whose breaks cannot be listed.
type knownBreak struct {
	place  area
	record *breakRecord
	state  *chaos.State
	err    error  // why it cannot be read
	aside  *aside // who ended it all the same, nil for nobody
}

// breaks reads every break of the environments given, oldest first. Where those of one
// cannot be listed, one without an id says so, and the others are there all the same.
func (s *session) breaks(ctx context.Context, places []area) ([]knownBreak, error) {
	var out []knownBreak
	for _, place := range places {
		books := s.books(place.env, place.access)
		if place.env.Class != stacks.Development && s.app.home == "" { // capsules tell where the journal is
			books = s.books(nil, stacks.Access{}) // what was broken before its class was another
		}
		ids, err := books.List(ctx, place.env.Name)
		switch {
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case err != nil:
			out = append(out, knownBreak{place: place, record: &breakRecord{books, place.env.Name, "", s.now}, err: &unlistedError{place.env, err}})
		}
		for _, id := range ids {
			k := knownBreak{place: place, record: &breakRecord{books, place.env.Name, id, s.now}}
			if k.state, k.err = k.record.fold(ctx); errors.Is(k.err, state.ErrAbsent) {
				continue // whoever began it died before its first entry was whole: nothing was done
			}
			k.damage(ctx)
			out = append(out, k)
		}
	}
	slices.SortStableFunc(out, older)
	return out, nil
}

// older puts the earlier break first. An id has the minute and chance in it: of one minute
// the journals tell.
func older(a, b knownBreak) int {
	minute := func(k knownBreak) string { return k.record.id[:max(0, strings.LastIndexByte(k.record.id, '-'))] }
	began := func(k knownBreak) time.Time {
		if k.state == nil {
			return time.Time{}
		}
		return k.state.Planned
	}
	return cmp.Or(strings.Compare(minute(a), minute(b)), began(a).Compare(began(b)), strings.Compare(a.record.id, b.record.id))
}

// breakable lists the environments in which there may be breaks: also those of which no
// stack can be read, and those that no file describes any more, or that are of another
// class by now, as far as their journals are here.
func (s *session) breakable(ctx context.Context) ([]area, error) {
	kept, err := s.books(nil, stacks.Access{}).Environments()
	if err != nil {
		return nil, err
	}
	var all []area
	has := func(name string) bool {
		return slices.ContainsFunc(all, func(a area) bool { return a.env.Name == name })
	}
	for _, st := range s.project.Stacks() {
		if e := st.Environment; e != nil && !has(e.Name) {
			all = append(all, area{env: e, access: st.Access})
		}
	}
	for _, e := range s.project.Environments() {
		if e.Declared && !has(e.Name) {
			all = append(all, area{env: e, access: s.nearest(ctx, e)})
		}
	}
	for _, name := range kept {
		if !has(name) {
			all = append(all, area{env: &stacks.Environment{Name: name, Class: stacks.Development}})
		}
	}
	return slices.DeleteFunc(all, func(a area) bool {
		return a.env.Class != stacks.Development && !slices.Contains(kept, a.env.Name)
	}), nil
}

// findBreak finds the break that an argument names: by its id, or as the one of
// an environment or a stack; without one the only open break. openOnly leaves
// finished ones out.
func (s *session) findBreak(ctx context.Context, arg string, openOnly bool) (*knownBreak, error) {
	places, err := s.breakable(ctx)
	if err != nil {
		return nil, err
	}
	all, err := s.breaks(ctx, places)
	if err != nil {
		return nil, err
	}
	arg = bareArg(arg)
	if err := s.knownArg(arg, all); err != nil {
		return nil, err
	}
	var found []knownBreak
	var unreadable error
	for _, k := range all {
		switch {
		case k.err == nil && k.matches(arg, openOnly):
			found = append(found, k)
		case k.err != nil && arg == k.record.id && arg != "":
			return nil, k.err
		case k.err != nil && k.aside == nil:
			unreadable = k.err
		}
	}
	// One that was closed while something was down can be recovered from by its id.
	if going := slices.DeleteFunc(slices.Clone(found), func(k knownBreak) bool { return !k.state.Open() }); openOnly && len(going) == 1 {
		found = going
	}
	if len(found) > 0 && arg == "" {
		s.tellUnlisted(all)
	}
	switch {
	case len(found) == 1:
		return &found[0], nil
	case len(found) == 0 && unreadable != nil:
		return nil, unreadable
	case len(found) == 0:
		return nil, &noBreakError{arg: arg, open: openOnly}
	case logbook.IsID(arg) || !openOnly:
		return &found[len(found)-1], nil // the latest
	}
	return nil, whichBreak(found)
}

func whichBreak(found []knownBreak) error {
	ids := make([]string, 0, len(found))
	for _, k := range found {
		ids = append(ids, fmt.Sprintf("%s (%s)", k.record.id, k.state.Environment))
	}
	return &usageError{"which break is meant? there is " + strings.Join(ids, ", "), "name it by its id"}
}

// readable lists every break that can be read, for comparisons: one that cannot
// compares with nothing.
func (s *session) readable(ctx context.Context) []*chaos.State {
	var out []*chaos.State
	if places, err := s.breakable(ctx); err == nil {
		all, _ := s.breaks(ctx, places)
		for _, k := range all {
			if k.err == nil {
				out = append(out, k.state)
			}
		}
	}
	return out
}

func (k *knownBreak) matches(arg string, openOnly bool) bool {
	unended := k.state.Finished == nil && k.state.Uncompared() // whoever saw everything come back died before he could say so
	if openOnly && !logbook.IsID(arg) && !k.state.Open() && len(k.state.Broken()) == 0 && !unended {
		return false
	}
	return k.named(arg)
}

// noBreakError says that there is no such break.
type noBreakError struct {
	arg  string
	open bool
}

func (e *noBreakError) Error() string {
	what := "there is no break"
	if e.open {
		what = "nothing is broken"
	}
	if e.arg != "" {
		what += ": " + e.arg
	}
	return what
}

// Hint says where the breaks are listed.
func (*noBreakError) Hint() string { return "see: deployer break list" }

// ExitCode is that of a wrong argument.
func (*noBreakError) ExitCode() int { return exitUsage }

// isNoBreak tells whether an error only says that nothing is broken.
func isNoBreak(err error) bool {
	_, ok := errors.AsType[*noBreakError](err)
	return ok
}
