package jinja

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
)

// maxDataDepth bounds the nesting of given data, which could be cyclic.
const maxDataDepth = 1000

// FromGo makes values for Dict.Set of plain Go data: maps with text keys
// (sorted), slices, strings, booleans and all kinds of numbers. Values of
// this package stay as they are, and anything else becomes its text.
func FromGo(v any) any {
	switch v := v.(type) {
	case nil, bool, int64, float64, string, *List, Tuple, *Dict, Late:
		return v
	case int:
		return int64(v)
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		f, _ := v.Float64()
		return f
	case []any:
		list := &List{Items: make([]any, len(v))}
		for i, item := range v {
			list.Items[i] = FromGo(item)
		}
		return list
	case map[string]any:
		d := NewDict()
		for _, key := range sortedKeys(v) {
			d.Set(key, FromGo(v[key]))
		}
		return d
	}
	return fromReflect(reflect.ValueOf(v))
}

func sortedKeys[V any](m map[string]V) []string {
	return slices.Sorted(maps.Keys(m))
}

// fromReflect converts types that are not written out in FromGo.
func fromReflect(v reflect.Value) any {
	switch v.Kind() {
	case reflect.Bool:
		return v.Bool()
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return v.Int()
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if n := v.Uint(); n <= math.MaxInt64 {
			return int64(n)
		}
		return float64(v.Uint())
	case reflect.Float32, reflect.Float64:
		return v.Float()
	case reflect.String:
		return v.String()
	case reflect.Slice, reflect.Array:
		list := &List{}
		for i := range v.Len() {
			list.Items = append(list.Items, FromGo(v.Index(i).Interface()))
		}
		return list
	case reflect.Map:
		if v.Type().Key().Kind() == reflect.String {
			return fromMap(v)
		}
	default:
	}
	return fmt.Sprint(v.Interface())
}

func fromMap(v reflect.Value) any {
	keys := make([]string, 0, v.Len())
	byKey := make(map[string]any, v.Len())
	for it := v.MapRange(); it.Next(); {
		keys = append(keys, it.Key().String())
		byKey[it.Key().String()] = it.Value().Interface()
	}
	slices.Sort(keys)
	d := NewDict()
	for _, key := range keys {
		d.Set(key, FromGo(byKey[key]))
	}
	return d
}

// ToGo is the opposite of FromGo: a *Dict becomes a map[string]any, a *List
// or Tuple a []any; keys that are no texts become theirs.
func ToGo(v any) any {
	switch v := v.(type) {
	case *Dict:
		m := make(map[string]any, v.Len())
		for i, key := range v.Keys() {
			m[key] = ToGo(v.entries[i].value)
		}
		return m
	case *List:
		return toSlice(v.Items)
	case Tuple:
		return toSlice(v)
	}
	return v
}

func toSlice(items []any) []any {
	out := make([]any, len(items))
	for i, item := range items {
		out[i] = ToGo(item)
	}
	return out
}

// intern copies a given variable for one run.
func (r *run) intern(v any, depth int) (any, error) {
	if depth > maxDataDepth {
		return nil, failLimit("a variable is nested more than %d levels deep", maxDataDepth)
	}
	if err := r.spend(1); err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case nil, bool, int64, float64, string:
		return v, nil
	case Late:
		return &late{text: v.Text, used: &r.usedLate}, nil
	case *List:
		if v == nil {
			return nil, nil
		}
		items, err := r.internAll(v.Items, depth)
		return &List{Items: items}, err
	case Tuple:
		items, err := r.internAll(v, depth)
		return Tuple(items), err
	case *Dict:
		if v == nil {
			return nil, nil
		}
		d := v.copy()
		for i := range d.entries {
			var err error
			if d.entries[i].value, err = r.intern(d.entries[i].value, depth+1); err != nil {
				return nil, err
			}
		}
		return d, nil
	default:
		return r.intern(FromGo(v), depth+1)
	}
}

func (r *run) internAll(items []any, depth int) ([]any, error) {
	out := make([]any, len(items))
	for i, item := range items {
		var err error
		if out[i], err = r.intern(item, depth+1); err != nil {
			return nil, err
		}
	}
	return out, nil
}
