package chaos

import (
	"fmt"
	"slices"
	"time"
)

// Moment is one of the nine moments of an exercise (break.md section 5).
type Moment int

// The moments, T0 to T8.
const (
	T0      Moment = iota // AWS accepted the first destructive call
	T1                    // the first steady probe failed
	T2                    // an alarm changed state
	T3                    // somebody said: something is wrong
	T4                    // somebody said what
	T5                    // the recovery began
	T6                    // everything is back
	T7                    // and stayed back
	T8                    // and is as it was
	moments               // how many there are
)

// String gives T0 to T8.
func (m Moment) String() string { return fmt.Sprintf("T%d", int(m)) }

// Word is the moment's name for a reader.
func (m Moment) Word() string {
	words := [moments]string{"broken", "impact", "alarm", "detected", "diagnosed", "recovery begun", "restored", "verified", "equal"}
	if m < 0 || m >= moments {
		return ""
	}
	return words[m]
}

// Stamp is when a moment was, and how that is known. The zero Stamp is not
// recorded.
type Stamp struct {
	At     time.Time `json:"at,omitzero"`
	Source string    `json:"source,omitempty"`
}

// Recorded tells whether the moment is known.
func (s Stamp) Recorded() bool { return !s.At.IsZero() }

// Stamps are the nine moments.
type Stamps [moments]Stamp

// Between is the time from one moment to another, which is negative where the
// second came first; not ok where one of them is not recorded.
func (s *Stamps) Between(from, to Moment) (d time.Duration, ok bool) {
	if !s[from].Recorded() || !s[to].Recorded() {
		return 0, false
	}
	return s[to].At.Sub(s[from].At), true
}

// mark is a candidate for a stamp.
type mark struct {
	at     time.Time
	source string
}

// RecoveryTime is T6 − T0: from breaking to being back.
func (s *State) RecoveryTime() (time.Duration, bool) { return s.Stamps.Between(T0, T6) }

// Objective is the time in which everything was to be back, 0 for none.
func (s *State) Objective() time.Duration {
	return time.Duration(s.Plan.Objective * float64(time.Second))
}

// Deadline is when deployer brings back what is still broken, not ok where it never
// does, or while nothing is broken.
func (s *State) Deadline() (at time.Time, ok bool) {
	if s.Plan.MaxDuration <= 0 || !s.Stamps[T0].Recorded() {
		return time.Time{}, false
	}
	return s.Stamps[T0].At.Add(time.Duration(s.Plan.MaxDuration * float64(time.Second))), true
}

// Overdue tells whether users were not back when max_duration was over. That what was
// back by then had to stay so for a while longer is nobody's delay.
func (s *State) Overdue() bool {
	deadline, known := s.Deadline()
	back := s.Stamps[T6]
	return !s.Late.IsZero() && (!known || !back.Recorded() || back.At.After(deadline))
}

// Met tells whether the objective was met; not known while something is not
// back, or where there is none. What the team had not got back when max_duration was
// over did not meet it.
func (s *State) Met() (met, known bool) {
	took, ok := s.RecoveryTime()
	switch {
	case !ok:
		return false, false
	case s.Overdue():
		return false, true
	case s.Objective() <= 0:
		return false, false
	}
	return took <= s.Objective(), true
}

// settle makes the stamps anew out of what is known. Once everything is
// verified, what fails later is another story; and once the exercise was over before
// the last entry, only how it compares is still to come, and what people say of it.
func (s *State) settle(over bool) {
	s.Stamps[T3] = s.stampPerson(func(p Person) bool { return p.What == Detect })
	s.Stamps[T4] = s.stampPerson(func(p Person) bool { return p.What == Diagnose || p.What == Guess && p.Right })
	s.Stamps[T8] = s.stampEqual()
	if over {
		return
	}
	s.Stamps[T0] = s.stampBroken()
	base := s.Began()
	s.Stamps[T1] = earliest(s.marks(base, func(f failure) bool { return f.role == roleSteady }))
	s.Stamps[T2] = earliest(s.marks(base, func(f failure) bool { return f.alarm }))
	s.Stamps[T5] = s.stampBegun()
	if !s.Stamps[T7].Recorded() {
		s.Stamps[T6], s.Stamps[T7] = s.stampRestored()
	}
}

// roleSteady is the role of probes that have to come back; "" means the same.
const roleSteady = "steady"

