package inject

import (
	"fmt"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/internal/restype"
	"github.com/deployer-cli/deployer/stacks"
)

// The kinds.
const (
	DeleteResource = "delete-resource"
	StopInstances  = "stop-instances"
	RevokeIngress  = "revoke-ingress"
	LambdaZero     = "lambda-zero"
	DisableRule    = "disable-rule"
)

// The types of resources that the kinds are about.
const (
	typeInstance  = "AWS::EC2::Instance"
	typeGroup     = "AWS::AutoScaling::AutoScalingGroup"
	typeFirewall  = "AWS::EC2::SecurityGroup"
	typeIngress   = "AWS::EC2::SecurityGroupIngress"
	typeFunction  = "AWS::Lambda::Function"
	typeEventRule = "AWS::Events::Rule"
)

// Kinds lists the kinds of injections, in the order of their names.
func Kinds() []string {
	return []string{DeleteResource, DisableRule, LambdaZero, RevokeIngress, StopInstances}
}

// UnsuitableError says why a kind of break cannot be made in a stack.
type UnsuitableError struct {
	Kind string
	Path stacks.Path
	Why  string
	Tip  string
}

// Error names the kind, the stack and the reason.
func (e *UnsuitableError) Error() string {
	if e.Path == "" {
		return fmt.Sprintf("%s cannot be made: %s", e.Kind, e.Why)
	}
	return fmt.Sprintf("%s cannot be made in %s: %s", e.Kind, e.Path, e.Why)
}

// Hint says what helps.
func (e *UnsuitableError) Hint() string { return e.Tip }

// ExitCode is 2: nothing was touched.
func (e *UnsuitableError) ExitCode() int { return 2 }

// target is the stack in which a kind is to be made.
type target struct {
	kind      string
	arg       string
	stack     stacks.Target
	resources []stacks.Resource
}

func (t *target) unsuitable(tip, format string, args ...any) error {
	return &UnsuitableError{Kind: t.kind, Path: t.stack.Path, Why: fmt.Sprintf(format, args...), Tip: tip}
}

// Preview says which resources of a stack a kind breaks, and how. arg is the
// logical id of the one resource that is meant; without one every resource of
// the kind's types is, except that delete-resource always needs it. It calls
// nothing. What the stack lacks, and a resource that may not be deleted since it
// holds data, is an *UnsuitableError.
func Preview(kind, arg string, st stacks.Target, resources []stacks.Resource) ([]stacks.Injection, error) {
	t := &target{kind: kind, arg: arg, stack: st, resources: resources}
	found, err := t.choose()
	if err != nil {
		return nil, err
	}
	out := make([]stacks.Injection, 0, len(found))
	for i := range found {
		r := &found[i]
		if err := t.fits(r); err != nil {
			return nil, err
		}
		out = append(out, stacks.Injection{
			Kind: kind, Stack: st.Path, Name: st.Name, StackID: st.StackID, Access: st.Access,
			LogicalID: r.LogicalID, PhysicalID: r.PhysicalID, Type: r.Type, Says: says(kind, r),
		})
	}
	return out, nil
}

// typesOf lists what a kind can be made of; nil for delete-resource.
func typesOf(kind string) (types []string, known bool) {
	switch kind {
	case DeleteResource:
		return nil, true
	case StopInstances:
		return []string{typeInstance, typeGroup}, true
	case RevokeIngress:
		return []string{typeFirewall}, true
	case LambdaZero:
		return []string{typeFunction}, true
	case DisableRule:
		return []string{typeEventRule}, true
	}
	return nil, false
}

// choose finds the resources that are meant.
func (t *target) choose() ([]stacks.Resource, error) {
	types, known := typesOf(t.kind)
	if !known {
		return nil, &UnsuitableError{Kind: t.kind, Why: "there is no such kind", Tip: "the kinds are " + strings.Join(Kinds(), ", ")}
	}
	if t.arg == "" && t.kind == DeleteResource {
		return nil, t.unsuitable("say which: "+DeleteResource+"=LOGICAL", "it names no resource")
	}
	var found []stacks.Resource
	for _, r := range t.resources {
		switch {
		case t.arg != "" && r.LogicalID != t.arg:
		case t.arg == "" && !slices.Contains(types, r.Type):
		case t.arg == "" && !exists(&r):
		default:
			found = append(found, r)
		}
	}
	if len(found) == 0 && t.arg != "" {
		return nil, t.unsuitable(t.have(), "it has no resource %s", t.arg)
	}
	if len(found) == 0 {
		return nil, t.unsuitable("choose a stack that has one, or another kind", "it has no %s", strings.Join(types, " and no "))
	}
	return found, nil
}

// have tells which resources a kind could be made of.
func (t *target) have() string {
	types, _ := typesOf(t.kind)
	var names []string
	for _, r := range t.resources {
		if types == nil || slices.Contains(types, r.Type) {
			names = append(names, r.LogicalID)
		}
	}
	if len(names) == 0 {
		return "it has none of its kind"
	}
	slices.Sort(names)
	return "it has " + strings.Join(names, ", ")
}

// fits refuses a resource that the kind cannot be made of, or that cannot be
// put back.
func (t *target) fits(r *stacks.Resource) error {
	types, _ := typesOf(t.kind)
	switch {
	case types != nil && !slices.Contains(types, r.Type):
		return t.unsuitable("it is made of "+strings.Join(types, " or "), "%s is a %s", r.LogicalID, r.Type)
	case r.PhysicalID == "":
		return t.unsuitable("launch the stack first", "%s was not made", r.LogicalID)
	case !exists(r):
		return t.unsuitable("wait until the stack is complete", "%s is %s", r.LogicalID, r.Status)
	case t.kind == DeleteResource:
		return t.deletable(r)
	}
	return nil
}

// deletable refuses to delete what CloudFormation could not make again as it was.
func (t *target) deletable(r *stacks.Resource) error {
	switch restype.Holds(r.Type) {
	case restype.HoldsNothing:
	case restype.HoldsNested:
		return t.unsuitable("break the nested stack itself, or a resource in it", "%s is a nested stack", r.LogicalID)
	case restype.HoldsPassing, restype.HoldsSecret, restype.HoldsLasting:
		return t.unsuitable("a holder of data is never deleted behind its stack's back; choose another resource", "%s (%s) holds data, which would be lost", r.LogicalID, r.Type)
	}
	known, ok := restype.Lookup(r.Type)
	if !ok || !strings.HasPrefix(r.Type, "AWS::") || strings.HasPrefix(r.Type, "AWS::CloudFormation::") {
		return t.unsuitable("choose a resource of AWS's own", "%s is a %s, which Cloud Control does not delete", r.LogicalID, r.Type)
	}
	if !addressed(known, r.PhysicalID) {
		return t.unsuitable("choose another resource", "%s (%s) is addressed by %s, and CloudFormation tells only %s",
			r.LogicalID, r.Type, strings.Join(known.PrimaryID, " and "), r.PhysicalID)
	}
	return nil
}

// addressed tells whether a physical id is what Cloud Control knows a resource by.
func addressed(t *restype.Type, physical string) bool {
	if n := len(t.PrimaryID); n != 1 {
		return n > 0 && n == len(strings.Split(physical, "|"))
	}
	return !strings.HasSuffix(strings.ToLower(t.PrimaryID[0]), "arn") || strings.HasPrefix(physical, "arn:")
}

// exists tells whether a resource is there and nothing is under way with it.
func exists(r *stacks.Resource) bool {
	if r.PhysicalID == "" {
		return false
	}
	switch {
	case strings.HasPrefix(r.Status, "DELETE_"), strings.HasSuffix(r.Status, "_IN_PROGRESS"), r.Status == "CREATE_FAILED":
		return false
	}
	return true
}

// says tells the reader what is done.
func says(kind string, r *stacks.Resource) string {
	what := fmt.Sprintf("%s (%s)", r.LogicalID, r.PhysicalID)
	switch kind {
	case DeleteResource:
		return "delete " + what + ", an " + r.Type + ", behind its stack's back"
	case StopInstances:
		if r.Type == typeGroup {
			return "stop the running instances of " + what + "; the group replaces them by itself"
		}
		return "stop the instance " + what
	case RevokeIngress:
		return "revoke every inbound rule of the security group " + what
	case LambdaZero:
		return "set the reserved concurrency of the function " + what + " to zero, so that it is throttled"
	case DisableRule:
		return "disable the rule " + what
	}
	return kind + " " + what
}
