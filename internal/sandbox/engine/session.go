package engine

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// session is one Call or Advance: a cache over the transaction. Its error is
// sticky: after the first failure of the store reads answer nothing and
// writes do nothing, and the caller gets that error.
type session struct {
	e    *Engine
	tx   Tx
	now  time.Time
	acct Account
	err  error

	stacks    map[string]*stack
	ops       map[string]*operation
	resources map[string]map[string]*resource
	loaded    map[string]bool // stacks whose resources are all in the cache
	dirty     map[string]func()
	envs      map[string]*scope
}

func newSession(e *Engine, tx Tx, at time.Time) *session {
	return &session{
		e: e, tx: tx, now: at.UTC().Truncate(time.Millisecond),
		stacks: map[string]*stack{}, ops: map[string]*operation{},
		resources: map[string]map[string]*resource{}, loaded: map[string]bool{},
		dirty: map[string]func(){}, envs: map[string]*scope{},
	}
}

func (s *session) fail(err error) {
	if s.err == nil && err != nil {
		s.err = err
	}
}

// flush writes what changed, in a fixed order.
func (s *session) flush() error {
	for _, key := range slices.Sorted(maps.Keys(s.dirty)) {
		s.dirty[key]()
	}
	clear(s.dirty)
	return s.err
}

func (s *session) get(table, key string, into any) bool {
	if s.err != nil {
		return false
	}
	raw, found, err := s.tx.Get(table, key)
	if err != nil {
		s.fail(fmt.Errorf("read %s: %w", table, err))
		return false
	}
	if !found {
		return false
	}
	s.fail(decode(table, raw, into))
	return s.err == nil
}

func decode(table string, raw []byte, into any) error {
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("decode %s: %w", table, err)
	}
	return nil
}

func (s *session) put(table, key string, value any) {
	if s.err != nil {
		return
	}
	raw, err := json.Marshal(value)
	if err != nil {
		s.fail(fmt.Errorf("encode %s: %w", table, err))
		return
	}
	s.fail(s.tx.Put(table, key, raw))
}

func (s *session) drop(table, key string) {
	if s.err == nil {
		s.fail(s.tx.Delete(table, key))
	}
}

func (s *session) scan(table, prefix, after string, yield func(key string, raw []byte) bool) {
	if s.err == nil {
		s.fail(s.tx.Scan(table, prefix, after, yield))
	}
}

// counter hands out the next number of a sequence.
func (s *session) counter(name string) uint64 {
	var n uint64
	s.get("meta", name, &n)
	n++
	s.put("meta", name, n)
	return n
}

// key joins parts of a key with a byte that sorts before all others in use.
func key(parts ...string) string { return strings.Join(parts, "\x01") }

func (s *session) stack(id string) *stack {
	if st, ok := s.stacks[id]; ok {
		return st
	}
	st := &stack{}
	if !s.get("stack", id, st) {
		return nil
	}
	s.stacks[id] = st
	return st
}

func (s *session) save(st *stack) {
	s.stacks[st.ID] = st
	s.dirty["stack\x01"+st.ID] = func() {
		s.put("stack", st.ID, st)
		s.put("summary", summaryKey(st), summaryOf(st))
	}
}

func (s *session) op(id string) *operation {
	if op, ok := s.ops[id]; ok {
		return op
	}
	op := &operation{}
	if !s.get("operation", id, op) {
		return nil
	}
	s.ops[id] = op
	return op
}

func (s *session) saveOp(stackID string, op *operation) {
	s.ops[stackID] = op
	s.dirty["operation\x01"+stackID] = func() { s.put("operation", stackID, op) }
}

func (s *session) dropOp(stackID string) {
	s.ops[stackID] = nil
	s.dirty["operation\x01"+stackID] = func() { s.drop("operation", stackID) }
}

// all returns every resource a stack ever had, by logical id.
func (s *session) all(stackID string) map[string]*resource {
	if s.loaded[stackID] {
		return s.resources[stackID]
	}
	cache := s.resources[stackID]
	if cache == nil {
		cache = map[string]*resource{}
		s.resources[stackID] = cache
	}
	s.scan("resource", key(stackID, ""), "", func(_ string, raw []byte) bool {
		r := &resource{}
		s.fail(decode("resource", raw, r))
		if _, known := cache[r.ID]; !known {
			cache[r.ID] = r
		}
		return s.err == nil
	})
	s.loaded[stackID] = true
	return cache
}

// listed returns the resources that still belong to the stack, sorted.
func (s *session) listed(stackID string) []*resource {
	all := s.all(stackID)
	out := make([]*resource, 0, len(all))
	for _, id := range slices.Sorted(maps.Keys(all)) {
		if r := all[id]; r != nil {
			out = append(out, r)
		}
	}
	return out
}

// dropResource forgets a resource that no longer belongs to the stack.
func (s *session) dropResource(stackID, id string) {
	s.resources[stackID][id] = nil
	s.dirty["resource\x01"+key(stackID, id)] = func() { s.drop("resource", key(stackID, id)) }
}

func (s *session) resource(stackID, id string) *resource {
	cache := s.resources[stackID]
	if r, ok := cache[id]; ok || s.loaded[stackID] {
		return r
	}
	r := &resource{}
	if !s.get("resource", key(stackID, id), r) {
		return nil
	}
	if cache == nil {
		cache = map[string]*resource{}
		s.resources[stackID] = cache
	}
	cache[id] = r
	return r
}

func (s *session) saveResource(stackID string, r *resource) {
	if s.resources[stackID] == nil {
		s.resources[stackID] = map[string]*resource{}
	}
	s.resources[stackID][r.ID] = r
	s.dirty["resource\x01"+key(stackID, r.ID)] = func() { s.put("resource", key(stackID, r.ID), r) }
}

// body stores a text once and returns its hash; the empty text has none.
func (s *session) saveBody(text string) string {
	if text == "" {
		return ""
	}
	hash := hashText(text)
	if s.err != nil {
		return hash
	}
	_, found, err := s.tx.Get("body", hash)
	s.fail(err)
	if !found && s.err == nil {
		s.fail(s.tx.Put("body", hash, []byte(text)))
	}
	return hash
}

func (s *session) body(hash string) string {
	if hash == "" || s.err != nil {
		return ""
	}
	raw, _, err := s.tx.Get("body", hash)
	s.fail(err)
	return string(raw)
}
