package state_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/deployer-cli/deployer/internal/awsconf"
	"github.com/deployer-cli/deployer/internal/cloud"
	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/internal/sandbox"
	"github.com/deployer-cli/deployer/internal/sandbox/store"
	"github.com/deployer-cli/deployer/internal/state"
	"github.com/deployer-cli/deployer/stacks"
)

// each runs a test against files and against a bucket: both promise the same.
func each(t *testing.T, test func(t *testing.T, s *state.Store)) {
	t.Helper()
	t.Run("files", func(t *testing.T) {
		t.Parallel()
		test(t, state.InFiles(filepath.Join(t.TempDir(), "state")))
	})
	t.Run("bucket", func(t *testing.T) {
		t.Parallel()
		server := sandbox.New(sandbox.Options{Store: store.NewMemory(), Speed: sandbox.MaxSpeed, Stubs: true})
		configs := awsconf.New(awsconf.Options{
			Realm: stacks.RealmSandbox, HTTPClient: server.Client(), Endpoint: sandbox.Endpoint,
			Keys: &awsconf.Keys{ID: "AKID", Secret: "s"},
		})
		c := cloud.New(cloud.Options{Config: configs.Config, Realm: stacks.RealmSandbox})
		test(t, state.InBucket(c.Bucket(stacks.Access{Region: "eu-west-1"}, "team-state", "/shop/")))
	})
}

func TestRecords(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *state.Store) {
		t.Helper()
		ctx := t.Context()
		if _, err := s.Get(ctx, "locks/dev"); !errors.Is(err, state.ErrAbsent) {
			t.Errorf("what is not there: %v", err)
		}
		if keys, err := s.List(ctx, "locks/"); err != nil || len(keys) != 0 {
			t.Errorf("an empty list: %v, %v", keys, err)
		}
		first, err := s.Create(ctx, "locks/dev", []byte("1"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Create(ctx, "locks/dev", []byte("2")); !errors.Is(err, state.ErrExists) {
			t.Errorf("twice: %v", err)
		}
		got, err := s.Get(ctx, "locks/dev")
		if err != nil || string(got.Body) != "1" || got.Version != first || got.Age < 0 || got.Age > time.Hour {
			t.Errorf("%+v, %v", got, err)
		}
		second, err := s.Replace(ctx, "locks/dev", []byte("2"), first)
		if err != nil || second == first {
			t.Errorf("%q, %v", second, err)
		}
		for _, version := range []string{first, "", "nonsense"} {
			if _, err := s.Replace(ctx, "locks/dev", []byte("3"), version); !errors.Is(err, state.ErrChanged) {
				t.Errorf("over version %q: %v", version, err)
			}
		}
		if _, err := s.Replace(ctx, "locks/qa", []byte("3"), first); !errors.Is(err, state.ErrChanged) {
			t.Errorf("over nothing: %v", err)
		}
		for _, key := range []string{"locks/a:b", "locks/z/1", "other/x", "locks/a%3Ab"} {
			if _, err := s.Create(ctx, key, []byte("x")); err != nil {
				t.Fatal(err)
			}
		}
		want := []string{"locks/a%3Ab", "locks/a:b", "locks/dev", "locks/z/1"}
		if keys, err := s.List(ctx, "locks/"); err != nil || !slices.Equal(keys, want) {
			t.Errorf("listed %v, %v", keys, err)
		}
		if err := errors.Join(s.Delete(ctx, "locks/dev"), s.Delete(ctx, "locks/dev")); err != nil {
			t.Error(err)
		}
		for _, key := range []string{"", "a//b", "../b", "a/..", "/a", `a\b`} {
			if _, err := s.Create(ctx, key, nil); err == nil {
				t.Errorf("key %q is taken", key)
			}
		}
	})
}

