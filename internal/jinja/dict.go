package jinja

import (
	"iter"
	"math"
	"strconv"
	"strings"
)

// Dict is a Python dict: an ordered map. It is not safe for concurrent
// changes.
type Dict struct {
	entries []entry
	index   map[any]int // place of each hash, once there are many
}

type entry struct {
	hash, key, value any
}

// NewDict makes an empty Dict.
func NewDict() *Dict { return &Dict{} }

// Set adds or replaces the value of a text key. A new key goes to the end.
func (d *Dict) Set(key string, value any) { d.put(key, key, value) }

// SetKey is Set for keys of any type Python allows: texts, numbers,
// booleans, nil and tuples of them.
func (d *Dict) SetKey(key, value any) error {
	return (*run)(nil).setKey(d, key, value)
}

// Get finds the value of a text key. It may be called on a nil Dict.
func (d *Dict) Get(key string) (any, bool) { return d.get(key) }

// Len is the number of keys.
func (d *Dict) Len() int {
	if d == nil {
		return 0
	}
	return len(d.entries)
}

// Keys gives the keys in order; one that is no text as it would print.
func (d *Dict) Keys() []string {
	keys := make([]string, 0, d.Len())
	for key := range d.All() {
		text, ok := key.(string)
		if !ok {
			text = shortText(key)
		}
		keys = append(keys, text)
	}
	return keys
}

// All gives keys and values in order.
func (d *Dict) All() iter.Seq2[any, any] {
	return func(yield func(any, any) bool) {
		if d == nil {
			return
		}
		for _, e := range d.entries {
			if !yield(e.key, e.value) {
				return
			}
		}
	}
}

// Delete removes a text key if it is there.
func (d *Dict) Delete(key string) {
	if i := d.find(key); i >= 0 {
		d.remove(i)
	}
}

func (d *Dict) get(h any) (any, bool) {
	if i := d.find(h); i >= 0 {
		return d.entries[i].value, true
	}
	return nil, false
}

func (d *Dict) find(h any) int {
	if d == nil {
		return -1
	}
	if d.index != nil {
		if i, ok := d.index[h]; ok {
			return i
		}
		return -1
	}
	for i := range d.entries {
		if d.entries[i].hash == h {
			return i
		}
	}
	return -1
}

func (d *Dict) put(h, key, value any) {
	if i := d.find(h); i >= 0 {
		d.entries[i].value = value
		return
	}
	d.entries = append(d.entries, entry{h, key, value})
	if d.index != nil {
		d.index[h] = len(d.entries) - 1
	} else {
		d.reindex()
	}
}

func (d *Dict) remove(i int) {
	last := i == len(d.entries)-1
	h := d.entries[i].hash
	d.entries = append(d.entries[:i], d.entries[i+1:]...)
	if last {
		delete(d.index, h)
	} else {
		d.reindex() // places have moved
	}
}

// reindex makes the index a large Dict needs. Looking up never does, so
// that goroutines may read one Dict together.
func (d *Dict) reindex() {
	d.index = nil
	if len(d.entries) <= manyNames {
		return
	}
	d.index = make(map[any]int, 2*len(d.entries))
	for i, e := range d.entries {
		d.index[e.hash] = i
	}
}

func (d *Dict) copy() *Dict {
	c := &Dict{entries: append([]entry(nil), d.entries...)}
	c.reindex()
	return c
}

// Hashes of values that are no comparable Go values themselves.
type (
	nilHash   struct{}
	tupleHash string
)

// setKey sets a key of any type.
func (r *run) setKey(d *Dict, key, value any) error {
	key = known(key)
	h, err := r.hash(key)
	if err != nil {
		return err
	}
	d.put(h, key, value)
	return nil
}

// hash gives equal answers for keys that are equal in Python. Outside of a
// run, which r is nil for, nothing is paid.
func (r *run) hash(v any) (any, error) {
	switch v := known(v).(type) {
	case string:
		if r == nil {
			return v, nil
		}
		return v, r.spend(len(v) / 64)
	case int64:
		return v, nil
	case nil:
		return nilHash{}, nil
	case bool:
		return boolInt(v), nil
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<63 {
			return int64(v), nil
		}
		return v, nil
	case Tuple:
		return r.hashTuple(v)
	case *undefined:
		return nil, v.err()
	case *macro, *namespace, *method, *function:
		return v, nil
	default:
		return nil, fail("unhashable type: %s", reprString(typeName(v)))
	}
}

func (r *run) hashTuple(t Tuple) (any, error) {
	var b strings.Builder
	for _, item := range t {
		h, err := r.hash(item)
		if err != nil {
			return nil, err
		}
		text := shortText(h)
		b.WriteString(typeName(h) + strconv.Itoa(len(text)) + ":" + text)
		if r == nil {
			continue
		}
		if err := r.spend(1 + len(text)/16); err != nil {
			return nil, err
		}
		if err := r.fits(b.Len()); err != nil {
			return nil, err
		}
	}
	return tupleHash(b.String()), nil
}

// shortText is the text of a scalar.
func shortText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case tupleHash:
		return "(" + string(v) + ")"
	case bool:
		if v {
			return "True"
		}
		return "False"
	}
	return shortRepr(v)
}
