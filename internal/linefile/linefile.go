// Package linefile is a file of lines that is only ever appended to, and that
// survives being killed in the middle of a line.
//
// It does not know what the lines mean, and never changes one that is whole.
package linefile

import (
	"bytes"
	"errors"
	"io"
	"os"
	"syscall"
)

// File is open for appending. It is not safe for concurrent use: its user has a
// lock where there may be others.
type File struct {
	f    *os.File
	size int64 // of what is whole
}

// Open opens a file for appending and makes it, for its owner alone, where it is
// not there. Half a line at its end, whose writer was killed, is cut off.
func Open(name string) (*File, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	whole, size, err := wholeLines(f)
	if err == nil && whole < size {
		err = f.Truncate(whole)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return &File{f: f, size: whole}, nil
}

// Size is the length of all whole lines, in bytes.
func (f *File) Size() int64 { return f.size }

// Append writes a line, to which it adds the line end; durable says to return
// only when it is on the disk. After an error the file is as it was, as far as
// the disk still lets us: no half line stays.
func (f *File) Append(line []byte, durable bool) error {
	text := append(bytes.Clone(line), '\n')
	_, err := f.f.WriteAt(text, f.size)
	if err == nil && durable {
		err = f.f.Sync()
	}
	if err != nil {
		_ = f.f.Truncate(f.size)
		return err
	}
	f.size += int64(len(text))
	return nil
}

// Sync puts everything on the disk.
func (f *File) Sync() error { return f.f.Sync() }

// Close puts everything on the disk and closes the file.
func (f *File) Close() error { return errors.Join(f.f.Sync(), f.f.Close()) }

// wholeLines is the length of a file up to its last line end, and its size.
func wholeLines(f *os.File) (whole, size int64, err error) {
	info, err := f.Stat()
	if err != nil {
		return 0, 0, err
	}
	const step = 4096
	buf := make([]byte, step)
	for end := info.Size(); end > 0; {
		start := max(0, end-step)
		n, err := f.ReadAt(buf[:end-start], start)
		if err != nil && err != io.EOF {
			return 0, 0, err
		}
		if i := bytes.LastIndexByte(buf[:n], '\n'); i >= 0 {
			return start + int64(i) + 1, info.Size(), nil
		}
		end = start
	}
	return 0, info.Size(), nil
}

// SyncDir makes a new file's name survive a power cut.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }()
	if err := d.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, os.ErrPermission) {
		return err // some file systems have nothing to sync a folder with
	}
	return nil
}

// Cause is an error of the file system's without the path, which the reader is
// told anyway.
func Cause(err error) string {
	if p, ok := errors.AsType[*os.PathError](err); ok {
		return p.Err.Error()
	}
	return err.Error()
}

// Hint tells what to do about a file that cannot be written, "" when nothing is
// known.
func Hint(err error) string {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return "the disk is full: make room, for nothing is done that is not written down first"
	case errors.Is(err, os.ErrPermission), errors.Is(err, syscall.EROFS):
		return "deployer needs to write into .deployer/ of the project"
	}
	return ""
}
