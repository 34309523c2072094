package sandbox

import (
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/internal/sandbox/engine"
	"github.com/deployer-cli/deployer/internal/sandbox/store"
)

// computeService is EC2 as far as instances can be stopped and security groups
// emptied.
func computeService() service {
	return service{
		"DescribeInstances":             reads(describeInstances),
		"StopInstances":                 writes(stopInstances),
		"StartInstances":                writes(startInstances),
		"DescribeSecurityGroups":        reads(describeSecurityGroups),
		"DescribeSecurityGroupRules":    reads(describeSecurityGroupRules),
		"RevokeSecurityGroupIngress":    writes(revokeIngress),
		"AuthorizeSecurityGroupIngress": writes(authorizeIngress),
		"DescribeSnapshots":             reads(describeVolumeSnapshots),
	}
}

type (
	filter struct {
		Name  string
		Value []string
	}
	tagItem       struct{ Key, Value string }
	instanceState struct {
		Code int
		Name string
	}
	instanceItem struct {
		InstanceId     string
		InstanceType   string
		InstanceState  instanceState
		RootDeviceType string
		LaunchTime     string
		TagSet         []tagItem
	}
	reservationItem struct {
		ReservationId, OwnerId string
		InstancesSet           []instanceItem
	}
	describeInstancesInput struct {
		InstanceId []string
		Filter     []filter
	}
	describeInstancesOutput struct{ ReservationSet []reservationItem }
	instancesInput          struct{ InstanceId []string }
	stateChange             struct {
		InstanceId                  string
		CurrentState, PreviousState instanceState
	}
	stateChangeOutput struct{ InstancesSet []stateChange }
)

// coded is a state with EC2's number for it.
func coded(name string) instanceState {
	codes := map[string]int{stPending: 0, stRunning: 16, stStopping: 64, stStopped: 80, stTerminated: 48}
	return instanceState{codes[name], name}
}

func describeInstances(s *Server, tx store.Tx, c *call, in *describeInstancesInput) (*describeInstancesOutput, error) {
	all, err := s.machines(tx, c)
	if err != nil {
		return nil, err
	}
	for _, id := range in.InstanceId {
		if !slices.ContainsFunc(all, func(m vm) bool { return m.id == id }) {
			return nil, noInstance(id)
		}
	}
	out := &describeInstancesOutput{}
	for _, m := range all {
		if len(in.InstanceId) > 0 && !slices.Contains(in.InstanceId, m.id) {
			continue
		}
		fits, err := m.fits(in.Filter)
		if err != nil {
			return nil, err
		}
		if fits {
			out.ReservationSet = append(out.ReservationSet, reservationItem{"r-0" + strings.TrimPrefix(m.id, "i-0"), c.caller.Account, []instanceItem{m.shown()}})
		}
	}
	return out, nil
}

func noInstance(id string) error {
	return invalid("InvalidInstanceID.NotFound", "The instance ID '%s' does not exist", id)
}

func (m vm) shown() instanceItem {
	kind := textOf(m.owner.Properties["InstanceType"])
	if kind == "" {
		kind = "t3.micro"
	}
	return instanceItem{
		InstanceId: m.id, InstanceType: kind, InstanceState: coded(m.state), RootDeviceType: "ebs",
		LaunchTime: m.since.UTC().Format("2006-01-02T15:04:05.000Z"), TagSet: m.tags(),
	}
}

func (m vm) tags() []tagItem {
	out := []tagItem{
		{"aws:cloudformation:logical-id", m.owner.LogicalID},
		{"aws:cloudformation:stack-id", m.owner.StackID},
		{"aws:cloudformation:stack-name", m.owner.Stack},
	}
	if m.owner.Type == typeGroup {
		out = append(out, tagItem{"aws:autoscaling:groupName", m.owner.Physical})
	}
	return out
}

func (m vm) fits(filters []filter) (bool, error) {
	for _, f := range filters {
		have := ""
		key, isTag := strings.CutPrefix(f.Name, "tag:")
		switch {
		case isTag:
			for _, t := range m.tags() {
				if t.Key == key {
					have = t.Value
				}
			}
		case f.Name == "instance-id":
			have = m.id
		case f.Name == "instance-state-name":
			have = m.state
		default:
			return false, invalid("InvalidParameterValue", "The filter '%s' is invalid", f.Name)
		}
		if !slices.Contains(f.Value, have) {
			return false, nil
		}
	}
	return true, nil
}

func stopInstances(s *Server, tx store.Tx, c *call, in *instancesInput) (*stateChangeOutput, error) {
	return s.switchInstances(tx, c, in.InstanceId, stStopped)
}

func startInstances(s *Server, tx store.Tx, c *call, in *instancesInput) (*stateChangeOutput, error) {
	return s.switchInstances(tx, c, in.InstanceId, stRunning)
}

// switchInstances stops or starts instances, all or none.
func (s *Server) switchInstances(tx engine.Tx, c *call, ids []string, want string) (*stateChangeOutput, error) {
	all, err := s.machines(tx, c)
	if err != nil {
		return nil, err
	}
	out := &stateChangeOutput{}
	var chosen []vm
	for _, id := range ids {
		i := slices.IndexFunc(all, func(m vm) bool { return m.id == id })
		if i < 0 {
			return nil, noInstance(id)
		}
		m := all[i]
		if m.state == stTerminated || want == stRunning && m.state == stStopping {
			return nil, invalid("IncorrectInstanceState", "The instance '%s' is not in a state from which it can be %s.", id, map[string]string{stRunning: "started", stStopped: "stopped"}[want])
		}
		next := coded(m.state)
		if on := m.state == stRunning || m.state == stPending; on != (want == stRunning) {
			next = coded(map[string]string{stRunning: stPending, stStopped: stStopping}[want])
			chosen = append(chosen, m)
		}
		out.InstancesSet = append(out.InstancesSet, stateChange{id, next, coded(m.state)})
	}
	return out, s.switchAll(tx, c, chosen, want)
}
