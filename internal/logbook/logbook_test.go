package logbook_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/lockedfile"

	"github.com/deployer-cli/deployer/internal/awsconf"
	"github.com/deployer-cli/deployer/internal/cloud"
	"github.com/deployer-cli/deployer/internal/logbook"
	"github.com/deployer-cli/deployer/internal/record"
	"github.com/deployer-cli/deployer/internal/sandbox"
	"github.com/deployer-cli/deployer/internal/sandbox/store"
	"github.com/deployer-cli/deployer/internal/state"
	"github.com/deployer-cli/deployer/stacks"
)

const id = "b-20261122-1432-x7f3"

func noon() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }

// bucket is a team's, in a sandbox of the test's own.
func bucket() *state.Store {
	server := sandbox.New(sandbox.Options{Store: store.NewMemory(), Speed: sandbox.MaxSpeed, Stubs: true})
	configs := awsconf.New(awsconf.Options{
		Realm: stacks.RealmSandbox, HTTPClient: server.Client(), Endpoint: sandbox.Endpoint,
		Keys: &awsconf.Keys{ID: "AKID", Secret: "s"},
	})
	c := cloud.New(cloud.Options{Config: configs.Config, Realm: stacks.RealmSandbox})
	return state.InBucket(c.Bucket(stacks.Access{Region: "eu-west-1"}, "team-state", "/shop/"))
}

// file is where the journal of a break of dev is.
func file(dir string) string { return filepath.Join(dir, "dev", id+".jsonl") }

func add(t *testing.T, b *logbook.Books, body any) record.Entry {
	t.Helper()
	e, err := b.Append(t.Context(), "dev", id, "note", noon(), body)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// said are the bodies of a break's journal.
func said(t *testing.T, b *logbook.Books) string {
	t.Helper()
	entries, err := b.Read(t.Context(), "dev", id)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, string(e.Body))
	}
	return strings.Join(out, " ")
}

func TestJournal(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "breaks")
	b := logbook.New(dir, "r1", nil)
	if _, err := b.Read(t.Context(), "dev", id); !errors.Is(err, state.ErrAbsent) {
		t.Errorf("of none: %v", err)
	}
	if ids, err := b.List(t.Context(), "dev"); err != nil || len(ids) != 0 {
		t.Errorf("none: %v, %v", ids, err)
	}
	first, second := add(t, b, 1), add(t, b, "two\n")
	if first.Seq != 1 || first.Run != "r1" || second.Previous != first.Hash() {
		t.Errorf("%+v, %+v", first, second)
	}
	if got := said(t, logbook.New(dir, "r2", nil)); got != `1 "two\n"` {
		t.Errorf("read %s", got)
	}
	for _, name := range []string{file(dir), filepath.Join(dir, "dev")} {
		info, err := os.Stat(name)
		if err != nil || runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	if ids, err := b.List(t.Context(), "dev"); err != nil || !slices.Equal(ids, []string{id}) {
		t.Errorf("listed %v, %v", ids, err)
	}
	for _, bad := range []string{"", "x", "../" + id, "b-20261122-1432-x7f3/..", "B-20261122-1432-x7f3"} {
		if _, err := b.Append(t.Context(), "dev", bad, "note", noon(), nil); err == nil {
			t.Errorf("a break called %q", bad)
		}
	}
	if _, err := b.Append(t.Context(), "", id, "note", noon(), nil); err == nil {
		t.Error("a break of no environment")
	}
	if _, err := b.Append(t.Context(), "dev", id, "note", noon(), func() {}); err == nil {
		t.Error("a function was written down")
	}
}

func TestEnvironmentsAreApart(t *testing.T) {
	t.Parallel()
	b := logbook.New(t.TempDir(), "r", bucket())
	for _, env := range []string{".", "dev", "team/dev"} {
		if _, err := b.Append(t.Context(), env, id, "note", noon(), env); err != nil {
			t.Fatal(err)
		}
	}
	for _, env := range []string{".", "dev", "team/dev"} {
		e, err := b.Read(t.Context(), env, id)
		if err != nil || len(e) != 1 || string(e[0].Body) != strconv.Quote(env) {
			t.Errorf("%s: %v, %v", env, e, err)
		}
		if ids, err := b.List(t.Context(), env); err != nil || !slices.Equal(ids, []string{id}) {
			t.Errorf("%s: %v, %v", env, ids, err)
		}
	}
	if ids, err := b.List(t.Context(), "team"); err != nil || len(ids) != 0 {
		t.Errorf("team: %v, %v", ids, err)
	}
}