// TestOneWins: of many who saw the same record one replaces it.
func TestOneWins(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *state.Store) {
		t.Helper()
		var created, replaced atomic.Int32
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				if _, err := s.Create(t.Context(), "k", fmt.Appendf(nil, "%d", i)); err == nil {
					created.Add(1)
				} else if !errors.Is(err, state.ErrExists) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		seen, err := s.Get(t.Context(), "k")
		if err != nil {
			t.Fatal(err)
		}
		for i := range 8 {
			wg.Go(func() {
				if _, err := s.Replace(t.Context(), "k", fmt.Appendf(nil, "again %d", i), seen.Version); err == nil {
					replaced.Add(1)
				} else if !errors.Is(err, state.ErrChanged) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if created.Load() != 1 || replaced.Load() != 1 {
			t.Errorf("%d created, %d replaced", created.Load(), replaced.Load())
		}
	})
}

func TestLock(t *testing.T) {
	t.Parallel()
	alive := func(guard.Lock, state.Record) guard.Signs { return guard.Signs{} }
	dead := func(guard.Lock, state.Record) guard.Signs { return guard.Signs{Gone: true} }
	each(t, func(t *testing.T, s *state.Store) {
		t.Helper()
		ctx := t.Context()
		mine, took, err := s.Acquire(ctx, guard.Lock{Environment: "a/prod", Run: "r1", PID: 7}, alive, time.Now)
		if err != nil || took != nil {
			t.Fatal(took, err)
		}
		_, _, err = s.Acquire(ctx, guard.Lock{Environment: "a/prod", Run: "r2"}, alive, time.Now)
		if locked, ok := errors.AsType[*state.LockedError](err); !ok || locked.Lock.Run != "r1" {
			t.Errorf("a second one: %v", err)
		}
		if err := mine.Renew(ctx); err != nil {
			t.Fatal(err)
		}
		theirs, took, err := s.Acquire(ctx, guard.Lock{Environment: "a/prod", Run: "r3"}, dead, time.Now)
		if err != nil || took == nil || took.From.Run != "r1" || !strings.Contains(took.Why, "process 7") {
			t.Fatalf("taking over: %+v, %v", took, err)
		}
		if err := mine.Renew(ctx); !errors.Is(err, state.ErrChanged) {
			t.Errorf("the dead one is alive: %v", err)
		}
		if err := mine.Release(ctx); err != nil {
			t.Errorf("the dead one gives back what it lost: %v", err)
		}
		if l, _, err := s.Lock(ctx, "a/prod"); err != nil || l.Run != "r3" || l.Released {
			t.Errorf("%+v, %v", l, err)
		}
		if err := theirs.Release(ctx); err != nil {
			t.Fatal(err)
		}
		if _, took, err := s.Acquire(ctx, guard.Lock{Environment: "a/prod", Run: "r4"}, alive, time.Now); err != nil || took != nil {
			t.Errorf("after it was given back: %+v, %v", took, err)
		}
	})
}

func TestAnUnreadableLockIsSomebodys(t *testing.T) {
	t.Parallel()
	s := state.InFiles(t.TempDir())
	if _, err := s.Create(t.Context(), "locks/dev", []byte("{")); err != nil {
		t.Fatal(err)
	}
	_, _, err := s.Acquire(t.Context(), guard.Lock{Environment: "dev", Run: "r"}, func(guard.Lock, state.Record) guard.Signs { return guard.Signs{} }, time.Now)
	if _, ok := errors.AsType[*state.LockedError](err); !ok {
		t.Errorf("taken: %v", err)
	}
}

func TestHistory(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *state.Store) {
		t.Helper()
		ctx := t.Context()
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				if _, err := s.Append(ctx, state.Entry{Environment: "prod", Kind: state.Began}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		entries, err := s.History(ctx, "prod")
		if err != nil || len(entries) != 8 || entries[0].Previous != "" || entries[7].Seq != 8 {
			t.Fatalf("%+v, %v", entries, err)
		}
		r, err := s.Get(ctx, "history/prod/00000003")
		if err != nil {
			t.Fatal(err)
		}
		forged := strings.Replace(string(r.Body), `"who":""`, `"who":"me"`, 1)
		if _, err := s.Replace(ctx, r.Key, []byte(forged), r.Version); err != nil {
			t.Fatal(err)
		}
		if _, err := s.History(ctx, "prod"); err == nil || !strings.Contains(err.Error(), "entry 3 is not what entry 4") {
			t.Errorf("a forged entry: %v", err)
		}
		if err := s.Delete(ctx, "history/prod/00000005"); err != nil {
			t.Fatal(err)
		}
		if _, err := s.History(ctx, "prod"); err == nil {
			t.Error("an entry that was taken out is not missed")
		}
	})
}

