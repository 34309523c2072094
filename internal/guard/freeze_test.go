package guard_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/deployer-cli/deployer/internal/guard"
)

func at(t testing.TB, text string) time.Time {
	t.Helper()
	when, err := time.Parse("2006-01-02 15:04 -0700", text)
	if err != nil {
		t.Fatal(err)
	}
	return when
}

func TestIntervals(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		text     string
		on, off  []string
		endsWith string
	}{
		"two times":          {"2026-12-20T00:00Z/2027-01-04T00:00Z", []string{"2026-12-20 00:00 +0000", "2027-01-03 23:59 +0000"}, []string{"2026-12-19 23:59 +0000", "2027-01-04 00:00 +0000"}, "2027-01-04 00:00 +0000"},
		"an offset":          {"2026-12-20T00:00+02:00/2026-12-21T00:00+02:00", []string{"2026-12-19 22:00 +0000"}, []string{"2026-12-20 22:00 +0000"}, "2026-12-20 22:00 +0000"},
		"two dates":          {"2026-12-20/2026-12-21", []string{"2026-12-20 12:00 +0000"}, []string{"2026-12-21 00:00 +0000"}, "2026-12-21 00:00 +0000"},
		"time and duration":  {"2026-12-20T08:00Z/PT36H", []string{"2026-12-21 19:59 +0000"}, []string{"2026-12-21 20:00 +0000"}, "2026-12-21 20:00 +0000"},
		"months of calendar": {"2027-01-31/P1M", []string{"2027-02-28 12:00 +0000"}, []string{"2027-03-03 00:00 +0000"}, "2027-03-03 00:00 +0000"},
		"duration and time":  {"P2W/2027-01-04", []string{"2026-12-21 00:00 +0000"}, []string{"2026-12-20 23:59 +0000"}, "2027-01-04 00:00 +0000"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, err := guard.Interval(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			for _, text := range tt.on {
				if until, on := f.At(at(t, text)); !on || !until.Equal(at(t, tt.endsWith)) {
					t.Errorf("at %s: %v until %v", text, on, until)
				}
			}
			for _, text := range tt.off {
				if _, on := f.At(at(t, text)); on {
					t.Errorf("on at %s", text)
				}
			}
		})
	}
	for _, text := range []string{
		"", "/", "2026-12-20", "2026-12-20/", "/2026-12-20", "a/b", "2026-12-20/2026-12-19", "2026-12-20/2026-12-20", "P1D/P1D",
		"2026-12-20/P-1D", "2026-12-20/P1.5M", "2026-12-20/P999999Y", "2026-12-20/PT99999999999H", "2026-12-20/P0D", "2026-12-20/2026-12-21/2026-12-22", "R5/2026-12-20/P1D", "2026-13-20/P1D",
	} {
		if f, err := guard.Interval(text); err == nil {
			t.Errorf("%q is taken: %+v", text, f)
		}
	}
}

// TestWindowsOverDaylightSaving: London's clocks go from 01:00 to 02:00 on
// 2026-03-29, and from 02:00 back to 01:00 on 2026-10-25.
func TestWindowsOverDaylightSaving(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		cron    string
		takes   time.Duration
		on, off []string
	}{
		"in winter time":          {"0 10 * * MON-THU", 6 * time.Hour, []string{"2026-03-26 10:00 +0000", "2026-03-26 15:59 +0000"}, []string{"2026-03-26 09:59 +0000", "2026-03-26 16:00 +0000", "2026-03-27 12:00 +0000"}},
		"in summer time":          {"0 10 * * MON-THU", 6 * time.Hour, []string{"2026-03-30 09:00 +0000", "2026-03-30 14:59 +0000"}, []string{"2026-03-30 08:59 +0000", "2026-03-30 15:00 +0000"}},
		"begins in the leap":      {"30 1 * * *", time.Hour, []string{"2026-03-29 01:45 +0000", "2026-03-29 02:20 +0000"}, []string{"2026-03-29 00:59 +0000", "2026-03-29 02:30 +0000"}},
		"over the leap":           {"0 0 * * SUN", 4 * time.Hour, []string{"2026-03-29 00:00 +0000", "2026-03-29 03:59 +0000"}, []string{"2026-03-29 04:00 +0000"}},
		"in the hour twice":       {"30 1 * * *", 20 * time.Minute, []string{"2026-10-25 00:30 +0000", "2026-10-25 01:30 +0000"}, []string{"2026-10-25 00:55 +0000", "2026-10-25 02:30 +0000"}},
		"over the end of the day": {"0 22 * * FRI", 60 * time.Hour, []string{"2026-10-25 12:00 +0000", "2026-10-26 08:59 +0000"}, []string{"2026-10-26 10:00 +0000"}},
		"Sunday is 7 too":         {"0 0 * * 7", time.Hour, []string{"2026-11-22 00:30 +0000"}, []string{"2026-11-21 00:30 +0000"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, err := guard.Window(tt.cron, tt.takes, "Europe/London")
			if err != nil {
				t.Fatal(err)
			}
			for _, text := range tt.on {
				if _, on := f.At(at(t, text)); !on {
					t.Errorf("off at %s", text)
				}
			}
			for _, text := range tt.off {
				if until, on := f.At(at(t, text)); on {
					t.Errorf("on at %s, until %s", text, until)
				}
			}
		})
	}
	for _, bad := range []struct {
		cron, zone string
		takes      time.Duration
	}{
		{"0 10 * *", "UTC", time.Hour},
		{"0 25 * * *", "UTC", time.Hour},
		{"0 10 * * *", "Mars/Base", time.Hour},
		{"0 10 * * *", "UTC", 0},
		{"@daily", "UTC", time.Hour},
		{"TZ=UTC 0 10 * * *", "UTC", time.Hour},
		{"", "UTC", time.Hour},
	} {
		if _, err := guard.Window(bad.cron, bad.takes, bad.zone); err == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
}

