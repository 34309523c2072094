package sandbox

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/deployer-cli/deployer/internal/sandbox/engine"
)

const (
	typeInstance = "AWS::EC2::Instance"
	typeGroup    = "AWS::AutoScaling::AutoScalingGroup"

	stPending    = "pending"
	stRunning    = "running"
	stStopping   = "stopping"
	stStopped    = "stopped"
	stTerminated = "terminated"

	// propMachines holds what was done to instances: by id, what they were told
	// to be and when. It is no property of CloudFormation's.
	propMachines = "sandbox:machines"
)

// How long instances take, and a group to see that one is ill: the sandbox's
// guesses. What is terminated is shown for an hour, as in EC2.
const (
	stopTakes  = 20 * time.Second
	startTakes = 10 * time.Second
	groupTakes = 3 * time.Minute
	shownFor   = time.Hour
)

// vm is one instance. Nothing runs in it.
type vm struct {
	id    string
	state string
	since time.Time
	owner engine.Outside // the instance's resource, or its group's
}

// machines lists every instance that stacks have, those of groups among them.
func (s *Server) machines(tx engine.Tx, c *call) ([]vm, error) {
	owners, err := s.behind.Members(tx, c.account(), typeInstance, typeGroup)
	if err != nil {
		return nil, err
	}
	at, err := s.machineTime(tx, c.at)
	if err != nil {
		return nil, err
	}
	var out []vm
	for _, o := range owners {
		out = append(out, machinesOf(o, at)...)
	}
	slices.SortFunc(out, func(a, b vm) int { return cmp.Compare(a.id, b.id) })
	return out, nil
}

// machineTime is the time by which instances change. At full speed, where only
// CloudFormation's events move the clock, nobody waits for an instance.
func (s *Server) machineTime(tx engine.Tx, at time.Time) (time.Time, error) {
	c, _, err := readClock(tx)
	if err == nil && c.Speed == MaxSpeed {
		at = at.Add(stopTakes)
	}
	return at, err
}

// machinesOf lists the instances of an instance's or a group's resource.
func machinesOf(o engine.Outside, at time.Time) []vm {
	if o.Missing {
		return nil
	}
	told, _ := o.Properties[propMachines].(map[string]any)
	if o.Type == typeInstance {
		m, _, _ := machineAt(o, o.Physical, launched(o), told, at)
		return []vm{m}
	}
	var out []vm
	for n := range groupSize(o) {
		id, since := machineID(o.Physical, strconv.Itoa(n)), launched(o)
		for {
			m, ill, stopped := machineAt(o, id, since, told, at)
			replaced := ill && !at.Before(stopped.Add(groupTakes))
			if !replaced {
				out = append(out, m)
				break
			}
			since = stopped.Add(groupTakes)
			if m.state, m.since = stTerminated, since; at.Before(since.Add(shownFor)) {
				out = append(out, m)
			}
			id = machineID(o.Physical, id)
		}
	}
	return out
}

// launched is when a resource's first instances were; an update leaves them on.
func launched(o engine.Outside) time.Time {
	if o.Status == "CREATE_IN_PROGRESS" {
		return o.Changed
	}
	return o.Changed.Add(-startTakes)
}

// machineAt is one instance at a time, whether it was told to stop, and when.
func machineAt(o engine.Outside, id string, launched time.Time, told map[string]any, at time.Time) (m vm, stopped bool, when time.Time) {
	m = vm{id: id, state: stRunning, since: launched, owner: o}
	word, _ := told[id].(map[string]any)
	if when, err := time.Parse(time.RFC3339Nano, textOf(word["At"])); err == nil {
		m.since = when
		if stopped = textOf(word["State"]) == stStopped; stopped {
			m.state = stStopped
			if at.Before(when.Add(stopTakes)) {
				m.state = stStopping
			}
			return m, true, when
		}
	}
	if at.Before(m.since.Add(startTakes)) {
		m.state = stPending
	}
	return m, false, m.since
}

// groupSize is how many instances a group wants.
func groupSize(o engine.Outside) int {
	const most = 1000
	for _, name := range []string{"DesiredCapacity", "MinSize"} {
		if n, err := strconv.Atoi(textOf(o.Properties[name])); err == nil {
			return min(max(n, 0), most)
		}
	}
	return 0
}

func machineID(group, draw string) string {
	sum := sha256.Sum256([]byte("machine\x00" + group + "\x00" + draw))
	return "i-0" + hex.EncodeToString(sum[:])[:16]
}

// switchAll writes down what instances were told to be.
func (s *Server) switchAll(tx engine.Tx, c *call, chosen []vm, state string) error {
	byOwner := map[string][]vm{}
	for _, m := range chosen {
		byOwner[m.owner.Physical] = append(byOwner[m.owner.Physical], m)
	}
	for _, owner := range slices.Sorted(maps.Keys(byOwner)) {
		mine := byOwner[owner]
		old, _ := mine[0].owner.Properties[propMachines].(map[string]any)
		told := maps.Clone(old)
		if told == nil {
			told = map[string]any{}
		}
		for _, m := range mine {
			told[m.id] = map[string]any{"State": state, "At": c.at.UTC().Format(time.RFC3339Nano)}
		}
		if err := s.behind.Alter(tx, c.at, mine[0].owner, map[string]any{propMachines: told}); err != nil {
			return err
		}
	}
	return nil
}
