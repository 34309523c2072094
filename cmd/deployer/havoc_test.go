package main_test

import (
	"slices"
	"strings"

	"pgregory.net/rapid"
)

// The ways in which one stack may need another.
const (
	imports  = "imports"            // its export
	lives    = "lives in"           // a resource of it, known by a parameter
	importIn = "lives in by import" // the same, known by an export
	reads    = "reads"              // an output, for a text
	after    = "after"              // by its file alone
)

// need is one stack's need of another, which comes before it.
type need struct {
	of  int
	how string
}

// node is one stack of a havoc.
type node struct {
	env    string // dev, or other
	holds  string // what others can live in: vpc, cluster or role
	needs  []need
	data   string // "", queue, lost, named, kept (by id), bucket (kept by name)
	shield string // "", file or live: against deletion
	never  bool   // its file says so
	tag    string // the class that its live tags name, where they disagree with its file
}

// havoc is a world, what is to be broken in it, and what comes between.
type havoc struct {
	nodes    []node
	class    string // of the environment other, by its files
	stranger need   // of a stack that no file describes; how is "" where there is none
	targets  []int
	only     bool
	total    int  // break.max_total
	bucket   bool // the journal is in a bucket

	typed  string // phrase, y, less, "" (none) at a terminal; "plan" is a run of a plan
	pause  bool   // between the targets
	stays  bool   // to watch, and is left by Ctrl-C
	before *blow  // between plan and run, or while the phrase is typed
	amid   *blow  // between the calls
	fault  string // that AWS has meanwhile
	ill    int    // the stack that a fault is of
}

// blow is what somebody does while others break.
type blow struct {
	what string
	node int // that it is done to
	call int // amid: it comes after so many deletions were accepted
	wait int // amid: and so many seconds
}

func drawHavoc(t *rapid.T) havoc {
	often := func(name string) bool { return rapid.IntRange(0, 9).Draw(t, name) > 2 }
	rare := func(name string, of int) bool { return rapid.IntRange(0, of).Draw(t, name) == of/2+1 } // rapid is fond of the ends
	h := havoc{class: rapid.SampledFrom([]string{"development", "development", "development", "closed", "persistent", "production", ""}).Draw(t, "class of other")}
	n := rapid.IntRange(2, 7).Draw(t, "stacks")
	for i := range n {
		s := node{env: "dev", holds: rapid.SampledFrom([]string{"", "vpc", "cluster", "role"}).Draw(t, "holds")}
		if rare("elsewhere", 6) {
			s.env = "other"
		}
		for j := range i {
			if rapid.IntRange(0, 2).Draw(t, "needs") == 1 {
				s.needs = append(s.needs, h.fitting(need{j, rapid.SampledFrom([]string{imports, lives, importIn, reads, after}).Draw(t, "how")}))
			}
		}
		s.data = rapid.SampledFrom([]string{"", "", "queue", "named", "kept", "bucket"}).Draw(t, "data")
		if rare("loses", 16) {
			s.data = "lost"
		}
		if rare("shielded", 30) {
			s.shield = rapid.SampledFrom([]string{"file", "live"}).Draw(t, "shield")
		}
		s.never = rare("never", 40)
		if rare("tagged", 24) {
			s.tag = rapid.SampledFrom([]string{"production", "persistent", "none", "developer"}).Draw(t, "tag")
		}
		h.nodes = append(h.nodes, s)
	}
	h.nodes[0].env = "dev"
	if rare("a stranger", 12) {
		h.stranger = h.fitting(need{rapid.IntRange(0, n-1).Draw(t, "of"), rapid.SampledFrom([]string{imports, lives}).Draw(t, "strange")})
	}
	for i := range n {
		if h.nodes[i].env == "dev" && len(h.targets) < 3 && (len(h.targets) == 0 && (i == n-1 || rapid.Bool().Draw(t, "first")) || rapid.IntRange(0, 2).Draw(t, "target") == 1) {
			h.targets = append(h.targets, i)
		}
	}
	if len(h.targets) == 0 {
		h.targets = []int{0}
	}
	if rare("a target elsewhere", 20) {
		if i := slices.IndexFunc(h.nodes, func(s node) bool { return s.env == "other" }); i >= 0 {
			h.targets = []int{i}
		}
	}
	h.only, h.bucket = rare("only", 9), rapid.Bool().Draw(t, "bucket")
	if rare("bounded", 7) {
		h.total = rapid.IntRange(1, 6).Draw(t, "max_total")
	}
	h.drawTrouble(t, often)
	return h
}

