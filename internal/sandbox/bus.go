package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/deployer-cli/deployer/internal/sandbox/store"
)

// BusEvent is an event that was put on a bus of EventBridge.
type BusEvent struct {
	ID         string    `json:"id"`
	At         time.Time `json:"at"`
	Account    string    `json:"account"`
	Region     string    `json:"region"`
	Bus        string    `json:"bus"`
	Source     string    `json:"source"`
	DetailType string    `json:"detail_type"`
	Detail     string    `json:"detail"`
	Resources  []string  `json:"resources,omitempty"`
}

type (
	busEntry struct {
		Source, DetailType, Detail, EventBusName string
		Resources                                []string
		Time                                     time.Time
	}
	busResult      struct{ EventId, ErrorCode, ErrorMessage string }
	putEventsInput struct{ Entries []busEntry }
	putEventsOut   struct {
		FailedEntryCount int         `wire:"always"`
		Entries          []busResult `wire:"always"`
	}
)

func busService() service {
	return service{
		"PutEvents":    writes(putEvents),
		"DescribeRule": reads(describeRule),
		"EnableRule":   writes(enableRule),
		"DisableRule":  writes(disableRule),
	}
}

// putEvents keeps events. Rules match none of them, so nobody hears of them.
func putEvents(s *Server, tx store.Tx, c *call, in *putEventsInput) (*putEventsOut, error) {
	const most = 10
	if len(in.Entries) == 0 || len(in.Entries) > most {
		return nil, invalid("ValidationException", "1 validation error detected: Value '[]' at 'entries' failed to satisfy constraint: Member must have length less than or equal to %d and greater than or equal to 1", most)
	}
	out := &putEventsOut{}
	for _, e := range in.Entries {
		r := busResult{}
		switch {
		case e.Source == "" || e.DetailType == "" || e.Detail == "":
			r.ErrorCode, r.ErrorMessage = "InvalidArgument", "Parameter is not valid. Reason: Source, DetailType and Detail are required arguments."
		case !json.Valid([]byte(e.Detail)):
			r.ErrorCode, r.ErrorMessage = "MalformedDetail", "Detail is malformed."
		default:
			n, err := nextNumber(tx, tableBus)
			if err != nil {
				return nil, err
			}
			r.EventId = s.id("event", strconv.Itoa(n))
			bus := e.EventBusName
			if bus == "" {
				bus = "default"
			}
			at := e.Time
			if at.IsZero() {
				at = c.at
			}
			kept := BusEvent{r.EventId, at, c.caller.Account, c.region, bus, e.Source, e.DetailType, e.Detail, e.Resources}
			if err := putJSON(tx, tableBus, fmt.Sprintf("%016x", n), kept); err != nil {
				return nil, err
			}
		}
		if r.ErrorCode != "" {
			out.FailedEntryCount++
		}
		out.Entries = append(out.Entries, r)
	}
	return out, nil
}

// BusEvents lists what was put on the buses of EventBridge, oldest first.
func (s *Server) BusEvents(ctx context.Context) ([]BusEvent, error) {
	var out []BusEvent
	err := s.control(ctx, false, func(tx store.Tx, _ time.Time) (err error) {
		out, err = scanJSON[BusEvent](tx, tableBus, "")
		return err
	})
	return out, err
}
