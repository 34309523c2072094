package sandbox

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/deployer-cli/deployer/internal/sandbox/engine"
	"github.com/deployer-cli/deployer/internal/sandbox/store"
)

// Fault is a rule: what it matches, how often it strikes, and what it does then.
// It does either something to resources (Fail, Slow, Hold) or something to
// requests (the others). Patterns know * and ?; an empty one matches all.
type Fault struct {
	ID string `json:"id"`

	Account string `json:"account,omitempty"`
	Region  string `json:"region,omitempty"`
	Stack   string `json:"stack,omitempty"`    // name of the stack
	Logical string `json:"resource,omitempty"` // logical id
	Type    string `json:"type,omitempty"`     // such as AWS::RDS::*
	Phase   string `json:"phase,omitempty"`    // create, update, delete, rollback, import; of requests: read, write
	Service string `json:"service,omitempty"`  // such as cloudformation
	Action  string `json:"action,omitempty"`   // such as Describe*

	Count       int     `json:"count,omitempty"`       // strikes so often at most; 0 is always
	Probability float64 `json:"probability,omitempty"` // of each strike; 0 is certain

	Fail    bool          `json:"fail,omitempty"`
	Message string        `json:"message,omitempty"` // of Fail
	Code    string        `json:"code,omitempty"`    // handler error code of Fail, such as AlreadyExists
	Slow    float64       `json:"slow,omitempty"`    // factor on the resource's duration
	Hold    time.Duration `json:"hold,omitempty"`    // added to the resource's duration

	Throttle bool          `json:"throttle,omitempty"`
	Rate     float64       `json:"rate,omitempty"`   // throttle above so many requests per real second
	Burst    int           `json:"burst,omitempty"`  // requests that may come at once; the rate rounded up
	Drop     string        `json:"drop,omitempty"`   // "request": never arrives; "answer": done, and not told
	Status   int           `json:"status,omitempty"` // 500 to 599
	Expire   bool          `json:"expire,omitempty"` // the credentials have expired
	Delay    time.Duration `json:"delay,omitempty"`  // real time before the answer
	Stale    time.Duration `json:"stale,omitempty"`  // reads tell what was so much simulated time ago

	Fired int `json:"-"` // how often it has struck, in answers of ListFaults
}

func (f *Fault) ofResources() bool { return f.Fail || f.Slow != 0 || f.Hold != 0 }

func (f *Fault) ofRequests() bool {
	return f.Throttle || f.Expire || f.Rate != 0 || f.Drop != "" || f.Status != 0 || f.Delay != 0 || f.Stale != 0
}

// Check says what is wrong with a rule.
func (f *Fault) Check() error {
	for _, pattern := range []string{f.Stack, f.Logical, f.Type, f.Service, f.Action, f.Account, f.Region} {
		if _, err := path.Match(pattern, ""); err != nil {
			return fmt.Errorf("fault: pattern %q: %w", pattern, err)
		}
	}
	switch {
	case f.ofResources() && f.ofRequests():
		return errors.New("fault: a rule does something to resources or to requests, not both: write two rules")
	case !f.ofResources() && !f.ofRequests():
		return errors.New("fault: the rule does nothing: give it one of fail, slow, hold, throttle, rate, expire, drop, status, delay, stale")
	case f.Fail && (f.Slow != 0 || f.Hold != 0):
		return errors.New("fault: a rule fails a resource or slows it, not both: write two rules")
	case !f.Fail && (f.Message != "" || f.Code != ""):
		return errors.New("fault: message and code belong to fail")
	case f.ofResources() && (f.Service != "" || f.Action != ""):
		return errors.New("fault: service and action belong to rules of requests")
	case f.ofRequests() && (f.Logical != "" || f.Type != ""):
		return errors.New("fault: resource and type belong to rules of resources")
	case f.Probability < 0 || f.Probability > 1:
		return fmt.Errorf("fault: probability %v is not between 0 and 1", f.Probability)
	case min(f.Slow, f.Rate, float64(f.Count), float64(f.Burst), float64(f.Hold), float64(f.Delay), float64(f.Stale)) < 0:
		return errors.New("fault: numbers and durations cannot be negative")
	case f.Status != 0 && (f.Status < 500 || f.Status > 599):
		return fmt.Errorf("fault: status %d is not between 500 and 599", f.Status)
	case f.Drop != "" && f.Drop != "request" && f.Drop != "answer":
		return fmt.Errorf("fault: drop %q is neither request nor answer", f.Drop)
	}
	return f.checkPhase()
}

func (f *Fault) checkPhase() error {
	phases := []string{"", "create", "update", "delete", "rollback", "import"}
	if f.ofRequests() {
		phases = []string{"", "read", "write"}
	}
	if !slices.Contains(phases, f.Phase) {
		return fmt.Errorf("fault: phase %q is none of %s", f.Phase, strings.Join(phases[1:], ", "))
	}
	return nil
}

// ruleCache spares reading the same rules again on every call.
type ruleCache struct {
	raw   []byte
	rules []Fault
}

