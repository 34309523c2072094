package inject

import "testing"

func TestRuleName(t *testing.T) {
	t.Parallel()
	for physical, want := range map[string][2]string{
		"nightly":              {"nightly", ""},
		"orders|nightly":       {"nightly", "orders"},
		"aws.partner/a/b|paid": {"paid", "aws.partner/a/b"},
		"arn:aws:events:eu-west-1:123456789012:rule/nightly":                      {"nightly", ""},
		"arn:aws:events:eu-west-1:123456789012:rule/orders/nightly":               {"nightly", "orders"},
		"arn:aws:events:eu-west-1:123456789012:rule/aws.partner/x.example/a/paid": {"paid", "aws.partner/x.example/a"},
		"": {"", ""},
	} {
		name, bus := ruleName(physical)
		got := [2]string{*name, ""}
		if bus != nil {
			got[1] = *bus
		}
		if got != want {
			t.Errorf("%s: %q, want %q", physical, got, want)
		}
	}
}
