package blast

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/hashicorp/go-multierror"

	"github.com/deployer-cli/deployer/stacks"
)

// Candidate is a stack that may be chosen.
type Candidate struct {
	Path    stacks.Path
	Name    string
	Account string
	Region  string
	Tags    map[string]string
}

// Choice says how targets are chosen. Paths and Globs add, Tags and Exclude take
// away, Random or Percent draws from what is left.
type Choice struct {
	Paths   []stacks.Path     `json:"paths"`
	Globs   []string          `json:"globs,omitempty"`
	Tags    map[string]string `json:"tags,omitempty"`
	Exclude []string          `json:"exclude,omitempty"`
	Random  int               `json:"random,omitempty"`
	Percent int               `json:"percent,omitempty"`
	Seed    string            `json:"seed,omitempty"`
}

// ChoiceError says that a choice cannot be made as it was asked for. Its exit
// code is 2.
type ChoiceError struct {
	What string
	Why  string
	Tip  string
}

// Error says what and why.
func (e *ChoiceError) Error() string { return e.What + ": " + e.Why }

// Hint tells how to go on.
func (e *ChoiceError) Hint() string { return e.Tip }

// ExitCode is 2: nothing was touched.
func (e *ChoiceError) ExitCode() int { return 2 }

// Pool is what a choice draws from: the candidates that its paths, globs, tags and
// exclusions leave, sorted by path. A path or a glob that fits nothing is a
// *ChoiceError, all of them at once.
func Pool(all []Candidate, c Choice) ([]Candidate, error) {
	var errs *multierror.Error
	wrong := func(what, why, tip string) {
		errs = multierror.Append(errs, &ChoiceError{What: what, Why: why, Tip: tip})
	}
	for _, p := range c.Paths {
		if !slices.ContainsFunc(all, func(s Candidate) bool { return s.Path.Within(p) }) {
			wrong(fmt.Sprintf("%q is no stack and no group with stacks", p), "nothing of the project fits it", "see: deployer list stacks")
		}
	}
	for _, g := range slices.Concat(c.Globs, c.Exclude) {
		if err := stacks.CheckGlob(g); err != nil {
			wrong("the choice cannot be made", err.Error(), "")
		}
	}
	for _, g := range c.Globs {
		if stacks.CheckGlob(g) == nil && !slices.ContainsFunc(all, func(s Candidate) bool { return s.Path.Matches(g) }) {
			wrong(fmt.Sprintf("no stack fits %q", g), "** stands for any groups, * for one name or a part of it", "see: deployer list stacks")
		}
	}
	if err := errs.ErrorOrNil(); err != nil {
		return nil, err
	}
	var out []Candidate
	for _, s := range all {
		if c.takes(s) {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b Candidate) int { return cmp.Compare(a.Path, b.Path) })
	return slices.CompactFunc(out, func(a, b Candidate) bool { return a.Path == b.Path }), nil
}

func (c Choice) takes(s Candidate) bool {
	named := slices.ContainsFunc(c.Paths, s.Path.Within) || slices.ContainsFunc(c.Globs, func(g string) bool { return s.Path.Matches(g) })
	if !named || slices.ContainsFunc(c.Exclude, func(g string) bool { return s.Path.Matches(g) }) {
		return false
	}
	for k, v := range c.Tags {
		if has, ok := s.Tags[k]; !ok || has != v {
			return false
		}
	}
	return true
}

// Choose picks targets, sorted by path. A random choice ranks the stacks by
// HMAC-SHA256(seed, account/region/stack) and takes the first: the same seed picks
// the same ones everywhere, and a new stack leaves the order of the others. What
// cannot be chosen as asked for is a *ChoiceError.
func Choose(all []Candidate, c Choice) ([]stacks.Path, error) {
	pool, err := Pool(all, c)
	if err != nil {
		return nil, err
	}
	n := len(pool)
	switch {
	case n == 0:
		return nil, &ChoiceError{What: "nothing is left to break", Why: "tags and exclusions take everything away"}
	case c.Random < 0 || c.Percent < 0 || c.Percent > 100 || c.Random > 0 && c.Percent > 0:
		return nil, &ChoiceError{What: "the draw cannot be made", Why: "it takes either --random from 1, or --percent from 1 to 100"}
	case c.Random == 0 && c.Percent == 0:
		return paths(pool), nil
	case c.Seed == "":
		return nil, &ChoiceError{What: "the draw cannot be made", Why: "it has no seed, and could never be made again", Tip: "add --seed TEXT"}
	case c.Random > n:
		return nil, &ChoiceError{What: fmt.Sprintf("%d stacks cannot be drawn", c.Random), Why: fmt.Sprintf("there are %d", n)}
	case c.Random > 0:
		n = c.Random
	default:
		n = max(1, n*c.Percent/100)
	}
	slices.SortFunc(pool, func(a, b Candidate) int {
		return cmp.Or(cmp.Compare(rank(c.Seed, a), rank(c.Seed, b)), cmp.Compare(a.Path, b.Path))
	})
	return stacks.SortPaths(paths(pool[:n])), nil
}

func rank(seed string, s Candidate) string {
	mac := hmac.New(sha256.New, []byte(seed))
	mac.Write([]byte(s.Account + "/" + s.Region + "/" + string(s.Path)))
	return string(mac.Sum(nil))
}

func paths(pool []Candidate) []stacks.Path {
	out := make([]stacks.Path, 0, len(pool))
	for _, s := range pool {
		out = append(out, s.Path)
	}
	return out
}
