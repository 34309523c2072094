package hook

import (
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/stacks"
)

// Moment is a point in a stack's life at which hooks run.
type Moment string

// Act is what a moment lies before or after.
type Act string

// The acts that have moments. DumpTemplate is another name of Generate: hooks
// of either run at both.
const (
	Create           Act = "create"
	Update           Act = "update"
	Delete           Act = "delete"
	Launch           Act = "launch"
	CreateChangeSet  Act = "create_change_set"
	ExecuteChangeSet Act = "execute_change_set"
	Validate         Act = "validate"
	Diff             Act = "diff"
	DriftDetect      Act = "drift_detect"
	DriftShow        Act = "drift_show"
	DumpConfig       Act = "dump_config"
	DumpTemplate     Act = "dump_template"
	Generate         Act = "generate"
)

const (
	before = "before_"
	after  = "after_"
)

// Before is the moment before an act.
func Before(a Act) Moment { return Moment(before + string(a)) }

// After is the moment after an act that ended well. Sceptre runs these hooks
// after one that failed, too.
func After(a Act) Moment { return Moment(after + string(a)) }

// Moments lists every moment, sorted.
func Moments() []Moment {
	var out []Moment
	for _, a := range []Act{
		Create, Update, Delete, Launch, CreateChangeSet, ExecuteChangeSet, Validate, Diff,
		DriftDetect, DriftShow, DumpConfig, DumpTemplate, Generate,
	} {
		out = append(out, Before(a), After(a))
	}
	slices.Sort(out)
	return out
}

// names are the names under which a config may have hooks of m.
func (m Moment) names() []string {
	side, act := before, strings.TrimPrefix(string(m), before)
	if rest, ok := strings.CutPrefix(string(m), after); ok {
		side, act = after, rest
	}
	if act == string(Generate) || act == string(DumpTemplate) {
		return []string{side + string(Generate), side + string(DumpTemplate)}
	}
	return []string{string(m)}
}

// Check warns of hooks of a stack that will never run: their moment does not
// exist. Sceptre ignores them without a word.
func Check(st *stacks.Stack) []*stacks.Problem {
	var out []*stacks.Problem
	for _, point := range st.Hooks {
		if slices.Contains(Moments(), Moment(point.Name)) {
			continue
		}
		pos := st.Pos
		if len(point.Hooks) > 0 {
			pos = point.Hooks[0].Pos
		}
		p := &stacks.Problem{Pos: pos, What: "hooks of " + point.Name + " never run", Why: "there is no such moment"}
		if near := nearest(point.Name); near != "" {
			p.Tip = "did you mean " + near + "?"
		}
		out = append(out, p)
	}
	return out
}

// nearest finds the moment that shares its side and most of its letters.
func nearest(name string) string {
	best, most := "", 0
	for _, m := range Moments() {
		if n := shared(name, string(m)); n > most {
			best, most = string(m), n
		}
	}
	if most*3 < len(name)*2 {
		return ""
	}
	return best
}

// shared counts the letters that two names have in common at both ends.
func shared(a, b string) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	m := 0
	for m < min(len(a), len(b))-n && a[len(a)-1-m] == b[len(b)-1-m] {
		m++
	}
	return n + m - max(0, len(b)-len(a)) - max(0, len(a)-len(b))
}
