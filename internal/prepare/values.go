package prepare

import (
	"strings"

	"github.com/deployer-cli/deployer/internal/resolve"
	"github.com/deployer-cli/deployer/stacks"
)

// A value that is known later and that stands where only text can is written
// between these marks, which nothing that CloudFormation takes begins with.
const (
	lateOpen  = "⟪"
	lateClose = "⟫"
)

// Late is the text that stands for a value known later in a tag, a role, a
// bucket or a notification.
func Late(hint string) string { return lateOpen + hint + lateClose }

// IsLate tells whether a text is, or holds, what Late makes.
func IsLate(s string) bool { return strings.Contains(s, lateOpen) && strings.Contains(s, lateClose) }

// text resolves a value that has to be one text; nothing gives "".
func (m *making) text(what string, v stacks.Value) string {
	resolved, ok := m.resolve(what, v)
	if !ok {
		return ""
	}
	s, ok := m.plain(resolved)
	if !ok {
		m.fail(m.wrong(resolved.Pos, what, notText(resolved), ""))
	}
	return s
}

// plain gives a resolved value as text, or a text that says it is known later.
func (m *making) plain(v stacks.Value) (string, bool) {
	switch v.Kind {
	case stacks.Null:
		return "", true
	case stacks.Unknown:
		m.after(v.After...)
		return Late(v.Hint), true
	default:
		return v.Text, v.IsScalar()
	}
}

// notText says why a value that has to be one text is none.
func notText(v stacks.Value) string {
	if v.Kind == stacks.Call && v.Call.Name == resolve.Previous {
		return "!" + resolve.Previous + " is for parameters only"
	}
	return "it has to be a text, not " + v.Kind.String()
}

// notifications resolves the topics that hear of the stack. A resolver may give
// several.
func (m *making) notifications() {
	for _, given := range m.stack.Notifications {
		resolved, ok := m.resolve("notifications", given)
		if !ok {
			continue
		}
		items := resolved.Items
		if resolved.Kind != stacks.List {
			items = []stacks.Value{resolved}
		}
		for _, v := range items {
			arn, ok := m.plain(v)
			if !ok {
				m.fail(m.wrong(v.Pos, "notifications", notText(v), "each is the ARN of an SNS topic"))
			}
			if arn != "" {
				m.out.Notifications = append(m.out.Notifications, arn)
			}
		}
	}
}
