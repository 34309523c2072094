// Package report tells how an exercise went: what happened, how users were affected, how
// people responded, what came back different, and what to learn from it.
//
// A Report is made of a break's journal alone, and is plain data: JSON of the schema
// deployer.gameday/v1. Markdown and HTML are ways to show it, and say nothing else. What
// is not known is told as not recorded, never as 0.
package report

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/deployer-cli/deployer/internal/blast"
	"github.com/deployer-cli/deployer/internal/chaos"
	"github.com/deployer-cli/deployer/internal/record"
	"github.com/deployer-cli/deployer/stacks"
)

// Schema names the form of a report in JSON.
const Schema = "deployer.gameday/v1"

// Report is an exercise as people read about it afterwards. Times are UTC, spans are in
// seconds, and what is nil is not recorded.
type Report struct {
	Schema      string       `json:"schema"`
	ID          string       `json:"id"`
	Environment string       `json:"environment"`
	Account     string       `json:"account"`
	Region      string       `json:"region"`
	Realm       stacks.Realm `json:"realm"`
	Began       time.Time    `json:"began"` // planned
	Made        time.Time    `json:"made"`  // the report
	Open        bool         `json:"open"`  // it goes on, and this is how it stands
	Outcome     string       `json:"outcome"`

	Happened    []Happened   `json:"what_happened"`
	Affected    []Affected   `json:"how_users_were_affected"`
	Response    Response     `json:"how_we_responded"`
	Timeline    []Moment     `json:"timeline"`
	Longest     []Span       `json:"what_took_longest"`
	Differences []Difference `json:"what_came_back_different"`
	Findings    []Finding    `json:"findings"` // what the journal tells by itself
	Learned     []Note       `json:"what_we_learned"`
	Whys        []Note       `json:"five_whys"`
	Actions     []Note       `json:"what_we_will_do"`
	Before      []Earlier    `json:"compared_with_before"` // the oldest first
	Run         Run          `json:"how_it_was_run"`
}

// Happened is what was done to one stack, and what became of it.
type Happened struct {
	Stack  stacks.Path  `json:"stack"`
	Did    []string     `json:"did"`
	Chosen bool         `json:"chosen"` // it did not only go with others
	Why    []string     `json:"why"`
	Status chaos.Status `json:"status"`
	By     string       `json:"by,omitempty"` // by whose hand it is back
	Reason string       `json:"reason,omitempty"`
	Broken *time.Time   `json:"broken"` // AWS accepted it
	Gone   *time.Time   `json:"gone"`   // it was broken through and through
	Anew   *time.Time   `json:"anew"`   // a new stack stands under the name
	Back   *time.Time   `json:"back"`
}

// Affected is what a probe tells about the users.
type Affected struct {
	Probe    string     `json:"probe"`
	Role     string     `json:"role"`
	Failed   *time.Time `json:"failed"` // first, after the break began
	Why      string     `json:"why,omitempty"`
	Times    int        `json:"times"`        // it went from good to bad
	Down     float64    `json:"down_seconds"` // in all; up to the last reading where it is still bad
	Spells   []Spell    `json:"spells"`       // in which it was bad
	Restored *time.Time `json:"restored"`     // since then it stayed good
	Still    bool       `json:"still_down"`
}

// Spell is a time in which something was bad.
type Spell struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// Response is how long everything took, in seconds.
type Response struct {
	Impact    *float64 `json:"impact_seconds"`    // T1 − T0
	Detect    *float64 `json:"detect_seconds"`    // T3 − T1
	Diagnose  *float64 `json:"diagnose_seconds"`  // T4 − T3
	Recover   *float64 `json:"recover_seconds"`   // T6 − T0
	HandsOn   *float64 `json:"hands_on_seconds"`  // T6 − T5
	Verify    *float64 `json:"verify_seconds"`    // T7 − T6
	Objective float64  `json:"objective_seconds"` // 0 for none
	Met       *bool    `json:"met"`
	Equal     bool     `json:"equal"`
}

// Moment is one line of the timeline.
type Moment struct {
	At     time.Time `json:"at"`
	What   string    `json:"what"`
	Source string    `json:"source"`
	Stamp  string    `json:"stamp,omitempty"` // T0 to T8
}

