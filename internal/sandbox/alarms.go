package sandbox

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/deployer-cli/deployer/internal/sandbox/engine"
	"github.com/deployer-cli/deployer/internal/sandbox/store"
)

const (
	typeAlarm     = "AWS::CloudWatch::Alarm"
	typeComposite = "AWS::CloudWatch::CompositeAlarm"

	alarmOK      = "OK"
	alarmRinging = "ALARM"
	alarmUnknown = "INSUFFICIENT_DATA"
)

// alarm is an alarm of CloudWatch, as DescribeAlarms shows it. Nothing measures in
// the sandbox: its state changes by SetAlarmState alone.
type alarm struct {
	AlarmName, AlarmArn, AlarmDescription string
	AlarmRule                             string
	ActionsEnabled                        *bool
	AlarmActions, OKActions               []string
	InsufficientDataActions               []string
	MetricName, Namespace, Statistic      string
	ComparisonOperator                    string
	Period, EvaluationPeriods             *int
	Threshold                             *float64
	StateValue, StateReason               string
	StateReasonData                       string
	StateUpdatedTimestamp                 time.Time
	AlarmConfigurationUpdatedTimestamp    time.Time
}

type (
	setAlarmInput      struct{ AlarmName, StateValue, StateReason, StateReasonData string }
	putAlarmInput      alarm
	alarmNamesInput    struct{ AlarmNames []string }
	describeAlarmInput struct {
		AlarmNames, AlarmTypes      []string
		AlarmNamePrefix, StateValue string
		MaxRecords                  *int
		NextToken                   string
	}
	describeAlarmOutput struct {
		CompositeAlarms []alarm `wire:"always"`
		MetricAlarms    []alarm `wire:"always"`
		NextToken       string
	}
	alarmHistoryInput struct {
		AlarmName, HistoryItemType, NextToken string
		MaxRecords                            *int
		StartDate, EndDate                    time.Time
	}
	alarmHistory struct {
		AlarmName, AlarmType        string
		Timestamp                   time.Time
		HistoryItemType             string
		HistorySummary, HistoryData string
	}
	alarmHistoryOutput struct {
		AlarmHistoryItems []alarmHistory `wire:"always"`
		NextToken         string
	}
)

func alarmService() service {
	quiet := func(op operation) operation { op.noResult = true; return op }
	return service{
		"PutMetricAlarm":       quiet(writes(putAlarm)),
		"PutCompositeAlarm":    quiet(writes(putAlarm)),
		"SetAlarmState":        quiet(writes(setAlarmState)),
		"DeleteAlarms":         quiet(writes(deleteAlarms)),
		"DescribeAlarms":       reads(describeAlarms),
		"DescribeAlarmHistory": reads(describeAlarmHistory),
	}
}

func alarmARN(a engine.Account, name string) string {
	return "arn:aws:cloudwatch:" + a.Region + ":" + a.AccountID + ":alarm:" + name
}

func putAlarm(_ *Server, tx store.Tx, c *call, in *putAlarmInput) (*noOutput, error) {
	if in.AlarmName == "" {
		return nil, invalid("ValidationError", "1 validation error detected: Value null at 'alarmName' failed to satisfy constraint: Member must not be null")
	}
	return &noOutput{}, keepAlarm(tx, c.account(), alarm(*in), c.at)
}

// keepAlarm writes an alarm's definition; its state stays as it was.
func keepAlarm(tx engine.Tx, a engine.Account, next alarm, at time.Time) error {
	var old alarm
	found, err := getJSON(tx, tableAlarm, place(a)+next.AlarmName, &old)
	if err != nil {
		return err
	}
	next.AlarmArn, next.AlarmConfigurationUpdatedTimestamp = alarmARN(a, next.AlarmName), at
	next.StateValue, next.StateReason, next.StateUpdatedTimestamp = alarmUnknown, "Unchecked: Initial alarm creation", at
	if found {
		next.StateValue, next.StateReason, next.StateUpdatedTimestamp = old.StateValue, old.StateReason, old.StateUpdatedTimestamp
	}
	if next.ActionsEnabled == nil {
		next.ActionsEnabled = new(true)
	}
	what := "Alarm \"" + next.AlarmName + "\" created"
	if found {
		what = "Alarm \"" + next.AlarmName + "\" updated"
	}
	if err := tellAlarm(tx, a, next, at, "ConfigurationUpdate", what, ""); err != nil {
		return err
	}
	return putJSON(tx, tableAlarm, place(a)+next.AlarmName, next)
}

