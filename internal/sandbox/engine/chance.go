package engine

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
)

const (
	upperAlnum = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	lowerAlnum = "abcdefghijklmnopqrstuvwxyz0123456789"
	mixedAlnum = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	digits     = "0123456789"
)

// chance is a stream of bytes that depends on nothing but the seed and words.
func (e *Engine) chance(words ...string) [sha256.Size]byte {
	h := sha256.New()
	var seed [8]byte
	binary.BigEndian.PutUint64(seed[:], e.cfg.Seed)
	h.Write(seed[:])
	for _, w := range words {
		var size [4]byte
		binary.BigEndian.PutUint32(size[:], uint32(len(w))) //nolint:gosec // words are short
		h.Write(size[:])
		h.Write([]byte(w))
	}
	return [sha256.Size]byte(h.Sum(nil))
}

func (e *Engine) uuid(words ...string) string {
	b := e.chance(words...)
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

func (e *Engine) hex(n int, words ...string) string {
	b := e.chance(words...)
	return hex.EncodeToString(b[:])[:n]
}

// letters draws n letters of an alphabet.
func (e *Engine) letters(n int, alphabet string, words ...string) string {
	var out strings.Builder
	for round := 0; out.Len() < n; round++ {
		b := e.chance(append([]string{"letters", strconv.Itoa(round)}, words...)...)
		for _, c := range b {
			if out.Len() < n {
				out.WriteByte(alphabet[int(c)%len(alphabet)])
			}
		}
	}
	return out.String()
}

// between draws a time from low up to high, in whole milliseconds.
func (e *Engine) between(low, high time.Duration, words ...string) time.Duration {
	b := e.chance(words...)
	span := int64((high - low) / time.Millisecond)
	if span <= 0 {
		return low
	}
	return low + time.Duration(int64(binary.BigEndian.Uint32(b[:4]))%span)*time.Millisecond
}

// about varies a duration by 15 % either way.
func (e *Engine) about(d time.Duration, words ...string) time.Duration {
	const spread = 15
	b := e.chance(words...)
	percent := int64(binary.BigEndian.Uint16(b[:2])%(2*spread*10+1)) - spread*10 // in tenths
	varied := d + time.Duration(int64(d)/1000*percent)
	return varied.Truncate(time.Millisecond)
}

// ordinal writes a number for a hash.
func ordinal(n uint64) string { return strconv.FormatUint(n, 10) }

func hashText(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:16])
}
