package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/deployer-cli/deployer/stacks"
)

// FileSchema names the version of the plan file's form. docs/plan.schema.json
// describes it.
const FileSchema = "deployer.plan/v1"

// File is a plan on its way from the one who makes it, past those who review
// it, to the one who applies it. It holds no secret.
type File struct {
	Schema  string    `json:"schema"`
	Digest  string    `json:"digest"` // over everything else in the file
	Made    time.Time `json:"made"`   // UTC, by the realm's clock
	Version string    `json:"version"`
	Run     string    `json:"run"` // the run that made it; its change sets carry the name

	Command  string   `json:"command"` // launch, delete or prune
	Path     string   `json:"path"`
	Adopt    bool     `json:"adopt"`
	Alone    bool     `json:"ignore_dependencies"`
	Allow    []string `json:"allow"` // STACK::LOGICAL or STACK that may be replaced or deleted although it holds data
	Planner  string   `json:"planner"`
	Planners []string `json:"planners,omitempty"` // whoever else the planner was, where stacks name several profiles
	Project  string   `json:"project"`
	Commit   string   `json:"commit"` // recorded and shown, never compared
	Dirty    bool     `json:"dirty"`
	Endpoint string   `json:"endpoint"`
	Hooks    string   `json:"hooks"` // hash of the hooks that the run would run
	Salt     string   `json:"salt"`  // of the hashes of secret values in the steps, in hexadecimal

	// Inputs is the digest of the plan as the files and the live stacks alone
	// make it: what is planned again before it is applied has to come to the same.
	Inputs string `json:"inputs"`
	Plan   Plan   `json:"plan"`
}

// Seal fills in the digest, also as that of the plan within.
func (f *File) Seal() error {
	digest, err := f.sum()
	f.Digest, f.Plan.Digest = digest, digest
	return err
}

// sum hashes the file without its digest.
func (f *File) sum() (string, error) {
	bare := *f
	bare.Digest, bare.Plan.Digest = "", ""
	text, err := json.Marshal(bare)
	if err != nil {
		return "", fmt.Errorf("hashing the plan: %w", err)
	}
	hash := sha256.Sum256(text)
	return "sha256:" + hex.EncodeToString(hash[:]), nil
}

// Write writes the file as JSON.
func (f *File) Write(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(f)
}

// StaleError says that a plan does not fit what it is applied to. Nothing was
// touched.
type StaleError struct {
	What string
	Why  string
	Tip  string
}

// Error says what does not fit.
func (e *StaleError) Error() string { return e.What + ": " + e.Why }

// Hint tells how to go on.
func (e *StaleError) Hint() string { return e.Tip }

// ExitCode is 5.
func (e *StaleError) ExitCode() int { return 5 }

// planAgain is the way on from a plan that does not fit any more.
const planAgain = "plan again and have that reviewed"

