package engine

import (
	"testing"

	"github.com/deployer-cli/deployer/internal/restype"
)

// TestBlockingIsContainment: whatever keeps the sandbox from deleting a resource
// counts as sitting on it, so that a break that knows what sits on its targets
// never fails half-way.
func TestBlockingIsContainment(t *testing.T) {
	t.Parallel()
	held := 0
	for _, container := range restype.Names() {
		_, text, by := blocking(container)
		if text == "" {
			continue
		}
		held++
		for _, user := range append(restype.Names(), "Custom::Thing") {
			if by(user) && !restype.SitsOn(container, user) {
				t.Errorf("%s keeps a %s, and does not sit on it", user, container)
			}
		}
	}
	if held < 12 {
		t.Errorf("only %d types are ever kept", held)
	}
}
