package span_test

import (
	"testing"
	"time"

	"github.com/deployer-cli/deployer/internal/span"
)

func TestMeasured(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		-time.Second: "0s", 0: "0s", 40 * time.Millisecond: "0s", 400 * time.Millisecond: "0.4s", 9949 * time.Millisecond: "9.9s",
		12400 * time.Millisecond: "12s", 59900 * time.Millisecond: "1m00s", 123 * time.Second: "2m03s",
		time.Hour - time.Millisecond: "1h00m", 64 * time.Minute: "1h04m", 30 * time.Hour: "30h00m",
	} {
		if got := span.Measured(d); got != want {
			t.Errorf("Measured(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestChosen(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		30 * time.Minute: "30m", 90 * time.Minute: "1h30m", 2 * time.Hour: "2h", 90 * time.Second: "1m30s", 70 * time.Second: "1m10s",
		20 * time.Second: "20s", 0: "0s", 10 * time.Hour: "10h", 24*time.Hour + time.Second: "24h0m1s", 10 * time.Minute: "10m",
	} {
		if got := span.Chosen(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}
