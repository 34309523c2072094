package steady_test

import (
	"encoding/json"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/deployer-cli/deployer/internal/steady"
)

var begin = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

func at(seconds int) time.Time { return begin.Add(time.Duration(seconds) * time.Second) }

func probe(stable time.Duration) steady.Probe {
	return steady.Probe{Name: "site", Every: 5 * time.Second, Timeout: 3 * time.Second, StableFor: stable, TCP: "h:1"}
}

// saw reads "gb?g": what was seen every five seconds; a blank is a silence.
func saw(script string, stable time.Duration) *steady.Track {
	t := steady.NewTrack(probe(stable))
	for i, c := range script {
		if c != ' ' {
			t.Add(steady.Reading{Probe: "site", At: at(5 * i), OK: c == 'g', Unknown: c == '?'})
		}
	}
	return t
}

func TestRestored(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		script       string
		since        int
		at, verified int // -1 for not yet
	}{
		"never broken":              {"ggggggg", 0, 0, 30},
		"not long enough":           {"bgggggg", 0, -1, 0},
		"just long enough":          {"bggggggg", 0, 5, 35},
		"broken again":              {"bgggggbggggggg", 0, 35, 65},
		"broken again on the brink": {"bggggggbggggggg", 0, 40, 70},
		"from since on":             {"gggggggggggg", 20, 20, 50},
		"between two looks":         {"gggggggggggg", 21, 25, 55},
		"unknown does not end it":   {"bg??ggggggg", 0, 5, 50},
		"unknown does not count":    {"bg?g?g?g?g?g?g", 0, -1, 0},
		"unknown is no beginning":   {"b???ggggggg", 0, 20, 50},
		"unknown is no end":         {"bgggggg????", 0, -1, 0},
		"nothing known":             {"????????", 0, -1, 0},
		"nothing at all":            {"", 0, -1, 0},
		"a silence proves little":   {"bg            g", 0, -1, 0},
		"but something":             {"bg            gggg", 0, 5, 85},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			from, to, ok := saw(tt.script, 30*time.Second).Restored(at(tt.since))
			if !ok && tt.at == -1 {
				return
			}
			if !ok || !from.Equal(at(tt.at)) || !to.Equal(at(tt.verified)) {
				t.Errorf("from %v to %v, %v", from.Sub(begin), to.Sub(begin), ok)
			}
		})
	}
}

func TestTheRestOfATrack(t *testing.T) {
	t.Parallel()
	track := saw("g?bgb?b?", time.Minute)
	if first, ok := track.FirstFailure(); !ok || !first.Equal(at(10)) {
		t.Errorf("%v, %v", first, ok)
	}
	if first, ok := track.FirstFailureSince(at(11)); !ok || !first.Equal(at(20)) {
		t.Errorf("%v, %v", first, ok)
	}
	if last, ok := track.Last(); !ok || !last.Unknown || !last.At.Equal(at(35)) {
		t.Errorf("%v, %v", last, ok)
	}
	if !track.Failing(steady.Failures) || track.Failing(3) {
		t.Error("the last two known readings failed, the one before did not")
	}
	for script, want := range map[string]bool{"": false, "b": false, "bb": true, "b?b": true, "bbg": false, "??": false, "bg b": false} {
		if saw(script, time.Minute).Failing(2) != want {
			t.Errorf("%q", script)
		}
	}
	if _, ok := saw("g?g", time.Minute).FirstFailure(); ok {
		t.Error("what is unknown has not failed")
	}
}

// reference finds the window the long way: every possible beginning, every end.
func reference(readings []steady.Reading, stable, most time.Duration, since time.Time) (from, to time.Time, ok bool) {
	for i, first := range readings {
		fresh := i == 0 || readings[i-1].At.Before(since) || badly(readings[i-1])
		if !first.OK || first.At.Before(since) || (!fresh && windowBefore(readings[:i], since)) {
			continue
		}
		var seen time.Duration
		for j := i + 1; j < len(readings) && (readings[j].OK || readings[j].Unknown); j++ {
			if readings[j].OK && readings[j-1].OK {
				seen += min(readings[j].At.Sub(readings[j-1].At), most)
			}
			if readings[j].OK && seen >= stable {
				return first.At, readings[j].At, true
			}
		}
	}
	return time.Time{}, time.Time{}, false
}

func badly(r steady.Reading) bool { return !r.OK && !r.Unknown }

// windowBefore tells whether a window was open at the end of readings.
func windowBefore(readings []steady.Reading, since time.Time) bool {
	for i := len(readings) - 1; i >= 0 && !readings[i].At.Before(since); i-- {
		if readings[i].OK {
			return true
		}
		if !readings[i].Unknown {
			return false
		}
	}
	return false
}

// TestWindowsByTheLongWay: over random readings in any order of arrival a track
// finds what trying every window finds, and what it finds is one.
func TestWindowsByTheLongWay(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := probe(time.Duration(rapid.IntRange(1, 60).Draw(t, "stable")) * time.Second)
		var readings []steady.Reading
		clock := 0
		for range rapid.IntRange(0, 60).Draw(t, "readings") {
			clock += rapid.IntRange(1, 40).Draw(t, "pause")
			kind := rapid.IntRange(0, 9).Draw(t, "kind")
			readings = append(readings, steady.Reading{At: at(clock), OK: kind > 2, Unknown: kind == 2})
		}
		since := at(rapid.IntRange(0, clock+1).Draw(t, "since"))
		track := steady.NewTrack(p)
		for _, i := range rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "order"), 0)).Perm(len(readings)) {
			track.Add(readings[i])
		}
		from, to, ok := track.Restored(since)
		wantFrom, wantTo, want := reference(readings, p.StableFor, max(p.StableFor/2, p.Every+p.Timeout), since)
		if ok != want || !from.Equal(wantFrom) || !to.Equal(wantTo) {
			t.Fatalf("%v to %v, %v; want %v to %v, %v", from, to, ok, wantFrom, wantTo, want)
		}
		if !ok {
			return
		}
		if from.Before(since) || to.Sub(from) < p.StableFor {
			t.Fatalf("%v to %v is too early or too short", from, to)
		}
		for _, r := range readings {
			if !r.At.Before(from) && !r.At.After(to) && !r.OK && !r.Unknown {
				t.Fatalf("it failed at %v in between", r.At)
			}
		}
	})
}

func TestAReadingIsJSON(t *testing.T) {
	t.Parallel()
	in := steady.Reading{Probe: "site", At: begin, Took: time.Second, Why: "no"}
	raw, err := json.Marshal(in)
	if want := `{"probe":"site","at":"2026-11-22T10:00:00Z","took_ns":1000000000,"ok":false,"why":"no"}`; err != nil || string(raw) != want {
		t.Fatalf("%s, %v", raw, err)
	}
	var out steady.Reading
	if err := json.Unmarshal(raw, &out); err != nil || out != in {
		t.Errorf("%+v, %v", out, err)
	}
}
