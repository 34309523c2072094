package blast

import "github.com/deployer-cli/deployer/stacks"

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
