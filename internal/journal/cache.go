package journal

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
)

// Cache remembers what can be found out again. Its files may be deleted at any
// time, and whatever is wrong with one makes it as if it were not there.
type Cache struct{ dir string }

// NewCache returns a cache in dir, which is made when something is put there.
func NewCache(dir string) *Cache { return &Cache{dir} }

// Get returns what was last put under key.
func (c *Cache) Get(key string) ([]byte, bool) {
	raw, err := os.ReadFile(c.file(key))
	if err != nil {
		return nil, false
	}
	sum, value, ok := bytes.Cut(raw, []byte("\n"))
	if !ok || string(sum) != checksum(key, value) {
		return nil, false // a power cut may leave a file without its content
	}
	return value, true
}

// Put keeps value under key. Readers see the old value or the new one, whole.
func (c *Cache) Put(key string, value []byte) error {
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(c.dir, "put-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }() // gone already when all went well
	_, err = tmp.Write(append([]byte(checksum(key, value)+"\n"), value...))
	if cerr := tmp.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return os.Rename(tmp.Name(), c.file(key))
}

// Delete forgets key.
func (c *Cache) Delete(key string) error {
	err := os.Remove(c.file(key))
	if os.IsNotExist(err) {
		return nil
	}
	return err
}

// file is where key is kept: named by a hash, since a key may be anything.
func (c *Cache) file(key string) string {
	sum := sha256.Sum256([]byte(key))
	return filepath.Join(c.dir, hex.EncodeToString(sum[:16]))
}

// checksum covers the key too, so that no file is taken for another.
func checksum(key string, value []byte) string {
	h := sha256.New()
	h.Write([]byte(key))
	h.Write([]byte{0})
	h.Write(value)
	return hex.EncodeToString(h.Sum(nil))
}
