package journal

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// CorruptError says that a line of a journal is not what was written.
type CorruptError struct {
	File string
	Line int
}

// Error names the line.
func (e *CorruptError) Error() string {
	return fmt.Sprintf("%s:%d: not an entry of a journal", e.File, e.Line)
}

// Entries gives the entries of a run's journal, in order. A last line that is
// half written is left out; any other line that cannot be read is a
// *CorruptError, after which reading goes on.
func Entries(dir, run string) iter.Seq2[Entry, error] {
	name := filepath.Join(dir, run+suffix)
	return func(yield func(Entry, error) bool) {
		f, err := os.Open(name)
		if err != nil {
			yield(Entry{}, &Error{What: "the journal cannot be read", Dir: dir, cause: err})
			return
		}
		defer func() { _ = f.Close() }()
		for e, err := range decode(f, name) {
			if !yield(e, err) {
				return
			}
		}
	}
}

// decode reads the lines of a journal.
func decode(r io.Reader, name string) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		br := bufio.NewReader(r)
		for n := 1; ; n++ {
			line, err := br.ReadBytes('\n')
			if errors.Is(err, io.EOF) {
				return // with a line that has no end, the writer was killed in it
			}
			if err != nil {
				yield(Entry{}, err)
				return
			}
			e, ok := parse(line)
			switch {
			case !ok:
				if !yield(Entry{}, &CorruptError{name, n}) {
					return
				}
			case e.Kind != "":
				if !yield(e, nil) {
					return
				}
			}
		}
	}
}

// parse reads one line; the header gives an Entry without a kind.
func parse(line []byte) (Entry, bool) {
	if bytes.HasPrefix(line, []byte(`{"journal":`)) {
		return Entry{}, true
	}
	var e Entry
	if json.Unmarshal(line, &e) != nil || e.Kind == "" {
		return Entry{}, false
	}
	return e, true
}

// Info names a run that has a journal.
type Info struct {
	Run          string
	Started      time.Time
	Environments []string // that it is about, as far as that is known
}

// Runs lists the runs that have a journal in dir, oldest first; none where
// there is no dir. A file that is no journal is passed over.
func Runs(dir string) ([]Info, error) {
	files, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, &Error{What: "the journals cannot be listed", Dir: dir, cause: err}
	}
	var out []Info
	for _, f := range files {
		run, ok := strings.CutSuffix(f.Name(), suffix)
		if !ok || f.IsDir() {
			continue
		}
		if h, ok := readHeader(filepath.Join(dir, f.Name())); ok {
			out = append(out, Info{Run: run, Started: h.Time, Environments: h.Environments})
		}
	}
	slices.SortFunc(out, func(a, b Info) int {
		if c := a.Started.Compare(b.Started); c != 0 {
			return c
		}
		return strings.Compare(a.Run, b.Run)
	})
	return out, nil
}

func readHeader(name string) (header, bool) {
	f, err := os.Open(name)
	if err != nil {
		return header{}, false
	}
	defer func() { _ = f.Close() }()
	line, err := bufio.NewReader(io.LimitReader(f, 4096)).ReadBytes('\n')
	var h header
	if err != nil || json.Unmarshal(line, &h) != nil || h.Journal == 0 {
		return header{}, false
	}
	return h, true
}

// Latest names the run that started last, "" when there is none.
func Latest(dir string) (string, error) {
	runs, err := Runs(dir)
	if err != nil || len(runs) == 0 {
		return "", err
	}
	return runs[len(runs)-1].Run, nil
}
