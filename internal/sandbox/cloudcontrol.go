package sandbox

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/deployer-cli/deployer/internal/restype"
	"github.com/deployer-cli/deployer/internal/sandbox/engine"
	"github.com/deployer-cli/deployer/internal/sandbox/store"
)

// tableControl keeps requests of Cloud Control by account, region and token.
const tableControl = "cloudcontrol.request"

// deletionTakes is how long Cloud Control takes to delete something: a guess.
const deletionTakes = 5 * time.Second

type (
	controlInput    struct{ TypeName, Identifier, ClientToken string }
	controlStatusIn struct{ RequestToken string }
	controlEvent    struct {
		TypeName, Identifier, RequestToken, Operation, OperationStatus string
		StatusMessage, ErrorCode                                       string
		EventTime                                                      time.Time
	}
	controlOutput   struct{ ProgressEvent controlEvent }
	controlResource struct{ Identifier, Properties string }
	controlGetOut   struct {
		TypeName            string
		ResourceDescription controlResource
	}
)

// controlRequest is one deletion that was asked for. Its outcome is known at
// once and told when it is due.
type controlRequest struct {
	Event controlEvent `json:"event"`
	Due   time.Time    `json:"due"`
}

// controlService is Cloud Control as far as resources of stacks can be looked at
// and deleted.
func controlService() service {
	return service{
		"GetResource":              reads(getResource),
		"DeleteResource":           writes(deleteResource),
		"GetResourceRequestStatus": reads(getResourceRequestStatus),
	}
}

// controlled finds a resource by its type and identifier.
func (s *Server) controlled(tx engine.Tx, c *call, in *controlInput) (o engine.Outside, found bool, err error) {
	t, known := restype.Lookup(in.TypeName)
	switch {
	case !known:
		return o, false, invalid("TypeNotFoundException", "The type '%s' cannot be found.", in.TypeName)
	case in.Identifier == "":
		return o, false, invalid("ValidationException", "1 validation error detected: Value at 'identifier' failed to satisfy constraint: Member must not be null")
	case len(t.PrimaryID) == 0:
		return o, false, invalid("UnsupportedActionException", "Resource type %s does not support DELETE action", in.TypeName)
	}
	o, found, err = s.behind.Lookup(tx, c.account(), in.Identifier, in.TypeName)
	return o, found && !o.Missing, err
}

func notFoundText(in *controlInput) string {
	return fmt.Sprintf("Resource of type '%s' with identifier '%s' was not found.", in.TypeName, in.Identifier)
}

func getResource(s *Server, tx store.Tx, c *call, in *controlInput) (*controlGetOut, error) {
	o, found, err := s.controlled(tx, c, in)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, invalid("ResourceNotFoundException", "%s", notFoundText(in))
	}
	shown := map[string]any{}
	if t, ok := restype.Lookup(o.Type); ok {
		for name, value := range o.Properties {
			if t.HasProperty(name) {
				shown[name] = value
			}
		}
	}
	raw, err := json.Marshal(shown)
	return &controlGetOut{in.TypeName, controlResource{in.Identifier, string(raw)}}, err
}

func deleteResource(s *Server, tx store.Tx, c *call, in *controlInput) (*controlOutput, error) {
	token, err := s.controlToken(tx, in.ClientToken)
	if err != nil {
		return nil, err
	}
	key := place(c.account()) + token
	var r controlRequest
	if found, err := getJSON(tx, tableControl, key, &r); err != nil {
		return nil, err
	} else if found && (r.Event.Identifier != in.Identifier || r.Event.TypeName != in.TypeName) {
		return nil, invalid("ClientTokenConflictException", "The client token was used for another request")
	} else if found {
		return s.progress(tx, c, r)
	}
	o, found, err := s.controlled(tx, c, in)
	if err != nil {
		return nil, err
	}
	code, why := "NotFound", notFoundText(in)
	if found {
		code = "GeneralServiceException"
		if why, err = s.behind.Remove(tx, c.at, o); err != nil {
			return nil, err
		}
	}
	r = controlRequest{Due: c.at.Add(deletionTakes), Event: controlEvent{
		TypeName: in.TypeName, Identifier: in.Identifier, RequestToken: token, Operation: "DELETE", OperationStatus: "SUCCESS", EventTime: c.at,
	}}
	if why != "" {
		r.Event.OperationStatus, r.Event.StatusMessage, r.Event.ErrorCode = "FAILED", why, code
	}
	if err := putJSON(tx, tableControl, key, r); err != nil {
		return nil, err
	}
	return s.progress(tx, c, r)
}

// controlToken is a request's own token, the same for one client token.
func (s *Server) controlToken(tx store.Tx, clientToken string) (string, error) {
	if clientToken != "" {
		return s.id("control", clientToken), nil
	}
	n, err := nextNumber(tx, tableControl)
	return s.id("control", "", strconv.Itoa(n)), err
}

// progress tells how far a request is.
func (s *Server) progress(tx engine.Tx, c *call, r controlRequest) (*controlOutput, error) {
	clock, _, err := readClock(tx)
	if err != nil {
		return nil, err
	}
	if c.at.Before(r.Due) && clock.Speed != MaxSpeed {
		r.Event.OperationStatus, r.Event.StatusMessage, r.Event.ErrorCode = "IN_PROGRESS", "", ""
	}
	return &controlOutput{r.Event}, nil
}

func getResourceRequestStatus(s *Server, tx store.Tx, c *call, in *controlStatusIn) (*controlOutput, error) {
	var r controlRequest
	found, err := getJSON(tx, tableControl, place(c.account())+in.RequestToken, &r)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, invalid("RequestTokenNotFoundException", "Request with token %s was not found", in.RequestToken)
	}
	return s.progress(tx, c, r)
}
