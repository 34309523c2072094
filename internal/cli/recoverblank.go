package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/deployer-cli/deployer/stacks"
)

// blank is an error for the stacks that stand there again without the data that was
// covered: launching them once more would not give it to them.
func (b *breaker) blank(ctx context.Context, k *knownBreak) error {
	sights, err := b.s.lookerOf(k).Look(ctx, k.state)
	if err != nil {
		return err
	}
	var errs []error
	for _, p := range k.state.Order {
		if s := sights[p]; len(s.Empty) > 0 {
			errs = append(errs, &blankError{p, b.id, s.Empty})
		}
	}
	return errors.Join(errs...)
}

// blankError says that a stack came back without its data.
type blankError struct {
	stack stacks.Path
	id    string // of the break
	empty []string
}

func (e *blankError) Error() string {
	return fmt.Sprintf("%s stands there without its data: %s", e.stack, strings.Join(e.empty, "; "))
}

// ExitCode is that of what failed: nothing was touched.
func (*blankError) ExitCode() int { return exitFailed }

// Hint tells the way to the data.
func (e *blankError) Hint() string {
	return fmt.Sprintf("delete this new stack alone: deployer delete %s --ignore-dependencies\nthen recover again: deployer recover %s", e.stack, e.id)
}
