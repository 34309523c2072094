package templates

import (
	"crypto/sha256"

	"github.com/deployer-cli/deployer/internal/cfntemplate"
)

// Parse reads a body as CloudFormation would. Equal bodies are read once and
// share what comes of it, which nobody may change.
func (l *Loader) Parse(body []byte) (*cfntemplate.Template, error) {
	return l.parsed.get(sum(body), func() (*cfntemplate.Template, error) {
		return cfntemplate.Parse(body)
	})
}

func sum(body []byte) [32]byte { return sha256.Sum256(body) }
