package engine

import (
	"encoding/base64"
	"strings"
)

const (
	pageSize  = 100
	tokenMark = "after:" // tells a token from any other text that decodes
)

// token hides where a page ended.
func token(after string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(tokenMark + after))
}

// after reads a token; none at all begins at the start.
func after(token string) (string, error) {
	if token == "" {
		return "", nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(token)
	from, ours := strings.CutPrefix(string(raw), tokenMark)
	if err != nil || !ours {
		return "", errToken()
	}
	return from, nil
}

func errToken() error { return invalid("Token is invalid or expired.") }

// page scans one page of a table: keep says whether an entry counts. The
// answer is the token of the next page.
func (s *session) page(table, prefix, next string, keep func(key string, raw []byte) bool) (string, error) {
	from, err := after(next)
	if err != nil {
		return "", err
	}
	if next != "" && !strings.HasPrefix(from, prefix) {
		return "", errToken() // of another stack or region
	}
	count, last, more := 0, "", false
	s.scan(table, prefix, from, func(k string, raw []byte) bool {
		if count == pageSize {
			more = true
			return false
		}
		last = k
		if keep(k, raw) {
			count++
		}
		return s.err == nil
	})
	if s.err != nil {
		return "", s.err
	}
	if more {
		return token(last), nil
	}
	return "", nil
}

// pages cuts a list that is at hand.
func pages[T any](items []T, next string, position func(T) string) ([]T, string, error) {
	from, err := after(next)
	if err != nil {
		return nil, "", err
	}
	start := 0
	for from != "" && start < len(items) && position(items[start]) <= from {
		start++
	}
	items = items[start:]
	if len(items) <= pageSize {
		return items, "", nil
	}
	items = items[:pageSize]
	return items, token(position(items[pageSize-1])), nil
}
