package cfnyaml

import (
	"fmt"
	"slices"

	"go.yaml.in/yaml/v4"
)

// converter turns the library's nodes into ours.
type converter struct {
	warnings []Warning
	shared   map[*yaml.Node]*sized // by node that an anchor names; nil while it is being made
	added    int                   // nodes that aliases have added
}

// sized is a node and how many nodes it stands for, aliases counted in full.
type sized struct {
	node   *Node
	size   int
	height int // how deep it nests
}

// hold counts a child in.
func (s *sized) hold(child *sized) {
	s.size += child.size
	s.height = max(s.height, child.height+1)
}

func (c *converter) node(n *yaml.Node, depth int) (*sized, error) {
	if depth > maxDepth {
		return nil, failAt(n, fmt.Sprintf("nested more than %d deep", maxDepth))
	}
	if n.Kind == yaml.AliasNode {
		return c.alias(n, depth)
	}
	if n.Anchor != "" {
		c.shared[n] = nil
	}
	s, err := c.fresh(n, depth)
	if err == nil && n.Anchor != "" {
		c.shared[n] = s
	}
	return s, err
}

// alias shares the anchor's node.
func (c *converter) alias(n *yaml.Node, depth int) (*sized, error) {
	s, seen := c.shared[n.Alias]
	if s == nil {
		if seen {
			return nil, failAt(n, fmt.Sprintf("*%s stands inside the value that &%s names", n.Value, n.Value))
		}
		return c.node(n.Alias, depth)
	}
	if depth+s.height > maxDepth {
		return nil, failAt(n, fmt.Sprintf("nested more than %d deep", maxDepth))
	}
	c.added += s.size
	if c.added > maxExpanded {
		return nil, failAt(n, fmt.Sprintf("aliases expand to more than %d values", maxExpanded))
	}
	return s, nil
}

func (c *converter) fresh(n *yaml.Node, depth int) (*sized, error) {
	switch n.Kind {
	case yaml.ScalarNode:
		out, err := scalar(n)
		return &sized{node: out, size: 1}, err
	case yaml.SequenceNode:
		return c.list(n, depth)
	case yaml.MappingNode:
		return c.mapping(n, depth)
	default:
		return nil, failAt(n, "not a value")
	}
}

func (c *converter) list(n *yaml.Node, depth int) (*sized, error) {
	out := &Node{Kind: List, Line: n.Line, Column: n.Column, Items: make([]*Node, 0, len(n.Content))}
	tag, err := collectionTag(n, "!!seq", "!!omap", "!!pairs")
	if err != nil {
		return nil, err
	}
	out.Tag = tag
	whole := &sized{node: out, size: 1}
	for _, child := range n.Content {
		s, err := c.node(child, depth+1)
		if err != nil {
			return nil, err
		}
		out.Items = append(out.Items, s.node)
		whole.hold(s)
	}
	return whole, nil
}

func (c *converter) mapping(n *yaml.Node, depth int) (*sized, error) {
	tag, err := collectionTag(n, "!!map", "!!set")
	if err != nil {
		return nil, err
	}
	b := newMapBuilder()
	own := make([]Pair, 0, len(n.Content)/2)
	whole := &sized{node: &Node{Kind: Map, Tag: tag, Line: n.Line, Column: n.Column}, size: 1}
	for i := 0; i+1 < len(n.Content); i += 2 {
		p, err := c.pair(n.Content[i], n.Content[i+1], whole, depth+1)
		if err != nil {
			return nil, err
		}
		if !isMerge(n.Content[i]) {
			own = append(own, p)
			continue
		}
		if err := b.merge(n.Content[i+1], p.Value); err != nil {
			return nil, err
		}
	}
	for _, p := range own {
		if first := b.putOwn(p); first != nil {
			c.warnings = append(c.warnings, twice(p.Key, first))
		}
	}
	whole.node.Pairs = b.pairs
	return whole, nil
}

