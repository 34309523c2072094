// Package plugin runs resolvers, hooks and template handlers that are programs
// of the user's: deployer-resolver-NAME, deployer-hook-NAME and
// deployer-template-NAME, in the project's plugins/ or on the path.
//
// It never loads foreign code into the process. A plugin reads one JSON document
// on its standard input and, unless it is a hook, writes one to its standard
// output; docs/plugins.md has the details.
package plugin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/deployer-cli/deployer/internal/hook"
	"github.com/deployer-cli/deployer/stacks"
	"github.com/deployer-cli/deployer/templates"
)

// Runner runs programs with the identity of a stack.
type Runner interface {
	Answer(ctx context.Context, a stacks.Access, args []string, stdin []byte) ([]byte, error)
	Say(ctx context.Context, a stacks.Access, args []string, stdin []byte, line func(string)) error
}

// Plugins finds and runs plugins. It is safe for concurrent use.
type Plugins struct {
	runner  Runner
	project string
	look    func(program string) (path string, ok bool)
	ready   func() bool // whether AWS may be asked

	mu     sync.Mutex
	found  map[string]string
	values map[string]*value
}

// value is one answer of a resolver.
type value struct {
	once sync.Once
	v    stacks.Value
	err  error
}

// New returns the plugins of the project in that folder. look finds a program.
// ready tells whether the account has been looked at; until then templates made
// by plugins are known later.
func New(r Runner, project string, look func(program string) (path string, ok bool), ready func() bool) *Plugins {
	return &Plugins{runner: r, project: project, look: look, ready: ready, found: map[string]string{}, values: map[string]*value{}}
}

// find gives the program of a plugin, "" where there is none.
func (p *Plugins) find(kind, name string) string {
	if !plain(name) {
		return ""
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	program := "deployer-" + kind + "-" + name
	path, asked := p.found[program]
	if !asked {
		if found, ok := p.look(program); ok {
			path = found
		}
		p.found[program] = path
	}
	return path
}

// plain tells whether a name can be part of a program's.
func plain(name string) bool {
	for _, r := range name {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' && r != '-' {
			return false
		}
	}
	return name != ""
}

// HasResolver implements resolve.Plugins.
func (p *Plugins) HasResolver(name string) bool { return p.find("resolver", name) != "" }

// HasHook implements hook.Plugins.
func (p *Plugins) HasHook(name string) bool { return p.find("hook", name) != "" }

// Resolve implements resolve.Plugins. Equal calls of a stack are made once.
func (p *Plugins) Resolve(ctx context.Context, st *stacks.Stack, name string, arg stacks.Value) (stacks.Value, error) {
	request := p.request("resolver", name, st, arg, nil)
	p.mu.Lock()
	v, ok := p.values[string(request)]
	if !ok {
		v = &value{}
		p.values[string(request)] = v
	}
	p.mu.Unlock()
	v.once.Do(func() { v.v, v.err = p.ask(ctx, st, "resolver", name, request) })
	if v.err != nil {
		p.mu.Lock()
		delete(p.values, string(request)) // the next one to ask tries again
		p.mu.Unlock()
	}
	return v.v, v.err
}

// RunHook implements hook.Plugins.
func (p *Plugins) RunHook(ctx context.Context, st *stacks.Stack, h hook.Hook, arg stacks.Value, output func(string)) error {
	moment, _ := json.Marshal(h.Moment) // a string always can be
	request := p.request("hook", h.Call.Name, st, arg, map[string][]byte{"moment": moment})
	return p.runner.Say(ctx, access(st), []string{p.find("hook", h.Call.Name)}, request, output)
}

// Handler gives the handler of templates of a kind.
func (p *Plugins) Handler(kind string) (templates.Handler, bool) {
	if p.find("template", kind) == "" {
		return nil, false
	}
	return func(ctx context.Context, st *stacks.Stack, userData stacks.Value) (templates.Body, error) {
		if !p.ready() {
			return templates.Body{}, &templates.LaterError{Why: "a plugin makes the template"}
		}
		request := p.request("template", kind, st, st.Template.Args, map[string][]byte{"user_data": templates.JSON(userData)})
		after, late := userData.HasUnknown()
		v, err := p.ask(ctx, st, "template", kind, request)
		switch {
		case err != nil && late && ctx.Err() == nil:
			return templates.Body{}, &templates.LaterError{Why: err.Error()}
		case err != nil:
			return templates.Body{}, &stacks.Problem{Pos: st.Template.Pos, What: "template of type " + kind + " of " + string(st.Path), Why: err.Error()}
		}
		text := []byte(v.Text)
		if v.Kind != stacks.Text {
			text = templates.JSON(v)
		}
		return templates.Body{Text: text, File: "deployer-template-" + kind, Late: late, After: after}, nil
	}, true
}

func access(st *stacks.Stack) stacks.Access {
	if st == nil {
		return stacks.Access{}
	}
	return st.Access
}

// request writes what a plugin reads.
func (p *Plugins) request(kind, name string, st *stacks.Stack, arg stacks.Value, more map[string][]byte) []byte {
	if st == nil {
		st = &stacks.Stack{}
	}
	fields := []stacks.Field{
		{Key: "kind", Value: stacks.String(kind)},
		{Key: "name", Value: stacks.String(name)},
		{Key: "argument", Value: arg},
		{Key: "stack", Value: stacks.String(string(st.Path))},
		{Key: "stack_name", Value: stacks.String(st.Name)},
		{Key: "region", Value: stacks.String(st.Access.Region)},
		{Key: "profile", Value: stacks.String(st.Access.Profile)},
		{Key: "role", Value: stacks.String(st.Access.Role)},
		{Key: "project", Value: stacks.String(p.project)},
		{Key: "project_code", Value: stacks.String(st.ProjectCode)},
	}
	out := templates.JSON(stacks.Value{Kind: stacks.Map, Fields: fields})
	for key, value := range more {
		out = append(out[:len(out)-1], `,"`+key+`":`...)
		out = append(append(out, value...), '}')
	}
	return append(out, '\n')
}

// ask runs a plugin and reads its answer.
func (p *Plugins) ask(ctx context.Context, st *stacks.Stack, kind, name string, request []byte) (stacks.Value, error) {
	program := p.find(kind, name)
	out, err := p.runner.Answer(ctx, access(st), []string{program}, request)
	if err != nil {
		return stacks.Value{}, fmt.Errorf("%s: %w", program, err)
	}
	var a struct {
		Value  json.RawMessage `json:"value"`
		Secret bool            `json:"secret"`
		Error  string          `json:"error"`
	}
	if err := json.Unmarshal(out, &a); err != nil {
		return stacks.Value{}, fmt.Errorf(`%s: its answer is no JSON such as {"value": "x"}: %w`, program, err)
	}
	if a.Error != "" {
		return stacks.Value{}, errors.New(a.Error)
	}
	if a.Value == nil {
		return stacks.Value{}, nil
	}
	dec := json.NewDecoder(bytes.NewReader(a.Value))
	dec.UseNumber()
	v, err := read(dec)
	v.Secret = a.Secret
	return v, err
}
