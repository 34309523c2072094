package cli

import (
	"context"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/deployer-cli/deployer/internal/hook"
	"github.com/deployer-cli/deployer/internal/program"
	"github.com/deployer-cli/deployer/stacks"
)

// runner is the one way in which programs are run for the user: hooks, !rcmd,
// templates in Python, SAM and plugins. It decides what they may reach.
//
// A program gets the region and the credentials of its own stack, and no
// others; none at all before the account was checked. In the sandbox AWS is a
// port of the sandbox's, and nothing on this machine leads to an account.
type runner struct {
	s *session

	mu   sync.Mutex
	port string // where the sandbox listens, once somebody needed it
	err  error
}

// Run implements hook.Runner.
func (r *runner) Run(ctx context.Context, c hook.Command, output func(line string)) error {
	return program.Run(ctx, program.Program{Args: r.found(c.Argv()), Dir: c.Dir, Env: c.Env}, output)
}

// Output implements resolve.Commands: line is run by $SHELL, as Sceptre does.
func (r *runner) Output(ctx context.Context, a stacks.Access, line string) (string, error) {
	shell := r.s.app.env.Environ["SHELL"]
	if shell == "" {
		shell = "/bin/sh"
	}
	out, err := r.Answer(ctx, a, []string{shell, "-c", line}, nil)
	return string(out), err
}

// Answer runs a program for what it prints, where the user is, with a's
// identity.
func (r *runner) Answer(ctx context.Context, a stacks.Access, args []string, stdin []byte) ([]byte, error) {
	p, err := r.program(ctx, a, args, stdin)
	if err != nil {
		return nil, err
	}
	return program.Output(ctx, p)
}

// Say runs a program and passes on what it prints.
func (r *runner) Say(ctx context.Context, a stacks.Access, args []string, stdin []byte, line func(string)) error {
	p, err := r.program(ctx, a, args, stdin)
	if err != nil {
		return err
	}
	return program.Run(ctx, p, line)
}

func (r *runner) program(ctx context.Context, a stacks.Access, args []string, stdin []byte) (program.Program, error) {
	env, err := r.environ(ctx, a)
	return program.Program{Args: r.found(args), Dir: r.s.app.env.Dir, Env: env, Stdin: stdin}, err
}

// found gives a program by where it is on the user's path, which need not be
// this process's.
func (r *runner) found(args []string) []string {
	if strings.ContainsRune(args[0], os.PathSeparator) {
		return args
	}
	for _, dir := range filepath.SplitList(r.s.app.env.Environ["PATH"]) {
		if path, err := exec.LookPath(filepath.Join(dir, args[0])); err == nil && filepath.IsAbs(dir) {
			return append([]string{path}, args[1:]...)
		}
	}
	return append([]string{filepath.Join(string(os.PathSeparator), "nowhere", args[0])}, args[1:]...)
}

// environ is the environment of a program that works for a stack reached by a.
func (r *runner) environ(ctx context.Context, a stacks.Access) ([]string, error) {
	env := r.base()
	maps.Copy(env, map[string]string{"AWS_REGION": a.Region, "AWS_DEFAULT_REGION": a.Region})
	switch {
	case r.s.app.globals.sandbox:
		if err := r.fence(ctx, env); err != nil {
			return nil, err
		}
	case !r.s.vetted:
		nowhere(env)
	}
	if r.s.cloud != nil && (r.s.vetted || r.s.app.globals.sandbox) {
		keys, err := r.s.cloud.Environ(ctx, a)
		if err != nil {
			return nil, err
		}
		maps.Copy(env, keys)
	}
	out := make([]string, 0, len(env))
	for _, k := range slices.Sorted(maps.Keys(env)) {
		out = append(out, k+"="+env[k])
	}
	return out, nil
}

// base is the user's environment without what says who they are in AWS; in the
// sandbox without anything that is meant for AWS's clients.
func (r *runner) base() map[string]string {
	env := maps.Clone(r.s.app.env.Environ)
	for name := range env {
		if strings.HasPrefix(name, "AWS_") && (r.s.app.globals.sandbox || identifies(name)) {
			delete(env, name)
		}
	}
	return env
}

func identifies(name string) bool {
	switch name {
	case "AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
		"AWS_SECURITY_TOKEN", "AWS_CREDENTIAL_EXPIRATION", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME",
		"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN":
		return true
	}
	return false
}

// nowhere leaves no way to credentials.
func nowhere(env map[string]string) {
	env["AWS_CONFIG_FILE"], env["AWS_SHARED_CREDENTIALS_FILE"] = os.DevNull, os.DevNull
	env["AWS_EC2_METADATA_DISABLED"] = "true"
}

// fence makes the sandbox all the AWS there is.
func (r *runner) fence(ctx context.Context, env map[string]string) error {
	nowhere(env)
	env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"] = "sandbox", "sandbox"
	env["AWS_ENDPOINT_URL"] = "http://127.0.0.1:9" // nobody listens there
	env["AWS_PAGER"] = ""
	for _, name := range []string{"NO_PROXY", "no_proxy"} {
		env[name] = strings.TrimPrefix(env[name]+",127.0.0.1", ",")
	}
	if r.s.server == nil {
		return nil
	}
	port, err := r.listen(ctx)
	env["AWS_ENDPOINT_URL"] = "http://" + port
	return err
}

// listen opens the sandbox's port for programs, once, until the session ends.
func (r *runner) listen(ctx context.Context) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.port != "" || r.err != nil {
		return r.port, r.err
	}
	lasting, stop := context.WithCancel(context.WithoutCancel(ctx))
	l, err := r.s.server.Listen(lasting, "127.0.0.1:0")
	if err != nil {
		stop()
		r.err = err
		return "", err
	}
	done := make(chan error, 1)
	go func() { done <- r.s.server.ServeListener(lasting, l) }()
	r.s.closers = append(r.s.closers, func() error { stop(); return <-done })
	r.port = l.Addr().String()
	return r.port, nil
}
