package chaos

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/deployer-cli/deployer/stacks"
)

// Act is what is right to do about a deed after a crash.
type Act string

// The acts. Only AskAgain may lead to a call that breaks something, and only
// after all guards and a person said yes again.
const (
	Adopt    Act = "adopt"     // AWS has the call: write that down, and watch
	AskAgain Act = "ask-again" // AWS does not have it
	Returned Act = "recovered" // the team has it back: mark it, never delete it
	Denied   Act = "refused"   // CloudFormation turned it back: the stack is as it was
	Stuck    Act = "stuck"     // the deletion failed: name what holds it, force nothing
	Settled  Act = "done"      // nothing to do
	Moved    Act = "moved"     // somebody else has been at it: the break stops
	Unread   Act = "unknown"   // AWS could not be asked: try later
)

// Seen is what AWS says about one target, read after the crash.
type Seen struct {
	Old        *stacks.Live                // by the planned id; nil where AWS says that there is none
	Named      *stacks.Live                // by name; nil where AWS says that there is none
	Events     []stacks.Event              // of the planned id, oldest first
	NewEvents  []stacks.Event              // of Named where it is another stack, oldest first
	Conditions map[string]stacks.Condition // of what was injected, by logical id; "" for a drifted parameter
	Anew       map[string]string           // of what was to be injected, by logical id: how it is another than the one captured; none where it is the same
	Changed    string                      // how somebody changed Old since it was planned, "" where nobody did
	Unknown    string                      // why something could not be read, "" where all was
}

// Decision is what is right to do about one deed.
type Decision struct {
	Stack     stacks.Path
	LogicalID string // "" for the stack itself
	StackID   string // the planned one
	Act       Act
	Why       string
	Token     string        // Adopt, Returned: of the call that AWS has
	At        time.Time     // when it came into Status, else when it was taken or rebuilt; zero where that is not known
	Begun     time.Time     // Returned: when the stack that stands there now was begun
	Status    stacks.Status // of the stack that Why speaks of
	NewID     string        // Returned, Moved: the stack that stands there now
	Taken     time.Time     // when AWS took our call, of which Token is, where the journal does not know; at the earliest
	By        By            // Returned: by whose hand
	Made      string        // Returned: the token of the operation that By speaks of, "" for none
}

// Resume decides for each deed of the plan, in its order, how to go on: by stack
// ids and tokens, never by names. What was not seen is not known.
func Resume(s *State, seen map[stacks.Path]Seen) []Decision {
	var out []Decision
	for _, path := range s.Order {
		t := s.Targets[path]
		look, known := seen[path]
		if !known {
			look.Unknown = "it was not looked at"
		}
		for _, d := range t.Deeds {
			made := decide(t, d, look)
			made.Stack, made.LogicalID, made.StackID = path, d.LogicalID(), t.StackID
			out = append(out, made)
		}
	}
	return out
}

func decide(t *Target, d *Deed, look Seen) Decision {
	announced := len(d.Tokens) > 0
	if look.Unknown != "" {
		return Decision{Act: Unread, Why: look.Unknown}
	}
	if n := look.Named; n != nil && n.ID != t.StackID {
		return another(t, d, n, look)
	}
	var made Decision
	switch {
	case !announced:
		made = untouched(d, look)
	case d.Verb == stacks.Inject:
		made = injected(d, look)
	case d.Verb == stacks.Delete:
		made = deleted(d, look)
	default:
		made = updated(d, look)
	}
	if made.Act == AskAgain && look.Changed != "" { // what was captured of it is of before
		made.Act, made.Why = Moved, look.Changed
	}
	return made
}

// another is for a stack of another id under the name: it is the team's. That AWS
// took our call before that is told along.
func another(t *Target, d *Deed, n *stacks.Live, look Seen) Decision {
	announced := len(d.Tokens) > 0
	made := Decision{Act: Returned, NewID: n.ID, At: n.Created, Begun: n.Created, Status: n.Status}
	if at := came(look.NewEvents, n); !at.IsZero() {
		made.At = at
	}
	made.By, made.Made = HandOf(look.NewEvents, n.ID)
	if ours, sent := d.Taken(look.Events); sent && d.Accepted.IsZero() {
		made.Token, made.Taken = ours.Token, ours.Time
	}
	made.Why = fmt.Sprintf("%s has been rebuilt as %s", t.Name, n.ID)
	switch {
	case announced && t.Status == StatusRestored && t.NewID == n.ID && made.Token == "":
		made.Act = Settled
	case !announced:
		made.Act = Moved
		made.Why = fmt.Sprintf("%s is not the stack that was planned: it is %s", t.Name, n.ID)
	}
	return made
}

// came is when a stack came into the status that it is in, by its events, oldest first,
// or, where it is well, when it first was; zero where they do not tell.
func came(events []stacks.Event, l *stacks.Live) time.Time {
	var at time.Time
	for _, e := range events {
		status := stacks.Status(e.Status)
		switch {
		case e.StackID != l.ID || !e.OfStack():
		case l.Status.Healthy() && status.Healthy():
			return e.Time
		case status == l.Status:
			at = e.Time
		}
	}
	return at
}