func TestOverlappingWindowsEnd(t *testing.T) {
	t.Parallel()
	f, err := guard.Window("0 * * * *", 2*time.Hour, "UTC")
	if err != nil {
		t.Fatal(err)
	}
	if until, on := f.At(at(t, "2026-11-22 12:30 +0000")); !on || !until.IsZero() {
		t.Errorf("%v until %v: it never ends", on, until)
	}
	if _, on := (guard.Freeze{}).At(time.Now()); !on {
		t.Error("a freeze that was not read is off")
	}
}

// TestAWindowIsOnWhenItsBeginningIsNear: whatever the line, the zone and the
// time, a window is on exactly when one began less than its duration ago.
func TestAWindowIsOnWhenItsBeginningIsNear(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		zone := rapid.SampledFrom([]string{"UTC", "Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"}).Draw(t, "zone")
		line := rapid.SampledFrom([]string{"0 10 * * *", "30 1 * * *", "0 0 * * 0", "*/20 3 * * *", "15 2 1 * *", "0 2 * 3,10 SUN"}).Draw(t, "line")
		takes := time.Duration(rapid.IntRange(1, 50*60).Draw(t, "minutes")) * time.Minute
		now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(rapid.IntRange(0, 365*24*60).Draw(t, "at")) * time.Minute)
		f, err := guard.Window(line, takes, zone)
		if err != nil {
			t.Fatal(err)
		}
		begun := false
		for from := now.Add(-takes - 48*time.Hour); ; {
			next := f.Next(from)
			if next.IsZero() || next.After(now) {
				break
			}
			begun, from = begun || now.Before(next.Add(takes)), next
		}
		if _, on := f.At(now); on != begun {
			t.Fatalf("%s in %s for %s at %s: on %v, begun %v", line, zone, takes, now, on, begun)
		}
	})
}

func FuzzInterval(f *testing.F) {
	for _, seed := range []string{"2026-12-20T00:00Z/2027-01-04T00:00Z", "2026-12-20/P14D", "P2W/2027-01-04", "P/P", "2026-12-20/P1Y2M3DT4H5M6.7S", "-/"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		freeze, err := guard.Interval(text)
		if err != nil {
			return
		}
		if next := freeze.Next(time.Time{}); !next.IsZero() {
			if until, on := freeze.At(next); !on || !until.After(next) {
				t.Errorf("%q begins at %s and is %v until %s", text, next, on, until)
			}
		}
	})
}

func FuzzWindow(f *testing.F) {
	for _, seed := range []string{"0 10 * * MON-THU", "*/5 * * * *", "0 0 31 2 *", "H H * * *", "0 0 L * *", "@every 1s", "1-5/2 * ? * 5#3"} {
		f.Add(seed)
	}
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(_ *testing.T, line string) {
		if freeze, err := guard.Window(line, time.Hour, "Europe/London"); err == nil {
			freeze.At(now)
			freeze.Next(now)
		}
	})
}