// pair converts one entry and counts it into the map that holds it.
func (c *converter) pair(key, value *yaml.Node, whole *sized, depth int) (Pair, error) {
	k, err := c.node(key, depth)
	if err != nil {
		return Pair{}, err
	}
	if !k.node.IsScalar() {
		return Pair{}, failAt(key, "a key cannot be "+k.node.Kind.String())
	}
	v, err := c.node(value, depth)
	if err != nil {
		return Pair{}, err
	}
	whole.hold(k)
	whole.hold(v)
	return Pair{k.node, v.node}, nil
}

// isMerge tells whether a key is the merge key, which it is only unquoted.
func isMerge(key *yaml.Node) bool {
	return key.Kind == yaml.ScalarNode && key.Tag == "!!merge" && !quoted(key)
}

// mapBuilder collects pairs as Python's dict does: a key keeps its first place
// and its last value.
type mapBuilder struct {
	pairs []Pair
	at    map[string]int
	own   map[string]*Node // the keys the map itself has, not those merged
}

func newMapBuilder() *mapBuilder {
	return &mapBuilder{at: map[string]int{}, own: map[string]*Node{}}
}

// put adds a pair, or replaces the one with its key.
func (b *mapBuilder) put(p Pair) {
	if i, ok := b.at[p.Key.Raw]; ok {
		b.pairs[i] = p
		return
	}
	b.at[p.Key.Raw] = len(b.pairs)
	b.pairs = append(b.pairs, p)
}

// putOwn adds a pair of the map's own. It returns the key's earlier place in
// the same map; overriding what was merged is what merge keys are for.
func (b *mapBuilder) putOwn(p Pair) (earlier *Node) {
	earlier = b.own[p.Key.Raw]
	b.own[p.Key.Raw] = p.Key
	b.put(p)
	return earlier
}

// merge adds the pairs of a merge key's value: a map, or a list of maps of
// which the earlier ones win.
func (b *mapBuilder) merge(at *yaml.Node, value *Node) error {
	switch value.Kind {
	case Map:
		for _, p := range value.Pairs {
			b.put(p)
		}
		return nil
	case List:
		for _, item := range slices.Backward(value.Items) {
			if item.Kind != Map {
				return failAt(at, "<< needs maps to merge, not "+item.Kind.String())
			}
			for _, p := range item.Pairs {
				b.put(p)
			}
		}
		return nil
	default:
		return failAt(at, "<< needs a map or a list of maps to merge, not "+value.Kind.String())
	}
}

func scalar(n *yaml.Node) (*Node, error) {
	out := &Node{Raw: n.Value, Line: n.Line, Column: n.Column, Quoted: quoted(n)}
	explicit := n.Style&yaml.TaggedStyle != 0
	switch {
	case explicit && standard(n.Tag):
		kind, text, err := tagged(n.Tag, n.Value)
		if err != nil {
			return nil, failAt(n, err.Error())
		}
		out.Kind, out.Text = kind, text
		return out, nil
	case explicit:
		out.Tag = n.Tag
	}
	if out.Quoted {
		out.Kind, out.Text = String, n.Value
		return out, nil
	}
	out.Kind, out.Text = Scalar(n.Value)
	return out, nil
}

func quoted(n *yaml.Node) bool {
	return n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0
}

// standard tells whether PyYAML's SafeLoader knows a tag.
func standard(tag string) bool {
	switch tag {
	case "!!null", "!!bool", "!!int", "!!float", "!!binary", "!!timestamp", "!!str", "!!seq", "!!map", "!!omap", "!!pairs", "!!set":
		return true
	}
	return false
}

// collectionTag gives the tag to keep of a list or map, and refuses a standard
// tag that does not fit it.
func collectionTag(n *yaml.Node, fitting ...string) (string, error) {
	if n.Style&yaml.TaggedStyle == 0 || slices.Contains(fitting, n.Tag) {
		return "", nil
	}
	if standard(n.Tag) {
		return "", failAt(n, fmt.Sprintf("tag %s does not fit what follows it", n.Tag))
	}
	return n.Tag, nil
}

func failAt(n *yaml.Node, msg string) *SyntaxError {
	return &SyntaxError{Line: n.Line, Column: n.Column, Msg: msg}
}
