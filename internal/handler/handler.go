// Package handler makes templates that have to be fetched or run for: from S3,
// from an address, by SAM, in Python.
//
// It never does equal work twice in a run, nor asks an account that has not been
// looked at: what needs one says "later" until then.
package handler

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/deployer-cli/deployer/internal/web"
	"github.com/deployer-cli/deployer/stacks"
	"github.com/deployer-cli/deployer/templates"
)

// Runner runs a program for what it prints, with the identity of a stack.
type Runner interface {
	Answer(ctx context.Context, a stacks.Access, args []string, stdin []byte) ([]byte, error)
}

// Objects reads objects of buckets.
type Objects interface {
	Fetch(ctx context.Context, a stacks.Access, bucket, key string) ([]byte, error)
}

// Web fetches what stands at an address.
type Web interface {
	Get(ctx context.Context, r web.Request) ([]byte, error)
}

// Ports is what the handlers work with.
type Ports struct {
	Runner  Runner
	Objects func() (Objects, bool) // false: AWS may not be asked yet
	Web     Web
	Project string // the project's folder, absolute
	Dir     string // where the user is, absolute
}

// Handlers makes templates. It is safe for concurrent use.
type Handlers struct {
	ports Ports
	texts cache[string, []byte]
}

// New returns handlers over ports.
func New(p Ports) *Handlers { return &Handlers{ports: p} }

// Types are the handlers that fetch a text, by type of template.
func (h *Handlers) Types() map[string]templates.Fetch {
	return map[string]templates.Fetch{"s3": h.s3, "http": h.http}
}

// Formats are the ways of rendering by file ending.
func (h *Handlers) Formats() map[string]templates.Format {
	return map[string]templates.Format{".py": h.python}
}

// s3 fetches bucket/key.
func (h *Handlers) s3(ctx context.Context, st *stacks.Stack) (templates.Raw, error) {
	bucket, key, ok := strings.Cut(strings.TrimPrefix(st.Template.Path, "s3://"), "/")
	if !ok || bucket == "" || key == "" {
		return templates.Raw{}, problem(st, st.Template.Path, "it is no object in a bucket", "write path: bucket/key.yaml")
	}
	objects, ok := h.ports.Objects()
	if !ok {
		return templates.Raw{}, &templates.LaterError{Why: "the template is in S3"}
	}
	where := "s3://" + bucket + "/" + key
	text, err := h.texts.get(ctx, access(st.Access)+where, func() ([]byte, error) {
		return objects.Fetch(ctx, st.Access, bucket, key)
	})
	if err != nil {
		return templates.Raw{}, failed(ctx, st, where, err)
	}
	return templates.Raw{Name: key, File: where, Text: text}, nil
}

// http fetches an address, as the group's http_template_handler says.
func (h *Handlers) http(ctx context.Context, st *stacks.Stack) (templates.Raw, error) {
	address, _ := st.Template.Args.Get("url")
	if address.Kind != stacks.Text || address.Text == "" {
		return templates.Raw{}, problem(st, "of type http", "it has no url", "write template: {type: http, url: https://…}")
	}
	r := web.Request{URL: address.Text, Retries: web.DefaultRetries}
	settings, _ := st.Group.Get("http_template_handler")
	if n, ok := number(settings, "retries"); ok {
		r.Retries = n
	}
	if n, ok := number(settings, "timeout"); ok {
		r.Timeout = time.Duration(n) * time.Second
	}
	text, err := h.texts.get(ctx, address.Text, func() ([]byte, error) { return h.ports.Web.Get(ctx, r) })
	if err != nil {
		return templates.Raw{}, failed(ctx, st, "of type http", err)
	}
	name, _, _ := strings.Cut(address.Text, "?")
	name, _, _ = strings.Cut(name, "#")
	return templates.Raw{Name: named(name), File: stacks.ShownAddress(address.Text), Text: text}, nil
}

// named gives a name whose ending says what the text is; an address that ends
// in none holds a template as it is.
func named(address string) string {
	for _, end := range []string{".j2", ".py", ".json", ".yaml", ".yml", ".template"} {
		if strings.HasSuffix(strings.ToLower(address), end) {
			return address
		}
	}
	return address + ".template"
}

func number(settings stacks.Value, key string) (int, bool) {
	v, ok := settings.Get(key)
	n, isInt := v.Plain().(int64)
	return int(n), ok && isInt && n >= 0
}

func access(a stacks.Access) string { return a.Profile + "\x00" + a.Region + "\x00" + a.Role + "\x00" }

// failed puts an error of a port at the template key.
func failed(ctx context.Context, st *stacks.Stack, what string, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if _, ok := err.(*stacks.Problem); ok { //nolint:errorlint // it has its place already
		return err
	}
	p := problem(st, what, err.Error(), "")
	if hinted, ok := err.(interface{ Hint() string }); ok {
		p.Tip = hinted.Hint()
	}
	return p
}

func problem(st *stacks.Stack, what, why, tip string) *stacks.Problem {
	return &stacks.Problem{Pos: st.Template.Pos, What: "template " + what + " of " + string(st.Path), Why: why, Tip: tip}
}

// cache keeps what was made; who comes meanwhile waits. Errors are not kept.
type cache[K comparable, V any] struct {
	mu      sync.Mutex
	entries map[K]*entry[V]
}

type entry[V any] struct {
	done  chan struct{}
	value V
	err   error
}

func (c *cache[K, V]) get(ctx context.Context, key K, do func() (V, error)) (V, error) {
	c.mu.Lock()
	e, there := c.entries[key]
	if !there {
		if c.entries == nil {
			c.entries = map[K]*entry[V]{}
		}
		e = &entry[V]{done: make(chan struct{})}
		c.entries[key] = e
	}
	c.mu.Unlock()
	if !there {
		e.value, e.err = do()
		if e.err != nil {
			c.mu.Lock()
			delete(c.entries, key)
			c.mu.Unlock()
		}
		close(e.done)
		return e.value, e.err
	}
	select {
	case <-e.done:
		return e.value, e.err
	case <-ctx.Done():
		return e.value, context.Cause(ctx)
	}
}