func TestIDs(t *testing.T) {
	t.Parallel()
	early, late := logbook.NewID(noon()), logbook.NewID(noon().Add(time.Minute))
	if !logbook.IsID(early) || !strings.HasPrefix(early, "b-20261122-1200-") || early >= late || early == logbook.NewID(noon()) {
		t.Errorf("%s, %s", early, late)
	}
}

// TestKilledAtEveryByte: a file cut at any length reads up to its last whole
// entry, and can be gone on with.
func TestKilledAtEveryByte(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := logbook.New(dir, "r1", nil)
	add(t, b, "one")
	add(t, b, map[string]string{"k": "two\n"})
	whole, err := os.ReadFile(file(dir))
	if err != nil {
		t.Fatal(err)
	}
	for cut := range len(whole) + 1 {
		if err := os.WriteFile(file(dir), whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		n := bytes.Count(whole[:cut], []byte("\n"))
		if entries, err := b.Read(t.Context(), "dev", id); n > 0 && (err != nil || len(entries) != n) {
			t.Fatalf("cut at %d: %d entries, want %d, %v", cut, len(entries), n, err)
		}
		if e := add(t, b, "next"); e.Seq != n+1 {
			t.Fatalf("cut at %d: entry %d, want %d", cut, e.Seq, n+1)
		}
		if entries, err := b.Read(t.Context(), "dev", id); err != nil || len(entries) != n+1 {
			t.Fatalf("cut at %d: %v", cut, err)
		}
	}
}

// TestForged: what somebody changed is noticed by everybody who reads it, and
// nothing is put behind it.
func TestForged(t *testing.T) {
	t.Parallel()
	for name, forge := range map[string]func(string) string{
		"a word":         func(s string) string { return strings.Replace(s, "one", "eno", 1) },
		"the last word":  func(s string) string { return strings.Replace(s, "three", "eerht", 1) },
		"a line less":    func(s string) string { l := strings.SplitAfter(s, "\n"); return l[0] + l[2] },
		"a line more":    func(s string) string { return s + "{}\n" },
		"lines turned":   func(s string) string { l := strings.SplitAfter(s, "\n"); return l[1] + l[0] + l[2] },
		"an empty line":  func(s string) string { return "\n" + s },
		"without a hash": func(s string) string { i := strings.LastIndex(s, `,"hash"`); return s[:i] + "}\n" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			b := logbook.New(dir, "r1", nil)
			add(t, b, "one")
			add(t, b, "two")
			add(t, b, "three")
			text, _ := os.ReadFile(file(dir))
			forged := forge(string(text))
			if err := os.WriteFile(file(dir), []byte(forged), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := b.Read(t.Context(), "dev", id)
			_, err2 := b.Append(t.Context(), "dev", id, "note", noon(), 4)
			for _, err := range []error{err, err2} {
				if _, ok := errors.AsType[*record.BrokenError](err); !ok {
					t.Errorf("%v", err)
				}
			}
			if after, _ := os.ReadFile(file(dir)); string(after) != forged {
				t.Error("the evidence was changed")
			}
		})
	}
}

// helper is set for a child of TestManyProcesses: the folder to write to.
const helper = "LOGBOOK_TEST_DIR"

// TestManyProcesses: several processes write to one book, and nothing is lost.
func TestManyProcesses(t *testing.T) {
	if dir := os.Getenv(helper); dir != "" {
		b := logbook.New(dir, "child", nil)
		for i := range 20 {
			if _, err := b.Append(t.Context(), "dev", id, "note", noon(), i); err != nil {
				t.Fatal(err)
			}
		}
		return
	}
	t.Parallel()
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			c := exec.CommandContext(t.Context(), self, "-test.run=^TestManyProcesses$")
			c.Env = append(os.Environ(), helper+"="+dir)
			if out, err := c.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	wg.Wait()
	entries, err := logbook.New(dir, "r", nil).Read(t.Context(), "dev", id)
	if err != nil || len(entries) != 60 {
		t.Errorf("%d entries, %v", len(entries), err)
	}
}

// TestManyMachines: several machines share one book, or several processes of one.
func TestManyMachines(t *testing.T) {
	t.Parallel()
	one := t.TempDir()
	for name, where := range map[string]func(*testing.T) string{
		"many": func(t *testing.T) string { t.Helper(); return t.TempDir() },
		"one":  func(*testing.T) string { return one },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			team := bucket()
			var books []*logbook.Books
			for i := range 3 {
				books = append(books, logbook.New(where(t), fmt.Sprint("machine", i), team))
			}
			var wg sync.WaitGroup
			for _, b := range books {
				wg.Go(func() {
					for i := range 6 {
						if _, err := b.Append(t.Context(), "dev", id, "note", noon(), i); err != nil {
							t.Error(err)
						}
					}
				})
			}
			wg.Wait()
			first := said(t, books[0])
			if len(strings.Fields(first)) != 18 || said(t, books[1]) != first || said(t, books[2]) != first {
				t.Errorf("%s\n%s\n%s", first, said(t, books[1]), said(t, books[2]))
			}
		})
	}
}