// faults reads the rules. The slice is shared and not to be changed.
func (s *Server) faults(tx engine.Tx) ([]Fault, error) {
	raw, found, err := tx.Get(tableFault, "")
	if err != nil || !found {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if bytes.Equal(raw, s.rules.raw) {
		return s.rules.rules, nil
	}
	var rules []Fault
	if err := json.Unmarshal(raw, &rules); err != nil {
		return nil, fmt.Errorf("read the fault rules: %w", err)
	}
	s.rules = ruleCache{raw, rules}
	return rules, nil
}

func matches(pattern, text string) bool {
	ok, err := path.Match(pattern, text)
	return pattern == "" || err == nil && ok
}

// strikes draws whether a matching rule strikes and counts it. Each subject has
// draws of its own, so that chance does not depend on the order of others.
func (s *Server) strikes(tx engine.Tx, f *Fault, subject ...string) (bool, error) {
	if f.Probability > 0 && f.Probability < 1 {
		key := strings.Join(append([]string{f.ID}, subject...), "\x00")
		draw, err := s.count(tx, key)
		if err != nil {
			return false, err
		}
		sum := s.chance("fault", key, strconv.Itoa(draw))
		if float64(binary.BigEndian.Uint64(sum[:]))/(1<<64) >= f.Probability {
			return false, nil
		}
	}
	if f.Count == 0 {
		return true, nil
	}
	n := 0
	if _, err := getJSON(tx, tableFired, f.ID, &n); err != nil || n >= f.Count {
		return false, err
	}
	_, err := s.count(tx, f.ID)
	return err == nil, err
}

func (s *Server) count(tx engine.Tx, key string) (int, error) {
	n := 0
	if _, err := getJSON(tx, tableFired, key, &n); err != nil {
		return 0, err
	}
	n++
	return n, putJSON(tx, tableFired, key, n)
}

// chance is a hash of the seed and the words.
func (s *Server) chance(words ...string) [sha256.Size]byte {
	var seed [8]byte
	binary.BigEndian.PutUint64(seed[:], s.opts.Seed)
	return sha256.Sum256([]byte(string(seed[:]) + strings.Join(words, "\x00")))
}

// resourceFault answers the engine's question. What slows strikes at the start of
// a step and what fails at its end.
func (s *Server) resourceFault(tx engine.Tx, q engine.FaultQuery) (engine.FaultAnswer, error) {
	var out engine.FaultAnswer
	rules, err := s.faults(tx)
	if err != nil {
		return out, err
	}
	for i := range rules {
		f := &rules[i]
		if !f.ofResources() || f.Fail != (q.Step == "end") || !f.matchesResource(q) {
			continue
		}
		hit, err := s.strikes(tx, f, q.StackID, q.LogicalID, q.Phase)
		switch {
		case err != nil:
			return out, err
		case hit && f.Fail:
			return engine.FaultAnswer{Fail: true, Message: f.Message, HandlerCode: f.Code}, nil
		case hit:
			out.Slow, out.Delay = slower(out.Slow, f.Slow), out.Delay+f.Hold
		}
	}
	return out, nil
}

// slower multiplies factors of which 0 means none.
func slower(a, b float64) float64 {
	switch {
	case a == 0:
		return b
	case b == 0:
		return a
	}
	return a * b
}

func (f *Fault) matchesResource(q engine.FaultQuery) bool {
	return matches(f.Account, q.Account.AccountID) && matches(f.Region, q.Account.Region) && matches(f.Stack, q.Stack) &&
		matches(f.Logical, q.LogicalID) && matches(f.Type, q.Type) && (f.Phase == "" || f.Phase == q.Phase)
}

// AddFault stores a rule and gives it an id if it has none.
func (s *Server) AddFault(ctx context.Context, f Fault) (Fault, error) {
	if err := f.Check(); err != nil {
		return f, err
	}
	err := s.opts.Store.Update(ctx, func(tx store.Tx) error {
		rules, err := s.faults(tx)
		if err != nil {
			return err
		}
		if f.ID == "" {
			n, err := nextNumber(tx, tableFault)
			if err != nil {
				return err
			}
			f.ID = fmt.Sprintf("fault-%d", n)
		}
		if slices.ContainsFunc(rules, func(r Fault) bool { return r.ID == f.ID }) {
			return fmt.Errorf("fault: there is a rule %q already", f.ID)
		}
		return putJSON(tx, tableFault, "", append(slices.Clone(rules), f))
	})
	return f, err
}

// ListFaults answers the rules in the order they were added.
func (s *Server) ListFaults(ctx context.Context) ([]Fault, error) {
	var out []Fault
	err := s.opts.Store.View(ctx, func(tx store.Tx) error {
		rules, err := s.faults(tx)
		if err != nil {
			return err
		}
		out = slices.Clone(rules)
		for i := range out {
			if _, err := getJSON(tx, tableFired, out[i].ID, &out[i].Fired); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

// ClearFaults removes the rules with these ids, or all of them when there are
// none. An id that does not exist is an error and nothing is removed.
func (s *Server) ClearFaults(ctx context.Context, ids ...string) error {
	return s.opts.Store.Update(ctx, func(tx store.Tx) error {
		rules, err := s.faults(tx)
		if err != nil {
			return err
		}
		for _, id := range ids {
			if !slices.ContainsFunc(rules, func(f Fault) bool { return f.ID == id }) {
				return fmt.Errorf("fault: there is no rule %q", id)
			}
		}
		var keep []Fault
		for _, f := range rules {
			if len(ids) > 0 && !slices.Contains(ids, f.ID) {
				keep = append(keep, f)
				continue
			}
			if err := forget(tx, f.ID); err != nil {
				return err
			}
		}
		return putJSON(tx, tableFault, "", keep)
	})
}

// forget removes what was counted for a rule.
func forget(tx store.Tx, id string) error {
	if err := tx.Delete(tableFired, id); err != nil {
		return err
	}
	var failed error
	err := tx.Scan(tableFired, id+"\x00", "", func(key string, _ []byte) bool {
		failed = tx.Delete(tableFired, key)
		return failed == nil
	})
	return errors.Join(err, failed)
}
