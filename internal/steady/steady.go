// Package steady says what it means that an environment works: probes as the
// project writes them, what one of them saw, and since when it has been well.
//
// It never looks at anything itself; internal/probe does.
package steady

import (
	"net"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/deployer-cli/deployer/stacks"
)

// Role is what a probe's readings are good for.
type Role string

// The roles.
const (
	Steady   Role = "steady"   // well before the break, expected to fail, has to come back
	Guard    Role = "guard"    // has to hold throughout: Failures in a row stop the break
	Evidence Role = "evidence" // is written down only
)

// Failures is how many failures of a guard probe in a row stop a break.
const Failures = 2

// Defaults of a probe. What asks AWS takes longer than what asks a server, and
// has several pages to read.
const (
	DefaultEvery      = 5 * time.Second
	DefaultTimeout    = 3 * time.Second
	DefaultAWSTimeout = 15 * time.Second // cloudwatch_alarm and cloudformation
	DefaultStableFor  = 30 * time.Second
)

// Probe is one question about an environment, asked again and again. Exactly one
// of HTTP, TCP, Command, Alarm and Stacks says which.
type Probe struct {
	Name      string
	Role      Role
	Every     time.Duration // between the beginnings of two readings, by the realm's clock
	Timeout   time.Duration // of one reading, by the machine's clock
	StableFor time.Duration // how long it has to stay good to count as restored

	HTTP    *HTTP
	TCP     string   // host:port that has to accept a connection
	Command []string // has to end with 0
	Alarm   string   // name of a CloudWatch alarm that has to be OK
	Stacks  string   // pattern of stack paths that have to be up; see stacks.Path.Matches

	Pos stacks.Pos
}

// HTTP is a GET and what its answer has to be.
type HTTP struct {
	URL        string        // its query may hold a token: show stacks.ShownAddress(URL)
	Status     int           // that is good; 0 for any from 200 to 299
	Contains   string        // has to be in the first megabyte of the body; "" for anything
	MaxLatency time.Duration // until the body is there; 0 for no bound but Timeout
}

// Kind is the key that the probe is written with: http, tcp, command,
// cloudwatch_alarm or cloudformation; "" for the zero Probe.
func (p Probe) Kind() string {
	switch {
	case p.HTTP != nil:
		return "http"
	case p.TCP != "":
		return "tcp"
	case len(p.Command) > 0:
		return "command"
	case p.Alarm != "":
		return "cloudwatch_alarm"
	case p.Stacks != "":
		return "cloudformation"
	}
	return ""
}

// Target is what is looked at, for a reader: an address without passwords, the
// name of a program without its arguments, an alarm, a pattern.
func (p Probe) Target() string {
	switch {
	case p.HTTP != nil:
		return stacks.ShownAddress(p.HTTP.URL)
	case p.TCP != "":
		return p.TCP
	case len(p.Command) > 0:
		return path.Base(p.Command[0])
	case p.Alarm != "":
		return p.Alarm
	}
	return p.Stacks
}

// ForStacks makes the probes of an environment that declares none: one for each
// stack, named by its path, that it is up.
func ForStacks(paths []stacks.Path) []Probe {
	out := make([]Probe, 0, len(paths))
	for _, p := range paths {
		out = append(out, Probe{
			Name: string(p), Role: Steady, Stacks: string(p),
			Every: DefaultEvery, Timeout: DefaultAWSTimeout, StableFor: DefaultStableFor,
		})
	}
	return out
}

// Reading is what a probe saw once.
type Reading struct {
	Probe   string        `json:"probe"`
	At      time.Time     `json:"at"`                // when it was begun, by the realm's clock
	Took    time.Duration `json:"took_ns"`           // by the machine's clock
	OK      bool          `json:"ok"`                // never together with Unknown
	Why     string        `json:"why,omitempty"`     // "" when OK
	Unknown bool          `json:"unknown,omitempty"` // nothing could be seen: no credentials, no network here
	Changed time.Time     `json:"changed,omitzero"`  // of an alarm: when it came into its state
}

// hostPort tells what is wrong with an address of TCP.
func hostPort(text string) string {
	host, port, err := net.SplitHostPort(text)
	if err != nil || host == "" || strings.ContainsRune(host, '@') {
		return "it must be host:port, such as db.dev.example:5432"
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "its port must be a number from 1 to 65535"
	}
	return ""
}
