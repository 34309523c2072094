package sandbox

import (
	"errors"
	"strconv"

	"github.com/deployer-cli/deployer/internal/cfnyaml"
)

// ParseFaults reads rules from YAML: a list of maps with the keys of Fault as they
// are in its JSON, under the key "faults" or at the top. "fail" may hold the
// message instead of true. The error names all mistakes with their places.
func ParseFaults(src []byte) ([]Fault, error) {
	nodes, err := document(src, "faults")
	if err != nil {
		return nil, err
	}
	var out []Fault
	var errs []error
	for _, n := range nodes {
		f, err := parseFault(n)
		if err == nil {
			if err = f.Check(); err != nil {
				err = mistake(n, "%w", err)
			}
		}
		out, errs = append(out, f), append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return out, nil
}

func parseFault(n *cfnyaml.Node) (Fault, error) {
	var f Fault
	in := newFields(n)
	in.string("id", &f.ID)
	in.string("account", &f.Account)
	in.string("region", &f.Region)
	in.string("stack", &f.Stack)
	in.string("resource", &f.Logical)
	in.string("type", &f.Type)
	in.string("phase", &f.Phase)
	in.string("service", &f.Service)
	in.string("action", &f.Action)
	in.int("count", &f.Count)
	in.float("probability", &f.Probability)
	in.string("message", &f.Message)
	in.string("code", &f.Code)
	in.scalar("fail", "true, false or a message", func(s string) error {
		var err error
		if f.Fail, err = strconv.ParseBool(s); err != nil {
			f.Fail, f.Message = true, s
		}
		return nil
	})
	in.float("slow", &f.Slow)
	in.duration("hold", &f.Hold)
	in.bool("throttle", &f.Throttle)
	in.float("rate", &f.Rate)
	in.int("burst", &f.Burst)
	in.string("drop", &f.Drop)
	in.int("status", &f.Status)
	in.bool("expire", &f.Expire)
	in.duration("delay", &f.Delay)
	in.duration("stale", &f.Stale)
	return f, in.done()
}
