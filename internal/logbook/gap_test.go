package logbook_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/deployer-cli/deployer/internal/logbook"
	"github.com/deployer-cli/deployer/internal/state"
)

// between is a shared place in memory, before which something happens once.
type between struct {
	kept   map[string][]byte
	before func()
}

func (b *between) Create(_ context.Context, key string, body []byte) (string, error) {
	if before := b.before; before != nil {
		b.before = nil
		before()
	}
	if _, there := b.kept[key]; there {
		return "", state.ErrExists
	}
	b.kept[key] = body
	return "1", nil
}

func (b *between) Get(_ context.Context, key string) (state.Record, error) {
	body, there := b.kept[key]
	if !there {
		return state.Record{}, state.ErrAbsent
	}
	return state.Record{Body: body}, nil
}

func (b *between) List(_ context.Context, prefix string) ([]string, error) {
	keys := slices.DeleteFunc(slices.Collect(maps.Keys(b.kept)), func(k string) bool { return !strings.HasPrefix(k, prefix) })
	slices.Sort(keys)
	return keys, nil
}

// TestNoGap: whoever of a folder does not know of the bucket, at whatever moment, leaves
// no number out of what is shared. At worst the folder's journal is another one, and its
// writers are told so; machines beside it never notice.
func TestNoGap(t *testing.T) {
	t.Parallel()
	top, checks := t.TempDir(), 0
	rapid.Check(t, func(t *rapid.T) {
		checks++
		dir := filepath.Join(top, strconv.Itoa(checks))
		here, there := dir+"/here", dir+"/there"
		place := &between{kept: map[string][]byte{}}
		local := logbook.New(here, "local", nil)
		writers := []*logbook.Books{local, logbook.New(here, "a", place), logbook.New(here, "b", place), logbook.New(there, "c", place)}
		write := func(b *logbook.Books, body string) error {
			_, err := b.Append(t.Context(), "dev", id, "note", noon(), body)
			return err
		}
		var shared int
		inTurn := true // nothing was written in the middle of something else
		alone := true  // nor from elsewhere
		for i := range rapid.IntRange(2, 6).Draw(t, "entries") {
			who := rapid.IntRange(0, 3).Draw(t, "who")
			if who > 0 && rapid.IntRange(0, 3).Draw(t, "between") == 0 {
				inTurn = false
				place.before = func() { _ = write(local, fmt.Sprint("meanwhile ", i)) }
			}
			alone = alone && who != 3
			err := write(writers[who], fmt.Sprint(who, " ", i))
			place.before = nil
			if _, diverged := errors.AsType[*logbook.DivergedError](err); err != nil && (!diverged || inTurn && alone || who == 3) {
				t.Fatalf("%d: %v", who, err)
			}
			if err == nil && who > 0 {
				shared++
			}
		}
		if shared == 0 {
			return
		}
		entries, err := logbook.New(dir+"/later", "d", place).Read(t.Context(), "dev", id)
		if err != nil || len(entries) < shared {
			t.Fatalf("%d are shared, of %d: %v", len(entries), shared, err)
		}
	})
}
