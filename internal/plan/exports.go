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
	named := b.byName()
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
			b.export(&exporting{g, named, s}, export, fates[export])
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

// exporting is what deciding about the exports of a stack needs.
type exporting struct {
	graph *dag.Graph[stacks.Path]
	named map[target]*state
	state *state
}

// target is a stack by the name CloudFormation knows.
type target struct {
	access stacks.Access
	name   string
}

func (b *Builder) byName() map[target]*state {
	out := make(map[target]*state, len(b.states))
	for _, s := range b.states {
		out[target{s.stack.Access, s.stack.Name}] = s
	}
	return out
}

func (b *Builder) export(e *exporting, export string, f fate) {
	s := e.state
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
	holding := e.order(importers, export)
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

// order puts the stack after those importers that give the import up in this
// plan, and returns those that do not, or cannot go first.
func (e *exporting) order(importers []string, export string) (holding []string) {
	s := e.state
	for _, name := range importers {
		consumer := e.named[target{s.stack.Access, name}]
		if consumer == nil || !consumer.stopsImporting(export) || slices.Contains(e.graph.Closure(dag.Up, consumer.stack.Path), s.stack.Path) {
			holding = append(holding, name)
			continue
		}
		e.graph.Connect(s.stack.Path, consumer.stack.Path)
		s.step.After = stacks.SortPaths(append(s.step.After, consumer.stack.Path))
		s.step.Cause += fmt.Sprintf("; after %s, which stops importing %s", consumer.stack.Path, export)
	}
	return holding
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