// untouched is for what no call was announced for.
func untouched(d *Deed, look Seen) Decision {
	if why := gone(look.Old); why != "" {
		return Decision{Act: Moved, Why: why + ", and not by this break"}
	}
	status := look.Old.Status
	switch c := look.Conditions[d.LogicalID()]; {
	case !status.Healthy():
		return Decision{Act: Moved, Status: status, Why: fmt.Sprintf("it is %s, and not by this break", status)}
	case d.Verb == stacks.Inject && c == "":
		return Decision{Act: Unread, Status: status, Why: d.LogicalID() + " was not looked at"}
	case d.Verb == stacks.Inject && c != stacks.Whole:
		return Decision{Act: Moved, Status: status, Why: fmt.Sprintf("%s is %s, and not by this break", d.LogicalID(), c)}
	case look.Anew[d.LogicalID()] != "":
		return Decision{Act: Moved, Status: status, Why: look.Anew[d.LogicalID()]}
	}
	return Decision{Act: AskAgain, Status: status, Why: "nothing was sent"}
}

// gone says how a stack is gone, "" where it is there.
func gone(old *stacks.Live) string {
	switch {
	case old == nil:
		return "it does not exist"
	case old.Status == stacks.DeleteComplete || old.Status == stacks.DeleteInProgress:
		return "it is " + string(old.Status)
	}
	return ""
}

func deleted(d *Deed, look Seen) Decision {
	ours, sent := d.Taken(look.Events)
	made := Decision{Token: d.Token(), At: ours.Time}
	if sent {
		made.Token = ours.Token
	}
	if d.Accepted.IsZero() {
		made.Taken = ours.Time
	}
	if why := gone(look.Old); why != "" {
		made.Act, made.Why, made.Status = Adopt, why, stacks.DeleteComplete
		if look.Old != nil {
			made.Status = look.Old.Status
			if at := came(look.Events, look.Old); made.Status == stacks.DeleteComplete && !at.IsZero() {
				made.At = at
			}
		}
		if d.Status == StatusGone && made.Taken.IsZero() {
			made.Act = Settled
		}
		return made
	}
	made.Status = look.Old.Status
	back := turnedBack(look, ours, sent)
	switch {
	case made.Status == stacks.DeleteFailed:
		made.Act, made.Why = Stuck, heldBy(look)
	case back != "" || d.Status == StatusRefused:
		made.Act, made.Why = Denied, back
		if back == "" {
			made.Why = d.Reason
		}
	case made.Status.InProgress():
		made.Act, made.Why = Moved, fmt.Sprintf("it is %s, and not by this break", made.Status)
	case sent:
		made.Act, made.Why = Adopt, "its events have our token"
	case !d.Accepted.IsZero():
		made.Act, made.Why = Adopt, "AWS took the call, and has not shown it yet"
	default:
		made.Act, made.Why = AskAgain, fmt.Sprintf("it is %s, and its events do not have our token", made.Status)
	}
	return made
}

// turnedBack is why a stack that we asked to delete is whole again, "" where it
// was not turned back: an export in use, or an end of our own operation that is
// no deletion.
func turnedBack(look Seen, ours stacks.Event, sent bool) string {
	if !look.Old.Status.Healthy() {
		return ""
	}
	if inUse(look.Old.Reason) {
		return look.Old.Reason
	}
	if !sent {
		return ""
	}
	after := false
	for _, e := range look.Events {
		switch {
		case e.ID == ours.ID:
			after = true
		case !after:
		case inUse(e.Reason):
			return e.Reason
		case e.OfStack() && stacks.Status(e.Status).Healthy():
			return "the deletion ended with " + e.Status
		}
	}
	return ""
}

// inUse tells whether a reason says that an export is imported; the wording is
// CloudFormation's: "Export X cannot be deleted as it is in use by Y".
func inUse(reason string) bool {
	return strings.Contains(reason, "Export") && strings.Contains(reason, "in use by")
}

// heldBy names the resources on which a deletion got stuck, and why.
func heldBy(look Seen) string {
	last := map[string]stacks.Event{}
	var names []string
	for _, e := range look.Events {
		if !e.OfStack() {
			if _, known := last[e.LogicalID]; !known {
				names = append(names, e.LogicalID)
			}
			last[e.LogicalID] = e
		}
	}
	var held []string
	for _, name := range names {
		if e := last[name]; e.Status == string(stacks.DeleteFailed) {
			held = append(held, strings.TrimSuffix(name+": "+e.Reason, ": "))
		}
	}
	if len(held) == 0 {
		return strings.TrimSpace(look.Old.Reason)
	}
	return strings.Join(held, "; ")
}

