// Package state keeps the small records that outlive a run: locks, approvals,
// leases, releases and the history of what was changed.
//
// It never overwrites what somebody else wrote meanwhile. A Store holds them in a
// bucket, which all machines of a team see, or in files of the project, which only
// this machine does. Both promise the same: a record is there whole or not at all,
// and of two writers who saw the same record only one succeeds.
package state

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/deployer-cli/deployer/stacks"
)

// The ways in which a record can be other than was thought.
var (
	ErrAbsent  = errors.New("there is no such record")
	ErrExists  = errors.New("there is such a record already")
	ErrChanged = errors.New("somebody else changed the record")
)

// Record is one small document.
type Record struct {
	Key     string
	Body    []byte
	Version string        // changes with every write
	Age     time.Duration // since it was written, by one clock
}

// Objects is a place for objects with conditional puts.
type Objects interface {
	Place() string
	Object(ctx context.Context, key string) (body []byte, tag string, age time.Duration, err error)
	PutObject(ctx context.Context, key string, body []byte, tag string) (string, error)
	Objects(ctx context.Context, prefix string) ([]string, error)
	DeleteObject(ctx context.Context, key string) error
}

// Store keeps records. It is safe for concurrent use, and by many processes.
type Store struct {
	objects Objects // nil for files
	dir     string
}

// InBucket keeps records in a bucket.
func InBucket(o Objects) *Store { return &Store{objects: o} }

// InFiles keeps records in files below dir, which is made when it is needed.
func InFiles(dir string) *Store { return &Store{dir: dir} }

// Shared tells whether other machines see the records.
func (s *Store) Shared() bool { return s.objects != nil }

// Place says where the records are, for the reader.
func (s *Store) Place() string {
	if s.objects != nil {
		return s.objects.Place()
	}
	return "this machine only"
}

// Get reads a record; one that does not exist is ErrAbsent.
func (s *Store) Get(ctx context.Context, key string) (Record, error) {
	if err := checkKey(key); err != nil {
		return Record{}, err
	}
	if s.objects == nil {
		return s.readFile(key)
	}
	body, tag, age, err := s.objects.Object(ctx, key)
	if codeOf(err) == "NoSuchKey" {
		return Record{}, ErrAbsent
	}
	if err != nil {
		return Record{}, fmt.Errorf("reading %s: %w", key, err)
	}
	return Record{Key: key, Body: body, Version: tag, Age: age}, nil
}

// Create writes a record that must not exist yet, else it is ErrExists.
func (s *Store) Create(ctx context.Context, key string, body []byte) (version string, err error) {
	if err := checkKey(key); err != nil {
		return "", err
	}
	if s.objects == nil {
		return s.createFile(key, body)
	}
	version, err = s.objects.PutObject(ctx, key, body, "")
	if codeOf(err) == "PreconditionFailed" {
		return "", ErrExists
	}
	if err != nil {
		return "", fmt.Errorf("writing %s: %w", key, err)
	}
	return version, nil
}

// Replace writes a record over the version that was read, else it is
// ErrChanged.
func (s *Store) Replace(ctx context.Context, key string, body []byte, version string) (string, error) {
	if err := checkKey(key); err != nil {
		return "", err
	}
	if version == "" {
		return "", ErrChanged
	}
	if s.objects == nil {
		return s.replaceFile(key, body, version)
	}
	made, err := s.objects.PutObject(ctx, key, body, version)
	switch codeOf(err) {
	case "PreconditionFailed", "NoSuchKey":
		return "", ErrChanged
	}
	if err != nil {
		return "", fmt.Errorf("writing %s: %w", key, err)
	}
	return made, nil
}

// Delete removes a record; one that is not there is no error.
func (s *Store) Delete(ctx context.Context, key string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	if s.objects == nil {
		return s.deleteFile(key)
	}
	if err := s.objects.DeleteObject(ctx, key); err != nil {
		return fmt.Errorf("removing %s: %w", key, err)
	}
	return nil
}

// List gives the keys below a prefix that ends in a slash, sorted.
func (s *Store) List(ctx context.Context, prefix string) ([]string, error) {
	if err := checkKey(strings.TrimSuffix(prefix, "/")); err != nil {
		return nil, err
	}
	if s.objects == nil {
		return s.listFiles(prefix)
	}
	keys, err := s.objects.Objects(ctx, prefix)
	if err != nil {
		return nil, fmt.Errorf("listing %s: %w", prefix, err)
	}
	return keys, nil
}

// checkKey holds keys to plain names between slashes.
func checkKey(key string) error {
	for part := range strings.SplitSeq(key, "/") {
		if part == "" || part == "." || part == ".." || strings.ContainsAny(part, "\\\x00") {
			return fmt.Errorf("%q is no key of a record", key)
		}
	}
	return nil
}

func codeOf(err error) string {
	if e, ok := errors.AsType[*stacks.ServiceError](err); ok {
		return e.Code
	}
	return ""
}

func versionOf(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}
