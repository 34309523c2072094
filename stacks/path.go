package stacks

import (
	"maps"
	"slices"
	"strings"
)

// Path names a stack in its project: its config file's path under config/
// without the extension, such as "dev/network". It also names groups.
type Path string

// Group is the path of the group that holds p, "" at the top.
func (p Path) Group() Path {
	i := strings.LastIndexByte(string(p), '/')
	return p[:max(i, 0)]
}

// Base is the last element of p.
func (p Path) Base() string { return string(p[strings.LastIndexByte(string(p), '/')+1:]) }

// Within tells whether p is group or lies somewhere below it. Everything lies
// within the empty group.
func (p Path) Within(group Path) bool {
	return group == "" || p == group || strings.HasPrefix(string(p), string(group)+"/")
}

// SortPaths sorts paths and drops what stands twice. It may reuse the slice.
func SortPaths(paths []Path) []Path {
	slices.Sort(paths)
	return slices.Compact(paths)
}

func sortedPairs(m map[string]any) []string {
	pairs := make([]string, 0, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		pairs = append(pairs, k+": "+describe(m[k]))
	}
	return pairs
}