// tellAlarm adds to the history of an alarm.
func tellAlarm(tx engine.Tx, a engine.Account, of alarm, at time.Time, kind, summary, data string) error {
	n, err := nextNumber(tx, tableAlarmHistory)
	if err != nil {
		return err
	}
	h := alarmHistory{AlarmName: of.AlarmName, AlarmType: of.kind(), Timestamp: at, HistoryItemType: kind, HistorySummary: summary, HistoryData: data}
	return putJSON(tx, tableAlarmHistory, place(a)+fmt.Sprintf("%016x", math.MaxInt64-n), h)
}

func (a *alarm) kind() string {
	if a.AlarmRule != "" {
		return "CompositeAlarm"
	}
	return "MetricAlarm"
}

func setAlarmState(_ *Server, tx store.Tx, c *call, in *setAlarmInput) (*noOutput, error) {
	var a alarm
	key := place(c.account()) + in.AlarmName
	found, err := getJSON(tx, tableAlarm, key, &a)
	switch {
	case err != nil:
		return nil, err
	case !slices.Contains([]string{alarmOK, alarmRinging, alarmUnknown}, in.StateValue):
		return nil, invalid("ValidationError", "1 validation error detected: Value '%s' at 'stateValue' failed to satisfy constraint: Member must satisfy enum value set: [INSUFFICIENT_DATA, ALARM, OK]", in.StateValue)
	case !found:
		return nil, fault(http.StatusNotFound, "ResourceNotFound", "Unknown")
	case a.StateValue == in.StateValue:
		return &noOutput{}, nil
	}
	summary := "Alarm updated from " + a.StateValue + " to " + in.StateValue
	old := a.StateValue
	a.StateValue, a.StateReason, a.StateReasonData, a.StateUpdatedTimestamp = in.StateValue, in.StateReason, in.StateReasonData, c.at
	data := fmt.Sprintf(`{"version":"1.0","oldState":{"stateValue":%q},"newState":{"stateValue":%q,"stateReason":%q}}`, old, in.StateValue, in.StateReason)
	if err := tellAlarm(tx, c.account(), a, c.at, "StateUpdate", summary, data); err != nil {
		return nil, err
	}
	return &noOutput{}, putJSON(tx, tableAlarm, key, a)
}

func deleteAlarms(_ *Server, tx store.Tx, c *call, in *alarmNamesInput) (*noOutput, error) {
	for _, name := range in.AlarmNames {
		if found, err := hasKey(tx, tableAlarm, place(c.account())+name); err != nil {
			return nil, err
		} else if !found {
			return nil, fault(http.StatusNotFound, "ResourceNotFound", "Unknown")
		}
	}
	for _, name := range in.AlarmNames {
		if err := tx.Delete(tableAlarm, place(c.account())+name); err != nil {
			return nil, err
		}
	}
	return &noOutput{}, nil
}

func pageSize(n *int) int {
	const usual = 100
	if n == nil || *n <= 0 || *n > usual {
		return usual
	}
	return *n
}

