package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/internal/cfntemplate"
	"github.com/deployer-cli/deployer/internal/dag"
	"github.com/deployer-cli/deployer/stacks"
)

// fate is what a step does to an export.
type fate uint8

const (
	kept fate = iota
	mayChange
	changed
	dropped
)

// AtRisk names the exports that the planned steps drop, change or may change,
// by stack. Who imports them has to be looked up (ObserveImports) before Plan:
// an export at risk that nobody looked up blocks its stack.
func (b *Builder) AtRisk() map[stacks.Path][]string {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := map[stacks.Path][]string{}
	for path, s := range b.states {
		if fates := s.fates(); len(fates) > 0 {
			out[path] = sortedKeys(fates)
		}
	}
	return out
}

// fates tells of each live export that is not simply kept.
func (s *state) fates() map[string]fate {
	out := map[string]fate{}
	if s.seen.Live == nil || s.step.Blocked != "" || s.step.Action != Update && s.step.Action != Delete {
		return out
	}
	names, complete := s.newExports()
	for _, o := range s.seen.Live.Outputs {
		if o.Export == "" {
			continue
		}
		if f := s.fate(o, names, complete); f != kept {
			out[o.Export] = f
		}
	}
	return out
}

// newExports gives the desired outputs by the names they export; complete is
// false where not every name can be told.
func (s *state) newExports() (byName map[string]cfntemplate.Output, complete bool) {
	byName, complete = map[string]cfntemplate.Output{}, true
	if s.step.Action == Delete {
		return byName, true
	}
	if s.new == nil || len(s.new.template.Transforms) > 0 {
		return byName, false
	}
	for _, key := range s.new.template.OutputNames {
		out := s.new.template.Outputs[key]
		if out.ExportName == nil || !s.new.present(out.Condition) {
			continue
		}
		name, ok := s.final(s.new, out.ExportName)
		text, plain := name.(string)
		if !ok || !plain || hasText(text, tokenMark) {
			complete = false
			continue
		}
		byName[text] = out
	}
	return byName, complete
}

func (s *state) fate(live stacks.Output, names map[string]cfntemplate.Output, complete bool) fate {
	out, found := names[live.Export]
	switch {
	case !found && complete:
		return dropped
	case !found:
		return mayChange
	}
	if value, ok := s.output(out.Key); ok {
		if value == live.Value {
			return kept
		}
		return changed
	}
	now, err := s.new.template.Eval(out.Value, s.new.env)
	if u, unknown := unknownIn(now); err == nil && unknown && strings.HasSuffix(u.Why, isReplaced) {
		return changed
	}
	return mayChange
}

// exports orders or blocks the steps that would drop or change an export that
// somebody imports, which CloudFormation refuses.
func (b *Builder) exports(g *dag.Graph[stacks.Path]) {
	for _, path := range sortedPaths(b.states) {
		s := b.states[path]
		fates := s.fates()
		if len(fates) == 0 {
			continue
		}
		if fresh, ok := b.in.Snapshot.Get(path); ok {
			s.seen.Imported, s.seen.ImportsUnknown = fresh.Imported, fresh.ImportsUnknown
		}
		for _, export := range sortedKeys(fates) {
			b.export(g, s, export, fates[export])
		}
	}
}

func sortedPaths(m map[stacks.Path]*state) []stacks.Path {
	out := make([]stacks.Path, 0, len(m))
	for p := range m {
		out = append(out, p)
	}
	return stacks.SortPaths(out)
}

func (b *Builder) export(g *dag.Graph[stacks.Path], s *state, export string, f fate) {
	what := map[fate]string{mayChange: "may change", changed: "would change", dropped: "would go"}[f]
	importers, looked := s.seen.Imported[export]
	switch {
	case looked:
	case f == mayChange:
		return // CloudFormation refuses it by itself where it comes to that
	case s.seen.ImportsUnknown != nil:
		s.block(s.step.Action, fmt.Sprintf("export %s %s, and who imports it is not known: %v", export, what, s.seen.ImportsUnknown), "")
		return
	default:
		s.block(s.step.Action, fmt.Sprintf("export %s %s, and nobody looked who imports it", export, what), "")
		return
	}
	var holding []string
	for _, name := range importers {
		consumer := b.named(s.stack.Access, name)
		if consumer == nil || !consumer.stopsImporting(export) || slices.Contains(g.Closure(dag.Up, consumer.stack.Path), s.stack.Path) {
			holding = append(holding, name)
			continue
		}
		g.Connect(s.stack.Path, consumer.stack.Path)
		s.step.After = stacks.SortPaths(append(s.step.After, consumer.stack.Path))
		s.step.Cause += fmt.Sprintf("; after %s, which stops importing %s", consumer.stack.Path, export)
	}
	switch {
	case len(holding) == 0:
	case f == mayChange:
		s.step.Cause += fmt.Sprintf("; export %s may change while %s imports it", export, strings.Join(holding, ", "))
	default:
		who := strings.Join(holding, ", ")
		s.block(s.step.Action, fmt.Sprintf("export %s %s while %s imports it", export, what, who),
			fmt.Sprintf("two steps: first keep the export as it is and launch %s without the import, then launch %s", who, s.stack.Path))
	}
}

// named finds a stack of the plan by its CloudFormation name.
func (b *Builder) named(a stacks.Access, name string) *state {
	for _, path := range sortedPaths(b.states) {
		if s := b.states[path]; s.stack.Name == name && s.stack.Access == a {
			return s
		}
	}
	return nil
}

// stopsImporting tells whether a stack is certain not to import an export any
// more once its step is done.
func (s *state) stopsImporting(export string) bool {
	switch {
	case s.step.Blocked != "":
		return false
	case s.step.Action == Delete:
		return true
	case s.step.Action != Update || s.new == nil || len(s.new.template.Transforms) > 0:
		return false
	}
	for _, arg := range s.new.template.Imports() {
		name, ok := s.final(s.new, arg)
		if text, plain := name.(string); !ok || !plain || text == export {
			return false
		}
	}
	return true
}
