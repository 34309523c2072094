package guard

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/deployer-cli/deployer/stacks"
)

// Identity is who AWS takes somebody for.
type Identity struct {
	ARN     string `json:"arn"`
	Account string `json:"account"`
	ID      string `json:"id,omitempty"` // as STS has it: AIDA… of a user, AROA…:session of a session
}

// Person is the name by which one human is told from another: that of the user,
// or of the session of an assumed role.
func (i Identity) Person() string {
	if session, ok := i.session(); ok {
		return session
	}
	if _, resource, ok := strings.Cut(i.ARN, ":user/"); ok {
		return resource[strings.LastIndexByte(resource, '/')+1:]
	}
	return i.ARN
}

// session is the last part of arn:aws:sts::111111111111:assumed-role/Role/session.
func (i Identity) session() (name string, ok bool) {
	_, resource, found := strings.Cut(i.ARN, ":assumed-role/")
	if !found {
		return "", false
	}
	_, name, ok = strings.Cut(resource, "/")
	return name, ok
}

// Same tells whether two identities may be one person. The same session name in
// two roles is: a person takes more than one.
func (i Identity) Same(o Identity) bool {
	return strings.EqualFold(i.ARN, o.ARN) || strings.EqualFold(i.Person(), o.Person())
}

// genericSessions are session names that tools give to everybody who uses them.
func genericSessions() []string {
	return []string{
		"deployer", "session", "default", "admin", "administrator", "root", "user", "ci", "cli", "aws-cli*", "botocore-session-*", "aws-go-sdk-*",
		"aws-sdk-*", "awscli-session-*", "boto3-session*", "githubactions*", "github-actions*", "gitlab*", "awscodebuild-*", "codebuild*",
		"codepipeline*", "jenkins*", "circleci*", "terraform*", "cloudformation*", "awscloudformation*", "assumedrole*", "assume-role*",
		"assumerole*", "temp*", "test", "i-*", "ecs-*", "eks-*", "lambda*", "*session", "web-identity*",
	}
}

// generic tells whether an identity stands for a program, or for anybody.
func (i Identity) generic() bool {
	if strings.HasSuffix(i.ARN, ":root") {
		return true
	}
	session, ok := i.session()
	if !ok {
		return !strings.Contains(i.ARN, ":user/")
	}
	session = strings.ToLower(session)
	if session == "" || strings.Trim(session, "0123456789-_.") == "" {
		return true
	}
	return slices.ContainsFunc(genericSessions(), func(pattern string) bool { return Wild(pattern, session) })
}

// counts tells why an approver does not count, "" when one does.
func (p Policy) counts(i Identity) string {
	switch {
	case i.ARN == "":
		return "who made it is not known"
	case i.generic():
		return i.ARN + " is nobody in particular"
	case len(p.Approvers) == 0:
		return "guard.approvers names nobody"
	case !slices.ContainsFunc(p.Approvers, func(pattern string) bool { return Wild(pattern, i.ARN) }):
		return i.ARN + " matches none of guard.approvers"
	}
	return ""
}

// MayApprove tells why an identity cannot approve what another planned, "" when
// it can.
func (p Policy) MayApprove(who, planner Identity) string {
	if why := p.counts(who); why != "" {
		return why
	}
	if planner.ARN == "" {
		return "who planned is not known"
	}
	if who.Same(planner) {
		return who.Person() + " made the plan"
	}
	return ""
}

// Wild matches a pattern in which * stands for any text and ? for one character.
func Wild(pattern, text string) bool {
	p, t, star, from := 0, 0, -1, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, from = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]):
			p++
			t++
		case star >= 0:
			from++
			p, t = star+1, from
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// Approval says that somebody read a plan and wants it applied.
type Approval struct {
	ID          string    `json:"id"`
	Environment string    `json:"environment"`
	Digest      string    `json:"digest"`
	Approver    Identity  `json:"approver"`
	Planner     Identity  `json:"planner"`
	Quotes      []string  `json:"quotes"` // what is approved, in the words of the plan
	Freeze      bool      `json:"during_freeze,omitempty"`
	Reason      string    `json:"reason,omitempty"`
	Made        time.Time `json:"made"`
	Expires     time.Time `json:"expires"`
	Revoked     time.Time `json:"revoked,omitzero"`
	RevokedBy   string    `json:"revoked_by,omitempty"`
}

// skew is how far two clocks may differ before what one says is not believed.
const skew = 5 * time.Minute

// ApprovalMax is the longest that an approval may be good.
const ApprovalMax = 7 * 24 * time.Hour

// Over tells why an approval is not good at a time, "" while it is.
func (a Approval) Over(now time.Time) string {
	switch {
	case !a.Revoked.IsZero():
		return "it was revoked"
	case a.Made.IsZero() || a.Made.After(now.Add(skew)):
		return "it was made in the future: one of the two clocks is wrong"
	case !now.Before(a.Expires):
		return "it expired at " + stamp(a.Expires)
	case a.Expires.Sub(a.Made) > ApprovalMax:
		return "it is for longer than a week"
	}
	return ""
}