// Span is something that took its time.
type Span struct {
	What    string  `json:"what"`
	Seconds float64 `json:"seconds"`
}

// Difference is what is not as it was.
type Difference struct {
	Stack    stacks.Path `json:"stack"`
	What     string      `json:"what"`
	Was      string      `json:"was"` // "" where there was none, or where it is secret
	Is       string      `json:"is"`
	Note     string      `json:"note,omitempty"`
	Expected bool        `json:"expected"` // rebuilding brings it with it
}

// Note is what somebody wrote down.
type Note struct {
	Kind  string      `json:"kind"`
	Text  string      `json:"text"`
	Stack stacks.Path `json:"stack,omitempty"`
	Owner string      `json:"owner,omitempty"`
	At    time.Time   `json:"at"`
}

// Earlier is an earlier recovery of the same.
type Earlier struct {
	ID      string    `json:"id"`
	Began   time.Time `json:"began"`
	Seconds float64   `json:"recover_seconds"`
	Met     *bool     `json:"met"`
}

// Run is how the exercise was run.
type Run struct {
	Kind      string       `json:"kind"`
	Argument  string       `json:"argument,omitempty"`
	Choice    blast.Choice `json:"choice"`
	Digest    string       `json:"digest"`
	PlannedBy string       `json:"planned_by"`
	ClearedBy string       `json:"cleared_by,omitempty"` // "" where it never was
	How       string       `json:"how,omitempty"`        // typed, digest
	Guards    []string     `json:"guards"`               // that passed
	Permit    string       `json:"permit,omitempty"`
	Version   string       `json:"version,omitempty"`
	Commit    string       `json:"commit,omitempty"`
	Dirty     bool         `json:"dirty,omitempty"`
	Stopped   string       `json:"stopped,omitempty"` // why
	Entries   int          `json:"journal_entries"`
	Hash      string       `json:"journal_hash"` // of the last entry: the report is of exactly that journal
}

// About is what a report says beside its journal.
type About struct {
	Outcome string         // how the break stands, in a few words
	Earlier []*chaos.State // recoveries of the same before, in any order
	Made    time.Time
}

// Of makes the report of a break from its journal, which has to be one that chaos.Fold
// takes.
func Of(entries []record.Entry, about About) (*Report, error) {
	st, err := chaos.Fold(entries)
	if err != nil {
		return nil, err
	}
	var plan blast.Plan
	if len(st.Plan.Detail) > 0 {
		if err := json.Unmarshal(st.Plan.Detail, &plan); err != nil {
			return nil, &chaos.JournalError{Seq: 1, Why: fmt.Sprintf("its plan cannot be read: %v", err)}
		}
	}
	r := &Report{
		Schema: Schema, ID: st.ID, Environment: st.Environment, Account: st.Plan.Account, Region: st.Plan.Region, Realm: st.Plan.Realm,
		Began: st.Planned.UTC(), Made: about.Made.UTC(), Open: st.Open(), Outcome: about.Outcome,
		Happened: happened(st, &plan), Affected: affected(st, entries), Response: responded(st), Timeline: timeline(st, entries),
		Longest: longest(st), Differences: differences(st), Before: before(about.Earlier),
		Learned: []Note{}, Whys: []Note{}, Actions: []Note{},
		Run: run(st, &plan, len(entries)),
	}
	r.Findings = findings(st, &plan, r)
	r.sortNotes(st)
	return r, nil
}

func happened(st *chaos.State, plan *blast.Plan) []Happened {
	out := make([]Happened, 0, len(st.Order))
	for _, p := range st.Order {
		t := st.Targets[p]
		one := Happened{Stack: p, Status: t.Status, Reason: t.Reason, Chosen: true, Did: []string{}, Why: []string{}, Anew: moment(t.NewSince), Back: moment(t.Back)}
		if i := slices.IndexFunc(plan.Steps, func(s blast.Step) bool { return s.Stack == p }); i >= 0 {
			one.Chosen, one.Why = plan.Steps[i].Target, append(one.Why, plan.Steps[i].Why...)
		}
		if t.NewID != "" || t.Status == chaos.StatusRestored {
			one.By = t.By.Words()
		}
		for _, d := range t.Deeds {
			one.Did = append(one.Did, did(d, st))
			if !d.Accepted.IsZero() && (one.Broken == nil || d.Accepted.Before(*one.Broken)) {
				one.Broken = moment(d.Accepted)
			}
			if d.Status != chaos.StatusRefused && (one.Gone == nil || d.Done.After(*one.Gone)) {
				one.Gone = moment(d.Done)
			}
		}
		out = append(out, one)
	}
	return out
}

