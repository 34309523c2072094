package state

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/deployer-cli/deployer/internal/guard"
)

// The folders of what people give.
const (
	approvals = "approvals"
	leases    = "leases"
	releases  = "releases"
	plans     = "plans"
)

// NewID makes a name for a record.
func NewID() string {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails, says its documentation
	return hex.EncodeToString(b[:])
}

// named gives an environment's name as one part of a key.
func named(environment string) string {
	if environment == "." {
		return "~"
	}
	return strings.ReplaceAll(environment, "/", "~")
}

// Folder is where one person's records are, so that a bucket's policy can keep
// everybody to their own: it knows ${aws:PrincipalAccount}, ${aws:username} of users
// and ${aws:userid} of sessions. The role stands in it by its name too, so that the
// policy can keep every role that may approve to its own.
func Folder(who guard.Identity) string {
	if account, role, ok := who.Role(); ok {
		return "role=" + account + ":" + role + ":" + who.ID
	}
	return "user=" + who.Account + ":" + strings.ReplaceAll(who.Person(), "/", "~")
}

// owns tells whether a record in a folder can be of the one whom it names: account,
// role, the role's id and the session, or the user, are all those of the folder.
func owns(folder string, who guard.Identity) bool {
	return who.Whole() && folder == Folder(who)
}

// AddApproval stores an approval.
func (s *Store) AddApproval(ctx context.Context, a guard.Approval, folder string) error {
	return s.add(ctx, path.Join(approvals, named(a.Environment), folder, a.ID), a)
}

// AddLease stores a lease.
func (s *Store) AddLease(ctx context.Context, l guard.Lease, folder string) error {
	return s.add(ctx, path.Join(leases, named(l.Environment), folder, l.ID), l)
}

// AddRelease stores a release.
func (s *Store) AddRelease(ctx context.Context, r guard.Release, folder string) error {
	return s.add(ctx, path.Join(releases, named(r.Environment), folder, r.ID), r)
}

// AddPlan stores who made a plan file. Each has one record, which is never
// changed: a second for the same digest is ErrExists.
func (s *Store) AddPlan(ctx context.Context, p guard.PlanRecord, folder string) error {
	return s.add(ctx, path.Join(plans, named(p.Environment), folder, planKey(p.Digest)), p)
}

// planKey is a digest as the name of a record.
func planKey(digest string) string { return strings.ReplaceAll(digest, ":", "-") }

func (s *Store) add(ctx context.Context, key string, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = s.Create(ctx, key, body)
	return err
}

// Approvals reads an environment's approvals. A record that cannot be read, or
// lies where its author could not have put it, does not count.
func (s *Store) Approvals(ctx context.Context, environment string) ([]guard.Approval, error) {
	return read(ctx, s, approvals, environment, "", func(a guard.Approval) guard.Identity { return a.Approver })
}

// Leases reads an environment's leases.
func (s *Store) Leases(ctx context.Context, environment string) ([]guard.Lease, error) {
	return read(ctx, s, leases, environment, "", func(l guard.Lease) guard.Identity { return l.Holder })
}

// Releases reads an environment's releases.
func (s *Store) Releases(ctx context.Context, environment string) ([]guard.Release, error) {
	return read(ctx, s, releases, environment, "", func(r guard.Release) guard.Identity { return r.By })
}

// Plans reads who made the plan file with a digest, as those who did stored it.
func (s *Store) Plans(ctx context.Context, environment, digest string) ([]guard.PlanRecord, error) {
	return read(ctx, s, plans, environment, planKey(digest), func(p guard.PlanRecord) guard.Identity { return p.Planner })
}

// read gives an environment's records of a kind; id leaves out those of other
// names, "" none.
func read[T any](ctx context.Context, s *Store, kind, environment, id string, author func(T) guard.Identity) ([]T, error) {
	keys, err := s.List(ctx, path.Join(kind, named(environment))+"/")
	if err != nil {
		return nil, err
	}
	var out []T
	for _, key := range keys {
		if id != "" && path.Base(key) != id {
			continue
		}
		r, err := s.Get(ctx, key)
		if errors.Is(err, ErrAbsent) {
			continue // removed meanwhile
		}
		if err != nil {
			return nil, err
		}
		var v T
		parts := strings.Split(key, "/")
		if json.Unmarshal(r.Body, &v) == nil && len(parts) == 4 && owns(parts[2], author(v)) {
			out = append(out, v)
		}
	}
	return out, nil
}

// ChangeApproval changes the approval with an id, such as to revoke it.
func (s *Store) ChangeApproval(ctx context.Context, environment, id string, change func(*guard.Approval)) error {
	return edit(ctx, s, approvals, environment, id, change)
}

// ChangeLease changes the lease with an id, such as to end it.
func (s *Store) ChangeLease(ctx context.Context, environment, id string, change func(*guard.Lease)) error {
	return edit(ctx, s, leases, environment, id, change)
}

func edit[T any](ctx context.Context, s *Store, kind, environment, id string, change func(*T)) error {
	keys, err := s.List(ctx, path.Join(kind, named(environment))+"/")
	if err != nil {
		return err
	}
	for _, key := range keys {
		if path.Base(key) != id {
			continue
		}
		r, err := s.Get(ctx, key)
		if err != nil {
			return err
		}
		var v T
		if err := json.Unmarshal(r.Body, &v); err != nil {
			return fmt.Errorf("%s cannot be read: %w", key, err)
		}
		change(&v)
		body, err := json.Marshal(v)
		if err != nil {
			return err
		}
		_, err = s.Replace(ctx, key, body, r.Version)
		return err
	}
	return fmt.Errorf("%s %s: %w", kind, id, ErrAbsent)
}