func injected(d *Deed, look Seen) Decision {
	made := Decision{Token: d.Token()}
	if why := gone(look.Old); why != "" {
		return Decision{Act: Moved, Why: why + ", and not by this break"}
	}
	made.Status = look.Old.Status
	switch look.Conditions[d.LogicalID()] {
	case stacks.Broken, stacks.Between:
		made.Act, made.Why = Adopt, d.LogicalID()+" is broken"
		if d.Status == StatusGone {
			made.Act = Settled
		}
	case stacks.Whole:
		again, why := remade(d, look)
		switch {
		case d.Status == StatusRestored:
			made.Act, made.Why = Settled, d.LogicalID()+" is whole again"
		case !d.Accepted.IsZero() || d.Status == StatusGone:
			made.Act, made.Why, made.At = Returned, d.LogicalID()+" is whole again", again
		case why != "":
			made.Act, made.Why, made.At, made.Taken = Returned, why, again, d.Intended
		default:
			made.Act, made.Why = AskAgain, d.LogicalID()+" is whole"
		}
	default:
		made.Act, made.Why = Unread, d.LogicalID()+" was not looked at"
	}
	return made
}

// remade tells of a resource that is whole, and that a call was announced for, why it is
// not as it was left: somebody has made or set it anew since, so that the call may have
// been taken, and is never sent again. at is when, zero where that is not known.
func remade(d *Deed, look Seen) (at time.Time, why string) {
	for _, e := range look.Events {
		if e.LogicalID == d.LogicalID() && !e.OfStack() && e.Status == string(stacks.CreateComplete) && e.Time.After(d.Intended) {
			at = e.Time
		}
	}
	switch is := look.Anew[d.LogicalID()]; {
	case is != "":
		why = is
	case !at.IsZero():
		why = d.LogicalID() + " was made again since it was to be broken"
	}
	return at, why
}

func updated(d *Deed, look Seen) Decision {
	if why := gone(look.Old); why != "" {
		return Decision{Act: Moved, Why: why + ", and not by this break"}
	}
	ours, sent := d.Taken(look.Events)
	made := Decision{Token: d.Token(), At: ours.Time, Status: look.Old.Status}
	if sent {
		made.Token = ours.Token
	}
	ended := endOf(look.Events, d.Tokens)
	condition := look.Conditions[d.LogicalID()]
	switch {
	case d.Status == StatusRefused || sent && ended != "" && !ended.Succeeded(d.Verb):
		made.Act, made.Why = Denied, fmt.Sprintf("the update ended with %s", ended)
		if ended == "" {
			made.Why = d.Reason
		}
	case condition == stacks.Whole && (d.Status == StatusGone || ended.Succeeded(d.Verb)):
		made.Act, made.Why = Returned, "it has its own value again"
	case d.Status == StatusGone || d.Status == StatusRestored:
		made.Act, made.Why = Settled, "it was changed"
	case sent:
		made.Act, made.Why = Adopt, "its events have our token"
	case condition == stacks.Broken:
		made.Act, made.Why = Adopt, "it has the other value"
	case !d.Accepted.IsZero():
		made.Act, made.Why = Adopt, "AWS took the call, and has not shown it yet"
	case made.Status.InProgress():
		made.Act, made.Why = Moved, fmt.Sprintf("it is %s, and not by this break", made.Status)
	default:
		made.Act, made.Why = AskAgain, fmt.Sprintf("it is %s, and its events do not have our token", made.Status)
	}
	return made
}

// Taken is the first of a stack's events, oldest first, that shows that AWS took one of
// the calls that were announced: it has a token of theirs. Not ok where none does; what
// somebody else did has another token.
func (d *Deed) Taken(events []stacks.Event) (stacks.Event, bool) {
	i := slices.IndexFunc(events, func(e stacks.Event) bool { return e.Token != "" && slices.Contains(d.Tokens, e.Token) })
	if i < 0 {
		return stacks.Event{}, false
	}
	return events[i], true
}

// endOf is the status with which our own operation ended, "" while it has not.
func endOf(events []stacks.Event, tokens []string) stacks.Status {
	var end stacks.Status
	for _, e := range events {
		s := stacks.Status(e.Status)
		if e.OfStack() && e.Token != "" && slices.Contains(tokens, e.Token) && !s.InProgress() {
			end = s
		}
	}
	return end
}

// The beginnings of client request tokens. The console's is documented with the
// API ("Console-StackOperation-ID"); ours is made by internal/cli.
const (
	tokenDeployer = "deployer-"
	tokenConsole  = "Console-"
)

// HandOf says by whose hand a stack came to be, from the token of the operation
// that made it: deployer's, the console's or none, which is a person's, or
// another tool's. A change set's shell has no token yet. It is "" where the
// stack has no events.
func HandOf(events []stacks.Event, stackID string) (by By, token string) {
	for _, e := range events {
		if e.StackID != stackID || !e.OfStack() {
			continue
		}
		switch status := stacks.Status(e.Status); {
		case strings.HasPrefix(e.Token, tokenDeployer):
			return ByDeployer, e.Token
		case e.Token != "" && !strings.HasPrefix(e.Token, tokenConsole):
			return ByPipeline, e.Token
		case e.Token != "", status != stacks.ReviewInProgress && !status.InProgress():
			return ByHand, e.Token // what comes after its creation says nothing about it
		default:
			by = ByHand
		}
	}
	return by, ""
}
