package python_test

import (
	"math"
	"testing"

	"github.com/deployer-cli/deployer/internal/python"
)

func TestFloat(t *testing.T) {
	t.Parallel()
	for f, want := range map[float64]string{
		0: "0.0", 1: "1.0", -2.5: "-2.5", 0.1: "0.1", 1e-4: "0.0001", 0.00001: "1e-05", 1e15: "1000000000000000.0", 1e16: "1e+16", 1.5e300: "1.5e+300",
		math.Inf(1): "inf", math.Inf(-1): "-inf",
	} {
		if got := python.Float(f); got != want {
			t.Errorf("%g: %s, want %s", f, got, want)
		}
	}
	if got := python.Float(math.NaN()); got != "nan" {
		t.Errorf("not a number: %s", got)
	}
	if got := python.Float(math.Copysign(0, -1)); got != "-0.0" {
		t.Errorf("minus nothing: %s", got)
	}
}
