package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/deployer-cli/deployer/internal/sandbox/engine"
	"github.com/deployer-cli/deployer/internal/sandbox/store"
)

// Speed is how many simulated seconds pass in a real one.
type Speed float64

// Speeds with a meaning.
const (
	KeepSpeed    Speed = 0  // leave what the store has
	DefaultSpeed Speed = 60 // of a new store
	MaxSpeed     Speed = -1 // each read of CloudFormation jumps to the next due event
)

// maxNumber keeps a slip of the finger from leaving the calendar.
const maxNumber = 1_000_000

// ParseSpeed reads "max" or a number.
func ParseSpeed(text string) (Speed, error) {
	if text == "max" {
		return MaxSpeed, nil
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(f) || f <= 0 || f > maxNumber {
		return 0, fmt.Errorf("speed %q: a number above 0 and up to %d, or max, is wanted", text, maxNumber)
	}
	return Speed(f), nil
}

// String is what ParseSpeed reads.
func (s Speed) String() string {
	if s == MaxSpeed {
		return "max"
	}
	return strconv.FormatFloat(float64(s), 'f', -1, 64)
}

// Tables of the sandbox's own. The engine's have names of one word.
const (
	tableClock  = "sandbox.clock"
	tablePlace  = "sandbox.place" // accounts and regions that CloudFormation was asked to change
	tableFault  = "sandbox.fault"
	tableFired  = "sandbox.fault.fired"
	tableStub   = "sandbox.stub"
	tableCustom = "sandbox.custom" // answers for custom resources
	tableKey    = "sts.key"
	tableParam  = "ssm.parameter"
	tableSecret = "secretsmanager.secret"
	tableTopic  = "sns.topic"
	tableSub    = "sns.subscription"
	tableSent   = "sns.message"
	tableAlarm  = "cloudwatch.alarm"
	tableBus    = "events.event"
	tableBucket = "s3.bucket"
	tableObject = "s3.object"
	tableBody   = "s3.body"
	tableUpload = "s3.upload" // objects that come in parts, and their parts

	tableAlarmHistory = "cloudwatch.history"
	tableInvoked      = "lambda.invocation"
)

// clock is the simulated clock as the store keeps it. Simulated time is Base at
// the real time Real and runs on from there.
type clock struct {
	Base  time.Time `json:"base"`
	Real  time.Time `json:"real"`
	Speed Speed     `json:"speed"`
	Seen  time.Time `json:"seen"` // latest time written; never before it again
}

// last is the end of the calendar: JSON and AWS write years with four digits.
func last() time.Time { return time.Date(9990, 1, 1, 0, 0, 0, 0, time.UTC) }

// at is the simulated time at a real time.
func (c clock) at(real time.Time) time.Time {
	speed := c.Speed
	if speed == MaxSpeed {
		speed = 1
	}
	elapsed := max(real.Sub(c.Real), 0).Seconds() * float64(speed)
	t := c.Base
	const step = 100 * 365 * 24 * 3600 // a duration holds 292 years
	for ; elapsed > step && t.Before(last()); elapsed -= step {
		t = t.Add(step * time.Second)
	}
	t = t.Add(time.Duration(min(elapsed, step) * float64(time.Second)))
	return clamp(t, c.Seen)
}

func clamp(t, notBefore time.Time) time.Time {
	if t.Before(notBefore) {
		t = notBefore
	}
	if t.After(last()) {
		t = last()
	}
	return t.UTC().Truncate(time.Millisecond)
}

// restart makes the clock run on from a simulated time.
func (c *clock) restart(at, real time.Time) {
	at = clamp(at, c.Seen)
	c.Base, c.Real, c.Seen = at, real, at
}

func readClock(tx store.Tx) (c clock, found bool, err error) {
	raw, found, err := tx.Get(tableClock, "")
	if err != nil || !found {
		return clock{}, false, err
	}
	if err := json.Unmarshal(raw, &c); err != nil {
		return clock{}, false, fmt.Errorf("read the sandbox's clock: %w", err)
	}
	return c, true, nil
}

func writeClock(tx store.Tx, c clock) error { return putJSON(tx, tableClock, "", c) }

// ready tells the time without writing; it is not ready when something has to be
// written first.
func (s *Server) ready(tx store.Tx, jump bool) (at time.Time, ready bool, err error) {
	c, found, err := readClock(tx)
	if err != nil || !found || s.mustSetSpeed(c) || s.opts.Now().Before(c.Real) {
		return time.Time{}, false, err
	}
	at = clamp(c.at(s.opts.Now()), s.lastSeen())
	next, due, err := s.engine.NextDue(tx)
	if err != nil {
		return time.Time{}, false, err
	}
	if due && (!next.After(at) || jump && c.Speed == MaxSpeed) {
		return time.Time{}, false, nil
	}
	return at, true, nil
}

// tick moves the clock and everything that has fallen due, and tells the time.
func (s *Server) tick(tx store.Tx, jump bool) (time.Time, error) {
	c, found, err := readClock(tx)
	if err != nil {
		return time.Time{}, err
	}
	real := s.opts.Now()
	switch {
	case !found:
		c = clock{Base: real, Real: real, Speed: DefaultSpeed, Seen: real}
	case real.Before(c.Real): // somebody set the real clock back
		c.restart(clamp(c.Seen, s.lastSeen()), real)
	}
	at := clamp(c.at(real), s.lastSeen())
	if s.mustSetSpeed(c) {
		c.restart(at, real)
		c.Speed = s.opts.Speed
	}
	if jump && c.Speed == MaxSpeed {
		next, due, err := s.engine.NextDue(tx)
		if err != nil {
			return time.Time{}, err
		}
		if due && next.After(at) {
			at = clamp(next, at)
			c.restart(at, real)
		}
	}
	c.Seen = at
	if _, err := s.engine.Advance(tx, at); err != nil {
		return time.Time{}, fmt.Errorf("advance to %s: %w", at.Format(time.RFC3339), err)
	}
	return at, writeClock(tx, c)
}

// mustSetSpeed tells whether the speed of the options is still to be written.
func (s *Server) mustSetSpeed(c clock) bool {
	return s.opts.Speed != KeepSpeed && !s.speedSet.Load() && c.Speed != s.opts.Speed
}

// saw remembers the latest time this server has answered, so that a real clock
// that is set back between two reads does not show.
func (s *Server) saw(at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at.After(s.seen) {
		s.seen = at
	}
}

func (s *Server) lastSeen() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen
}

