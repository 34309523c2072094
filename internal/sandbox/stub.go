package sandbox

import (
	"context"
	"strings"

	"github.com/deployer-cli/deployer/internal/sandbox/engine"
	"github.com/deployer-cli/deployer/internal/sandbox/store"
)

// Stub is something outside the project that was missing and made up.
type Stub struct {
	Kind    string `json:"kind"` // parameter, secret, bucket
	Name    string `json:"name"`
	Account string `json:"account"`
	Region  string `json:"region"`
}

// stub makes a value up and remembers that it did, or answers "" when it may not.
func (s *Server) stub(tx engine.Tx, a engine.Account, kind, name string) (string, error) {
	if !s.opts.Stubs || name == "" {
		return "", nil
	}
	key := strings.Join([]string{a.AccountID, a.Region, kind, name}, "\x00")
	found, err := hasKey(tx, tableStub, key)
	if err == nil && !found {
		err = putJSON(tx, tableStub, key, Stub{Kind: kind, Name: name, Account: a.AccountID, Region: a.Region})
	}
	return "stub-" + name, err
}

// Stubbed lists what was made up since the last Reset.
func (s *Server) Stubbed(ctx context.Context) ([]Stub, error) {
	var out []Stub
	err := s.opts.Store.View(ctx, func(tx store.Tx) (err error) {
		out, err = scanJSON[Stub](tx, tableStub, "")
		return err
	})
	return out, err
}