// fits tells why an approval does not count for a request, "" when it does.
func (a Approval) fits(r *Request, p Policy, environment string) string {
	switch {
	case a.Environment != environment:
		return "it is for " + a.Environment
	case r.Digest == "" || a.Digest != r.Digest:
		return "it is for another plan"
	case r.Planner.ARN == "":
		return "who planned is not known"
	case r.Caller.ARN == "":
		return "who applies is not known"
	}
	if refusal := r.recorded(environment); refusal != nil {
		return refusal.Why
	}
	if why := a.Over(r.Now); why != "" {
		return why
	}
	if why := p.counts(a.Approver); why != "" {
		return why
	}
	if why := r.impostor(a.Approver); why != "" {
		return why
	}
	switch {
	case slices.ContainsFunc(append(r.Planners, r.Planner), a.Approver.Same):
		return a.Approver.Person() + " made the plan"
	case slices.ContainsFunc(r.callers(), a.Approver.Same):
		return a.Approver.Person() + " is applying it"
	}
	return ""
}

// callers gives everybody as whom this run acts: with a profile for each
// environment one person is several.
func (r *Request) callers() []Identity {
	out := []Identity{r.Caller}
	for _, ids := range r.Callers {
		out = append(out, ids...)
	}
	return out
}

// callersIn gives those as whom it acts in one environment.
func (r *Request) callersIn(environment string) []Identity {
	if ids := r.Callers[environment]; len(ids) > 0 {
		return ids
	}
	return []Identity{r.Caller}
}

// tally counts the people who approved, and says why the others do not count.
func (r *Request) tally(e *stacks.Environment, p Policy) (people []Approval, because []string) {
	for _, a := range r.Approvals {
		if a.Environment != e.Name || (r.Digest != "" && a.Digest != r.Digest) {
			continue
		}
		if why := a.fits(r, p, e.Name); why != "" {
			because = append(because, fmt.Sprintf("that of %s does not count: %s", a.Approver.Person(), why))
			continue
		}
		again := slices.IndexFunc(people, func(b Approval) bool { return a.Approver.Same(b.Approver) })
		if again >= 0 {
			if a.Freeze && !people[again].Freeze {
				people[again] = a
			}
			continue
		}
		people = append(people, a)
	}
	return people, because
}

// Counted lists the approvals that count for a request, over its environments.
func Counted(r Request) []Approval {
	var out []Approval
	for _, e := range r.environments() {
		if p, err := r.policy(e); err == nil {
			people, _ := r.tally(e, p)
			out = append(out, people...)
		}
	}
	return out
}

// Lease lets one person change an environment for a short while.
type Lease struct {
	ID          string    `json:"id"`
	Environment string    `json:"environment"`
	Holder      Identity  `json:"holder"`
	MFA         bool      `json:"mfa"`
	Reason      string    `json:"reason"`
	Made        time.Time `json:"made"`
	Expires     time.Time `json:"expires"`
	Ended       time.Time `json:"ended,omitzero"`
}

// Over tells why a lease is not good at a time, "" while it is.
func (l Lease) Over(now time.Time) string {
	switch {
	case !l.Ended.IsZero():
		return "it was ended at " + stamp(l.Ended)
	case l.Made.IsZero() || l.Made.After(now.Add(skew)):
		return "it was made in the future: one of the two clocks is wrong"
	case !now.Before(l.Expires):
		return "it ended at " + stamp(l.Expires)
	}
	return ""
}

func (l Lease) fits(r *Request, p Policy) string {
	if why := l.Over(r.Now); why != "" {
		return why
	}
	switch {
	case slices.ContainsFunc(r.callersIn(l.Environment), func(who Identity) bool { return who.ARN == "" || !strings.EqualFold(l.Holder.ARN, who.ARN) }):
		return "it is " + l.Holder.Person() + "'s"
	case p.Lease.MFA && !l.MFA:
		return "it was made without MFA"
	case l.Expires.Sub(l.Made) > p.Lease.Max:
		return fmt.Sprintf("it is longer than %s", p.Lease.Max)
	}
	return ""
}

// Release lets one live stack of production be deleted.
type Release struct {
	ID          string      `json:"id"`
	Environment string      `json:"environment"`
	Stack       stacks.Path `json:"stack"`
	StackID     string      `json:"stack_id"`
	By          Identity    `json:"by"`
	Reason      string      `json:"reason"`
	Made        time.Time   `json:"made"`
	Expires     time.Time   `json:"expires"`
}

// Over tells why a release is not good at a time, "" while it is.
func (l Release) Over(now time.Time) string {
	switch {
	case l.Made.IsZero() || l.Made.After(now.Add(skew)):
		return "it was made in the future: one of the two clocks is wrong"
	case !now.Before(l.Expires):
		return "it ended at " + stamp(l.Expires)
	}
	return ""
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }
