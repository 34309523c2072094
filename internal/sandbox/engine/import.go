package engine

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/deployer-cli/deployer/internal/cfntemplate"
	"github.com/deployer-cli/deployer/internal/restype"
)

const (
	kindImport = "import"
	doImport   = "import" // take an existing resource over
	howImport  = "import"

	importFailed = "IMPORT_FAILED"

	importStarted = "Resource import started."
	importDone    = "Resource import completed."
	importTags    = "Apply stack-level tags to imported resource if applicable."
)

// importTarget checks a change set of type IMPORT and tells which physical id each
// resource to import has.
func (s *session) importTarget(st *stack, req request, list []ResourceToImport) (target, map[string]string, error) {
	var t target
	var err error
	if st.Now.Body != "" && st.Status != reviewInProgress {
		t, err = s.updateTarget(st, req)
	} else {
		req.Create = true
		t, _, err = s.target(st, req)
	}
	if err != nil {
		return t, nil, err
	}
	if len(list) == 0 {
		return t, nil, invalid("You must specify ResourcesToImport when the change set type is IMPORT")
	}
	tpl, err := s.template(t.active())
	if err != nil {
		return t, nil, err
	}
	imports := map[string]string{}
	for _, r := range list {
		if imports[r.LogicalResourceId], err = importID(tpl, r); err != nil {
			return t, nil, err
		}
	}
	return t, imports, s.checkImports(st, &t, tpl, imports)
}

// importID is the physical id that an identifier names.
func importID(tpl *cfntemplate.Template, r ResourceToImport) (string, error) {
	declared, ok := tpl.Resources[r.LogicalResourceId]
	if !ok {
		return "", invalid("Resources [%s] in ResourceToImport list do not exist in the template", r.LogicalResourceId)
	}
	known, ok := restype.Lookup(declared.Type)
	if !ok || len(known.PrimaryID) == 0 {
		return "", invalid("ResourceTypes [%s] are not supported for Import", declared.Type)
	}
	if r.ResourceType != declared.Type {
		return "", invalid("ResourceType %s of resource %s does not match the template's %s", r.ResourceType, r.LogicalResourceId, declared.Type)
	}
	parts := make([]string, len(known.PrimaryID))
	for i, name := range known.PrimaryID {
		parts[i] = r.ResourceIdentifier[name]
		if parts[i] == "" || len(r.ResourceIdentifier) != len(parts) {
			return "", invalid("Invalid resource identifier for resource %s: %s is identified by [%s]", r.LogicalResourceId, declared.Type, strings.Join(known.PrimaryID, ", "))
		}
	}
	if declared.DeletionPolicy == "" {
		return "", invalid("The following resources to import [%s] must have DeletionPolicy attribute specified in the template.", r.LogicalResourceId)
	}
	return strings.Join(parts, "|"), nil
}

// checkImports refuses what an import may not do besides.
func (s *session) checkImports(st *stack, t *target, tpl *cfntemplate.Template, imports map[string]string) error {
	p, err := s.plan(st, t)
	if err != nil {
		return asRefusal(err)
	}
	var missing, changed []string
	for _, c := range p.changes {
		id := c.Change.LogicalResourceId
		switch _, asked := imports[id]; {
		case c.Change.Action == "Add" && !asked:
			missing = append(missing, id)
		case c.Change.Action == "Add":
		default:
			changed = append(changed, id)
		}
	}
	switch {
	case len(missing) > 0:
		return invalid("Resources %s is missing from ResourceToImport list", list(missing))
	case len(changed) > 0:
		return invalid("As part of the import operation, you cannot modify or add resources %s", list(changed))
	case len(tpl.OutputNames) > 0 && p.outputsChange():
		return invalid("As part of the import operation, you cannot modify or add [Outputs]")
	}
	for _, id := range slices.Sorted(maps.Keys(imports)) {
		if r := s.resource(st.ID, id); r != nil && r.alive() && st.Status != reviewInProgress {
			return invalid("Resource %s already exists in stack %s", id, st.ID)
		}
	}
	return nil
}

// importing turns the changes of a change set that add what exists into imports.
// Automatic imports are those of named resources that exist outside of stacks; they
// must be safe from deletion.
func (s *session) importing(st *stack, cs *changeSet, p *planner) (why string) {
	if truth(cs.Import) && cs.Type != "IMPORT" {
		var unsafe []string
		cs.Imports, unsafe = s.automatic(st, p)
		if len(unsafe) > 0 {
			return "CloudFormation is attempting to import some resources because they already exist in your account. The resources must have the DeletionPolicy attribute set to 'Retain' or 'RetainExceptOnCreate' in the template for successful import. The affected resources are " + strings.Join(unsafe, ", ")
		}
	}
	for i := range p.changes {
		if c := &p.changes[i].Change; c.Action == "Add" && cs.Imports[c.LogicalResourceId] != "" {
			c.Action, c.PhysicalResourceId = "Import", cs.Imports[c.LogicalResourceId]
		}
	}
	return ""
}

// automatic finds what a plan adds and what exists, by logical id, and which of it
// would be deleted with the stack.
func (s *session) automatic(st *stack, p *planner) (imports map[string]string, unsafe []string) {
	imports = map[string]string{}
	for _, c := range p.changes {
		id := c.Change.LogicalResourceId
		if c.Change.Action != "Add" {
			continue
		}
		physical, property := s.existing(st, id, p.next[id])
		if physical == "" {
			continue
		}
		imports[id] = physical
		if policy := p.next[id].OnDelete; policy != "Retain" && policy != "RetainExceptOnCreate" {
			unsafe = append(unsafe, id+" ({"+property+"="+physical+"})")
		}
	}
	return imports, unsafe
}

// existing is the physical id of a resource that its template names, if one of that
// name exists outside of stacks.
func (s *session) existing(st *stack, id string, next *state) (physical, property string) {
	property, name := chosenName(next)
	if name == "" {
		return "", ""
	}
	trial := *next
	s.identify(st, id, &trial, "import")
	for _, o := range s.owners(st.account(), trial.Physical) {
		if o.Type == next.Type && o.Stack == "" {
			return trial.Physical, property
		}
	}
	if s.e.cfg.Exists == nil || s.err != nil {
		return "", ""
	}
	found, err := s.e.cfg.Exists(s.tx, st.account(), next.Type, trial.Physical)
	s.fail(err)
	if !found || len(s.owners(st.account(), trial.Physical)) > 0 {
		return "", ""
	}
	return trial.Physical, property
}

// startImportStack accepts the import of resources into a stack.
func (s *session) startImportStack(st *stack, t target, l launch) {
	if st.Status == reviewInProgress {
		s.register(st)
	} else {
		before := st.Now
		st.Fallback, st.FallbackOut = &before, st.Outputs
	}
	op := &operation{Kind: kindImport, Started: s.now, Was: st.Status, ChangeSet: l.changeSet, Imports: l.imports}
	st.Token, st.Now, st.Updated = l.token, t, s.now
	s.begin(st, opUpdate)
	s.setStatus(st, importInProgress, userInitiated)
	s.later(st, op, phaseStart, s.soon(st, phaseStart))
}

// takeOver performs the next step in importing a resource.
func (s *session) takeOver(st *stack, op *operation, i int) {
	n := &op.Nodes[i]
	r := s.resource(st.ID, n.ID)
	switch {
	case n.State == nodeReady:
		s.takeOverStart(st, op, i)
	case r.Status == importInProgress:
		s.takeOverBegin(st, op, i, r)
	case r.Status == importComplete:
		s.setResource(st, r, updateInProgress, importTags)
		s.laterNode(st, op, i, s.e.between(time.Second, 2*time.Second, "tags", st.ID, st.OpID, n.ID))
	default:
		n.State = nodeDone
		s.setResource(st, r, updateComplete, "")
		s.announce(st, r)
	}
}

func (s *session) takeOverStart(st *stack, op *operation, i int) {
	n := &op.Nodes[i]
	n.How, n.State = howImport, nodeRunning
	c, err := s.scope(st, &st.Now)
	var next *state
	if err == nil {
		next, err = s.desired(st, c, n.ID)
	}
	if next == nil {
		next = &state{Type: "?"}
	}
	r := &resource{ID: n.ID, state: *next, Born: true, Touched: true, Imported: true}
	r.Physical = op.Imports[n.ID]
	s.setResource(st, r, importInProgress, importStarted)
	if err != nil {
		s.failNode(st, op, i, reasonOf(err))
		return
	}
	s.laterNode(st, op, i, s.e.between(time.Second, 3*time.Second, "import", st.ID, st.OpID, n.ID))
}

func (s *session) takeOverBegin(st *stack, op *operation, i int, r *resource) {
	n := &op.Nodes[i]
	if text, code, failed := s.fault(st, r.Type, n); failed {
		s.failNode(st, op, i, s.handlerMessage(st, n.ID, text, code))
		return
	}
	if text, _ := validate(n.ID, &r.state); text != "" {
		s.failNode(st, op, i, text)
		return
	}
	for _, o := range s.owners(st.account(), r.Physical) {
		if o.Type != r.Type {
			continue
		}
		if o.Stack != "" {
			s.failNode(st, op, i, r.Physical+" already exists in stack "+o.Stack)
			return
		}
		for _, name := range r.names() { // it has an owner again
			s.drop("physical", place(st.account())+key(name, r.Type, "", r.Physical))
		}
	}
	if !s.present(st, r) {
		s.failNode(st, op, i, "Resource of type '"+r.Type+"' with identifier '"+r.Physical+"' was not found.")
		return
	}
	r.Ref = generator{s: s, st: st, id: r.ID, r: &r.state}.refNow()
	s.keepIDs(st, r)
	s.claim(st, r.ID, &r.state)
	s.setResource(st, r, importComplete, importDone)
	s.laterNode(st, op, i, s.e.between(time.Second, 2*time.Second, "imported", st.ID, st.OpID, n.ID))
}

// present reports whether a resource to import exists. The sandbox knows that of a
// few kinds and takes it for granted of the others.
func (s *session) present(st *stack, r *resource) bool {
	if s.e.cfg.Tracks == nil || !s.e.cfg.Tracks(r.Type) || s.err != nil {
		return true
	}
	found, err := s.e.cfg.Exists(s.tx, st.account(), r.Type, r.Physical)
	s.fail(err)
	return found
}

// finishImportUndo lets go of what was imported.
func (s *session) finishImportUndo(st *stack) {
	for _, r := range s.listed(st.ID) {
		if !r.Imported {
			continue
		}
		if r.Status != importFailed {
			s.setResource(st, r, importUndoComplete, "")
		}
		s.abandon(st, r.ID, &r.state)
		s.dropResource(st.ID, r.ID)
	}
	s.setImports(st, nil)
	if st.Fallback != nil {
		if imports, err := s.importsOf(st, &st.Now); err == nil {
			s.setImports(st, imports)
		}
	}
	st.Fallback, st.FallbackOut = nil, nil
	s.forget(st)
	s.done(st, importUndoComplete, "", opSucceeded)
}
