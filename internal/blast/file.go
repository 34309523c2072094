package blast

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/stacks"
)

// Digest computes the digest over everything in the plan but the digest itself.
func (p *Plan) Digest() string {
	bare := *p
	bare.Sum = ""
	text, err := json.Marshal(bare)
	if err != nil {
		return "" // fits no digest
	}
	hash := sha256.Sum256(text)
	return "sha256:" + hex.EncodeToString(hash[:])
}

// Seal fills in the digest. Times are kept as UTC, so that they read back as they
// were written.
func (p *Plan) Seal() error {
	p.Made = p.Made.UTC().Round(0)
	if _, err := json.Marshal(p); err != nil {
		return fmt.Errorf("hashing the plan: %w", err)
	}
	p.Sum = p.Digest()
	return nil
}

// Write writes the plan as JSON.
func (p *Plan) Write(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(p)
}

// StaleError says that a plan does not fit what it is run on. Nothing was
// touched.
type StaleError struct {
	What string
	Why  string
}

// Error says what does not fit.
func (e *StaleError) Error() string { return e.What + ": " + e.Why }

// Hint tells how to go on.
func (e *StaleError) Hint() string { return "plan again: deployer break plan PATH --out F" }

// ExitCode is 5.
func (e *StaleError) ExitCode() int { return exitStale }

// ReadPlan reads a plan file strictly, and checks that it is what its digest says.
// What is no plan file is a *stacks.Problem, one that was changed by a byte a
// *StaleError.
func ReadPlan(text []byte) (*Plan, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	var p Plan
	if err := dec.Decode(&p); err != nil {
		return nil, unreadable(err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, unreadable(errors.New("something follows the plan"))
	}
	if p.Schema != Schema {
		return nil, &stacks.Problem{What: "this is no break plan", Why: fmt.Sprintf("its schema is %q, not %q", p.Schema, Schema), Tip: "make one with: deployer break plan PATH --out F"}
	}
	// What a person reads to decide must not be able to move the cursor.
	if where, err := stacks.Unprintable(text, "why", "fix", "what", "says"); err != nil || where != "" {
		return nil, unreadable(fmt.Errorf("%s holds characters that are not to be shown", where))
	}
	if p.Sum == "" || p.Sum != p.Digest() || !p.written(text) {
		return nil, &StaleError{What: "the plan file was changed", Why: "its content does not come to the digest in it"}
	}
	return &p, nil
}

// written tells whether a text is the plan as Write writes it, but for white
// space: a key that stands twice reads otherwise for a person than for us.
func (p *Plan) written(text []byte) bool {
	var own, given, other bytes.Buffer
	if p.Write(&own) != nil || json.Compact(&given, text) != nil || json.Compact(&other, own.Bytes()) != nil {
		return false
	}
	return bytes.Equal(given.Bytes(), other.Bytes())
}

func unreadable(err error) error {
	return &stacks.Problem{What: "the break plan cannot be read", Why: err.Error(), Tip: "make one with: deployer break plan PATH --out F"}
}

// Stale compares a plan with the same plan made again just now, and tells
// everything that moved, each a *StaleError; nil means that it may be run.
// Verdicts are not compared: those of the fresh one count.
func Stale(p, fresh *Plan) []error {
	var out []error
	stale := func(what, why string, args ...any) {
		out = append(out, &StaleError{What: what, Why: fmt.Sprintf(why, args...)})
	}
	for _, c := range []struct{ what, was, is string }{
		{"the project", p.Project, fresh.Project},
		{"the environment", p.Environment, fresh.Environment},
		{"the class", p.Class.Word(), fresh.Class.Word()},
		{"the account", p.Account, fresh.Account},
		{"the region", p.Region, fresh.Region},
		{"the realm", string(p.Realm), string(fresh.Realm)},
		{"the endpoint", p.Endpoint, fresh.Endpoint},
		{"the kind", p.Kind + " " + p.Arg, fresh.Kind + " " + fresh.Arg},
		{"the phrase", p.Phrase, fresh.Phrase},
	} {
		if c.was != c.is {
			stale(c.what+" is another", "the plan says %q, now it is %q", c.was, c.is)
		}
	}
	if !slices.Equal(p.Targets, fresh.Targets) {
		stale("the choice is another", "the plan is for %v, now it is %v", p.Targets, fresh.Targets)
	}
	return append(out, movedSteps(p, fresh)...)
}

// movedSteps names the stacks that are not as they were when the plan was made.
func movedSteps(p, fresh *Plan) []error {
	var out []error
	stale := func(s stacks.Path, why string, args ...any) {
		out = append(out, &StaleError{What: string(s) + " moved since the plan was made", Why: fmt.Sprintf(why, args...)})
	}
	for i := range p.Steps {
		was := &p.Steps[i]
		at := slices.IndexFunc(fresh.Steps, func(s Step) bool { return s.Stack == was.Stack })
		if at < 0 {
			stale(was.Stack, "it is not in it any more")
			continue
		}
		switch is := &fresh.Steps[at]; {
		case was.StackID != is.StackID:
			stale(was.Stack, "it was %s, now another stack is under its name: %s", was.StackID, is.StackID)
		case was.Found != is.Found:
			stale(was.Stack, "it was %s, it is %s", was.Found, is.Found)
		case was.Verb != is.Verb || !slices.Equal(was.After, is.After) || !slices.Equal(was.Why, is.Why) || !same(was.Injections, is.Injections) || !slices.Equal(was.Changes, is.Changes):
			stale(was.Stack, "what has to go before it, or what is done to it, is not what was planned")
		case !same(p.Radius.of(was.Stack), fresh.Radius.of(was.Stack)):
			stale(was.Stack, "what it takes with it is not what was planned")
		}
	}
	for _, s := range fresh.Steps {
		if !slices.ContainsFunc(p.Steps, func(o Step) bool { return o.Stack == s.Stack }) {
			stale(s.Stack, "it was not in the plan: %s", strings.Join(s.Why, "; "))
		}
	}
	return out
}

// lost is the part of a stack's radius that a person agrees to.
type lost struct {
	Holders   []Holder
	Policies  map[string]int
	Importers []string
}

func (r Radius) of(p stacks.Path) lost {
	for _, s := range r.Stacks {
		if s.Stack == p {
			return lost{s.Holders, s.Policies, s.Importers}
		}
	}
	return lost{}
}

// same compares two values as they are written.
func same(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}