func (s *State) stampBroken() Stamp {
	var marks []mark
	for _, p := range s.Order {
		for _, d := range s.Targets[p].Deeds {
			if !d.Accepted.IsZero() {
				marks = append(marks, mark{d.Accepted, "AWS accepted to " + d.does()})
			}
		}
	}
	return earliest(marks)
}

// Began is the time from which failures are ours: the first call, by our own
// clock or the service's, whichever is earlier. It is zero before.
func (s *State) Began() time.Time {
	base := s.Stamps[T0].At
	for _, t := range s.Targets {
		for _, d := range t.Deeds {
			if !d.Accepted.IsZero() && !d.Intended.IsZero() && d.Intended.Before(base) {
				base = d.Intended
			}
		}
	}
	return base
}

// marks are the failures since base that are wanted.
func (s *State) marks(base time.Time, wanted func(failure) bool) []mark {
	if base.IsZero() {
		return nil
	}
	var out []mark
	for _, f := range s.failures {
		if wanted(f) && !f.at.Before(base) {
			out = append(out, mark{f.at, "probe " + f.probe})
		}
	}
	return out
}

func (s *State) stampPerson(wanted func(Person) bool) Stamp {
	var marks []mark
	for _, p := range s.said {
		if wanted(p) && p.Instead {
			marks = nil
		}
		if wanted(p) {
			marks = append(marks, mark{p.At, "gameday " + p.What})
		}
	}
	return earliest(marks)
}

// stampBegun is the first event of a new stack, or the first call of a recovery.
func (s *State) stampBegun() Stamp {
	marks := slices.Clone(s.begun)
	for _, p := range s.Order {
		if t := s.Targets[p]; !t.NewSince.IsZero() {
			marks = append(marks, mark{t.NewSince, fmt.Sprintf("a new stack of %s, %s", p, t.By.Words())})
		}
	}
	return earliest(marks)
}

// restored is the window in which a probe came back: one that lies behind all
// its failures, and goes on after the last thing went down.
func (s *State) restored(probe string) (Restored, bool) {
	w := s.Probes[probe]
	if w == nil || w.Restored == nil || w.Restored.Verified.Before(s.Since()) {
		return Restored{}, false
	}
	for _, f := range s.failures {
		if f.probe == probe && f.at.After(w.Restored.At) {
			return Restored{}, false
		}
	}
	return *w.Restored, true
}

// stampRestored are T6 and T7. Users are back when every steady probe is. Where
// none of them ever failed they say nothing about it, and then the stacks have
// to be back as well. Nothing is restored while something is on its way down, nor
// where nothing ever was, nor while a stack is back without its data.
func (s *State) stampRestored() (restored, verified Stamp) {
	if _, back := s.TurnedBack(); back || !s.Stamps[T0].Recorded() || s.Pending() || s.Blank() || len(s.Awaited()) > 0 || s.Unmeasured() {
		return Stamp{}, Stamp{}
	}
	for _, name := range s.Plan.Probes {
		r, _ := s.restored(name)
		restored = later(restored, r.At, "probe "+name)
		verified = later(verified, r.Verified, "probe "+name)
	}
	if s.failed() {
		return restored, verified
	}
	for _, p := range s.Order {
		t := s.Targets[p]
		if t.Status.Broken() {
			return Stamp{}, Stamp{}
		}
		if t.Status == StatusRestored {
			restored = later(restored, t.Back, "stack "+string(p))
			verified = later(verified, t.Back, "stack "+string(p))
		}
	}
	return restored, verified
}

// failed tells whether one of the plan's probes failed since the break.
func (s *State) failed() bool {
	base := s.Began()
	return slices.ContainsFunc(s.failures, func(f failure) bool {
		return slices.Contains(s.Plan.Probes, f.probe) && !f.at.Before(base)
	})
}

func (s *State) stampEqual() Stamp {
	if !s.Equal() {
		return Stamp{}
	}
	var out Stamp
	for _, p := range s.Order {
		if t := s.Targets[p]; t.Status == StatusRestored {
			out = later(out, t.Compared, "comparison with the capsule")
		}
	}
	return out
}

func earliest(marks []mark) Stamp {
	var out Stamp
	for _, m := range marks {
		if !out.Recorded() || m.at.Before(out.At) {
			out = Stamp{m.at, m.source}
		}
	}
	return out
}

func later(s Stamp, at time.Time, source string) Stamp {
	if at.After(s.At) {
		return Stamp{at, source}
	}
	return s
}
