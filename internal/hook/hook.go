// Package hook runs what a project wants run before and after something
// happens to a stack.
//
// It knows the moments and the kinds of hook; a program is run by a Runner.
// Every stack has a Set of its own, so that no hook ever runs with another
// stack's region or credentials.
package hook

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/stacks"
)

// Command is a program to run.
type Command struct {
	Args  []string // the program and its arguments, or one command line for Shell
	Shell string   // reads Args[0] as a command line; "" runs Args themselves
	Dir   string   // "" is the caller's own
	Env   []string // KEY=value, complete
}

// Argv is the program to start with its arguments.
func (c Command) Argv() []string {
	if c.Shell == "" {
		return c.Args
	}
	return append([]string{c.Shell, "-c"}, c.Args...)
}

// Runner runs a program to its end and hands over what it prints, line by
// line. A program that fails is an error.
type Runner interface {
	Run(ctx context.Context, c Command, output func(line string)) error
}

// Resolver resolves the resolver calls in a hook's argument.
type Resolver interface {
	Value(ctx context.Context, st *stacks.Stack, v stacks.Value) (stacks.Value, error)
}

// Scaler suspends and resumes processes of the Auto Scaling groups of a stack.
type Scaler interface {
	Scale(ctx context.Context, st *stacks.Stack, process string, suspend bool, output func(line string)) error
}

// Plugins runs hooks that are not built in.
type Plugins interface {
	HasHook(name string) bool
	RunHook(ctx context.Context, st *stacks.Stack, h Hook, arg stacks.Value, output func(line string)) error
}

// Options is what a Set needs.
type Options struct {
	Runner   Runner
	Scaler   Scaler                       // nil: !asg_scaling_processes cannot run
	Plugins  Plugins                      // nil: there are none
	Resolver Resolver                     // nil: arguments hold no calls
	Dir      string                       // where commands run
	Env      []string                     // for every command: the stack's region and credentials among them
	Output   func(hook Hook, line string) // nil drops what hooks print
}

// Set holds the hooks of one stack.
type Set struct {
	stack *stacks.Stack
	opts  Options
}

// New returns the hooks of st.
func New(st *stacks.Stack, opts Options) *Set { return &Set{stack: st, opts: opts} }

// Hook is one hook of a stack.
type Hook struct {
	Stack  stacks.Path
	Moment Moment
	Call   *stacks.Invocation // as written
	Pos    stacks.Pos
}

// Hooks lists the hooks of a moment in the order in which they run.
func (s *Set) Hooks(m Moment) []Hook {
	var out []Hook
	for _, point := range s.stack.Hooks {
		if !slices.Contains(m.names(), point.Name) {
			continue
		}
		for _, v := range point.Hooks {
			if v.Call != nil {
				out = append(out, Hook{Stack: s.stack.Path, Moment: Moment(point.Name), Call: v.Call, Pos: v.Pos})
			}
		}
	}
	return out
}

// Run runs the hooks of a moment one after the other. The first that fails
// ends it with an *Error; one that cannot be run is a *stacks.Problem.
func (s *Set) Run(ctx context.Context, m Moment) error {
	for _, h := range s.Hooks(m) {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		if err := s.run(ctx, h); err != nil {
			return err
		}
	}
	return nil
}

func (s *Set) run(ctx context.Context, h Hook) error {
	if err := h.known(s.opts.Plugins); err != nil {
		return err
	}
	arg := h.Call.Arg
	if s.opts.Resolver != nil {
		var err error
		if arg, err = s.opts.Resolver.Value(ctx, s.stack, arg); err != nil {
			return err
		}
	}
	if after, unknown := arg.HasUnknown(); unknown {
		return h.problem("a value in it is not known yet"+waiting(after), "")
	}
	if why, tip := h.malformed(arg); why != "" {
		return h.problem(why, tip)
	}
	command := h.Call.String() // as written: a resolved secret is not for messages
	if text := h.text(arg); text != "" && !arg.HasSecret() {
		command = text
	}
	if err := s.perform(ctx, h, arg); err != nil {
		if _, ok := err.(*stacks.Problem); ok { //nolint:errorlint // our own, of this hook
			return err
		}
		return &Error{Hook: h, Command: command, Cause: err}
	}
	return nil
}

// perform runs one hook whose argument is in order.
func (s *Set) perform(ctx context.Context, h Hook, arg stacks.Value) error {
	output := func(text string) {
		if s.opts.Output != nil {
			s.opts.Output(h, text)
		}
	}
	switch {
	case h.Call.Name == command:
		if s.opts.Runner == nil {
			return h.problem("hooks are switched off", "")
		}
		line, shell, _ := commandLine(arg)
		return s.opts.Runner.Run(ctx, Command{Args: []string{line}, Shell: shell, Dir: s.opts.Dir, Env: s.opts.Env}, output)
	case scaling(h.Call.Name):
		if s.opts.Scaler == nil {
			return h.problem("scaling cannot be changed here", "")
		}
		process, suspend, _ := scalingOf(arg)
		return s.opts.Scaler.Scale(ctx, s.stack, process, suspend, output)
	default:
		return s.opts.Plugins.RunHook(ctx, s.stack, h, arg, output)
	}
}

// commandLine reads the argument of !cmd: a string, or {run, shell}.
func commandLine(arg stacks.Value) (line, shell, why string) {
	shell = "sh"
	switch arg.Kind {
	case stacks.Text:
		line = arg.Text
	case stacks.Map:
		for _, f := range arg.Fields {
			if f.Value.Kind != stacks.Text || f.Value.Text == "" {
				return "", "", f.Key + " must be a string"
			}
			switch f.Key {
			case "run":
				line = f.Value.Text
			case "shell":
				shell = f.Value.Text
			default:
				return "", "", "it has no key " + f.Key
			}
		}
	default:
		return "", "", "its argument is " + arg.Kind.String()
	}
	if strings.TrimSpace(line) == "" {
		return "", "", "there is no command in it"
	}
	return line, shell, ""
}

func (h Hook) problem(why, tip string) error {
	return &stacks.Problem{
		Pos:  h.Pos,
		What: fmt.Sprintf("hook !%s of %s, %s, cannot run", h.Call.Name, h.Stack, h.Moment),
		Why:  why,
		Tip:  tip,
	}
}

func waiting(after []stacks.Path) string {
	if len(after) == 0 {
		return ""
	}
	names := make([]string, len(after))
	for i, p := range after {
		names[i] = string(p)
	}
	return "; it comes from " + strings.Join(names, ", ")
}

// Error says that a hook failed.
type Error struct {
	Hook    Hook
	Command string
	Cause   error
}

// Error names stack, moment and command.
func (e *Error) Error() string {
	return fmt.Sprintf("%s: hook %s failed: %s: %v", e.Hook.Stack, e.Hook.Moment, e.Command, e.Cause)
}

// Unwrap gives what the runner answered.
func (e *Error) Unwrap() error { return e.Cause }

// Hint says where the hook is written.
func (e *Error) Hint() string { return "the hook stands at " + e.Hook.Pos.String() }
