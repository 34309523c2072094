package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/lockedfile"
)

// suffix of a record's file; what has another is no record.
const suffix = ".json"

// file is where a record is. A colon is no part of a file's name everywhere.
func (s *Store) file(key string) string {
	return filepath.Join(s.dir, filepath.FromSlash(escape(key))) + suffix
}

func escape(key string) string { return strings.NewReplacer("%", "%25", ":", "%3A").Replace(key) }

func unescape(key string) string { return strings.NewReplacer("%25", "%", "%3A", ":").Replace(key) }

func (s *Store) readFile(key string) (Record, error) {
	name := s.file(key)
	body, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return Record{}, ErrAbsent
	}
	if err != nil {
		return Record{}, s.failed("reading", key, err)
	}
	r := Record{Key: key, Body: body, Version: versionOf(body)}
	if info, err := os.Stat(name); err == nil {
		r.Age = time.Since(info.ModTime())
	}
	return r, nil
}

func (s *Store) createFile(key string, body []byte) (string, error) {
	return versionOf(body), s.locked(key, func(name string) error {
		if _, err := os.Lstat(name); err == nil {
			return ErrExists
		}
		return writeWhole(name, body)
	})
}

func (s *Store) replaceFile(key string, body []byte, version string) (string, error) {
	return versionOf(body), s.locked(key, func(name string) error {
		now, err := os.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) || err == nil && versionOf(now) != version {
			return ErrChanged
		}
		if err != nil {
			return err
		}
		return writeWhole(name, body)
	})
}

func (s *Store) deleteFile(key string) error {
	return s.locked(key, func(name string) error {
		if err := os.Remove(name); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	})
}

// locked does something to a record's file while no other process does. The
// system gives the lock back when its holder dies.
func (s *Store) locked(key string, do func(name string) error) error {
	name := s.file(key)
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return s.failed("writing", key, err)
	}
	unlock, err := lockedfile.MutexAt(filepath.Join(s.dir, ".lock")).Lock()
	if err != nil {
		return s.failed("writing", key, err)
	}
	defer unlock()
	err = do(name)
	if err == nil || errors.Is(err, ErrExists) || errors.Is(err, ErrChanged) {
		return err
	}
	return s.failed("writing", key, err)
}

// writeWhole puts a file there whole or not at all, and on the disk.
func writeWhole(name string, body []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(name), ".new-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }() // gone already when all went well
	_, err = tmp.Write(body)
	if err == nil {
		err = tmp.Sync()
	}
	if err = errors.Join(err, tmp.Close()); err != nil {
		return err
	}
	if err := os.Rename(tmp.Name(), name); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(name))
	if err != nil {
		return err
	}
	_ = dir.Sync() // not every file system has something to sync a folder with
	return dir.Close()
}

func (s *Store) listFiles(prefix string) ([]string, error) {
	root := filepath.Join(s.dir, filepath.FromSlash(escape(strings.TrimSuffix(prefix, "/"))))
	var keys []string
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || d.IsDir() || filepath.Ext(name) != suffix || strings.HasPrefix(d.Name(), ".") {
			return err
		}
		rel, err := filepath.Rel(s.dir, name)
		keys = append(keys, unescape(strings.TrimSuffix(filepath.ToSlash(rel), suffix)))
		return err
	})
	if err != nil {
		return nil, s.failed("listing", prefix, err)
	}
	slices.Sort(keys)
	return keys, nil
}

// Error says that a record could not be kept or read.
type Error struct {
	what  string
	key   string
	dir   string
	cause error
}

func (s *Store) failed(what, key string, err error) error {
	return &Error{what: what, key: key, dir: s.dir, cause: err}
}

// Error says what, where and why.
func (e *Error) Error() string {
	cause := e.cause
	if p, ok := errors.AsType[*fs.PathError](cause); ok {
		cause = p.Err
	}
	return fmt.Sprintf("%s %s in %s: %v", e.what, e.key, e.dir, cause)
}

// Hint tells what to do about it.
func (e *Error) Hint() string {
	if errors.Is(e.cause, syscall.ENOSPC) || errors.Is(e.cause, syscall.EDQUOT) {
		return "the disk is full: make room, for nothing is done that is not written down first"
	}
	return "deployer needs to read and write .deployer/ of the project"
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.cause }
