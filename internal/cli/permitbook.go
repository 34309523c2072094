package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/deployer-cli/deployer/internal/cloud"
	"github.com/deployer-cli/deployer/stacks"
)

// permitText is one agreement, as its parameter holds it.
type permitText struct {
	ID       string    `json:"id"`
	Made     time.Time `json:"made"`
	Until    time.Time `json:"until"`
	Include  []string  `json:"include"`
	Exclude  []string  `json:"exclude"`
	Kinds    []string  `json:"kinds"`
	Callers  []string  `json:"callers"`
	AgreedBy string    `json:"agreed_by"`
	Reason   string    `json:"reason"`
	Revoked  bool      `json:"revoked"`
}

// permitBook holds the permits of one environment: an SSM parameter for each. It is
// made once, never made again, and changed by revoking alone, so that nobody who
// writes at the same time brings back what another revoked.
type permitBook struct {
	cloud  *cloud.Cloud
	access stacks.Access
	path   string // of which the permits' parameters are right below
}

// permitPath is where an environment's permits are.
func permitPath(project, env string) string { return "/deployer/" + project + "/permits/" + env }

// permitsAt reaches the permits in the environment's own account, whoever asks.
func (s *session) permitsAt(a area) permitBook {
	return permitBook{s.cloud, a.access, permitPath(projectName(s.anyOf(a.env)), a.env.Name)}
}

func (b permitBook) at(id string) *cloud.Lever { return b.cloud.Lever(b.access, b.path+"/"+id) }

// read gives an environment's permits, oldest first. One that is not just what is
// written here is an error: it may say that it was revoked in words of its own.
func (b permitBook) read(ctx context.Context) ([]permitText, error) {
	texts, err := b.cloud.Below(ctx, b.access, b.path)
	if err != nil {
		return nil, err
	}
	out := []permitText{}
	for id, text := range texts {
		var p permitText
		d := json.NewDecoder(strings.NewReader(text))
		d.DisallowUnknownFields()
		if err := d.Decode(&p); err != nil || d.More() || p.ID != id {
			return nil, fmt.Errorf("%s/%s holds something else", b.path, id)
		}
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b permitText) int { return cmp.Or(a.Made.Compare(b.Made), cmp.Compare(a.ID, b.ID)) })
	return out, nil
}

// keptPermits is how long a permit stays to be read after it ended.
const keptPermits = 30 * 24 * time.Hour

// add makes a permit, and clears away those that ended long ago.
func (b permitBook) add(ctx context.Context, p permitText) error {
	all, err := b.read(ctx)
	if err != nil {
		return err
	}
	for _, old := range all {
		if old.Until.Add(keptPermits).Before(p.Made) {
			err = errors.Join(err, b.at(old.ID).Remove(ctx))
		}
	}
	text, failed := json.Marshal(p)
	if failed != nil {
		return errors.Join(err, failed)
	}
	return errors.Join(err, b.at(p.ID).Create(ctx, string(text)))
}

// revoke takes back every permit that there is now.
func (b permitBook) revoke(ctx context.Context) error {
	all, err := b.read(ctx)
	for _, p := range all {
		if p.Revoked {
			continue
		}
		p.Revoked = true
		text, failed := json.Marshal(p)
		if failed == nil {
			failed = b.at(p.ID).Write(ctx, string(text))
		}
		err = errors.Join(err, failed)
	}
	return err
}
