package sandbox

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/deployer-cli/deployer/internal/sandbox/engine"
	"github.com/deployer-cli/deployer/internal/sandbox/store"
)

// HealthPath is where simulated health endpoints are: GET /_health/a,b answers 200
// while the stacks a and b are up and 503 otherwise, so that an HTTP probe means
// something without a cloud. A stack is not up while one of its resources is broken
// behind its back: deleted, stopped, closed, throttled or disabled. The query may name account and region; without a
// region all of them are searched. No bucket can have this name.
const HealthPath = "/_health/"

// health is what a health endpoint answers.
type health struct {
	Up     bool              `json:"up"`
	Stacks map[string]string `json:"stacks"` // status; "" for a stack that is not there

	// Broken says what somebody broke behind the back of a stack that is complete.
	Broken map[string][]string `json:"broken,omitempty"`
}

func isHealth(r *http.Request) bool {
	return r.URL != nil && strings.HasPrefix(r.URL.Path, HealthPath) && r.Header.Get("Authorization") == "" &&
		(r.Method == http.MethodGet || r.Method == http.MethodHead)
}

// planHealth looks the stacks of a health endpoint up.
func (s *Server) planHealth(c *call) func(tx store.Tx) (*answer, error) {
	names := strings.Split(strings.Trim(strings.TrimPrefix(c.r.URL.Path, HealthPath), "/"), ",")
	query := c.r.URL.Query()
	return func(tx store.Tx) (*answer, error) {
		places, err := s.placesOf(tx, query.Get("account"), query.Get("region"))
		if err != nil {
			return nil, err
		}
		out := health{Up: true, Stacks: map[string]string{}}
		for _, name := range names {
			status, at, err := s.statusOf(tx, c, places, name)
			if err != nil {
				return nil, err
			}
			out.Stacks[name] = status
			out.Up = out.Up && isUp(status)
			broken, err := s.brokenIn(tx, c, at, name)
			if err != nil {
				return nil, err
			}
			if len(broken) > 0 {
				out.Up, out.Broken = false, withBroken(out.Broken, name, broken)
			}
		}
		body, err := json.Marshal(out)
		a := &answer{status: http.StatusOK, header: http.Header{"Content-Type": {"application/json"}}, body: append(body, '\n')}
		if !out.Up {
			a.status = http.StatusServiceUnavailable
		}
		return a, err
	}
}

// placesOf are the accounts and regions with stacks that a query names.
func (s *Server) placesOf(tx store.Tx, account, region string) ([]engine.Account, error) {
	if account == "" {
		account = s.opts.Account
	}
	all, err := scanJSON[engine.Account](tx, tablePlace, account+"\x00")
	var out []engine.Account
	for _, a := range all {
		if region == "" || a.Region == region {
			out = append(out, a)
		}
	}
	return out, err
}

// statusOf is the status of the first living stack with a name, and where it is.
func (s *Server) statusOf(tx store.Tx, c *call, places []engine.Account, name string) (string, engine.Account, error) {
	if name == "" {
		return "", engine.Account{}, nil // no name would mean all stacks
	}
	for _, a := range places {
		out, err := s.engine.Call(tx, c.at, a, "DescribeStacks", &engine.DescribeStacksInput{StackName: name})
		if _, refused := errors.AsType[*engine.Error](err); refused {
			continue
		}
		if err != nil {
			return "", a, err
		}
		if found, ok := out.(*engine.DescribeStacksOutput); ok && len(found.Stacks) > 0 {
			return found.Stacks[0].StackStatus, a, nil
		}
	}
	return "", engine.Account{}, nil
}

// isUp tells whether a stack with this status serves: it was created, and nobody
// is taking it away. An update does not interrupt it.
func isUp(status string) bool {
	switch {
	case status == "CREATE_COMPLETE", strings.HasPrefix(status, "UPDATE_"), strings.HasPrefix(status, "IMPORT_"):
		return true
	default:
		return false
	}
}