// did says what was to be done to a stack or a resource.
func did(d *chaos.Deed, st *chaos.State) string {
	switch {
	case d.Injection != nil:
		return fmt.Sprintf("%s: %s", d.Injection.Kind, d.Injection.Says)
	case d.Verb == stacks.Update:
		return fmt.Sprintf("another value of a parameter: %s=%s", st.Plan.Kind, st.Plan.Argument)
	}
	return "stack deleted"
}

// moment is a time, nil where it is not recorded.
func moment(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	return new(at.UTC())
}

func responded(st *chaos.State) Response {
	between := func(from, to chaos.Moment) *float64 {
		if d, ok := st.Stamps.Between(from, to); ok {
			return new(d.Seconds())
		}
		return nil
	}
	r := Response{
		Impact: between(chaos.T0, chaos.T1), Detect: between(chaos.T1, chaos.T3), Diagnose: between(chaos.T3, chaos.T4),
		Recover: between(chaos.T0, chaos.T6), HandsOn: between(chaos.T5, chaos.T6), Verify: between(chaos.T6, chaos.T7),
		Objective: st.Objective().Seconds(), Equal: st.Equal(),
	}
	if met, known := st.Met(); known {
		r.Met = &met
	}
	return r
}

func differences(st *chaos.State) []Difference {
	out := []Difference{}
	for _, p := range st.Order {
		for _, d := range st.Targets[p].Differences {
			out = append(out, Difference{p, d.What, d.Was, d.Is, d.Note, d.Expected})
		}
	}
	return out
}

func before(all []*chaos.State) []Earlier {
	out := []Earlier{}
	for _, e := range all {
		took, _ := e.RecoveryTime()
		one := Earlier{ID: e.ID, Began: e.Planned.UTC(), Seconds: took.Seconds()}
		if met, known := e.Met(); known {
			one.Met = &met
		}
		out = append(out, one)
	}
	slices.SortFunc(out, func(a, b Earlier) int { return a.Began.Compare(b.Began) })
	return out
}

func run(st *chaos.State, plan *blast.Plan, entries int) Run {
	r := Run{
		Kind: st.Plan.Kind, Argument: st.Plan.Argument, Choice: plan.Choice, Digest: st.Plan.Digest, PlannedBy: st.Plan.By, Guards: []string{},
		Version: plan.Version, Commit: plan.Commit, Dirty: plan.Dirty, Entries: entries, Hash: st.Last.Hash(),
	}
	if c := st.Cleared; c != nil {
		r.ClearedBy, r.How, r.Permit = c.Who, c.How, c.Permit
		r.Guards = append(r.Guards, c.Guards...)
	}
	if st.Stopped != nil {
		r.Stopped = chaos.Stopper(st.Stopped.By) + ": " + st.Stopped.Why
	}
	return r
}

// sortNotes puts what people wrote down where it belongs: why and action have a section
// of their own, and everything else was learned.
func (r *Report) sortNotes(st *chaos.State) {
	for _, n := range st.Notes {
		if n.Owner == chaos.Deployer {
			continue // a finding
		}
		one := Note{n.Kind, n.Text, n.Stack, n.Owner, n.At.UTC()}
		switch n.Kind {
		case NoteWhy:
			r.Whys = append(r.Whys, one)
		case NoteAction:
			r.Actions = append(r.Actions, one)
		default:
			r.Learned = append(r.Learned, one)
		}
	}
}

// The kinds of notes that have a section of their own.
const (
	NoteWhy    = "why"
	NoteAction = "action"
)
