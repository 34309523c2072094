package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/deployer-cli/deployer/internal/chaos"
	"github.com/deployer-cli/deployer/internal/record"
	"github.com/deployer-cli/deployer/stacks"
)

// timeline is everything of which the time is known, the earliest first.
func timeline(st *chaos.State, entries []record.Entry) []Moment {
	out := []Moment{{At: st.Planned, What: "planned", Source: st.Plan.By}}
	add := func(at time.Time, what, source string) {
		if !at.IsZero() {
			out = append(out, Moment{At: at, What: what, Source: source})
		}
	}
	for _, p := range st.Order {
		ofTarget(st.Targets[p], add)
	}
	for _, m := range turns(entries) {
		if !m.At.Before(st.Planned) { // such as an alarm that has been well for days
			out = append(out, m)
		}
	}
	for _, p := range st.People {
		add(p.At, p.What+": "+p.Text, p.Who)
	}
	for _, n := range st.Notes {
		add(n.At, strings.TrimPrefix(string(n.Stack)+": note, "+n.Kind+": "+n.Text, ": "), n.Owner)
	}
	if st.Stopped != nil {
		add(st.StoppedAt, "stopped: "+st.Stopped.Why, chaos.Stopper(st.Stopped.By))
	}
	if st.Finished != nil {
		add(st.FinishedAt, strings.TrimSuffix("finished: "+st.Finished.Result+", "+st.Finished.Why, ", "), "deployer")
	}
	for m := range chaos.Moment(len(st.Stamps)) {
		if s := st.Stamps[m]; s.Recorded() {
			out = append(out, Moment{At: s.At, What: m.Word(), Source: s.Source, Stamp: m.String()})
		}
	}
	for i := range out {
		out[i].At = out[i].At.UTC()
	}
	slices.SortStableFunc(out, func(a, b Moment) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Stamp, b.Stamp))
	})
	return out
}

// ofTarget adds what became of one stack.
func ofTarget(t *chaos.Target, add func(at time.Time, what, source string)) {
	for _, d := range t.Deeds {
		name := strings.Trim(string(t.Stack)+"::"+d.LogicalID(), ":")
		add(d.Accepted, name+": AWS accepted to "+words(d), "the service's answer")
		if d.Status != chaos.StatusIntended && d.Status != chaos.StatusAccepted {
			add(d.Done, name+": "+done(d), "the stack's events")
		}
		if d.LogicalID() != "" {
			add(d.Back, name+": back, "+t.By.Words(), "seen by deployer")
		}
	}
	add(t.NewSince, fmt.Sprintf("%s: a new stack, %s", t.Stack, t.By.Words()), "the stack's events")
	add(t.Back, string(t.Stack)+": back, "+t.By.Words(), "seen by deployer")
}

// words is what AWS was asked for.
func words(d *chaos.Deed) string {
	switch {
	case d.Injection != nil:
		return "break it (" + d.Injection.Kind + ")"
	case d.Verb == stacks.Update:
		return "change a parameter"
	}
	return "delete it"
}

// done is how what was asked for ended.
func done(d *chaos.Deed) string {
	switch {
	case d.Status == chaos.StatusRefused:
		return "turned back by CloudFormation"
	case d.Status == chaos.StatusFailed:
		return "stuck half-way"
	case d.Injection != nil:
		return "broken"
	case d.Verb == stacks.Update:
		return "changed"
	}
	return "gone"
}

// readings are the entries of probes, by probe, from the first call on.
func readings(entries []record.Entry) []chaos.Probe {
	var out []chaos.Probe
	for _, e := range entries {
		var p chaos.Probe
		if e.Kind != chaos.KindProbe || e.Into(&p) != nil {
			continue
		}
		if p.At.IsZero() {
			p.At = e.Time
		}
		out = append(out, p)
	}
	return out
}

