package guard

import (
	"fmt"
	"slices"
	"strings"
)

// Role gives the account and the role of a session, as its ARN names them; ok is
// false for everybody else.
func (i Identity) Role() (account, role string, ok bool) {
	_, resource, found := strings.Cut(i.ARN, ":assumed-role/")
	role, _, ok = strings.Cut(resource, "/")
	return i.arnAccount(), role, found && ok
}

// arnAccount is the fifth part of arn:partition:service:region:account:resource.
func (i Identity) arnAccount() string {
	parts := strings.SplitN(i.ARN, ":", 6)
	if len(parts) < 6 {
		return ""
	}
	return parts[4]
}

// Whole tells whether the parts of an identity can belong together: its account is
// that of its ARN, and it has the unique id by which IAM knows it, which for a
// session is that of the role with the session's name. Sources: IAM, "Unique
// identifiers" (AROA is a role); STS, GetCallerIdentity.
func (i Identity) Whole() bool {
	if i.Account == "" || i.Account != i.arnAccount() || i.ID == "" {
		return false
	}
	session, ok := i.session()
	if !ok {
		return true
	}
	id, name, ok := strings.Cut(i.ID, ":")
	return ok && id != "" && name == session && session != ""
}

// roleID is the unique id of a session's role.
func (i Identity) roleID() string {
	id, _, _ := strings.Cut(i.ID, ":")
	return id
}

// known are those whom a request's records name, and who are not over: a role that
// was made again has another id, and what is old about the old one is no doubt.
func (r *Request) known() []Identity {
	out := r.callers()
	for _, a := range r.Approvals {
		if a.Over(r.Now) == "" {
			out = append(out, a.Approver)
		}
	}
	for _, l := range r.Leases {
		if l.Over(r.Now) == "" {
			out = append(out, l.Holder)
		}
	}
	for _, l := range r.Releases {
		if l.Over(r.Now) == "" {
			out = append(out, l.By)
		}
	}
	for _, p := range r.Plans {
		out = append(out, p.Planner)
	}
	return out
}

// impostor tells why a session may not be of the role that it names, "" where
// nothing says so. Session names are chosen by whoever takes a role: another role
// with alice's session name has another id. A role has one id and an id one role;
// where the records say otherwise somebody is not who they say, and none counts.
func (r *Request) impostor(who Identity) string {
	account, role, ok := who.Role()
	if !ok || who.ID == "" {
		return ""
	}
	ids := []string{who.roleID()}
	for _, o := range r.known() {
		otherAccount, otherRole, ok := o.Role()
		if !ok || o.ID == "" {
			continue
		}
		same := otherAccount == account && strings.EqualFold(otherRole, role)
		switch {
		case same && !slices.Contains(ids, o.roleID()):
			ids = append(ids, o.roleID())
		case !same && o.roleID() == who.roleID():
			return fmt.Sprintf("%s is the id of two roles, %s and %s: one of them is made up", who.roleID(), role, otherRole)
		}
	}
	if len(ids) > 1 {
		return fmt.Sprintf("role %s has two ids among the records, %s: not all are of that role", role, strings.Join(ids, " and "))
	}
	return ""
}
