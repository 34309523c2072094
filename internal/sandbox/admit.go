package sandbox

import (
	"context"
	"math"
	"net/http"
	"strings"
	"time"

	"github.com/deployer-cli/deployer/internal/sandbox/engine"
	"github.com/deployer-cli/deployer/internal/sandbox/store"
)

// verdict is what the faults make of one request.
type verdict struct {
	drop   bool
	delay  time.Duration
	stale  time.Duration
	record bool // a rule may answer stale reads: remember this answer
	paid   map[string]bool
}

// withFaults runs a call between the faults of requests.
func (s *Server) withFaults(ctx context.Context, c *call, run func(admit func(tx store.Tx) error) *answer) *answer {
	v := &verdict{}
	a := run(func(tx store.Tx) error { return s.admit(tx, c, v) })
	if v.record {
		a = s.remember(c, a, v.stale)
	}
	if v.delay > 0 {
		timer := time.NewTimer(v.delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	if v.drop {
		return &answer{dropped: true}
	}
	return a
}

// admit asks every rule of requests. It may be asked twice for one request, when a
// view turns into an update; the verdict is the last one.
func (s *Server) admit(tx engine.Tx, c *call, v *verdict) error {
	rules, err := s.faults(tx)
	if err != nil || len(rules) == 0 {
		return err
	}
	*v = verdict{paid: v.paid}
	for i := range rules {
		f := &rules[i]
		if !f.ofRequests() || !f.matchesRequest(c) {
			continue
		}
		v.record = v.record || f.Stale > 0 && !c.mutates
		if f.Rate > 0 && !s.overRate(f, c, v) {
			continue
		}
		hit, err := s.strikes(tx, f, c.caller.Account, c.region)
		if err != nil {
			return err
		}
		if hit {
			if err := v.add(f, c); err != nil {
				return err
			}
		}
	}
	return nil
}

// add takes one rule's effects in; the error is the refusal.
func (v *verdict) add(f *Fault, c *call) error {
	v.delay += f.Delay
	v.stale = max(v.stale, f.Stale)
	v.drop = v.drop || f.Drop != ""
	switch {
	case f.Throttle || f.Rate > 0:
		return invalid("Throttling", "Rate exceeded")
	case f.Expire:
		return c.expired()
	case f.Status == http.StatusServiceUnavailable:
		return fault(f.Status, "ServiceUnavailable", "Service is unable to handle request.")
	case f.Status != 0:
		return fault(f.Status, "InternalFailure", "An internal error has occurred.")
	case f.Drop == "request":
		return fault(http.StatusInternalServerError, "InternalFailure", "dropped")
	}
	return nil
}

// expired is how each protocol says that credentials have expired.
func (c *call) expired() error {
	switch {
	case c.service == "s3":
		return invalid("ExpiredToken", "The provided token has expired.")
	case c.protocol == protocolJSON || c.protocol == protocolCBOR:
		return invalid("ExpiredTokenException", "The security token included in the request is expired")
	}
	return fault(http.StatusForbidden, "ExpiredToken", "The security token included in the request is expired")
}

func (f *Fault) matchesRequest(c *call) bool {
	phase := "read"
	if c.mutates {
		phase = "write"
	}
	return matches(f.Account, c.caller.Account) && matches(f.Region, c.region) && matches(f.Service, c.service) &&
		matches(f.Action, c.action) && matches(f.Stack, stackName(c.stack)) && (f.Phase == "" || f.Phase == phase)
}

// stackName is the name inside a stack's ARN, or the name itself.
func stackName(nameOrID string) string {
	if _, rest, ok := strings.Cut(nameOrID, ":stack/"); ok {
		nameOrID, _, _ = strings.Cut(rest, "/")
	}
	return nameOrID
}

// bucket is a token bucket in real time, as the clients live in it. It belongs to
// this server: processes that share a store are each limited by themselves.
type bucket struct {
	tokens float64
	at     time.Time
}

// overRate takes a token for the request, once, and tells whether there was none.
func (s *Server) overRate(f *Fault, c *call, v *verdict) bool {
	if over, asked := v.paid[f.ID]; asked {
		return over
	}
	size := float64(f.Burst)
	if size == 0 {
		size = math.Ceil(f.Rate)
	}
	now := s.opts.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	key := strings.Join([]string{f.ID, c.caller.Account, c.region}, "\x00")
	b := s.buckets[key]
	if b == nil {
		b = &bucket{tokens: size, at: now}
		s.buckets[key] = b
	}
	b.tokens = min(size, b.tokens+max(now.Sub(b.at).Seconds(), 0)*f.Rate)
	b.at = now
	over := b.tokens < 1
	if !over {
		b.tokens--
	}
	if v.paid == nil {
		v.paid = map[string]bool{}
	}
	v.paid[f.ID] = over
	return over
}

// pastAnswer is what a read was told at a time.
type pastAnswer struct {
	at time.Time
	a  *answer
}

// Bounds of what is remembered for stale reads.
const (
	pastAnswers = 64
	pastReads   = 1024
)

// remember keeps the answer and gives back the one that was right so long ago; the
// oldest one, while nothing is as old.
func (s *Server) remember(c *call, a *answer, stale time.Duration) *answer {
	key := strings.Join([]string{c.caller.Account, c.region, c.service, c.action, c.form.Encode(), string(c.jsonBody())}, "\x00")
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.history) >= pastReads {
		clear(s.history)
	}
	past := append(s.history[key], pastAnswer{c.at, a})
	if len(past) > pastAnswers {
		past = past[1:]
	}
	s.history[key] = past
	if stale == 0 {
		return a
	}
	chosen := past[0]
	for _, p := range past {
		if !p.at.After(c.at.Add(-stale)) {
			chosen = p
		}
	}
	return chosen.a.clone()
}

func (c *call) jsonBody() []byte {
	if c.protocol == protocolJSON || c.protocol == protocolCBOR {
		return c.body
	}
	return nil
}

// clone is a copy whose header may be changed.
func (a *answer) clone() *answer {
	b := *a
	b.header = a.header.Clone()
	return &b
}
