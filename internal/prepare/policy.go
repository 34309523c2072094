package prepare

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/deployer-cli/deployer/internal/cfnyaml"
	"github.com/deployer-cli/deployer/stacks"
)

// maxPolicy is how long a stack policy may be (API reference, StackPolicyBody).
const maxPolicy = 16384

// policy reads the stack policy: a map in the config, or the path of a file.
// It decides what an update may touch, so it has to be known from the start.
func (m *making) policy() {
	v, ok := m.resolve("stack_policy", m.stack.StackPolicy)
	if !ok || v.Kind == stacks.Null {
		return
	}
	if _, unknown := v.HasUnknown(); unknown {
		m.fail(m.wrong(v.Pos, "stack_policy", "it has to be known before the run", "write it out"))
		return
	}
	var doc any
	var err error
	switch v.Kind {
	case stacks.Map:
		doc = v.Plain()
	case stacks.Text:
		doc, err = m.policyFile(v.Text)
	default:
		err = fmt.Errorf("it has to be a map or the path of a file, not %s", v.Kind)
	}
	if err == nil {
		m.out.Policy, err = policyBody(doc)
	}
	if err != nil {
		m.fail(m.wrong(v.Pos, "stack_policy", err.Error(), ""))
	}
}

func (m *making) policyFile(name string) (any, error) {
	name = path.Clean(strings.ReplaceAll(name, `\`, "/"))
	if m.ports.Files == nil || !fs.ValidPath(name) {
		return nil, fmt.Errorf("%s leads out of the project", name)
	}
	text, err := fs.ReadFile(m.ports.Files, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the file %s does not exist", name)
	}
	if err != nil {
		return nil, fmt.Errorf("the file cannot be read: %w", err)
	}
	node, _, err := cfnyaml.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return node.Plain(), nil
}

func policyBody(doc any) ([]byte, error) {
	policy, ok := doc.(map[string]any)
	if !ok {
		return nil, errors.New("a stack policy is a map")
	}
	if _, ok := policy["Statement"]; !ok {
		return nil, errors.New("a stack policy needs a Statement")
	}
	body, err := cfnyaml.MarshalJSON(policy)
	if err != nil {
		return nil, err
	}
	if len(body) > maxPolicy {
		return nil, fmt.Errorf("it has %d bytes, and CloudFormation takes %d", len(body), maxPolicy)
	}
	return body, nil
}
