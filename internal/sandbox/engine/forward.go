package engine

import (
	"slices"
	"strings"
	"time"
)

// startForward begins to make the stack what it shall be.
func (s *session) startForward(st *stack, op *operation) {
	why := ""
	if err := s.transform(st, &st.Now); err != nil {
		why = reasonOf(err)
	} else {
		why = s.premises(st)
	}
	if why != "" {
		op.Why = why
		s.later(st, op, phaseFail, s.soon(st, phaseFail))
		return
	}
	c, err := s.scope(st, &st.Now)
	if err != nil {
		op.Why = reasonOf(err)
		s.later(st, op, phaseFail, s.soon(st, phaseFail))
		return
	}
	ids, err := c.tpl.Order()
	if err != nil {
		op.Why = reasonOf(err)
		s.later(st, op, phaseFail, s.soon(st, phaseFail))
		return
	}
	if original, err := s.template(st.Now.Body); err == nil && len(original.Transforms) > 0 && op.ChangeSet == "" {
		s.setStatus(st, st.Status, "Transformation succeeded")
	}
	if s.removalDenied(st, op, c) {
		s.later(st, op, phaseFail, s.soon(st, phaseFail))
		return
	}
	op.Nodes = make([]node, len(ids))
	for i, id := range ids {
		op.Nodes[i] = node{ID: id, Do: doApply}
		if op.Imports[id] != "" {
			op.Nodes[i].Do = doImport
		}
	}
	op.Nodes = order(op.Nodes, c.tpl.Dependencies)
	op.Phase = phaseForward
	s.saveOp(st.ID, op)
	s.pump(st)
}

// removalDenied fails the resources that the update would remove against the
// stack policy.
func (s *session) removalDenied(st *stack, op *operation, c *scope) bool {
	if op.Kind != kindUpdate {
		return false
	}
	for _, r := range s.listed(st.ID) {
		if !r.alive() || c.active(r.ID) {
			continue
		}
		if why := s.denied(st, op, "Update:Delete", r.ID, r.Type); why != "" {
			before := r.state
			r.Prior = &before
			op.FailUpdate = append(op.FailUpdate, r.ID)
			s.setResource(st, r, updateFailed, why)
		}
	}
	return len(op.FailUpdate) > 0
}

// premises checks what concerns the stack as a whole before any resource:
// imports, and exports of others or in use.
func (s *session) premises(st *stack) string {
	imports, err := s.importsOf(st, &st.Now)
	if err != nil {
		return reasonOf(err)
	}
	for _, name := range imports {
		e, ok := s.export(st.account(), name)
		if from := s.stack(e.Stack); !ok || from != nil && from.Status == deleteInProgress { // what is on its way out is no ground to build on
			return "No export named " + name + " found"
		}
	}
	s.setImports(st, append(slices.Clone(st.Imports), imports...))
	names, err := s.exportNames(st)
	if err != nil {
		return reasonOf(err)
	}
	for _, name := range names {
		if e, taken := s.export(st.account(), name); taken && e.Stack != st.ID {
			return "Export with name " + name + " is already exported by stack " + e.Name
		}
	}
	for _, o := range st.Outputs {
		if o.Export == "" || slices.Contains(names, o.Export) {
			continue
		}
		if user, used := s.importer(st.account(), o.Export); used {
			return "Export " + o.Export + " cannot be deleted as it is in use by " + user
		}
	}
	return ""
}

// exportNames evaluates the names a stack is going to export; they cannot
// depend on resources.
func (s *session) exportNames(st *stack) ([]string, error) {
	c, err := s.scope(st, &st.Now)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, k := range c.tpl.OutputNames {
		o := c.tpl.Outputs[k]
		if o.ExportName == nil {
			continue
		}
		v, err := c.tpl.Eval(o.ExportName, c.env)
		if err != nil {
			return nil, templateError(err)
		}
		if name, ok := scalars(v).(string); ok {
			names = append(names, name)
		}
	}
	return names, nil
}

