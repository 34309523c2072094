package plan

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deployer-cli/deployer/stacks"
)

// cloud answers reads from a map and counts them.
type cloud struct {
	mu      sync.Mutex
	live    map[stacks.Access]map[string]*stacks.Live
	fail    map[string]error
	calls   []string
	running int
	most    int
	kept    map[string][]byte
}

func (c *cloud) call(what string) error {
	c.mu.Lock()
	c.calls = append(c.calls, what)
	c.running++
	c.most = max(c.most, c.running)
	c.mu.Unlock()
	timer := time.NewTimer(time.Second)
	<-timer.C
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running--
	return c.fail[what]
}

func (c *cloud) Find(_ context.Context, names map[string]stacks.Access) (map[string]*stacks.Live, error) {
	out := map[string]*stacks.Live{}
	region := ""
	for name, a := range names {
		region = a.Region
		if live := c.live[a][name]; live != nil {
			out[name] = live
		}
	}
	return out, c.call("sweep " + region)
}

func (c *cloud) Template(_ context.Context, _ stacks.Access, id string) ([]byte, error) {
	return []byte("body of " + id), c.call("template " + id)
}

func (c *cloud) Policy(_ context.Context, _ stacks.Access, id string) ([]byte, error) {
	return []byte("{}"), c.call("policy " + id)
}

func (c *cloud) Resources(_ context.Context, _ stacks.Access, id string) ([]stacks.Resource, error) {
	return nil, c.call("resources " + id)
}

func (c *cloud) Proposals(_ context.Context, _ stacks.Access, id string) ([]string, error) {
	return []string{"theirs"}, c.call("proposals " + id)
}

func (c *cloud) Importers(_ context.Context, _ stacks.Access, export string) ([]string, error) {
	return []string{"b", "a"}, c.call("importers " + export)
}

func (c *cloud) cached(id string, changed time.Time) string { return id + changed.String() }

func (c *cloud) Keep(id string, changed time.Time, body []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kept[c.cached(id, changed)] = body
}

// templates is a cache over what the cloud keeps.
type cache struct{ *cloud }

func (c cache) Template(id string, changed time.Time) ([]byte, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	body, ok := c.kept[c.cached(id, changed)]
	return body, ok
}

func fixture() (*cloud, []*stacks.Stack) {
	eu, us := stacks.Access{Region: "eu-west-1"}, stacks.Access{Region: "us-east-1"}
	c := &cloud{live: map[stacks.Access]map[string]*stacks.Live{eu: {}, us: {}}, fail: map[string]error{}, kept: map[string][]byte{}}
	var sts []*stacks.Stack
	add := func(name string, a stacks.Access, status stacks.Status) *stacks.Stack {
		st := &stacks.Stack{Path: stacks.Path(name), Name: name, Access: a}
		if status != stacks.Pending {
			c.live[a][name] = &stacks.Live{ID: "id-" + name, Name: name, Status: status, Created: time.Unix(1, 0)}
		}
		sts = append(sts, st)
		return st
	}
	add("up", eu, stacks.UpdateComplete)
	add("policed", eu, stacks.CreateComplete).StackPolicy = stacks.Value{Kind: stacks.Text, Text: "p.json"}
	add("new", eu, stacks.Pending)
	add("busy", us, stacks.UpdateInProgress)
	add("shell", us, stacks.ReviewInProgress)
	add("failed", us, stacks.RollbackComplete)
	add("ignored", us, stacks.CreateComplete).Ignore = true
	return c, sts
}

func TestObserve(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, sts := fixture()
		src := Sources{Finder: c, Reader: c, Relations: c, Cache: cache{c}, Parallel: 2}
		snap, err := Observe(t.Context(), src, sts)
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(c.calls)
		want := "policy id-policed, proposals id-shell, resources id-failed, sweep eu-west-1, sweep us-east-1, template id-policed, template id-up"
		if got := strings.Join(c.calls, ", "); got != want {
			t.Errorf("read %s\nwant %s", got, want)
		}
		if c.most > 4 {
			t.Errorf("%d reads at once of two accesses", c.most)
		}
		if o, ok := snap.Get("new"); !ok || o.Live != nil {
			t.Errorf("new: %+v, %v", o, ok)
		}
		if o, _ := snap.Get("failed"); o.Resources == nil {
			t.Error("resources that were read count as not read")
		}
		if o, _ := snap.Get("up"); string(o.Template) != "body of id-up" {
			t.Errorf("template is %q", o.Template)
		}
		c.calls = nil
		if _, err := Observe(t.Context(), src, sts[:1]); err != nil || strings.Join(c.calls, ", ") != "sweep eu-west-1" {
			t.Errorf("with a warm cache it reads %v, %v", c.calls, err)
		}
		c.live[sts[0].Access]["up"].Updated = time.Unix(2, 0)
		if _, err := Observe(t.Context(), src, sts[:1]); err != nil || len(c.calls) != 3 {
			t.Errorf("after a change it reads %v, %v", c.calls, err)
		}
	})
}

func TestObserveFails(t *testing.T) {
	t.Parallel()
	for _, call := range []string{"sweep us-east-1", "template id-up", "policy id-policed", "proposals id-shell", "resources id-failed"} {
		synctest.Test(t, func(t *testing.T) {
			c, sts := fixture()
			denied := errors.New("denied")
			c.fail[call] = fmt.Errorf("read: %w", denied)
			snap, err := Observe(t.Context(), Sources{Finder: c, Reader: c, Relations: c}, sts)
			if !errors.Is(err, denied) || snap != nil {
				t.Errorf("%s: got %v", call, err)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		c, sts := fixture()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := Observe(ctx, Sources{Finder: c, Reader: c, Relations: c}, sts); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
	})
}

func TestObserveImports(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, sts := fixture()
		c.fail["importers y"] = errors.New("denied")
		src := Sources{Finder: c, Reader: c, Relations: c}
		snap, err := Observe(t.Context(), src, sts[:1])
		if err != nil {
			t.Fatal(err)
		}
		if err := ObserveImports(t.Context(), src, snap, sts[0], []string{"x", "y"}); err != nil {
			t.Fatal(err)
		}
		o, _ := snap.Get("up")
		if got := strings.Join(o.Imported["x"], ","); got != "a,b" || o.ImportsUnknown == nil || o.Live == nil {
			t.Errorf("got %+v", o)
		}
		if _, looked := o.Imported["y"]; looked {
			t.Error("a lookup that failed counts as an answer")
		}
	})
}