// slow is a bucket that answers nothing until it is let go.
type slow struct {
	logbook.Shared
	asked chan struct{}
	let   chan struct{}
}

func (s *slow) Create(ctx context.Context, key string, body []byte) (string, error) {
	select {
	case s.asked <- struct{}{}:
	default:
	}
	select {
	case <-s.let:
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	return s.Shared.Create(ctx, key, body)
}

// TestAHangingBucketKeepsNobodyElse: another command of this machine writes while one
// waits for its bucket, and none of their entries is lost.
func TestAHangingBucketKeepsNobodyElse(t *testing.T) {
	t.Parallel()
	dir, team := t.TempDir(), bucket()
	hangs := &slow{team, make(chan struct{}, 1), make(chan struct{})}
	ended := make(chan error, 1)
	go func() {
		_, err := logbook.New(dir, "one", hangs).Append(t.Context(), "dev", id, "note", noon(), "one")
		ended <- err
	}()
	<-hangs.asked
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	two := logbook.New(dir, "two", team)
	for range 2 {
		if _, err := two.Append(ctx, "dev", id, "note", noon(), "two"); err != nil {
			t.Fatalf("while another one hangs: %v", err)
		}
	}
	close(hangs.let)
	if err := <-ended; err != nil {
		t.Error(err)
	}
	for _, shared := range []logbook.Shared{team, nil} {
		if got := said(t, logbook.New(dir, "r", shared)); got != `"two" "two" "one"` {
			t.Errorf("read %s", got)
		}
	}
}

// TestGivingUpOnTheLock: whoever holds the file may be suspended. Who waits for it
// need not, and leaves nothing held.
func TestGivingUpOnTheLock(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := logbook.New(dir, "r", nil)
	add(t, b, 1)
	unlock, err := lockedfile.MutexAt(filepath.Join(dir, "dev", ".lock")).Lock()
	if err != nil {
		t.Fatal(err)
	}
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	if _, err := b.Append(ctx, "dev", id, "note", noon(), 2); !errors.Is(err, why) {
		t.Errorf("with the lock held: %v", err)
	}
	unlock()
	// Whoever gave up takes it once more, to give it back: on a machine that is busy that
	// may last as long as what is free is waited for.
	_, err = b.Append(ctx, "dev", id, "note", noon(), 3)
	for tries := 1; errors.Is(err, why) && tries < 10; tries++ {
		_, err = b.Append(ctx, "dev", id, "note", noon(), 3)
	}
	if err != nil {
		t.Errorf("what is free can be written although nobody waits any more: %v", err)
	}
	add(t, b, 4)
	if got := said(t, b); got != "1 3 4" {
		t.Errorf("read %s", got)
	}
}

// TestASecondMachineTakesOver: with nothing but the bucket it lists, reads, goes
// on and finds the capsules; the first one sees what it did.
func TestASecondMachineTakesOver(t *testing.T) {
	t.Parallel()
	team := bucket()
	dir := t.TempDir()
	one, two := logbook.New(dir, "one", team), logbook.New(t.TempDir(), "two", team)
	add(t, one, 1)
	add(t, one, 2)
	hash, err := one.Put(t.Context(), "dev", id, "dev/web", []byte("capsule"))
	if err != nil {
		t.Fatal(err)
	}
	if ids, err := two.List(t.Context(), "dev"); err != nil || !slices.Equal(ids, []string{id}) {
		t.Errorf("listed %v, %v", ids, err)
	}
	if got := said(t, two); got != "1 2" {
		t.Errorf("read %s", got)
	}
	if body, err := two.Get(t.Context(), "dev", id, "dev/web"); err != nil || logbook.Sum(body) != hash {
		t.Errorf("%q, %v", body, err)
	}
	if e := add(t, two, 3); e.Seq != 3 || e.Run != "two" {
		t.Errorf("%+v", e)
	}
	if got := said(t, one); got != "1 2 3" {
		t.Errorf("the first reads %s", got)
	}
	if e := add(t, one, 4); e.Seq != 4 {
		t.Errorf("%+v", e)
	}
	alone := logbook.New(dir, "r", nil)
	if got := said(t, alone); got != "1 2 3 4" {
		t.Errorf("the first one's file holds %s", got)
	}
}

// TestABucketThatCameLater: a break that began without one is shared whole.
func TestABucketThatCameLater(t *testing.T) {
	t.Parallel()
	dir, team := t.TempDir(), bucket()
	add(t, logbook.New(dir, "r", nil), 1)
	add(t, logbook.New(dir, "r", nil), 2)
	b := logbook.New(dir, "r", team)
	if got := said(t, b); got != "1 2" {
		t.Errorf("read %s", got)
	}
	add(t, b, 3)
	if got := said(t, logbook.New(t.TempDir(), "r", team)); got != "1 2 3" {
		t.Errorf("shared are %s", got)
	}
}

// counting counts what is fetched.
type counting struct {
	*state.Store
	gets atomic.Int64
}

func (c *counting) Get(ctx context.Context, key string) (state.Record, error) {
	c.gets.Add(1)
	return c.Store.Get(ctx, key)
}

// TestWatchingFetchesOnlyWhatIsNew: reading again costs one entry, whatever the
// length of the journal.
func TestWatchingFetchesOnlyWhatIsNew(t *testing.T) {
	t.Parallel()
	team := bucket()
	one := logbook.New(t.TempDir(), "one", team)
	for i := range 30 {
		add(t, one, i)
	}
	place := &counting{Store: team}
	two := logbook.New(t.TempDir(), "two", place)
	before := said(t, two)
	if n := place.gets.Swap(0); n != 30 || len(strings.Fields(before)) != 30 {
		t.Errorf("%d fetched for %s", n, before)
	}
	add(t, one, "new")
	if got := said(t, two); got != before+` "new"` {
		t.Errorf("read %s", got)
	}
	if n := place.gets.Load(); n != 2 {
		t.Errorf("%d fetched for one entry", n)
	}
}

// TestDiverged: two journals of one break are told, and neither is gone on with.
func TestDiverged(t *testing.T) {
	t.Parallel()
	team := bucket()
	dir := t.TempDir()
	add(t, logbook.New(dir, "r", nil), "mine")
	add(t, logbook.New(t.TempDir(), "r", team), "theirs")
	b := logbook.New(dir, "r", team)
	_, err := b.Read(t.Context(), "dev", id)
	_, err2 := b.Append(t.Context(), "dev", id, "note", noon(), "more")
	for _, err := range []error{err, err2} {
		if d, ok := errors.AsType[*logbook.DivergedError](err); !ok || d.Seq != 1 || d.Hint() == "" || !strings.Contains(d.Error(), id) {
			t.Errorf("%v", err)
		}
	}
}

// faulty is a shared place that fails.
type faulty struct {
	*state.Store
	lost   bool // the put of an entry lands, the answer does not
	broken bool
}

var errNetwork = errors.New("the network is gone")

func (f *faulty) Create(ctx context.Context, key string, body []byte) (string, error) {
	if f.broken {
		return "", errNetwork
	}
	v, err := f.Store.Create(ctx, key, body)
	if f.lost && strings.Contains(key, "/entries/") {
		return "", errNetwork
	}
	return v, err
}

// TestTheAnswerIsLost: an entry that may have been stored is not announced, and
// whatever became of it the journal stays one.
func TestTheAnswerIsLost(t *testing.T) {
	t.Parallel()
	dir, team := t.TempDir(), bucket()
	place := &faulty{Store: team}
	b := logbook.New(dir, "r", place)
	add(t, b, 1)
	for _, f := range []func(){func() { place.broken, place.lost = true, false }, func() { place.broken, place.lost = false, true }} {
		f()
		if _, err := b.Append(t.Context(), "dev", id, "note", noon(), "unsure"); !errors.Is(err, errNetwork) {
			t.Fatalf("%v", err)
		}
	}
	place.broken, place.lost = false, false
	add(t, b, 3)
	if got := said(t, b); got != `1 "unsure" 3` {
		t.Errorf("read %s", got)
	}
	if got := said(t, logbook.New(dir, "r", nil)); got != `1 "unsure" 3` {
		t.Errorf("the file holds %s", got)
	}
}

// TestSharedPlacesAreNotTrusted: a gap, nonsense and another's entry among what
// is shared are errors.
func TestSharedPlacesAreNotTrusted(t *testing.T) {
	t.Parallel()
	key := func(seq int) string { return fmt.Sprintf("breaks/dev/%s/entries/%08d", id, seq) }
	for name, spoil := range map[string]func(t *testing.T, s *state.Store){
		"a gap": func(t *testing.T, s *state.Store) {
			t.Helper()
			if err := s.Delete(t.Context(), key(1)); err != nil {
				t.Fatal(err)
			}
		},
		"nonsense": func(t *testing.T, s *state.Store) {
			t.Helper()
			if _, err := s.Create(t.Context(), key(3), []byte("{}")); err != nil {
				t.Fatal(err)
			}
		},
		"twice the same": func(t *testing.T, s *state.Store) {
			t.Helper()
			r, err := s.Get(t.Context(), key(2))
			if err == nil {
				_, err = s.Create(t.Context(), key(3), r.Body)
			}
			if err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			team := bucket()
			b := logbook.New(t.TempDir(), "r", team)
			add(t, b, 1)
			add(t, b, 2)
			spoil(t, team)
			_, err := logbook.New(t.TempDir(), "r", team).Read(t.Context(), "dev", id)
			if _, ok := errors.AsType[*record.BrokenError](err); !ok {
				t.Errorf("read: %v", err)
			}
			_, err = logbook.New(t.TempDir(), "r", team).Append(t.Context(), "dev", id, "note", noon(), 3)
			if _, ok := errors.AsType[*record.BrokenError](err); !ok {
				t.Errorf("append: %v", err)
			}
		})
	}
}

