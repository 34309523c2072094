package awsconf

import (
	"maps"
	"sync"
)

// Counter counts the calls that went out, retries included. The zero value is
// ready; it is safe for concurrent use.
type Counter struct {
	mu        sync.Mutex
	calls     int
	throttled int
	by        map[string]int
}

// Calls is how many calls went out.
func (c *Counter) Calls() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.calls
}

// Throttled is how many of them were answered with "slow down".
func (c *Counter) Throttled() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.throttled
}

// ByOperation is how many calls went out of each operation, by names such as
// "CloudFormation CreateStack".
func (c *Counter) ByOperation() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.by)
}

func (c *Counter) called(operation string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls++
	if c.by == nil {
		c.by = make(map[string]int)
	}
	c.by[operation]++
}

func (c *Counter) wasThrottled() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.throttled++
}
