package resolve

import (
	"context"
	"io/fs"
	"time"

	"github.com/deployer-cli/deployer/stacks"
)

// Project finds stacks by path.
type Project interface {
	Stack(path stacks.Path) (*stacks.Stack, bool)
}

// Namer finds the project's stacks by CloudFormation's name for them. A
// Project that can do it too makes !stack_output_external wait for a stack of
// the project.
type Namer interface {
	Named(name string) []*stacks.Stack
}

// Outputs gives the outputs of the project's own stacks; the answer may be
// stacks.Later.
type Outputs interface {
	Output(ctx context.Context, consumer, producer *stacks.Stack, key string) (stacks.Value, error)
}

// External gives the outputs of stacks outside the project.
type External interface {
	ExternalOutput(ctx context.Context, a stacks.Access, stack, key string) (string, error)
}

// Parameters gives values of the parameter store. secret tells a SecureString.
type Parameters interface {
	Parameter(ctx context.Context, a stacks.Access, name string) (value string, secret bool, err error)
}

// Secrets gives secret strings of Secrets Manager.
type Secrets interface {
	Secret(ctx context.Context, a stacks.Access, id string) (string, error)
}

// Commands runs a command line for its output, with the stack's credentials.
type Commands interface {
	Output(ctx context.Context, a stacks.Access, line string) (string, error)
}

// Web fetches what stands at an address; user is "" for no authentication.
type Web interface {
	Get(ctx context.Context, address, user, password string) ([]byte, error)
}

// Plugins gives what resolvers give that are not built in.
type Plugins interface {
	HasResolver(name string) bool
	Resolve(ctx context.Context, st *stacks.Stack, name string, arg stacks.Value) (stacks.Value, error)
}

// Made tells of an SSM parameter that a stack of the same run makes or may
// change, and has not yet: it is not asked for before that.
type Made func(consumer *stacks.Stack, name string) (producer stacks.Path, pending bool)

// Ports is what a Set may ask. A nil External, Parameters, Secrets, Commands or
// Web means offline: what it would give is known later. So is what a plugin
// gives where there are no Commands.
type Ports struct {
	Project    Project
	Outputs    Outputs
	External   External
	Parameters Parameters
	Secrets    Secrets
	Commands   Commands
	Web        Web
	Plugins    Plugins // nil: there are none
	Made       Made    // nil: nothing is pending
	Environ    func(name string) (string, bool)
	Files      fs.FS                             // rooted at the project
	Outside    func(name string) ([]byte, error) // reads a file outside: name as written, absolute or relative to the project; nil refuses
	Now        func() time.Time                  // for !date
	Stubs      bool                              // Secrets makes up what is missing, as "stub-" and its id
}
