package config

import (
	"fmt"
	"strings"

	"github.com/deployer-cli/deployer/stacks"
)

// maxName is CloudFormation's limit for the name of a stack.
const maxName = 128

// name is what CloudFormation calls the stack.
func (b *builder) name(projectCode string) string {
	if name := b.text("stack_name"); name != "" {
		f, _ := b.find("stack_name")
		if why := badName(name); why != "" {
			b.problem(f.Value.Pos, fmt.Sprintf("stack name %q is not allowed", name), why, "")
		}
		return name
	}
	if projectCode == "" {
		return "" // that it is missing was reported
	}
	name := projectCode + "-" + strings.ReplaceAll(string(b.path), "/", "-")
	if why := badName(name); why != "" {
		fixed := strings.Map(func(r rune) rune {
			if letter(r) || digit(r) || r == '-' {
				return r
			}
			return '-'
		}, name)
		b.problem(b.firstPos(), fmt.Sprintf("stack name %q is not allowed", name), why,
			"rename the file, or give the stack a name of its own: stack_name: "+fixed[:min(len(fixed), maxName)])
	}
	return name
}

// badName says why CloudFormation would refuse a name, "" if it would not.
func badName(name string) string {
	if len(name) > maxName {
		return fmt.Sprintf("it has %d characters, and CloudFormation takes %d", len(name), maxName)
	}
	for i, r := range name {
		if i == 0 && !letter(r) {
			return "it must begin with a letter"
		}
		if !letter(r) && !digit(r) && r != '-' {
			return fmt.Sprintf("it holds %q, and CloudFormation takes letters, digits and hyphens", r)
		}
	}
	return ""
}

func letter(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }

func digit(r rune) bool { return r >= '0' && r <= '9' }

// environmentOf finds the environment of a group: the nearest block, else one
// that stands for the undeclared group.
func (l *loader) environmentOf(at stacks.Path, undeclared map[stacks.Path]*stacks.Environment) *stacks.Environment {
	for p := at; ; p = p.Group() {
		if e := l.groups[p].declared; e != nil {
			return e
		}
		if p == "" {
			break
		}
	}
	p := undeclaredPath(at)
	e, ok := undeclared[p]
	if !ok {
		e = &stacks.Environment{Name: environmentName(p), Path: p}
		undeclared[p] = e
	}
	return e
}
