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

// Ports is what a Set may ask. A nil External, Parameters, Secrets or Commands
// means offline: what it would give is known later.
type Ports struct {
	Project    Project
	Outputs    Outputs
	External   External
	Parameters Parameters
	Secrets    Secrets
	Commands   Commands
	Environ    func(name string) (string, bool)
	Files      fs.FS                             // rooted at the project
	Outside    func(name string) ([]byte, error) // reads a file outside: name as written, absolute or relative to the project; nil refuses
	Now        func() time.Time                  // for !date
}