func TestDocuments(t *testing.T) {
	t.Parallel()
	dir, team := t.TempDir(), bucket()
	b := logbook.New(dir, "r", team)
	ctx := t.Context()
	hash, err := b.Put(ctx, "dev", id, "dev/web", []byte("one"))
	if err != nil || hash != logbook.Sum([]byte("one")) {
		t.Fatalf("%s, %v", hash, err)
	}
	if again, err := b.Put(ctx, "dev", id, "dev/web", []byte("one")); err != nil || again != hash {
		t.Errorf("%s, %v", again, err)
	}
	if _, err := b.Put(ctx, "dev", id, "dev/web", []byte("two")); err == nil {
		t.Error("another document under the same name")
	}
	if _, err := b.Get(ctx, "dev", id, "dev"); !errors.Is(err, state.ErrAbsent) {
		t.Errorf("%v", err)
	}
	for _, name := range []string{"", ".", "..", "a/../b", "entries", "é%:"} {
		if _, err := b.Put(ctx, "dev", id, name, []byte(name+"!")); err != nil {
			t.Errorf("%q: %v", name, err)
		}
		if got, err := b.Get(ctx, "dev", id, name); err != nil || string(got) != name+"!" {
			t.Errorf("%q: %q, %v", name, got, err)
		}
	}
	spoilt := ""
	_ = filepath.WalkDir(dir, func(name string, d os.DirEntry, _ error) error {
		if info, err := d.Info(); err == nil && !d.IsDir() && runtime.GOOS != "windows" && d.Name() != ".lock" && info.Mode().Perm() != 0o600 {
			t.Errorf("%s is %v", name, info.Mode())
		}
		if text, _ := os.ReadFile(name); string(text) == "one" {
			spoilt = name
		}
		return nil
	})
	if err := os.WriteFile(spoilt, []byte("eno"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := b.Find(ctx, "dev", id, "dev/web", hash); err != nil || string(got) != "one" {
		t.Errorf("the whole one is in the bucket: %q, %v", got, err)
	}
	if _, err := logbook.New(dir, "r", nil).Find(ctx, "dev", id, "dev/web", hash); err == nil {
		t.Error("a spoilt document was taken")
	}
	if _, err := b.Put(ctx, "dev", id, "dev/web", []byte("one")); err == nil {
		t.Error("it was read back as it was written, and is not")
	}
}

// A break is begun once, by one of many, and a journal that is gone is not one that
// never was.
func TestBegin(t *testing.T) {
	t.Parallel()
	for name, shared := range map[string]logbook.Shared{"local": nil, "shared": bucket(), "shared here": bucket()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			place := func(run string) *logbook.Books {
				if name == "shared" {
					return logbook.New(t.TempDir(), run, shared) // machines of their own
				}
				return logbook.New(dir, run, shared)
			}
			var begun atomic.Int64
			var all sync.WaitGroup
			for i := range 6 {
				all.Go(func() {
					_, err := place(fmt.Sprint("r", i)).Begin(t.Context(), "dev", id, "plan", noon(), "p")
					if _, again := errors.AsType[*logbook.BegunError](err); err == nil {
						begun.Add(1)
					} else if !again {
						t.Error(err)
					}
				})
			}
			all.Wait()
			if begun.Load() != 1 {
				t.Errorf("%d began it", begun.Load())
			}
			b := place("r")
			if entries, err := b.Read(t.Context(), "dev", id); err != nil || len(entries) != 1 {
				t.Errorf("%v, %v", entries, err)
			}
		})
	}
}

