package sandbox

import (
	"strings"

	"github.com/deployer-cli/deployer/internal/sandbox/engine"
	"github.com/deployer-cli/deployer/internal/sandbox/store"
)

const (
	typeEventRule = "AWS::Events::Rule"
	ruleEnabled   = "ENABLED"
	ruleDisabled  = "DISABLED"
	defaultBus    = "default"
)

type (
	ruleInput struct{ Name, EventBusName string }
	ruleShown struct {
		Name, Arn, EventPattern, ScheduleExpression, State, Description, RoleArn, EventBusName, CreatedBy string
	}
)

// rule finds a rule of EventBridge by its name and its bus.
func (s *Server) rule(tx engine.Tx, c *call, in *ruleInput) (engine.Outside, error) {
	bus, resource := busName(in.EventBusName), in.Name
	if bus != defaultBus {
		resource = bus + "/" + in.Name
	}
	arn := "arn:aws:events:" + c.region + ":" + c.caller.Account + ":rule/" + resource
	o, found, err := s.behind.Lookup(tx, c.account(), arn, typeEventRule)
	if err == nil && (!found || o.Missing) {
		err = invalid("ResourceNotFoundException", "Rule %s does not exist on EventBus %s.", in.Name, bus)
	}
	return o, err
}

// busName is a bus by its name or ARN.
func busName(text string) string {
	if text == "" {
		return defaultBus
	}
	return text[strings.LastIndexByte(text, '/')+1:]
}

// ruleState is whether a rule is enabled; one that says nothing is.
func ruleState(properties map[string]any) string {
	if state := textOf(properties["State"]); state != "" {
		return state
	}
	return ruleEnabled
}

func describeRule(s *Server, tx store.Tx, c *call, in *ruleInput) (*ruleShown, error) {
	o, err := s.rule(tx, c, in)
	if err != nil {
		return nil, err
	}
	p := o.Properties
	return &ruleShown{
		Name: in.Name, Arn: o.Attributes["Arn"], ScheduleExpression: textOf(p["ScheduleExpression"]), State: ruleState(p),
		Description: textOf(p["Description"]), RoleArn: textOf(p["RoleArn"]), EventBusName: busName(in.EventBusName), CreatedBy: c.caller.Account,
	}, nil
}

func enableRule(s *Server, tx store.Tx, c *call, in *ruleInput) (*noOutput, error) {
	return s.switchRule(tx, c, in, ruleEnabled)
}

func disableRule(s *Server, tx store.Tx, c *call, in *ruleInput) (*noOutput, error) {
	return s.switchRule(tx, c, in, ruleDisabled)
}

func (s *Server) switchRule(tx engine.Tx, c *call, in *ruleInput, state string) (*noOutput, error) {
	o, err := s.rule(tx, c, in)
	if err != nil {
		return nil, err
	}
	return &noOutput{}, s.behind.Alter(tx, c.at, o, map[string]any{"State": state})
}