// errWrite ends a view whose call turned out to need an update.
var errWrite = errors.New("something has to be written first")

// transact runs one call at the simulated time: in a view where nothing is due
// and the call only reads, and otherwise in an update, after what is due. A
// refusal by the service is an answer, and what was due stays done.
func (s *Server) transact(ctx context.Context, c *call, fn func(tx store.Tx) error) error {
	if !c.mutates {
		err := s.opts.Store.View(ctx, func(tx store.Tx) error {
			at, ready, err := s.ready(tx, c.jumps)
			if err != nil {
				return err
			}
			if !ready {
				return errWrite
			}
			c.at = at
			return fn(tx)
		})
		if !errors.Is(err, errWrite) && !errors.Is(err, store.ErrReadOnly) {
			s.saw(c.at)
			return err
		}
	}
	var refused *engine.Error
	err := s.opts.Store.Update(ctx, func(tx store.Tx) error {
		at, err := s.tick(tx, c.jumps)
		if err != nil {
			return err
		}
		c.at = at
		err = fn(tx)
		if e, ok := errors.AsType[*engine.Error](err); ok {
			refused = e
			return nil
		}
		return err
	})
	switch {
	case err != nil:
		return err
	case refused != nil:
		err = refused
	}
	s.speedSet.Store(true)
	s.saw(c.at)
	return err
}

func putJSON(tx store.Tx, table, key string, value any) error {
	raw, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encode %s: %w", table, err)
	}
	return tx.Put(table, key, raw)
}

func getJSON(tx store.Tx, table, key string, into any) (bool, error) {
	raw, found, err := tx.Get(table, key)
	if err != nil || !found {
		return false, err
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return false, fmt.Errorf("decode %s: %w", table, err)
	}
	return true, nil
}

func decodeJSON(table string, raw []byte, into any) error {
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("decode %s: %w", table, err)
	}
	return nil
}