// fitting is the need as far as there is something to live in.
func (h *havoc) fitting(n need) need {
	if h.nodes[n.of].holds == "" && (n.how == lives || n.how == importIn) {
		n.how = imports
	}
	return n
}

// drawTrouble draws how it is begun, and what comes between.
func (h *havoc) drawTrouble(t *rapid.T, often func(string) bool) {
	h.typed, h.pause, h.stays = "plan", rapid.Bool().Draw(t, "pause"), !often("detach")
	if !often("without a terminal") {
		h.typed = rapid.SampledFrom([]string{"phrase", "phrase", "phrase", "y", "less", ""}).Draw(t, "typed")
	}
	what := []string{"import", "move in", "anew", "update", "shield", "class", "never", "lever"}
	strike := func(what []string) *blow {
		b := &blow{what: rapid.SampledFrom(what).Draw(t, "what"), node: rapid.IntRange(0, len(h.nodes)-1).Draw(t, "to")}
		b.call, b.wait = rapid.IntRange(1, 3).Draw(t, "after calls"), rapid.SampledFrom([]int{0, 2, 40, 150}).Draw(t, "after seconds")
		return b
	}
	switch rapid.IntRange(0, 5).Draw(t, "trouble") {
	case 0, 1:
		h.amid = strike(append(what, "lock", "expire", "ctrl-c", "full"))
		h.pause, h.bucket = h.pause || often("paused"), h.bucket || h.amid.what == "full"
	case 2:
		h.before = strike(what)
	case 3:
		h.fault = rapid.SampledFrom([]string{"throttle", "stuck", "stuck", "lost answer", "stale", "ill reads", "slow"}).Draw(t, "fault")
		h.ill = rapid.IntRange(0, len(h.nodes)-1).Draw(t, "of")
	}
}

// The contract, from here on: break.md sections 2 and 3. It was written from there.

// first are the stacks that cannot stay where i goes.
func (h *havoc) first(i int) []int {
	var out []int
	for j, s := range h.nodes {
		for _, n := range s.needs {
			if n.of == i && n.how != reads && n.how != after && !slices.Contains(out, j) {
				out = append(out, j)
			}
		}
	}
	return out
}

// goes are the targets and all that must go first.
func (h *havoc) goes() []int {
	out := slices.Clone(h.targets)
	for at := 0; at < len(out); at++ {
		for _, j := range h.first(out[at]) {
			if !slices.Contains(out, j) {
				out = append(out, j)
			}
		}
	}
	slices.Sort(out)
	return out
}

// refuses tells why what the havoc asks for is refused, "" where it is not.
func (h *havoc) refuses() string {
	goes := h.goes()
	for _, i := range goes {
		s := h.nodes[i]
		switch {
		case s.env == "other" && h.class != "development":
			return "G1, G2 or G9: " + h.name(i) + " is of another class, or not to be broken"
		case s.never:
			return "G2: never " + h.name(i)
		case s.tag != "":
			return "G4: " + h.name(i) + " lives as " + s.tag
		case s.shield != "":
			return "G5: " + h.name(i) + " is protected"
		case s.data == "lost":
			return "G10: " + h.name(i) + " would lose data"
		}
	}
	switch {
	case h.stranger.how != "" && slices.Contains(goes, h.stranger.of):
		return "G9: somebody else's stack needs " + h.name(h.stranger.of)
	case h.only && len(goes) > len(h.targets):
		return "--only"
	case h.total > 0 && len(goes) > h.total:
		return "G13: too many"
	}
	return ""
}

// loses are the stacks that stay and lose something that they need by their files.
func (h *havoc) loses() []string {
	var out []string
	goes := h.goes()
	for j, s := range h.nodes {
		if !slices.Contains(goes, j) && slices.ContainsFunc(s.needs, func(n need) bool { return slices.Contains(goes, n.of) }) {
			out = append(out, h.path(j))
		}
	}
	slices.Sort(out)
	return out
}

// concerns tells whether a blow has to do with any of these stacks.
func (b *blow) concerns(nodes []int) bool {
	switch b.what {
	case "lever", "lock", "expire", "ctrl-c", "full":
		return true
	}
	return slices.Contains(nodes, b.node)
}

// path is a stack's in the project, name the one it lives under.
func (h *havoc) path(i int) string { return h.nodes[i].env + "/s" + string(rune('0'+i)) }
func (h *havoc) name(i int) string { return "many-" + strings.ReplaceAll(h.path(i), "/", "-") }