func TestPeople(t *testing.T) {
	t.Parallel()
	alice := guard.Identity{ARN: "arn:aws:sts::111111111111:assumed-role/Approver/alice@example.com", Account: "111111111111", ID: "AROAX:alice@example.com"}
	bob := guard.Identity{ARN: "arn:aws:iam::111111111111:user/team/bob", Account: "111111111111", ID: "AIDAX"}
	each(t, func(t *testing.T, s *state.Store) {
		t.Helper()
		ctx := t.Context()
		good := []struct {
			who    guard.Identity
			folder string
		}{{alice, state.Folder(alice)}, {bob, state.Folder(bob)}}
		for i, g := range good {
			if err := s.AddApproval(ctx, guard.Approval{ID: fmt.Sprint(i), Environment: "prod", Approver: g.who}, g.folder); err != nil {
				t.Fatal(err)
			}
		}
		// Whoever writes in a folder is not whom the record names: another person,
		// another role with alice's session name, another account, nobody's id.
		named := func(who guard.Identity, change func(*guard.Identity)) guard.Identity { change(&who); return who }
		forged := []struct {
			who    guard.Identity
			folder string
		}{
			{alice, state.Folder(bob)},
			{bob, state.Folder(alice)},
			{alice, "role=111111111111:Planner:AROAB:alice@example.com"},
			{alice, "role=111111111111:Approver:AROAB:alice@example.com"},
			{alice, "role=222222222222:Approver:AROAX:alice@example.com"},
			{alice, "role=AROAX:alice@example.com"},
			{alice, "role=111111111111:Approver:AROAX:"},
			{alice, "user=111111111111:alice@example.com"},
			{bob, "user=222222222222:bob"},
			{named(bob, func(i *guard.Identity) { i.Account = "222222222222" }), "user=222222222222:bob"},
			{named(bob, func(i *guard.Identity) { i.ID = "" }), state.Folder(bob)},
			{named(alice, func(i *guard.Identity) { i.ID = "AROAX:bob" }), "role=111111111111:Approver:AROAX:bob"},
			{named(alice, func(i *guard.Identity) { i.ID = "" }), "role=111111111111:Approver:"},
		}
		for i, f := range forged {
			if err := s.AddApproval(ctx, guard.Approval{ID: "forged" + fmt.Sprint(i), Environment: "prod", Approver: f.who}, f.folder); err != nil {
				t.Fatal(err)
			}
		}
		got, err := s.Approvals(ctx, "prod")
		if err != nil || len(got) != 2 {
			t.Fatalf("%+v, %v", got, err)
		}
		if err := s.ChangeApproval(ctx, "prod", "1", func(a *guard.Approval) { a.RevokedBy = "me" }); err != nil {
			t.Fatal(err)
		}
		if err := s.ChangeApproval(ctx, "prod", "9", func(*guard.Approval) {}); !errors.Is(err, state.ErrAbsent) {
			t.Errorf("one that is not there: %v", err)
		}
		if got, _ = s.Approvals(ctx, "prod"); got[1].RevokedBy != "me" {
			t.Errorf("%+v", got)
		}
	})
}

// TestPlans: who made a plan is found by its digest, in the folder of whoever it
// names, and is never written over.
func TestPlans(t *testing.T) {
	t.Parallel()
	bob := guard.Identity{ARN: "arn:aws:sts::111111111111:assumed-role/Planner/bob", Account: "111111111111", ID: "AROAX:bob"}
	mallory := guard.Identity{ARN: "arn:aws:iam::111111111111:user/mallory", Account: "111111111111", ID: "AIDAM"}
	each(t, func(t *testing.T, s *state.Store) {
		t.Helper()
		ctx := t.Context()
		record := guard.PlanRecord{Environment: "prod", Digest: "sha256:1", Planner: bob}
		other := record
		other.Digest = "sha256:2"
		for _, r := range []guard.PlanRecord{record, other} {
			if err := s.AddPlan(ctx, r, state.Folder(bob)); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.AddPlan(ctx, record, state.Folder(bob)); !errors.Is(err, state.ErrExists) {
			t.Errorf("a second record of a plan: %v", err)
		}
		// In a folder of her own she can only say that she made it.
		if err := s.AddPlan(ctx, record, state.Folder(mallory)); err != nil {
			t.Fatal(err)
		}
		got, err := s.Plans(ctx, "prod", "sha256:1")
		if err != nil || len(got) != 1 || got[0].Planner != bob || got[0].Digest != "sha256:1" {
			t.Errorf("%+v, %v", got, err)
		}
		for _, place := range [][2]string{{"staging", "sha256:1"}, {"prod", "sha256:3"}, {"prod", "1"}} {
			if got, err := s.Plans(ctx, place[0], place[1]); err != nil || len(got) != 0 {
				t.Errorf("%v: %+v, %v", place, got, err)
			}
		}
	})
}

func TestFilesThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 {
		dir := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(dir, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := state.InFiles(dir).Create(t.Context(), "locks/dev", []byte("1"))
		if err == nil || !strings.Contains(err.Error(), "writing locks/dev") {
			t.Errorf("%v", err)
		}
		return
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	if _, err := state.InFiles(dir).Create(t.Context(), "locks/dev", []byte("1")); err == nil {
		t.Error("written into a folder that may not be")
	}
}
