package cli

import (
	"strconv"

	"github.com/deployer-cli/deployer/internal/journal"
)

// sizes keeps between runs how many pages the stacks of an account and region fill.
// What is wrong with it costs calls and nothing else.
type sizes struct{ cache *journal.Cache }

func (s sizes) key(place string) string { return "pages of " + place }

// Pages implements cfn.Sizes.
func (s sizes) Pages(place string) int {
	text, ok := s.cache.Get(s.key(place))
	if !ok {
		return 0
	}
	pages, err := strconv.Atoi(string(text))
	if err != nil {
		return 0
	}
	return max(pages, 0)
}

// Keep implements cfn.Sizes.
func (s sizes) Keep(place string, pages int) {
	_ = s.cache.Put(s.key(place), []byte(strconv.Itoa(pages)))
}
