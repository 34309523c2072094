package plan

import (
	"strings"
)

// String gives the plan as one line per step: what it waits for, what it does,
// to which stack and why.
func (p *Plan) String() string {
	var b strings.Builder
	for i := range p.Steps {
		b.WriteString(p.Steps[i].String())
		b.WriteByte('\n')
	}
	return b.String()
}

// String gives the step as "[after] -> action stack, cause".
func (s *Step) String() string {
	var b strings.Builder
	b.WriteString("[" + joinPaths(s.After) + "] -> " + string(s.Action) + " " + string(s.Stack))
	if s.Late {
		b.WriteString(" (late)")
	}
	b.WriteString(", " + s.Cause)
	if s.NotAdopted {
		b.WriteString(", not adopted")
	}
	if s.Asks != "" {
		b.WriteString(", asks: " + s.Asks)
	}
	if s.Blocked != "" {
		b.WriteString(", blocked: " + s.Blocked)
	}
	return b.String()
}
