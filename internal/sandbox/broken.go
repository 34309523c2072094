package sandbox

import (
	"slices"
	"strconv"

	"github.com/deployer-cli/deployer/internal/sandbox/engine"
)

func withBroken(all map[string][]string, stack string, broken []string) map[string][]string {
	if all == nil {
		all = map[string][]string{}
	}
	all[stack] = broken
	return all
}

// brokenIn says which resources of a stack do not do what its template says they
// would, because of what was done to them behind its back.
func (s *Server) brokenIn(tx engine.Tx, c *call, at engine.Account, stack string) ([]string, error) {
	if stack == "" || at.AccountID == "" {
		return nil, nil
	}
	all, err := s.behind.ResourcesOf(tx, at, stack)
	if err != nil {
		return nil, err
	}
	now, err := s.machineTime(tx, c.at)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, o := range all {
		if why := ailing(o); why != "" {
			out = append(out, o.LogicalID+" "+why)
		} else if why := idle(o, machinesOf(o, now)); why != "" {
			out = append(out, o.LogicalID+" "+why)
		}
	}
	return out, nil
}

// ailing says what is wrong with a resource that is no machine, "" for nothing.
func ailing(o engine.Outside) string {
	switch {
	case o.Missing:
		return "was deleted"
	case o.Type == typeFunction && throttled(o.Properties) && !throttled(o.Template):
		return "has a concurrency of zero"
	case o.Type == typeEventRule && ruleState(o.Properties) == ruleDisabled && ruleState(o.Template) != ruleDisabled:
		return "is disabled"
	case o.Type == typeFirewall:
		template := o
		template.Properties = o.Template
		now := inlineGates(o)
		for _, g := range inlineGates(template) {
			if !slices.ContainsFunc(now, func(x gate) bool { return x.key() == g.key() }) {
				return "lets nobody in by " + g.IpProtocol + " " + g.FromPort
			}
		}
	}
	return ""
}

func throttled(properties map[string]any) bool { return textOf(properties[propReserved]) == "0" }

// idle says how many machines of a resource do not run, "" when all do.
func idle(o engine.Outside, machines []vm) string {
	if o.Type != typeInstance && o.Type != typeGroup {
		return ""
	}
	want, running := 1, 0
	if o.Type == typeGroup {
		want = groupSize(o)
	}
	for _, m := range machines {
		if m.state == stRunning {
			running++
		}
	}
	if running >= want {
		return ""
	}
	return "has " + strconv.Itoa(running) + " of " + strconv.Itoa(want) + " instances running"
}