// outputs evaluates a stack's outputs; all its resources exist.
func (s *session) outputs(st *stack) ([]output, string) {
	c, err := s.scope(st, &st.Now)
	if err != nil {
		return nil, reasonOf(err)
	}
	var out []output
	for _, k := range c.tpl.OutputNames {
		o := c.tpl.Outputs[k]
		v, err := c.tpl.Eval(o.Value, c.env)
		if err != nil {
			return nil, outputProblem(k, err)
		}
		value, ok := scalars(v).(string)
		if !ok {
			return nil, "Template format error: Output " + k + " is malformed. The Value field of every Outputs member must evaluate to a String"
		}
		next := output{Key: k, Value: value, Description: o.Description}
		if o.ExportName != nil {
			v, err := c.tpl.Eval(o.ExportName, c.env)
			if err != nil {
				return nil, reasonOf(err)
			}
			next.Export, _ = scalars(v).(string)
		}
		out = append(out, next)
	}
	return out, s.exportProblem(st, out)
}

func outputProblem(k string, err error) string {
	text := reasonOf(err)
	if strings.Contains(text, "does not support attribute") {
		return "[Error] /Outputs/" + k + "/Value/Fn::GetAtt: " + text
	}
	return text
}

// exportProblem says why a stack cannot export what it is about to.
func (s *session) exportProblem(st *stack, out []output) string {
	for _, o := range out {
		if o.Export == "" {
			continue
		}
		e, taken := s.export(st.account(), o.Export)
		if !taken {
			continue
		}
		if e.Stack != st.ID {
			return "Export with name " + o.Export + " is already exported by stack " + e.Name
		}
		if user, used := s.importer(st.account(), o.Export); used && e.Value != o.Value {
			return "Export " + o.Export + " cannot be updated as it is in use by " + user
		}
	}
	for _, old := range st.Outputs {
		if old.Export == "" || slices.ContainsFunc(out, func(o output) bool { return o.Export == old.Export }) {
			continue
		}
		if user, used := s.importer(st.account(), old.Export); used {
			return "Export " + old.Export + " cannot be deleted as it is in use by " + user
		}
	}
	return ""
}

// finishForward sees to the outputs once all resources are as they shall be.
func (s *session) finishForward(st *stack, op *operation) {
	out, why := s.outputs(st)
	if why != "" {
		op.Why = why
		s.failForward(st, op)
		return
	}
	s.setOutputs(st, out)
	imports, err := s.importsOf(st, &st.Now)
	if err == nil {
		s.setImports(st, imports)
	}
	st.NoRollback = op.NoRollback
	if op.Kind == kindCreate || op.Kind == kindImport {
		s.forget(st)
		st.Fallback, st.FallbackOut = nil, nil
		s.done(st, map[string]string{kindCreate: createComplete, kindImport: importComplete}[op.Kind], "", opSucceeded)
		return
	}
	s.setStatus(st, updateCleanup, "")
	if st.Parent != "" && !op.Free && s.parentBusy(st) {
		op.Phase = phaseHeld
		s.saveOp(st.ID, op)
		s.childOver(st)
		return
	}
	s.later(st, op, phaseCleanup, s.soon(st, phaseCleanup))
}

// monitored lists the alarms that roll a deployment of the stack back.
func (st *stack) monitored() []RollbackTrigger {
	if st.Now.Monitor == nil {
		return nil
	}
	return st.Now.Monitor.RollbackTriggers
}

// window is how long the alarms are watched after the last resource.
func (st *stack) window() time.Duration {
	if st.Now.Monitor == nil || st.Now.Monitor.MonitoringTimeInMinutes == nil {
		return 0
	}
	return time.Duration(*st.Now.Monitor.MonitoringTimeInMinutes) * time.Minute
}

// monitor looks at the alarms, once a minute while the window is open.
func (s *session) monitor(st *stack, op *operation) {
	if why := s.alarmed(st); why != "" {
		op.Why = why
		s.failForward(st, op)
		return
	}
	if left := op.MonitorTill.Sub(s.now); left > 0 {
		s.later(st, op, phaseMonitor, min(left, time.Minute))
		return
	}
	s.finishForward(st, op)
}

func (s *session) alarmed(st *stack) string {
	if s.e.cfg.Alarm == nil {
		return ""
	}
	for _, t := range st.monitored() {
		state, err := s.e.cfg.Alarm(s.tx, st.account(), t.Arn)
		s.fail(err)
		switch state {
		case "":
			return "Could not find alarm " + t.Arn
		case "ALARM":
			return "The following rollback triggers went into ALARM state: [" + t.Arn + "]"
		}
	}
	return ""
}