func describeAlarms(_ *Server, tx store.Tx, c *call, in *describeAlarmInput) (*describeAlarmOutput, error) {
	out := &describeAlarmOutput{}
	var failed error
	left := pageSize(in.MaxRecords)
	where := place(c.account())
	after := ""
	if in.NextToken != "" {
		after = where + in.NextToken
	}
	last := ""
	err := tx.Scan(tableAlarm, where+in.AlarmNamePrefix, after, func(key string, raw []byte) bool {
		var a alarm
		if failed = decodeJSON(tableAlarm, raw, &a); failed != nil {
			return false
		}
		composite := a.AlarmRule != ""
		switch {
		case len(in.AlarmNames) > 0 && !slices.Contains(in.AlarmNames, a.AlarmName), in.StateValue != "" && in.StateValue != a.StateValue:
			return true
		case composite && !slices.Contains(in.AlarmTypes, "CompositeAlarm"), !composite && len(in.AlarmTypes) > 0 && !slices.Contains(in.AlarmTypes, "MetricAlarm"):
			return true // without types DescribeAlarms shows metric alarms alone
		}
		if left == 0 {
			out.NextToken = strings.TrimPrefix(last, where)
			return false
		}
		left, last = left-1, key
		if composite {
			out.CompositeAlarms = append(out.CompositeAlarms, a)
		} else {
			out.MetricAlarms = append(out.MetricAlarms, a)
		}
		return true
	})
	if err == nil {
		err = failed
	}
	return out, err
}

func describeAlarmHistory(_ *Server, tx store.Tx, c *call, in *alarmHistoryInput) (*alarmHistoryOutput, error) {
	out := &alarmHistoryOutput{}
	var failed error
	where, after, last := place(c.account()), "", ""
	if in.NextToken != "" {
		after = where + in.NextToken
	}
	err := tx.Scan(tableAlarmHistory, where, after, func(key string, raw []byte) bool {
		var h alarmHistory
		if failed = decodeJSON(tableAlarmHistory, raw, &h); failed != nil {
			return false
		}
		if in.AlarmName != "" && in.AlarmName != h.AlarmName || in.HistoryItemType != "" && in.HistoryItemType != h.HistoryItemType ||
			!in.StartDate.IsZero() && h.Timestamp.Before(in.StartDate) || !in.EndDate.IsZero() && h.Timestamp.After(in.EndDate) {
			return true
		}
		if len(out.AlarmHistoryItems) == pageSize(in.MaxRecords) {
			out.NextToken = strings.TrimPrefix(last, where)
			return false
		}
		last = key
		out.AlarmHistoryItems = append(out.AlarmHistoryItems, h)
		return true
	})
	if err == nil {
		err = failed
	}
	return out, err
}

// madeAlarm shows an alarm of a stack.
func madeAlarm(tx engine.Tx, m engine.Made) error {
	number := func(name string) *int {
		if n, err := strconv.Atoi(textOf(m.Properties[name])); err == nil {
			return &n
		}
		return nil
	}
	a := alarm{
		AlarmName: m.Physical, AlarmDescription: textOf(m.Properties["AlarmDescription"]), AlarmRule: textOf(m.Properties["AlarmRule"]),
		MetricName: textOf(m.Properties["MetricName"]), Namespace: textOf(m.Properties["Namespace"]), Statistic: textOf(m.Properties["Statistic"]),
		ComparisonOperator: textOf(m.Properties["ComparisonOperator"]), Period: number("Period"), EvaluationPeriods: number("EvaluationPeriods"),
		AlarmActions: textsOf(m.Properties["AlarmActions"]), OKActions: textsOf(m.Properties["OKActions"]), InsufficientDataActions: textsOf(m.Properties["InsufficientDataActions"]),
	}
	if f, err := strconv.ParseFloat(textOf(m.Properties["Threshold"]), 64); err == nil {
		a.Threshold = &f
	}
	if textOf(m.Properties["ActionsEnabled"]) == "false" {
		a.ActionsEnabled = new(false)
	}
	return keepAlarm(tx, m.Account, a, m.At)
}

func textsOf(v any) []string {
	items, _ := v.([]any)
	var out []string
	for _, item := range items {
		out = append(out, textOf(item))
	}
	return out
}

// alarmState is the state of an alarm that a deployment watches; with stubs an
// alarm that is missing is calm.
func (s *Server) alarmState(tx engine.Tx, a engine.Account, arn string) (string, error) {
	_, name, _ := strings.Cut(arn, ":alarm:")
	var found alarm
	ok, err := getJSON(tx, tableAlarm, place(a)+name, &found)
	if err == nil && !ok {
		stub, err := s.stub(tx, a, "alarm", name)
		if stub != "" {
			return alarmOK, err
		}
		return "", err
	}
	return found.StateValue, err
}
