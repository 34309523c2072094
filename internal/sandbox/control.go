package sandbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/deployer-cli/deployer/internal/sandbox/engine"
	"github.com/deployer-cli/deployer/internal/sandbox/store"
)

// Status is what the sandbox holds at a glance.
type Status struct {
	Time     time.Time       `json:"time"` // simulated
	Speed    string          `json:"speed"`
	NextDue  time.Time       `json:"next_due,omitzero"` // of the next thing to happen
	Accounts []AccountStatus `json:"accounts"`
	Faults   int             `json:"faults"`
	Stubs    int             `json:"stubs"`
	Messages int             `json:"messages"` // published to SNS
}

// AccountStatus is one account and region that has stacks.
type AccountStatus struct {
	Account string         `json:"account"`
	Region  string         `json:"region"`
	Stacks  map[string]int `json:"stacks"` // how many have each status
}

// control runs one deed of the control API like a call, without a caller.
func (s *Server) control(ctx context.Context, mutates bool, fn func(tx store.Tx, at time.Time) error) error {
	c := &call{mutates: mutates, caller: userOf(s.opts.Account), region: s.opts.Region}
	return s.transact(ctx, c, func(tx store.Tx) error { return fn(tx, c.at) })
}

// Time is the simulated time.
func (s *Server) Time(ctx context.Context) (time.Time, error) {
	var out time.Time
	err := s.control(ctx, false, func(_ store.Tx, at time.Time) error { out = at; return nil })
	return out, err
}

// Speed is how fast simulated time passes.
func (s *Server) Speed(ctx context.Context) (Speed, error) {
	var out Speed
	err := s.control(ctx, false, func(tx store.Tx, _ time.Time) error {
		c, _, err := readClock(tx)
		out = c.Speed
		return err
	})
	return out, err
}

// Status tells what there is.
func (s *Server) Status(ctx context.Context) (Status, error) {
	var out Status
	err := s.control(ctx, false, func(tx store.Tx, at time.Time) error {
		c, _, err := readClock(tx)
		if err != nil {
			return err
		}
		out = Status{Time: at, Speed: c.Speed.String()}
		if next, due, err := s.engine.NextDue(tx); err != nil {
			return err
		} else if due {
			out.NextDue = next
		}
		rules, err := s.faults(tx)
		if err != nil {
			return err
		}
		out.Faults = len(rules)
		if out.Accounts, err = s.accounts(tx, at); err != nil {
			return err
		}
		if out.Stubs, err = countKeys(tx, tableStub); err != nil {
			return err
		}
		out.Messages, err = countKeys(tx, tableSent)
		return err
	})
	return out, err
}

func countKeys(tx store.Tx, table string) (n int, err error) {
	err = tx.Scan(table, "", "", func(string, []byte) bool { n++; return true })
	return n, err
}

// accounts counts the stacks of each account and region that ever wrote any.
func (s *Server) accounts(tx store.Tx, at time.Time) ([]AccountStatus, error) {
	places, err := scanJSON[engine.Account](tx, tablePlace, "")
	if err != nil {
		return nil, err
	}
	out := make([]AccountStatus, 0, len(places))
	for _, a := range places {
		counts, err := s.countStacks(tx, at, a)
		if err != nil {
			return nil, err
		}
		out = append(out, AccountStatus{Account: a.AccountID, Region: a.Region, Stacks: counts})
	}
	return out, nil
}

func (s *Server) countStacks(tx store.Tx, at time.Time, a engine.Account) (map[string]int, error) {
	counts := map[string]int{}
	in := &engine.ListStacksInput{}
	for {
		answer, err := s.engine.Call(tx, at, a, "ListStacks", in)
		if err != nil {
			return nil, err
		}
		page, ok := answer.(*engine.ListStacksOutput)
		if !ok {
			return nil, fmt.Errorf("list stacks: the engine answered %T", answer)
		}
		for _, st := range page.StackSummaries {
			counts[st.StackStatus]++
		}
		if page.NextToken == "" {
			return counts, nil
		}
		in = &engine.ListStacksInput{NextToken: page.NextToken}
	}
}

// Reset empties the sandbox: stacks, services, rules, stubs and clock.
func (s *Server) Reset(ctx context.Context) error {
	if err := s.opts.Store.Reset(ctx); err != nil {
		return err
	}
	s.speedSet.Store(false)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen, s.rules = time.Time{}, ruleCache{}
	clear(s.buckets)
	clear(s.history)
	return nil
}

// SetSpeed makes time pass at another speed from now on, for every process.
func (s *Server) SetSpeed(ctx context.Context, speed Speed) error {
	if speed != MaxSpeed && (speed <= 0 || speed > maxNumber) {
		return fmt.Errorf("speed %v: a number above 0 and up to %d, or max, is wanted", float64(speed), maxNumber)
	}
	return s.control(ctx, true, func(tx store.Tx, at time.Time) error {
		c, _, err := readClock(tx)
		if err != nil {
			return err
		}
		c.restart(at, s.opts.Now())
		c.Speed = speed
		return writeClock(tx, c)
	})
}

// Advance moves the clock on by d and lets everything happen that falls due; it
// answers the simulated time.
func (s *Server) Advance(ctx context.Context, d time.Duration) (time.Time, error) {
	if d < 0 {
		return time.Time{}, errors.New("advance: time does not go backwards")
	}
	var out time.Time
	err := s.control(ctx, true, func(tx store.Tx, at time.Time) error {
		c, _, err := readClock(tx)
		if err != nil {
			return err
		}
		c.restart(at.Add(d), s.opts.Now())
		out = c.Seen
		if _, err := s.engine.Advance(tx, c.Seen); err != nil {
			return fmt.Errorf("advance to %s: %w", c.Seen.Format(time.RFC3339), err)
		}
		return writeClock(tx, c)
	})
	if err == nil {
		s.saw(out)
	}
	return out, err
}

// Published lists what was published to SNS, oldest first.
func (s *Server) Published(ctx context.Context) ([]Message, error) {
	var out []Message
	err := s.control(ctx, false, func(tx store.Tx, _ time.Time) (err error) {
		out, err = scanJSON[Message](tx, tableSent, "")
		return err
	})
	return out, err
}