func TestGone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := logbook.New(dir, "r", nil)
	add(t, b, "one")
	if _, err := b.Put(t.Context(), "dev", id, "capsule", []byte("kept")); err != nil {
		t.Fatal(err)
	}
	for _, cut := range []func(string) error{func(name string) error { return os.Truncate(name, 0) }, os.Remove} {
		if err := cut(file(dir)); err != nil {
			t.Fatal(err)
		}
		_, err := b.Read(t.Context(), "dev", id)
		if _, gone := errors.AsType[*logbook.GoneError](err); !gone {
			t.Errorf("reading it: %v", err)
		}
		if _, err := b.Begin(t.Context(), "dev", id, "plan", noon(), "p"); err == nil {
			t.Error("it was begun again")
		}
		if ids, err := b.List(t.Context(), "dev"); err != nil || !slices.Equal(ids, []string{id}) {
			t.Errorf("listed: %v, %v", ids, err)
		}
	}
}

// TestAppendIf: no entry comes between those that an entry was judged by and it, also
// not one of another machine that this one has not seen yet.
func TestAppendIf(t *testing.T) {
	t.Parallel()
	for name, same := range map[string]bool{"one machine": true, "two machines": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shared, dir, there := bucket(), t.TempDir(), t.TempDir()
			if same {
				there = dir
			}
			ours, theirs := logbook.New(dir, "r1", shared), logbook.New(there, "r2", shared)
			add(t, ours, "plan")
			add(t, theirs, "stop")
			asked := 0
			unless := logbook.Judged{Kind: "intent", At: noon(), Body: "intent", May: func(before []record.Entry) error {
				asked++
				if slices.ContainsFunc(before, func(e record.Entry) bool { return string(e.Body) == `"stop"` }) {
					return errors.New("stopped")
				}
				return nil
			}}
			if _, err := ours.AppendIf(t.Context(), "dev", id, unless); err == nil || err.Error() != "stopped" || asked == 0 {
				t.Errorf("asked %d times: %v", asked, err)
			}
			if got := said(t, ours); got != `"plan" "stop"` {
				t.Errorf("read %s", got)
			}
			unless.May = func([]record.Entry) error { return nil }
			if e, err := ours.AppendIf(t.Context(), "dev", id, unless); err != nil || e.Seq != 3 || said(t, theirs) != `"plan" "stop" "intent"` {
				t.Errorf("%+v, %v", e, err)
			}
		})
	}
}