// ReadFile reads a plan file and checks that it is what its digest says. A
// file that was edited, by a byte, is a *StaleError.
func ReadFile(text []byte) (*File, error) {
	dec := json.NewDecoder(strings.NewReader(string(text)))
	dec.DisallowUnknownFields()
	var f File
	if err := dec.Decode(&f); err != nil {
		return nil, unreadable(err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, unreadable(errors.New("something follows the plan"))
	}
	if f.Schema != FileSchema {
		return nil, &stacks.Problem{What: "this is no plan file", Why: fmt.Sprintf("its schema is %q, not %q", f.Schema, FileSchema), Tip: "make one with: deployer plan PATH --out F"}
	}
	// What a person reads to decide must not be able to move the cursor.
	if where, err := stacks.Unprintable(text, "old", "new", "why", "cause", "asks", "blocked"); err != nil || where != "" {
		return nil, unreadable(fmt.Errorf("%s holds characters that are not to be shown", where))
	}
	digest, err := f.sum()
	if err != nil {
		return nil, err
	}
	if digest != f.Digest || digest != f.Plan.Digest {
		return nil, &StaleError{What: "the plan file was changed", Why: "its content does not come to the digest in it", Tip: planAgain}
	}
	return &f, nil
}

func unreadable(err error) error {
	return &stacks.Problem{What: "the plan file cannot be read", Why: err.Error(), Tip: "make one with: deployer plan PATH --out F"}
}

// Place is where a plan was made for, and where it is about to be applied.
type Place struct {
	Realm    stacks.Realm
	Endpoint string
	Project  string                 // its code
	Accounts map[stacks.Path]string // by stack
	Regions  map[stacks.Path]string
	Hooks    string
}

// Fits compares the file with the digest that was reviewed, with where it is
// applied, and with the same plan made again just now. Everything that moved is
// told at once, as *StaleError; nil means that the file may be applied.
func (f *File) Fits(digest string, here Place, again *Plan) []error {
	var out []error
	stale := func(what, why string, args ...any) {
		out = append(out, &StaleError{What: what, Why: fmt.Sprintf(why, args...), Tip: planAgain})
	}
	if digest != f.Digest {
		stale("the digest does not match", "%q was reviewed, the file's is %q", digest, f.Digest)
	}
	if f.Plan.Realm != here.Realm || f.Endpoint != here.Endpoint {
		stale("the plan is for another realm", "it was made for %s, this is %s", realmOf(f.Plan.Realm, f.Endpoint), realmOf(here.Realm, here.Endpoint))
	}
	if f.Project != here.Project {
		stale("the plan is for another project", "it says %q, this is %q", f.Project, here.Project)
	}
	for i := range f.Plan.Steps {
		s := &f.Plan.Steps[i]
		if account, ok := here.Accounts[s.Stack]; ok && account != s.Account {
			stale(fmt.Sprintf("%s is in another account", s.Stack), "it was planned for %s, these credentials are for %s", s.Account, account)
		}
		if region, ok := here.Regions[s.Stack]; ok && region != s.Region {
			stale(fmt.Sprintf("%s is in another region", s.Stack), "it was planned for %s, its config says %s", s.Region, region)
		}
	}
	if f.Hooks != here.Hooks {
		stale("the hooks changed", "they, or the scripts that they name, are not those that were reviewed")
	}
	if len(out) == 0 && again.Digest != f.Inputs {
		out = append(out, f.moved(again)...)
	}
	if len(out) == 0 {
		out = f.Claims(again)
	}
	return out
}

func realmOf(r stacks.Realm, endpoint string) string {
	if endpoint == "" {
		return string(r)
	}
	return string(r) + " " + endpoint
}

// moved names the stacks that are not as they were when the plan was made.
func (f *File) moved(again *Plan) []error {
	now := make(map[stacks.Path]*Step, len(again.Steps))
	for i := range again.Steps {
		now[again.Steps[i].Stack] = &again.Steps[i]
	}
	var out []error
	stale := func(p stacks.Path, why string) {
		out = append(out, &StaleError{What: string(p) + " moved since the plan was made", Why: why, Tip: planAgain})
	}
	for i := range f.Plan.Steps {
		was := &f.Plan.Steps[i]
		is, ok := now[was.Stack]
		switch {
		case !ok && f.Command == "prune":
			stale(was.Stack, "it is not marked obsolete any more, or is not in the project")
		case !ok:
			stale(was.Stack, "it is not in the project any more")
		case was.Inputs != is.Inputs || len(was.otherSecrets(is, false)) > 0:
			if was.Inputs != is.Inputs {
				stale(was.Stack, "its template, parameters, tags or settings are not those that were reviewed")
			}
			for _, key := range was.otherSecrets(is, false) {
				stale(was.Stack, fmt.Sprintf("the value of its secret parameter %s is another now", key))
			}
		case was.Found != is.found():
			stale(was.Stack, fmt.Sprintf("it was %s, it is %s", orAbsent(was.Found), orAbsent(is.found())))
		}
		delete(now, was.Stack)
	}
	for p := range now {
		stale(p, "it was not in the plan")
	}
	if len(out) == 0 {
		out = append(out, &StaleError{What: "the plan does not fit any more", Why: "planned again, it comes to something else", Tip: planAgain})
	}
	return out
}

func orAbsent(found string) string {
	if found == "" {
		return "not there"
	}
	return found
}

// found is the live stack in one line: what a plan was made against.
func (s *Step) found() string {
	if s.Live == nil {
		return ""
	}
	return fmt.Sprintf("%s of %s, %s", s.Live.Status, s.Live.Changed().UTC().Format(time.RFC3339), s.Live.ID)
}

// NoteFound writes down what every step was planned against.
func (p *Plan) NoteFound() {
	for i := range p.Steps {
		p.Steps[i].Found = p.Steps[i].found()
	}
}

// Within tells whether a change set lies within what a plan said a late step
// may do at most: each of its changes has to be one that was planned, and a
// replacement one that the plan said may come. The answer names what goes
// beyond it.
func (s *Step) Within(actual []stacks.ResourceChange) (beyond []string) {
	planned := make(map[string]stacks.ResourceChange, len(s.Changes))
	for _, c := range s.Changes {
		planned[c.LogicalID] = c
	}
	for _, c := range actual {
		p, ok := planned[c.LogicalID]
		switch {
		case !ok:
			beyond = append(beyond, fmt.Sprintf("%s %s (%s) was not planned", c.Action, c.LogicalID, c.Type))
		case p.Action != c.Action || p.Type != c.Type:
			beyond = append(beyond, fmt.Sprintf("%s %s (%s): the plan says %s", c.Action, c.LogicalID, c.Type, p.Action))
		case severity(c.Replacement) > 2, severity(c.Replacement) > 0 && severity(p.Replacement) == 0:
			beyond = append(beyond, fmt.Sprintf("%s (%s): replacement is %s, the plan says %s", c.LogicalID, c.Type, c.Replacement, p.Replacement))
		}
	}
	return beyond
}

func severity(replacement string) int {
	switch replacement {
	case "true":
		return 2
	case "conditional":
		return 1
	case "false", "":
		return 0
	}
	return 3
}

// Losses lists the holders of data that the plan deletes or may replace, as
// STACK::LOGICAL.
func (p *Plan) Losses() []string {
	var out []string
	for i := range p.Steps {
		s := &p.Steps[i]
		for _, c := range s.Changes {
			if c.Data && (c.Action == "remove" || severity(c.Replacement) > 0) {
				out = append(out, fmt.Sprintf("%s::%s", s.Stack, c.LogicalID))
			}
		}
	}
	return out
}
