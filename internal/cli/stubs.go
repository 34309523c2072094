package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/deployer-cli/deployer/internal/cfn"
	"github.com/deployer-cli/deployer/internal/resolve"
	"github.com/deployer-cli/deployer/stacks"
)

// stubs makes up outputs of stacks that are missing in the sandbox, as the
// sandbox itself does with parameters, secrets and buckets, and remembers them.
type stubs struct {
	next resolve.External

	mu   sync.Mutex
	made map[string]bool
}

// external answers !stack_output_external; in a sandbox with stubs what is
// missing is made up.
func (s *session) external() resolve.External {
	if s.server == nil || !truthy(s.app.env.Environ["DEPLOYER_SANDBOX_STUBS"]) {
		return s.cfn
	}
	if s.stubs == nil {
		s.stubs = &stubs{next: s.cfn, made: map[string]bool{}}
	}
	return s.stubs
}

// ExternalOutput implements resolve.External.
func (o *stubs) ExternalOutput(ctx context.Context, a stacks.Access, stack, key string) (string, error) {
	value, err := o.next.ExternalOutput(ctx, a, stack, key)
	_, absent := errors.AsType[*stacks.NotFoundError](err)
	if _, none := errors.AsType[*cfn.NoOutputError](err); !absent && !none {
		return value, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.made[fmt.Sprintf("output %s::%s in %s", stack, key, a.Region)] = true
	return "stub-" + stack + "-" + key, nil
}

// tellStubs lists on stderr what the sandbox made up, at the end of a run.
func (s *session) tellStubs(ctx context.Context) {
	if s.server == nil || s.stubs == nil || s.app.globals.output != "text" {
		return
	}
	var all []string
	made, err := s.server.Stubbed(ctx)
	if err != nil {
		return // only talk
	}
	for _, m := range made {
		all = append(all, fmt.Sprintf("%s %s in %s", m.Kind, m.Name, m.Region))
	}
	s.stubs.mu.Lock()
	for m := range s.stubs.made {
		all = append(all, m)
	}
	s.stubs.mu.Unlock()
	if len(all) == 0 {
		return
	}
	slices.Sort(all)
	fmt.Fprintf(s.app.talk(), "%s these do not exist here and were answered stub-<name>:\n  %s\n", s.app.err.Warn("stubs:"), strings.Join(all, "\n  "))
}
