package store

import (
	"slices"
	"sort"
)

// pageSize is where a page of a sorted table splits: small enough that an insert
// moves little, large enough that there are few pages to search.
const pageSize = 256

// sorted is a table in key order: pages of entries, so that an insert into a
// large table moves one page and not the table. A nil table is empty.
type sorted struct {
	pages [][]entry
}

type entry struct {
	key   string
	value []byte
}

// page is the index of the only page that may hold the key.
func (s *sorted) page(key string) int {
	i := sort.Search(len(s.pages), func(i int) bool { return s.pages[i][0].key > key })
	return max(i-1, 0)
}

// find answers where the key is, or where it belongs.
func (s *sorted) find(key string) (page, at int, found bool) {
	if len(s.pages) == 0 {
		return 0, 0, false
	}
	page = s.page(key)
	at, found = slices.BinarySearchFunc(s.pages[page], key, func(e entry, k string) int {
		switch {
		case e.key < k:
			return -1
		case e.key > k:
			return 1
		}
		return 0
	})
	return page, at, found
}

func (s *sorted) get(key string) ([]byte, bool) {
	if s == nil {
		return nil, false
	}
	p, i, found := s.find(key)
	if !found {
		return nil, false
	}
	return s.pages[p][i].value, true
}

// put stores the value and answers the one it replaced.
func (s *sorted) put(key string, value []byte) (old []byte, existed bool) {
	if len(s.pages) == 0 {
		s.pages = [][]entry{{{key, value}}}
		return nil, false
	}
	p, i, found := s.find(key)
	if found {
		old = s.pages[p][i].value
		s.pages[p][i].value = value
		return old, true
	}
	s.pages[p] = slices.Insert(s.pages[p], i, entry{key, value})
	if len(s.pages[p]) > pageSize {
		s.split(p, i)
	}
	return nil, false
}

// split divides a full page; a page filled from its end stays full, since keys
// mostly arrive in order.
func (s *sorted) split(p, inserted int) {
	cut := pageSize / 2
	if inserted == pageSize {
		cut = pageSize
	}
	tail := slices.Clone(s.pages[p][cut:])
	clear(s.pages[p][cut:])
	s.pages[p] = s.pages[p][:cut]
	s.pages = slices.Insert(s.pages, p+1, tail)
}

// delete removes the key and answers what it held.
func (s *sorted) delete(key string) (old []byte, existed bool) {
	if s == nil {
		return nil, false
	}
	p, i, found := s.find(key)
	if !found {
		return nil, false
	}
	old = s.pages[p][i].value
	s.pages[p] = slices.Delete(s.pages[p], i, i+1)
	if len(s.pages[p]) == 0 {
		s.pages = slices.Delete(s.pages, p, p+1)
	}
	return old, true
}

// atOrAfter is the first entry whose key is key or greater.
func (s *sorted) atOrAfter(key string) (found string, value []byte, ok bool) {
	if s == nil || len(s.pages) == 0 {
		return "", nil, false
	}
	p, i, _ := s.find(key)
	if i == len(s.pages[p]) {
		p, i = p+1, 0
	}
	if p == len(s.pages) {
		return "", nil, false
	}
	e := s.pages[p][i]
	return e.key, e.value, true
}
