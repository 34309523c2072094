package stacks

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Period reads a duration as a config writes it, such as 90s, 30m, 24h or 2d: d
// stands for 24 hours. Nothing, and less, is an error.
func Period(text string) (time.Duration, error) {
	wrong := fmt.Errorf("%q is no duration, such as 15m, 4h or 2d", text)
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		if err != nil || n == 0 {
			return 0, wrong
		}
		return time.Duration(n) * 24 * time.Hour, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, wrong
	}
	return d, nil
}