// turns are the moments at which probes turned.
func turns(entries []record.Entry) []Moment {
	var out []Moment
	for _, p := range readings(entries) {
		what := "good"
		switch {
		case p.Gone:
			what = "nothing declares it any more"
		case p.Unknown:
			what = "not known"
		case !p.OK:
			what = "bad"
		}
		out = append(out, Moment{At: p.At, What: strings.TrimSuffix(fmt.Sprintf("probe %s: %s: %s", p.Probe, what, p.Why), ": "), Source: "probe " + p.Probe})
	}
	return out
}

// affected tells of each probe how long it was bad, the plan's own first.
func affected(st *chaos.State, entries []record.Entry) []Affected {
	out := []Affected{}
	all := readings(entries)
	names := slices.Clone(st.Plan.Probes)
	for _, p := range all {
		if !slices.Contains(names, p.Probe) {
			names = append(names, p.Probe)
		}
	}
	for _, name := range names {
		one := affectedBy(name, all, st)
		if w := st.Probes[name]; w != nil && w.Restored != nil && !one.Still && !one.badAfter(w.Restored.At) {
			one.Restored = moment(w.Restored.At)
		}
		out = append(out, one)
	}
	return out
}

// badAfter tells whether it was bad at a time, or later.
func (a *Affected) badAfter(at time.Time) bool {
	return slices.ContainsFunc(a.Spells, func(s Spell) bool { return s.To.After(at) })
}

// affectedBy tells of one probe when, and for how long, it was bad since the break began.
func affectedBy(name string, all []chaos.Probe, st *chaos.State) Affected {
	one := Affected{Probe: name, Role: "steady", Spells: []Spell{}}
	began := st.Began()
	var bad, last time.Time // bad since when, zero while it is not
	for _, p := range all {
		if p.Probe != name {
			continue
		}
		one.Role, last = cmp.Or(p.Role, one.Role), p.At
		failed := !p.OK && !p.Unknown && !began.IsZero() && !p.At.Before(began) // what was bad before is no matter of the break
		switch {
		case failed && bad.IsZero():
			bad = p.At
			one.Times++
			if one.Failed == nil {
				one.Failed, one.Why = moment(p.At), p.Why
			}
		case !failed && !bad.IsZero():
			one.Spells = append(one.Spells, Spell{bad.UTC(), p.At.UTC()})
			bad = time.Time{}
		}
	}
	if !bad.IsZero() {
		one.Still = true
		one.Spells = append(one.Spells, Spell{bad.UTC(), later(last, st.Last.Time).UTC()})
	}
	for _, s := range one.Spells {
		one.Down += s.To.Sub(s.From).Seconds()
	}
	return one
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// most is how many spans are told.
const most = 8

// longest are the phases of the response and the rebuilding of each stack, the longest
// first.
func longest(st *chaos.State) []Span {
	out := []Span{}
	for _, phase := range []struct {
		what     string
		from, to chaos.Moment
	}{
		{"until somebody noticed (T1 to T3)", chaos.T1, chaos.T3},
		{"until somebody knew what it was (T3 to T4)", chaos.T3, chaos.T4},
		{"until the recovery began (T4 to T5)", chaos.T4, chaos.T5},
		{"the recovery itself (T5 to T6)", chaos.T5, chaos.T6},
		{"until that had proved to last (T6 to T7)", chaos.T6, chaos.T7},
	} {
		if d, ok := st.Stamps.Between(phase.from, phase.to); ok && d > 0 {
			out = append(out, Span{phase.what, d.Seconds()})
		}
	}
	for _, p := range st.Order {
		t := st.Targets[p]
		for _, d := range t.Deeds {
			if d.Done.After(d.Accepted) && !d.Accepted.IsZero() && d.Verb == stacks.Delete && d.Injection == nil {
				out = append(out, Span{fmt.Sprintf("deleting %s", p), d.Done.Sub(d.Accepted).Seconds()})
			}
		}
		if t.Back.After(t.NewSince) && !t.NewSince.IsZero() {
			out = append(out, Span{fmt.Sprintf("rebuilding %s", p), t.Back.Sub(t.NewSince).Seconds()})
		}
	}
	slices.SortStableFunc(out, func(a, b Span) int { return cmp.Compare(b.Seconds, a.Seconds) })
	return out[:min(most, len(out))]
}
